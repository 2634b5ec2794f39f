//! The battery, from `/sys/class/power_supply`: chosen by type, since every vendor names it differently.

use std::fs;
use std::path::{Path, PathBuf};

use super::Power;

/// How full the battery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    /// 0 to 100.
    pub percent: u8,
    /// On the charger.
    pub charging: bool,
}

/// Whether the lid of the SP is closed, by the hall sensor of the H700 vendor kernel: 1 is open, 0 is closed. `None` without one.
/// Source: the suspend scripts of MustardOS/internal. Nothing tells of a change, so it is asked when a key says that the lid moved.
#[must_use]
pub fn lid_closed() -> Option<bool> {
    hall(Path::new("/sys/class/power_supply"))
}

fn hall(supplies: &Path) -> Option<bool> {
    match fs::read_to_string(supplies.join("axp2202-battery/hallkey"))
        .ok()?
        .trim()
    {
        "0" => Some(true),
        "1" => Some(false),
        _ => None,
    }
}

/// The kernel's power supplies.
#[derive(Debug)]
pub struct Supplies {
    folder: PathBuf,
}

impl Supplies {
    /// The supplies of this device.
    #[must_use]
    pub fn of_system() -> Self {
        Self::in_folder(Path::new("/sys/class/power_supply"))
    }

    /// The supplies described in `folder`.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }
}

impl Power for Supplies {
    fn charge(&mut self) -> Option<Charge> {
        // Read anew each time: a driver that reloads (after suspend) comes back as another folder.
        let mut folders: Vec<_> = fs::read_dir(&self.folder)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .collect();
        folders.sort();
        folders.iter().find_map(|folder| battery(folder))
    }
}

/// The charge of the supply in `folder`, if it is a battery of the device itself and present.
fn battery(folder: &Path) -> Option<Charge> {
    let word = |file: &str| {
        fs::read_to_string(folder.join(file))
            .ok()
            .map(|text| text.trim().to_owned())
    };
    let number = |file: &str| word(file)?.parse::<u64>().ok();
    // "Device" is the battery of something plugged in, such as a pad or a mouse.
    let own = word("type")? == "Battery" && word("scope").is_none_or(|scope| scope != "Device");
    if !own || word("present").is_some_and(|present| present == "0") {
        return None;
    }
    let share = |now: &str, full: &str| {
        Some(number(now)?.saturating_mul(100) / number(full).filter(|&full| full > 0)?)
    };
    let percent = number("capacity")
        .or_else(|| share("energy_now", "energy_full"))
        .or_else(|| share("charge_now", "charge_full"))?;
    let charging =
        word("status").is_some_and(|status| matches!(status.as_str(), "Charging" | "Full"));
    Some(Charge {
        percent: percent.min(100) as u8,
        charging,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of supplies that goes away with the test.
    struct Fixture(PathBuf);

    impl Fixture {
        fn new(name: &str, supplies: &[(&str, &[(&str, &str)])]) -> Self {
            let folder =
                std::env::temp_dir().join(format!("officeos-power-{name}-{}", std::process::id()));
            for (supply, files) in supplies {
                fs::create_dir_all(folder.join(supply)).unwrap();
                for (file, text) in *files {
                    fs::write(folder.join(supply).join(file), format!("{text}\n")).unwrap();
                }
            }
            Self(folder)
        }

        fn charge(&self) -> Option<Charge> {
            Supplies::in_folder(&self.0).charge()
        }
    }

    impl Drop for Fixture {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.0));
        }
    }

    #[test]
    fn the_battery_is_found_by_type_whatever_its_name() {
        let fixture = Fixture::new(
            "type",
            &[
                ("axp2202-usb", &[("type", "USB"), ("online", "1")]),
                (
                    "axp2202-battery",
                    &[
                        ("type", "Battery"),
                        ("capacity", "78"),
                        ("status", "Discharging"),
                    ],
                ),
            ],
        );
        assert_eq!(
            fixture.charge(),
            Some(Charge {
                percent: 78,
                charging: false
            })
        );
    }

    #[test]
    fn the_hall_sensor_says_whether_the_lid_is_closed() {
        for (written, closed) in [("0", Some(true)), ("1", Some(false)), ("?", None)] {
            let fixture = Fixture::new("hall", &[("axp2202-battery", &[("hallkey", written)])]);
            assert_eq!(hall(&fixture.0), closed);
        }
        assert_eq!(hall(Path::new("/nonexistent")), None);
    }

    #[test]
    fn the_battery_of_a_plugged_in_pad_is_not_ours() {
        let fixture = Fixture::new(
            "scope",
            &[(
                "a-pad",
                &[
                    ("type", "Battery"),
                    ("scope", "Device"),
                    ("capacity", "50"),
                    ("status", "Charging"),
                ],
            )],
        );
        assert_eq!(fixture.charge(), None);
    }

    #[test]
    fn energy_stands_in_for_a_missing_capacity_and_full_counts_as_on_the_charger() {
        let fixture = Fixture::new(
            "energy",
            &[(
                "bat",
                &[
                    ("type", "Battery"),
                    ("energy_now", "30"),
                    ("energy_full", "40"),
                    ("status", "Full"),
                ],
            )],
        );
        assert_eq!(
            fixture.charge(),
            Some(Charge {
                percent: 75,
                charging: true
            })
        );
    }

    #[test]
    fn nonsense_from_a_driver_is_no_battery_and_no_panic() {
        let fixture = Fixture::new(
            "nonsense",
            &[
                (
                    "a",
                    &[
                        ("type", "Battery"),
                        ("energy_now", "5"),
                        ("energy_full", "0"),
                    ],
                ),
                (
                    "b",
                    &[("type", "Battery"), ("present", "0"), ("capacity", "4")],
                ),
                ("c", &[("type", "Battery"), ("capacity", "-3")]),
            ],
        );
        assert_eq!(fixture.charge(), None);
        let over = Fixture::new(
            "over",
            &[("d", &[("type", "Battery"), ("capacity", "4000")])],
        );
        assert_eq!(
            over.charge(),
            Some(Charge {
                percent: 100,
                charging: false
            })
        );
        assert_eq!(
            Supplies::in_folder(Path::new("/nonexistent")).charge(),
            None
        );
    }
}
