//! What devices used, day by day.

use super::{Control, Method, read, value};
use crate::control::RpcError;
use crate::control::api::{DeviceUsage, UsageRange, UsageReport};
use std::collections::BTreeMap;

/// Days where none are named.
const USUAL_DAYS: u32 = 14;
/// Most days.
const MAX_DAYS: u32 = 366;
/// Seconds in a day.
const DAY_S: i64 = 24 * 3600;

pub(super) const METHODS: &[Method] = &[Method::read("usage", |control, params| {
    value(&control.usage(&read::<Option<UsageRange>>(params)?.unwrap_or_default())?)
})];

impl Control {
    fn usage(&self, range: &UsageRange) -> Result<UsageReport, RpcError> {
        let days = range.days.unwrap_or(USUAL_DAYS).clamp(1, MAX_DAYS);
        let store = &self.hub.store;
        let today = store.local_day(self.hub.wall())?;
        let first = today - i64::from(days) + 1;
        let empty = || vec![0; days as usize];
        let mut known = store.relationships()?;
        known.extend(store.callers()?);
        let held: Vec<i64> = known
            .iter()
            .filter(|one| one.is_held())
            .map(|one| one.id)
            .collect();
        let mut devices: BTreeMap<i64, DeviceUsage> = known
            .into_iter()
            .map(|one| {
                let usage = DeviceUsage {
                    device: one.id,
                    name: one.name,
                    requests: empty(),
                    tokens: empty(),
                    pictures: empty(),
                    bytes: empty(),
                };
                (one.id, usage)
            })
            .collect();
        for (id, day, requests, used) in store.usage_since(first)? {
            let Ok(at) = usize::try_from(day - first) else {
                continue;
            };
            // A day that lies ahead was counted before the clock was set right.
            if let Some(device) = devices.get_mut(&id)
                && at < days as usize
            {
                device.requests[at] = requests;
                device.tokens[at] = used.tokens;
                device.pictures[at] = used.pictures;
                device.bytes[at] = used.bytes;
            }
        }
        devices.retain(|id, usage| held.contains(id) || usage.requests.iter().any(|n| *n > 0));
        Ok(UsageReport {
            days: (first..=today).map(|day| date(day * DAY_S)).collect(),
            devices: devices.into_values().collect(),
        })
    }
}

/// The date of `seconds` since 1970, `YYYY-MM-DD`. Source: Howard Hinnant, "chrono-compatible low-level date
/// algorithms", `civil_from_days`.
fn date(seconds: i64) -> String {
    let days = seconds.div_euclid(DAY_S) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (seconds, shown) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (1_796_000_000, "2026-11-30"),
            (4_107_542_399, "2100-02-28"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(seconds), shown);
        }
    }
}
