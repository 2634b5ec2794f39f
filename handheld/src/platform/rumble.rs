//! The motor: a force-feedback device where the kernel has one, the vendor's switch file on the H700.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use evdev::{Device, FFEffect, FFEffectCode, FFEffectData, FFEffectKind, FFReplay, FFTrigger};

/// Milliseconds that one pulse lasts at most, whatever is asked for.
pub const MAX_PULSE: u16 = 200;

/// The H700 vendor kernel's switch, below the folder of power supplies. Source: MustardOS/internal, device/rg35xx-h.
const SWITCH: &str = "axp2202-battery/moto";

/// A motor that was found.
#[derive(Debug)]
pub struct Motor(Kind);

#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // There is one.
enum Kind {
    Effect {
        effect: FFEffect,
        device: Device,
        length: u16,
    },
    Switch(File),
}

impl Motor {
    /// The motor of this device, if it has one that this user may run.
    #[must_use]
    pub fn of_system() -> Option<Self> {
        Self::find(
            Path::new(super::evdev::INPUT_FOLDER),
            Path::new("/sys/class/power_supply"),
        )
    }

    /// The first motor among input devices and power supplies.
    #[must_use]
    pub fn find(input: &Path, supplies: &Path) -> Option<Self> {
        let mut nodes: Vec<_> = fs::read_dir(input)
            .into_iter()
            .flatten()
            .flatten()
            .map(|node| node.path())
            .collect();
        nodes.sort();
        let effect = nodes
            .iter()
            .filter_map(|path| Device::open(path).ok())
            .filter(|device| {
                device
                    .supported_ff()
                    .is_some_and(|ff| ff.contains(FFEffectCode::FF_RUMBLE))
            })
            .find_map(|mut device| {
                let effect = device.upload_ff_effect(rumble(MAX_PULSE)).ok()?;
                Some(Self(Kind::Effect {
                    effect,
                    device,
                    length: MAX_PULSE,
                }))
            });
        effect.or_else(|| {
            let file = OpenOptions::new()
                .write(true)
                .open(supplies.join(SWITCH))
                .ok()?;
            Some(Self(Kind::Switch(file)))
        })
    }

    /// Runs the motor for `ms` milliseconds and returns when it stands still again.
    ///
    /// # Errors
    /// The device is gone; find it anew.
    pub async fn pulse(&mut self, ms: u16) -> io::Result<()> {
        let ms = ms.min(MAX_PULSE);
        match &mut self.0 {
            Kind::Effect {
                effect,
                device,
                length,
            } => {
                if *length != ms {
                    *effect = device.upload_ff_effect(rumble(ms))?;
                    *length = ms;
                }
                effect.play(1)?;
                smol::Timer::after(Duration::from_millis(ms.into())).await;
                Ok(())
            }
            Kind::Switch(file) => {
                file.write_all(b"1")?;
                smol::Timer::after(Duration::from_millis(ms.into())).await;
                file.write_all(b"0")
            }
        }
    }
}

impl Drop for Motor {
    /// A motor must not go on when its pulse is cut short.
    fn drop(&mut self) {
        if let Kind::Switch(file) = &mut self.0 {
            let _ = file.write_all(b"0");
        }
    }
}

fn rumble(ms: u16) -> FFEffectData {
    FFEffectData {
        direction: 0,
        trigger: FFTrigger {
            button: 0,
            interval: 0,
        },
        replay: FFReplay {
            length: ms,
            delay: 0,
        },
        kind: FFEffectKind::Rumble {
            strong_magnitude: 0xC000,
            weak_magnitude: 0xC000,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vendors_switch_goes_on_and_off_and_stays_off() {
        let folder = std::env::temp_dir().join(format!("officeos-rumble-{}", std::process::id()));
        let switch = folder.join(SWITCH);
        fs::create_dir_all(folder.join("axp2202-battery")).unwrap();
        fs::write(&switch, "").unwrap();
        let mut motor = Motor::find(&folder, &folder).unwrap();
        smol::block_on(motor.pulse(1)).unwrap();
        assert_eq!(fs::read_to_string(&switch).unwrap(), "10");
        // A pulse that is dropped while the motor runs.
        smol::block_on(smol::future::or(
            async { motor.pulse(MAX_PULSE).await.unwrap() },
            async {},
        ));
        drop(motor);
        assert_eq!(fs::read_to_string(&switch).unwrap(), "1010");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_device_without_a_motor_has_none() {
        assert!(Motor::find(Path::new("/nonexistent"), Path::new("/nonexistent")).is_none());
    }
}
