//! Devices made up through uinput.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use evdev::uinput::VirtualDevice;
use evdev::{
    AbsInfo, AbsoluteAxisCode, AttributeSet, Device, EventType, InputEvent, KeyCode, SwitchCode,
    UinputAbsSetup,
};

/// What a device is made with.
pub struct Made<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its keys.
    pub keys: &'a [u16],
    /// Its axes: code, smallest, largest value.
    pub axes: &'a [(u16, i32, i32)],
    /// It has a lid.
    pub lid: bool,
}

/// A device, with its node.
pub struct Pad {
    device: VirtualDevice,
    /// Its node below /dev/input.
    pub node: PathBuf,
}

impl Pad {
    /// Makes it and waits until its node is there.
    pub fn make(made: &Made<'_>) -> Self {
        let keys: AttributeSet<KeyCode> =
            made.keys.iter().map(|&code| KeyCode::new(code)).collect();
        let mut builder = VirtualDevice::builder()
            .unwrap()
            .name(made.name)
            .with_keys(&keys)
            .unwrap();
        for &(code, min, max) in made.axes {
            let rest = if min < 0 { 0 } else { min };
            let info = AbsInfo::new(rest, min, max, 0, 0, 0);
            builder = builder
                .with_absolute_axis(&UinputAbsSetup::new(AbsoluteAxisCode(code), info))
                .unwrap();
        }
        if made.lid {
            let switches: AttributeSet<SwitchCode> = [SwitchCode::SW_LID].into_iter().collect();
            builder = builder.with_switches(&switches).unwrap();
        }
        let mut device = builder.build().unwrap();
        let until = Instant::now() + Duration::from_secs(30);
        let node = loop {
            let node = device
                .enumerate_dev_nodes_blocking()
                .unwrap()
                .flatten()
                .find(|node| {
                    node.file_name()
                        .is_some_and(|name| name.to_string_lossy().starts_with("event"))
                });
            if let Some(node) = node.filter(|node| node.exists()) {
                break node;
            }
            assert!(Instant::now() < until, "{} has no node", made.name);
            std::thread::sleep(Duration::from_millis(20));
        };
        Self { device, node }
    }

    /// Only keys.
    pub fn keys(name: &str, keys: &[u16]) -> Self {
        Self::make(&Made {
            name,
            keys,
            axes: &[],
            lid: false,
        })
    }

    /// A key goes down or up.
    pub fn key(&mut self, code: u16, down: bool) {
        self.emit(EventType::KEY, code, i32::from(down));
    }

    /// A key goes down and up.
    pub fn click(&mut self, code: u16) {
        self.key(code, true);
        self.key(code, false);
    }

    /// An axis moves.
    pub fn axis(&mut self, code: u16, value: i32) {
        self.emit(EventType::ABSOLUTE, code, value);
    }

    /// The lid closes or opens.
    pub fn lid(&mut self, closed: bool) {
        self.emit(EventType::SWITCH, 0, i32::from(closed));
    }

    fn emit(&mut self, kind: EventType, code: u16, value: i32) {
        self.device
            .emit(&[InputEvent::new(kind.0, code, value)])
            .unwrap();
    }

    /// Somebody else who reads it.
    pub fn other(&self) -> Other {
        let device = Device::open(&self.node).unwrap();
        device.set_nonblocking(true).unwrap();
        Other(device)
    }
}

/// A reader beside the app.
pub struct Other(Device);

impl Other {
    /// Keys that it saw since it was last asked.
    pub fn seen(&mut self) -> Vec<(u16, i32)> {
        match self.0.fetch_events() {
            Ok(events) => events
                .filter(|event| event.event_type() == EventType::KEY)
                .map(|event| (event.code(), event.value()))
                .collect(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Vec::new(),
            Err(error) => panic!("{error}"),
        }
    }
}
