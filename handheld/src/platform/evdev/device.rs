//! What the readers need of a device: evdev, or a stand-in for tests.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::time::{Duration, SystemTime};

use evdev::raw_stream::RawDevice;
use evdev::{
    AbsInfo, AbsoluteAxisCode, EventType, InputEvent, KeyCode, SwitchCode, SynchronizationCode,
};
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::input::code::{Axis, Capabilities, Raw, SW_LID};
use crate::time::Millis;

/// An event, and when the kernel saw it.
pub(super) type Timed = (Raw, Millis);

/// A device that reports raw events.
pub(super) trait Source: AsFd + Send + Sized + 'static {
    /// Opens the node; an error if it cannot be read (yet) or is no such device.
    fn open(path: &Path) -> io::Result<Self>;
    /// Its name.
    fn name(&self) -> String;
    /// What it can report.
    fn capabilities(&self) -> Capabilities;
    /// Takes what is ready without waiting. `WouldBlock` when nothing is.
    fn read(&mut self, events: &mut Vec<Timed>) -> io::Result<()>;
    /// Hides it from all others, or no longer.
    fn grab(&mut self, on: bool) -> io::Result<()>;
}

/// A device of the kernel.
pub(super) struct Node {
    device: RawDevice,
    /// Keys that are down, as far as this reader knows.
    down: BTreeSet<u16>,
    lid: bool,
    /// The kernel's queue overflowed: what comes before the next report is not whole.
    dropped: bool,
}

impl AsFd for Node {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.device.as_fd()
    }
}

impl Source for Node {
    fn open(path: &Path) -> io::Result<Self> {
        let device = RawDevice::open(path)?;
        let flags = OFlag::from_bits_retain(fcntl(&device, FcntlArg::F_GETFL)?);
        fcntl(&device, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        Ok(Self {
            device,
            down: BTreeSet::new(),
            lid: false,
            dropped: false,
        })
    }

    fn name(&self) -> String {
        self.device.name().unwrap_or_default().to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        let device = &self.device;
        Capabilities {
            keys: device
                .supported_keys()
                .map(|keys| keys.iter().map(KeyCode::code).collect())
                .unwrap_or_default(),
            axes: self.axes().unwrap_or_default(),
            lid: device
                .supported_switches()
                .is_some_and(|switches| switches.contains(SwitchCode::SW_LID)),
            pointer: device
                .supported_relative_axes()
                .is_some_and(|axes| axes.iter().next().is_some()),
        }
    }

    fn read(&mut self, events: &mut Vec<Timed>) -> io::Result<()> {
        let (boot, day) = (super::super::clock::now(), SystemTime::now());
        let raws: Vec<InputEvent> = self.device.fetch_events()?.collect();
        for event in raws {
            let raw = match (event.event_type(), event.code(), event.value()) {
                (EventType::SYNCHRONIZATION, SYN_DROPPED, _) => {
                    self.dropped = true;
                    continue;
                }
                (EventType::SYNCHRONIZATION, SYN_REPORT, _) if self.dropped => {
                    self.dropped = false;
                    self.ask(events, boot)?;
                    continue;
                }
                _ if self.dropped => continue,
                (EventType::KEY, code, value @ (0 | 1)) => {
                    self.note(code, value == 1);
                    Raw::Key(code, value == 1)
                }
                (EventType::ABSOLUTE, code, value) => Raw::Axis(code, value),
                (EventType::SWITCH, SW_LID, value) => {
                    self.lid = value != 0;
                    Raw::Lid(self.lid)
                }
                _ => continue,
            };
            events.push((raw, instant(event.timestamp(), day, boot)));
        }
        Ok(())
    }

    fn grab(&mut self, on: bool) -> io::Result<()> {
        match (on, self.device.is_grabbed()) {
            (true, false) => self.device.grab(),
            (false, true) => self.device.ungrab(),
            _ => Ok(()),
        }
    }
}

impl Node {
    fn axes(&self) -> io::Result<Vec<Axis>> {
        let axis = |(AbsoluteAxisCode(code), info): (AbsoluteAxisCode, AbsInfo)| Axis {
            code,
            min: info.minimum(),
            max: info.maximum(),
            now: info.value(),
        };
        Ok(self.device.get_absinfo()?.map(axis).collect())
    }

    fn note(&mut self, code: u16, pressed: bool) {
        if pressed {
            self.down.insert(code);
        } else {
            self.down.remove(&code);
        }
    }

    /// Events were lost: asks how everything stands, and reports what has changed (Documentation/input/event-codes, SYN_DROPPED).
    fn ask(&mut self, events: &mut Vec<Timed>, at: Millis) -> io::Result<()> {
        let now: BTreeSet<u16> = self
            .device
            .get_key_state()?
            .iter()
            .map(|key| key.code())
            .collect();
        let opened = self
            .down
            .difference(&now)
            .map(|&code| Raw::Key(code, false));
        let closed = now.difference(&self.down).map(|&code| Raw::Key(code, true));
        let changed: Vec<Raw> = opened.chain(closed).collect();
        self.down = now;
        let axes = self.axes().unwrap_or_default();
        let axes = axes.iter().map(|axis| Raw::Axis(axis.code, axis.now));
        events.extend(changed.into_iter().chain(axes).map(|raw| (raw, at)));
        let switches = self.device.get_switch_state().ok();
        let lid = switches.is_some_and(|switches| switches.contains(SwitchCode::SW_LID));
        if std::mem::replace(&mut self.lid, lid) != lid {
            events.push((Raw::Lid(lid), at));
        }
        Ok(())
    }
}

const SYN_REPORT: u16 = SynchronizationCode::SYN_REPORT.0;
const SYN_DROPPED: u16 = SynchronizationCode::SYN_DROPPED.0;

/// How far back an event may lie: the kernel keeps no more than a full queue, and a clock of the day that was set meanwhile says nothing.
const OLDEST: Duration = Duration::from_secs(10);

/// The kernel stamps events by the clock of the day; ours counts from boot. `day` and `boot` are both now.
pub(super) fn instant(stamp: SystemTime, day: SystemTime, boot: Millis) -> Millis {
    match day.duration_since(stamp) {
        Ok(age) if age <= OLDEST => Millis(boot.0.saturating_sub(age.as_millis() as u64)),
        _ => boot,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_counts_back_from_now_unless_the_clock_was_set() {
        let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1000);
        let boot = Millis(50_000);
        for (age_ms, at) in [
            (0, 50_000),
            (120, 49_880),
            (10_000, 40_000),
            (10_001, 50_000),
        ] {
            assert_eq!(
                instant(day - Duration::from_millis(age_ms), day, boot),
                Millis(at),
                "{age_ms}"
            );
        }
        assert_eq!(instant(day + Duration::from_secs(9), day, boot), boot);
        assert_eq!(
            instant(day - Duration::from_millis(500), day, Millis(3)),
            Millis(0)
        );
    }
}
