//! What pairing says.

use super::{PEER_DETAIL_LEN, peer};
use crate::app::model::laptop::Carrier;
use crate::app::msg::PairingFault;

/// What the person does on the laptop before anything else.
pub const OPEN_THERE: &str = "Open pairing on the laptop: officectl pair.";

/// What the person does with the digits.
pub const TYPE_DIGITS: &str = "Type this number on the laptop";

/// Where the digits are typed.
pub const WHERE: &str = "officectl pair";

/// The question after the digits matched.
pub const CONFIRM: &str = "Did your laptop accept it?";

/// Title and what to do.
pub fn fault(fault: &PairingFault, carrier: &Carrier) -> (String, String) {
    match fault {
        PairingFault::Unreachable(why) => {
            let why = peer(why, PEER_DETAIL_LEN);
            let why = if why.is_empty() {
                String::new()
            } else {
                format!(" ({why})")
            };
            (
                "The laptop did not answer".into(),
                format!(
                    "Nothing answered over {}{why}. See that OfficeOS runs on the laptop, then try again.",
                    super::carrier(carrier)
                ),
            )
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
