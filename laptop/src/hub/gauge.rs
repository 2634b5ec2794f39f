//! What the laptop tells of its load, battery and heat. Read when a request comes; nothing is watched.

use crate::policy::Reading;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long the processors are watched where they may be busy.
const SAMPLE: Duration = Duration::from_millis(250);
/// Percent of the last ten seconds in which something waited for a processor, below which they are not busy.
const CALM_PRESSURE: f32 = 5.0;
/// Degrees below its critical point at which a part is too hot.
const MARGIN: i32 = 5;
/// Temperatures of trip points that are believed, in degrees.
const CREDIBLE: std::ops::RangeInclusive<i32> = 40..=150;

/// Where `/proc` and `/sys` are.
#[derive(Debug, Clone)]
pub(super) struct Gauge {
    root: PathBuf,
}

impl Gauge {
    /// Reads below `root`, which is `/` but in tests.
    pub(super) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    /// Battery and heat.
    pub(super) fn read(&self) -> Reading {
        let (battery, plugged) = self.power();
        Reading {
            cpu: None,
            battery,
            plugged,
            hot: self.hot(),
        }
    }

    /// How busy the processors are, in percent. Takes no time where nothing waits for them, else a quarter of a second.
    pub(super) fn load(&self) -> Option<u8> {
        if self.pressure().is_some_and(|some| some < CALM_PRESSURE) {
            return Some(0);
        }
        let before = self.ticks()?;
        std::thread::sleep(SAMPLE);
        let after = self.ticks()?;
        let all = after.0.saturating_sub(before.0);
        let idle = after.1.saturating_sub(before.1).min(all);
        let busy = (all - idle).saturating_mul(100).checked_div(all)?;
        u8::try_from(busy).ok()
    }

    /// `some avg10` of `/proc/pressure/cpu`, which kernels without pressure accounting lack.
    fn pressure(&self) -> Option<f32> {
        let text = self.text("proc/pressure/cpu")?;
        let line = text.lines().find(|line| line.starts_with("some "))?;
        let field = line.split(' ').find_map(|f| f.strip_prefix("avg10="))?;
        field.parse().ok()
    }

    /// Ticks of all processors since the start, and those of them spent idle. Niced work gives way, so it is idle here.
    fn ticks(&self) -> Option<(u64, u64)> {
        let text = self.text("proc/stat")?;
        let line = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        let fields: Vec<u64> = line
            .split_ascii_whitespace()
            .map_while(|field| field.parse().ok())
            .collect();
        // user nice system idle iowait irq softirq steal; guests are in user already.
        let all = fields.iter().take(8).sum();
        let idle = [1, 3, 4].iter().filter_map(|at| fields.get(*at)).sum();
        (fields.len() >= 4).then_some((all, idle))
    }

    /// How full the batteries are together, and whether anything feeds them.
    fn power(&self) -> (Option<u8>, bool) {
        let (mut sum, mut count, mut plugged) = (0u64, 0u64, false);
        for supply in self.folder("sys/class/power_supply") {
            let kind = read(&supply.join("type")).unwrap_or_default();
            // Mice and headsets have batteries too.
            if read(&supply.join("scope")).as_deref() == Some("Device") {
                continue;
            }
            match kind.as_str() {
                "Battery" => {
                    let level = read(&supply.join("capacity")).and_then(|text| text.parse().ok());
                    if let Some(level) = level {
                        sum += u64::min(level, 100);
                        count += 1;
                    }
                    let status = read(&supply.join("status")).unwrap_or_default();
                    plugged |= matches!(status.as_str(), "Charging" | "Full" | "Not charging");
                }
                "Mains" | "USB" | "Wireless" => {
                    plugged |= read(&supply.join("online")).as_deref() == Some("1");
                }
                _ => {}
            }
        }
        let level = sum
            .checked_div(count)
            .and_then(|level| u8::try_from(level).ok());
        (level, plugged)
    }

    /// The temperature of a zone that has reached its hot point, or nearly its critical one.
    fn hot(&self) -> Option<u16> {
        let degrees =
            |path: &Path| -> Option<i32> { read(path)?.parse::<i32>().ok().map(|m| m / 1000) };
        let zones = self.folder("sys/class/thermal").into_iter().filter(|path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("thermal_zone"))
        });
        let mut hottest = None;
        for zone in zones {
            let Some(now) = degrees(&zone.join("temp")) else {
                continue;
            };
            for point in 0..16 {
                let Some(kind) = read(&zone.join(format!("trip_point_{point}_type"))) else {
                    break;
                };
                let limit = degrees(&zone.join(format!("trip_point_{point}_temp")))
                    .filter(|limit| CREDIBLE.contains(limit));
                let reached = match (kind.as_str(), limit) {
                    ("hot", Some(limit)) => now >= limit,
                    ("critical", Some(limit)) => now >= limit - MARGIN,
                    _ => false,
                };
                if reached {
                    hottest = hottest.max(u16::try_from(now).ok());
                }
            }
        }
        hottest
    }

    fn folder(&self, path: &str) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.root.join(path)) else {
            return Vec::new();
        };
        let mut all: Vec<PathBuf> = entries
            .filter_map(Result::ok)
            .map(|entry| entry.path())
            .collect();
        all.sort();
        all
    }

    fn text(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }
}

fn read(path: &Path) -> Option<String> {
    fs::read_to_string(path)
        .ok()
        .map(|text| text.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;

    fn made_up(name: &str, files: &[(&str, &str)]) -> (TempFolder, Gauge) {
        let folder = TempFolder::new(name);
        for (path, text) in files {
            let path = folder.0.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let gauge = Gauge::new(&folder.0);
        (folder, gauge)
    }

    #[test]
    fn a_laptop_on_battery_tells_its_level_and_a_mouse_does_not_count() {
        let (_folder, gauge) = made_up(
            "gauge-battery",
            &[
                ("sys/class/power_supply/BAT0/type", "Battery\n"),
                ("sys/class/power_supply/BAT0/capacity", "12\n"),
                ("sys/class/power_supply/BAT0/status", "Discharging\n"),
                ("sys/class/power_supply/AC/type", "Mains\n"),
                ("sys/class/power_supply/AC/online", "0\n"),
                ("sys/class/power_supply/hidpp_battery_0/type", "Battery\n"),
                ("sys/class/power_supply/hidpp_battery_0/scope", "Device\n"),
                ("sys/class/power_supply/hidpp_battery_0/capacity", "90\n"),
            ],
        );
        let reading = gauge.read();
        assert_eq!((reading.battery, reading.plugged), (Some(12), false));
    }

    #[test]
    fn mains_or_a_charging_battery_is_plugged_in() {
        let (_folder, gauge) = made_up(
            "gauge-mains",
            &[
                ("sys/class/power_supply/BAT0/type", "Battery\n"),
                ("sys/class/power_supply/BAT0/capacity", "12\n"),
                ("sys/class/power_supply/BAT0/status", "Charging\n"),
            ],
        );
        assert!(gauge.read().plugged);
        let (_folder, desktop) = made_up("gauge-desktop", &[]);
        assert_eq!(desktop.read(), Reading::default());
        assert_eq!(desktop.load(), None);
    }

    #[test]
    fn a_zone_near_its_critical_point_is_hot_and_a_silly_point_is_not_believed() {
        let zone = |temp: &'static str, limit: &'static str| {
            [
                ("sys/class/thermal/thermal_zone0/temp", temp),
                (
                    "sys/class/thermal/thermal_zone0/trip_point_0_type",
                    "passive\n",
                ),
                (
                    "sys/class/thermal/thermal_zone0/trip_point_0_temp",
                    "50000\n",
                ),
                (
                    "sys/class/thermal/thermal_zone0/trip_point_1_type",
                    "critical\n",
                ),
                ("sys/class/thermal/thermal_zone0/trip_point_1_temp", limit),
            ]
        };
        for (name, temp, limit, expected) in [
            ("gauge-hot", "96000\n", "100000\n", Some(96)),
            ("gauge-warm", "94000\n", "100000\n", None),
            ("gauge-silly", "30000\n", "-274000\n", None),
        ] {
            let (_folder, gauge) = made_up(name, &zone(temp, limit));
            assert_eq!(gauge.read().hot, expected, "{name}");
        }
    }

    #[test]
    fn calm_processors_are_told_at_once_and_busy_ones_are_measured() {
        let (_folder, calm) = made_up(
            "gauge-calm",
            &[(
                "proc/pressure/cpu",
                "some avg10=1.50 avg60=9.00 avg300=9.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
            )],
        );
        assert_eq!(calm.load(), Some(0));
        let (_folder, still) = made_up(
            "gauge-still",
            &[("proc/stat", "cpu  1 2 3 4 5 6 7 8 0 0\n")],
        );
        assert_eq!(still.load(), None, "no tick has passed");
        assert_eq!(still.ticks(), Some((36, 11)));
    }

    #[test]
    fn this_machine_can_be_read() {
        let load = Gauge::new(Path::new("/")).load();
        assert!(load.is_none_or(|percent| percent <= 100));
    }
}
