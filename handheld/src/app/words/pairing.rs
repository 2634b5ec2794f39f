//! What pairing says.

use super::{PEER_DETAIL_LEN, PEER_NAME_LEN, peer};
use crate::app::model::laptop::{Call, Ended};
use crate::app::msg::PairingFault;

/// What the person does on the laptop before anything else.
pub const OPEN_THERE: &str = "Open pairing on the laptop: officectl\u{a0}pair.";

/// What the person does with the digits.
pub const TYPE_DIGITS: &str = "Type this number on the laptop";

/// Where the digits are typed.
pub const WHERE: &str = "officectl\u{a0}pair";

/// The question after the digits matched.
pub const CONFIRM: &str = "Did your laptop accept it?";

/// Who is being called, and how.
pub fn calling(call: &Call) -> String {
    match call {
        Call::Carrier(carrier) => format!("Calling the laptop over {}.", super::carrier(carrier)),
        Call::Push(nearby) => format!(
            "Joining {} over Wi-Fi Direct, once pairing is open there.",
            peer(&nearby.name, PEER_NAME_LEN)
        ),
        Call::Passphrase(nearby, _) => format!(
            "Joining {} with its passphrase.",
            peer(&nearby.name, PEER_NAME_LEN)
        ),
    }
}

/// A pairing that is over: what happened, and what to do.
pub fn ended(laptop: &str, why: Ended) -> (String, &'static str) {
    match why {
        Ended::Expired => (
            format!("Pairing with {} has ended", peer(laptop, PEER_NAME_LEN)),
            "Its time ran out. Pair again; your chats and pictures stay.",
        ),
        Ended::Revoked => (
            format!("{} no longer knows this handheld", peer(laptop, 24)),
            "Taken back there, or its time ran out. Pair again; your chats and pictures stay.",
        ),
    }
}

/// Title and what to do.
pub fn fault(fault: &PairingFault, call: &Call) -> (String, String) {
    match fault {
        PairingFault::Unreachable(why) => {
            let why = peer(why, PEER_DETAIL_LEN);
            match call {
                Call::Carrier(carrier) => (
                    "The laptop did not answer".into(),
                    if why.is_empty() {
                        let way = super::carrier(carrier);
                        format!(
                            "Nothing answered over {way}. See that OfficeOS runs on the laptop, then try again."
                        )
                    } else {
                        format!("{why} See that OfficeOS runs on the laptop, then try again.")
                    },
                ),
                Call::Push(nearby) => (
                    format!("Joining {} did not work", peer(&nearby.name, PEER_NAME_LEN)),
                    // What the radio says names its own way out; the other one is added.
                    match why.as_str() {
                        "" => "Open pairing there with officectl\u{a0}pair, then start again. Or go back and choose Y to join with its passphrase.".into(),
                        why if why.contains("passphrase") => why.into(),
                        why => format!("{why} Or go back and choose Y to join with its passphrase."),
                    },
                ),
                Call::Passphrase(nearby, _) => (
                    format!("Joining {} did not work", peer(&nearby.name, PEER_NAME_LEN)),
                    if why.is_empty() {
                        "Compare the passphrase with the one that officectl\u{a0}pair shows there.".into()
                    } else {
                        format!("{why} officectl\u{a0}pair shows the passphrase there.")
                    },
                ),
            }
        }
        PairingFault::NotOpen => ("The laptop is not pairing now".into(), OPEN_THERE.into()),
        PairingFault::WrongDigits => (
            "The laptop got a wrong number".into(),
            "Start again on both devices.".into(),
        ),
        PairingFault::Declined => (
            "Pairing was called off".into(),
            "Nothing was kept. Start again on both devices if you want to.".into(),
        ),
        PairingFault::TimedOut => (
            "Two minutes have passed".into(),
            "Pairing closed by itself. Start again on both devices.".into(),
        ),
        PairingFault::Broken(what) => (
            "The other side does not speak as a laptop should".into(),
            format!(
                "Nothing was kept. It may run another version of OfficeOS. ({})",
                peer(what, PEER_DETAIL_LEN)
            ),
        ),
        PairingFault::Full => (
            "The laptop has as many devices as it takes".into(),
            "Have an old device removed there, then start again.".into(),
        ),
    }
}
