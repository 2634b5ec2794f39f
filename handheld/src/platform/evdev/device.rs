//! What the readers need of a device: evdev, or a stand-in for tests.

use std::io;
use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, SystemTime};

use evdev::{AbsoluteAxisCode, Device, EventType, KeyCode, SwitchCode};

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

impl Source for Device {
    fn open(path: &Path) -> io::Result<Self> {
        let device = Self::open(path)?;
        device.set_nonblocking(true)?;
        Ok(device)
    }

    fn name(&self) -> String {
        self.name().unwrap_or_default().to_owned()
    }

    fn capabilities(&self) -> Capabilities {
        let keys = self
            .supported_keys()
            .map(|keys| keys.iter().map(KeyCode::code).collect())
            .unwrap_or_default();
        let axis = |(AbsoluteAxisCode(code), info): (AbsoluteAxisCode, evdev::AbsInfo)| Axis {
            code,
            min: info.minimum(),
            max: info.maximum(),
            now: info.value(),
        };
        Capabilities {
            keys,
            axes: self
                .get_absinfo()
                .map(|axes| axes.map(axis).collect())
                .unwrap_or_default(),
            lid: self
                .supported_switches()
                .is_some_and(|switches| switches.contains(SwitchCode::SW_LID)),
            pointer: self
                .supported_relative_axes()
                .is_some_and(|axes| axes.iter().next().is_some()),
        }
    }

    /// Where the kernel's queue overflowed (SYN_DROPPED), the crate asks for the state and reports what has changed meanwhile.
    fn read(&mut self, events: &mut Vec<Timed>) -> io::Result<()> {
        let (boot, day) = (super::super::clock::now(), SystemTime::now());
        events.extend(self.fetch_events()?.filter_map(|event| {
            let raw = match (event.event_type(), event.value()) {
                (EventType::KEY, value @ (0 | 1)) => Raw::Key(event.code(), value == 1),
                (EventType::ABSOLUTE, value) => Raw::Axis(event.code(), value),
                (EventType::SWITCH, value) if event.code() == SW_LID => Raw::Lid(value != 0),
                _ => return None,
            };
            Some((raw, instant(event.timestamp(), day, boot)))
        }));
        Ok(())
    }

    fn grab(&mut self, on: bool) -> io::Result<()> {
        match (on, self.is_grabbed()) {
            (true, false) => self.grab(),
            (false, true) => self.ungrab(),
            _ => Ok(()),
        }
    }
}

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
