//! What is said of the radio: signal, search, sleep, and why it is not Wi-Fi Direct.

use super::{PEER_DETAIL_LEN, carrier, peer};
use crate::app::model::Model;
use crate::app::model::laptop::{Call, Carrier, Link, Signal};
use crate::app::model::radio::Sleep;

/// A search that has heard nothing for so long says what may be wrong.
pub const DOUBT_MS: u64 = 12_000;

/// What the sleep of the radio saves and costs.
pub const SLEEP_COSTS: &str =
    "Sleep saves battery; the first answer then waits about a second more.";

/// What is said of a passphrase that cannot be one: title and what to do.
pub const NO_PASSPHRASE: (&str, &str) = (
    "This cannot be the passphrase",
    "One has 8 to 63 letters, digits and signs. officectl\u{a0}pair shows it on the laptop.",
);

/// How strong a signal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It may break.
    Weak = 1,
    /// It holds.
    Good = 2,
    /// It could not be better.
    Strong = 3,
}

/// The level of a signal in dBm: from -60 strong, from -74 good. `None` where it was not measured: drivers say zero then, and no
/// radio hears as much as that.
pub const fn level(dbm: i16) -> Option<Level> {
    match dbm {
        0.. => None,
        -60..=-1 => Some(Level::Strong),
        -74..=-61 => Some(Level::Good),
        _ => Some(Level::Weak),
    }
}

/// A level, at the beginning of a sentence.
pub const fn strength(level: Level) -> &'static str {
    match level {
        Level::Weak => "Weak",
        Level::Good => "Good",
        Level::Strong => "Strong",
    }
}

/// A signal in numbers: `−58 dBm · 65 Mbit/s · channel 6`.
pub fn numbers(signal: Signal) -> String {
    let mut parts = Vec::new();
    if level(signal.dbm).is_some() {
        parts.push(format!("{} dBm", signal.dbm).replace('-', "−"));
    }
    if signal.rate_mbps > 0 {
        parts.push(format!("{} Mbit/s", signal.rate_mbps));
    }
    match channel(signal.frequency) {
        Some(channel) => parts.push(format!("channel {channel}")),
        None if signal.frequency > 0 => parts.push(format!("{} MHz", signal.frequency)),
        None => {}
    }
    parts.join(" · ")
}

/// The channel at a centre frequency in MHz (IEEE 802.11-2020, annex E).
pub const fn channel(mhz: u16) -> Option<u16> {
    match mhz {
        2412..=2472 if (mhz - 2407).is_multiple_of(5) => Some((mhz - 2407) / 5),
        2484 => Some(14),
        5160..=5885 if mhz.is_multiple_of(5) => Some((mhz - 5000) / 5),
        5955..=7115 if mhz.is_multiple_of(5) => Some((mhz - 5950) / 5),
        _ => None,
    }
}

/// A network name: text where it is text. Peer text, made safe.
pub fn ssid(octets: &[u8]) -> String {
    peer(&String::from_utf8_lossy(octets), 32)
}

/// As much of a network name as tells laptops of one name apart: Wi-Fi Direct begins each with `DIRECT-` and two characters drawn
/// at random (Wi-Fi Direct specification, 3.2.1).
pub fn short_ssid(octets: &[u8]) -> String {
    let name = ssid(octets);
    if name.starts_with("DIRECT-") {
        name.chars().take(9).collect()
    } else {
        super::short(&name, 14)
    }
}

/// What was typed as a passphrase, if it can be one (IEEE 802.11-2020, J.4.1: 8 to 63 printable ASCII characters, or a key of
/// 64 hexadecimal digits). OfficeOS shows twelve small letters and digits in groups; blanks, dashes and capitals that came in
/// between are taken out.
pub fn passphrase(written: &str) -> Option<String> {
    let written = written.trim();
    let packed: String = written
        .chars()
        .filter(|c| !matches!(c, ' ' | '-'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    if packed.len() == 12 && packed.chars().all(|c| matches!(c, 'a'..='z' | '2'..='9')) {
        return Some(packed);
    }
    let printable = written.chars().all(|c| matches!(c, ' '..='~'));
    let key = written.len() == 64 && written.chars().all(|c| c.is_ascii_hexdigit());
    ((printable && (8..=63).contains(&written.len())) || key).then(|| written.to_owned())
}

/// The line above the field in which a passphrase is written.
pub fn ask_passphrase(model: &Model) -> String {
    let name = match &model.radio.joining {
        Some(Call::Push(nearby) | Call::Passphrase(nearby, _)) => peer(&nearby.name, 24),
        _ => "The laptop".into(),
    };
    format!("{name}: officectl\u{a0}pair shows it there.")
}

/// The sentences of the search: above the laptops, and in the room below.
pub fn looking(model: &Model) -> (String, String) {
    let radio = &model.radio;
    let ability = radio.ability.as_ref();
    let why = ability
        .map(|a| peer(&a.why, PEER_DETAIL_LEN))
        .unwrap_or_default();
    if radio.is_useless() {
        let why = if why.is_empty() {
            "The app finds no Wi-Fi that it may use on this device.".into()
        } else {
            why
        };
        return (
            String::new(),
            format!("{why} A laptop that is reached in another way can be called by its address."),
        );
    }
    if !radio.nearby.is_empty() {
        let lead = if ability.is_some_and(|a| !a.p2p) {
            "This Wi-Fi cannot do Wi-Fi Direct. It joins a laptop's network with the passphrase that officectl\u{a0}pair shows there."
        } else {
            "On yours, officectl\u{a0}pair opens pairing."
        };
        return (lead.into(), String::new());
    }
    let waited = radio.looking.map_or(0, |since| model.now.since(since));
    let below = if waited < DOUBT_MS {
        "Looking for laptops. On yours, officectl\u{a0}pair opens pairing.".into()
    } else if why.is_empty() {
        "None heard yet; still looking. Go closer, and run officectl\u{a0}status on the laptop: it says whether its radio is up and what is missing.".into()
    } else {
        format!("None heard yet; still looking. {why}")
    };
    (String::new(), below)
}

/// When the radio sleeps.
pub const fn sleep(sleep: Sleep) -> &'static str {
    match sleep {
        Sleep::Never => "Stays on",
        Sleep::OneMinute => "Sleeps after 1 min",
        Sleep::FiveMinutes => "Sleeps after 5 min",
    }
}

/// Title and text of the page that says why: why the laptop is away, or why it is not reached over Wi-Fi Direct.
pub fn why(model: &Model) -> (&'static str, String) {
    if let Some(away) = model.link.away() {
        let mut text = String::new();
        for attempt in &away.attempts {
            let way = carrier(&attempt.carrier);
            let said = peer(&attempt.why, PEER_DETAIL_LEN);
            text.push_str(&format!("- **{way}**: {said}\n"));
        }
        text.push_str("\nIt is tried again by itself; **Y** on the laptop screen tries now. What you send waits in the outbox.\n");
        return ("Why is it away?", text);
    }
    let ability = model.radio.ability.as_ref();
    let missing = ability
        .map(|a| peer(&a.why, PEER_DETAIL_LEN))
        .unwrap_or_default();
    let network = model.laptop().is_some_and(|l| l.network.is_some());
    let text = match &model.link {
        Link::Linked {
            carrier: Carrier::Station,
            ..
        } if ability.is_some_and(|a| !a.p2p) => {
            "This Wi-Fi cannot do Wi-Fi Direct. Joined the laptop's network as a station instead; nothing else differs."
        }
        Link::Linked {
            carrier: Carrier::Station,
            ..
        } => "Joined the laptop's network as a station; nothing else differs.",
        _ if model.radio.is_useless() => "The app finds no Wi-Fi that it may use on this device.",
        _ if !network => {
            "The laptop has told of no network of its own: its radio is not up, or Wi-Fi Direct is switched off there. officectl\u{a0}status on it says what is missing."
        }
        _ => {
            "Another way answered first. The next link tries the laptop's own network before all others."
        }
    };
    let sealed = "The channel is encrypted in the same way over every carrier.";
    (
        "Why not Wi-Fi Direct?",
        format!("{text}\n\n{missing}\n\n{sealed}\n"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passphrase_is_taken_as_it_is_shown_and_as_it_is_mistyped() {
        for (written, taken) in [
            ("abcd2345efgh", Some("abcd2345efgh")),
            (" Abcd 2345 efgh ", Some("abcd2345efgh")),
            ("ABCD-2345-EFGH", Some("abcd2345efgh")),
            (
                "a passphrase of someone else's",
                Some("a passphrase of someone else's"),
            ),
            ("Tr0ub4dor", Some("Tr0ub4dor")),
            ("short", None),
            ("päßwörter", None),
            ("line\nbreak in it", None),
        ] {
            assert_eq!(passphrase(written).as_deref(), taken, "{written:?}");
        }
        assert_eq!(passphrase(&"0a".repeat(32)).map(|p| p.len()), Some(64));
        assert_eq!(passphrase(&"0g".repeat(32)), None);
        assert_eq!(passphrase(&"x".repeat(63)).map(|p| p.len()), Some(63));
        assert_eq!(passphrase(&"x".repeat(65)), None);
    }

    #[test]
    fn channels_and_levels_are_those_of_the_standard() {
        let known = [
            (2412, 1),
            (2437, 6),
            (2484, 14),
            (5180, 36),
            (5825, 165),
            (5955, 1),
        ];
        for (mhz, expected) in known {
            assert_eq!(channel(mhz), Some(expected), "{mhz}");
        }
        for unknown in [0, 2411, 2438, 2480, 65535] {
            assert_eq!(channel(unknown), None, "{unknown}");
        }
        let levels = [-30, -60, -61, -74, -75, -100].map(level);
        use Level::{Good, Strong, Weak};
        assert_eq!(levels, [Strong, Strong, Good, Good, Weak, Weak].map(Some));
        assert_eq!([0, 70].map(level), [None, None], "not measured");
    }

    #[test]
    fn a_signal_is_told_as_far_as_it_is_known() {
        let signal = |dbm, rate_mbps, frequency| {
            numbers(Signal {
                dbm,
                rate_mbps,
                frequency,
            })
        };
        assert_eq!(signal(-58, 65, 2437), "−58 dBm · 65 Mbit/s · channel 6");
        assert_eq!(signal(-58, 0, 0), "−58 dBm");
        assert_eq!(signal(0, 65, 2437), "65 Mbit/s · channel 6");
        assert_eq!(signal(-70, 6, 2300), "−70 dBm · 6 Mbit/s · 2300 MHz");
    }
}
