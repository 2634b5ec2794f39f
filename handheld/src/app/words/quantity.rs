//! Numbers with their units, times and dates.

use crate::app::model::Model;

/// Octets: `820 KB`, `1.4 MB`.
pub fn octets(n: u64) -> String {
    const UNITS: [&str; 4] = ["KB", "MB", "GB", "TB"];
    if n < 1000 {
        return format!("{n} B");
    }
    let mut value = n as f64;
    let mut unit = UNITS[0];
    for name in UNITS {
        value /= 1000.0;
        unit = name;
        // 999.5 would round to 1000 of this unit, which nobody writes.
        if value < 999.5 {
            break;
        }
    }
    if value < 9.95 && unit != "KB" {
        format!("{value:.1} {unit}")
    } else {
        format!("{value:.0} {unit}")
    }
}

/// `1 word`, `38 words`.
pub fn count(n: u64, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// Words of a text.
pub fn words_of(text: &str) -> u64 {
    if !text.is_ascii() {
        return text.split_whitespace().count() as u64;
    }
    // An answer is counted anew with each of its words: octet by octet, as a processor does many at once. A stretch has at most half as
    // many words as octets, so that their number fits an octet, too.
    const STRETCH: usize = 240;
    let white = |c: u8| matches!(c, b' ' | b'\t'..=b'\r');
    let bytes = text.as_bytes();
    let first = bytes.first().is_some_and(|&c| !white(c));
    let before = bytes.chunks(STRETCH);
    let after = bytes[bytes.len().min(1)..].chunks(STRETCH);
    let begun = before.zip(after).map(|(before, after)| {
        let pairs = before.iter().zip(after);
        let begun = pairs.map(|(&a, &b)| u8::from(white(a) & !white(b)));
        u64::from(begun.sum::<u8>())
    });
    u64::from(first) + begun.sum::<u64>()
}

/// `38 words`.
pub fn words(text: &str) -> String {
    count(words_of(text), "word", "words")
}

/// A span as a person says it: `24 s`, `3 min`, `2 h`.
pub fn span(seconds: u64) -> String {
    match seconds {
        0..=99 => format!("{seconds} s"),
        100..=5399 => format!("{} min", (seconds + 30) / 60),
        5400..=172_799 => format!("{} h", (seconds + 1800) / 3600),
        _ => count(seconds / 86_400, "day", "days"),
    }
}

/// A countdown: `0:54`.
pub fn countdown(milliseconds: u64) -> String {
    let seconds = milliseconds.div_ceil(1000);
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

/// What a request at the laptop waits for: its turn, or a less busy laptop.
pub fn turn(ahead: u16, busy: u8) -> String {
    match (ahead, busy) {
        (_, 1..) => format!("busy, {busy} %"),
        (0, 0) => "next in line".into(),
        (ahead, 0) => format!("{ahead} before it"),
    }
}

/// How long ago: `just now`, `2 min ago`; empty if unknown.
pub fn ago(model: &Model, unix: u64) -> String {
    let now = model.wall();
    if unix == 0 || now == 0 {
        return String::new();
    }
    match now.saturating_sub(unix) {
        0..=59 => "just now".into(),
        past => format!("{} ago", span(past.max(100))),
    }
}

/// A time of the laptop's day: `14:02` if it is today, else `3 May`; empty if unknown.
pub fn time(model: &Model, unix: u64) -> String {
    if unix == 0 {
        return String::new();
    }
    let shift = model.clock.map_or(0, |c| i64::from(c.offset_minutes) * 60);
    let local = |t: u64| t.saturating_add_signed(shift);
    let now = local(model.wall());
    let then = local(unix);
    if model.wall() != 0 && now / 86_400 != then / 86_400 {
        return day(then);
    }
    format!("{:02}:{:02}", then % 86_400 / 3600, then % 3600 / 60)
}

/// A day of the laptop's calendar: `3 May`.
pub fn date(model: &Model, unix: u64) -> String {
    let shift = model.clock.map_or(0, |c| i64::from(c.offset_minutes) * 60);
    day(unix.saturating_add_signed(shift))
}

/// `3 May` of seconds since 1970, after Howard Hinnant's `civil_from_days`.
fn day(seconds: u64) -> String {
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    let days = seconds / 86_400 + 719_468;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 2
    } else {
        shifted - 10
    };
    format!("{day} {}", MONTHS[month as usize])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::{Clock, Panel};
    use crate::time::Millis;

    #[test]
    fn words_are_counted_octet_by_octet_as_by_character() {
        for text in [
            "",
            " ",
            "a",
            " a",
            "a ",
            "one two",
            "one\t two\r\nthree \u{b}\u{c} four\u{1c}five",
            "Grüße aus\u{2003}Köln",
        ] {
            assert_eq!(
                words_of(text),
                text.split_whitespace().count() as u64,
                "{text:?}"
            );
        }
        for words in [119, 120, 121, 240, 241] {
            assert_eq!(words_of(&"a ".repeat(words)), words as u64);
            assert_eq!(words_of(&" a".repeat(words)), words as u64);
        }
    }

    #[test]
    fn octets_are_rounded_to_two_or_three_figures() {
        assert_eq!(octets(999), "999 B");
        assert_eq!(octets(12_000), "12 KB");
        assert_eq!(octets(820_400), "820 KB");
        assert_eq!(octets(1_440_000), "1.4 MB");
        assert_eq!(octets(999_999), "1.0 MB");
        assert_eq!(octets(512_000_000), "512 MB");
        assert_eq!(octets(u64::MAX), "18446744 TB");
    }

    #[test]
    fn days_follow_the_calendar() {
        assert_eq!(day(0), "1 January");
        assert_eq!(day(951_782_400), "29 February");
        assert_eq!(day(1_777_766_400), "3 May");
        assert_eq!(day(4_102_444_799), "31 December");
    }

    #[test]
    fn times_are_told_by_the_laptops_clock_and_zone() {
        let mut model = Model::new(Panel::VGA, 1);
        assert_eq!(time(&model, 0), "");
        model.clock = Some(Clock {
            unix: 1_777_766_400,
            at: Millis(0),
            offset_minutes: 120,
        });
        assert_eq!(time(&model, 1_777_766_400), "02:00");
        assert_eq!(time(&model, 1_777_766_400 - 10 * 3600), "2 May");
        assert_eq!(ago(&model, 1_777_766_400 - 125), "2 min ago");
        assert_eq!(countdown(53_001), "0:54");
    }
}
