//! Pairing: how two devices that never met become a relationship, with a person in between.
//!
//! Both sides open the window by hand, for two minutes, make keys for this attempt alone and build a channel
//! that nobody has vouched for. Then:
//!
//! ```text
//! laptop                                handheld
//!   Commit{version, C, name}      ─▶                        C binds the laptop to NL before it sees NH
//!                                 ◀─    Nonce{NH, name, screen}
//!   Reveal{NL}                    ─▶                        the handheld checks C
//!   (the person types the digits) ·     (shows six digits)
//!   Typed                         ─▶                        only now can A say yes
//!                                 ◀─    Confirm{mac}        (the person pressed A)
//!   stores it as provisional      ·
//!   Grant{body, mac}              ─▶
//!                                 ·     stores it
//!                                 ◀─    Stored
//!   it is no longer provisional   ·
//! ```
//!
//! A machine in the middle has two channels and so two exporter values; one nonce is fixed before the other is
//! known, so that it guesses once, and is right once in a million.
//!
//! # Who stores first
//! The laptop, as provisional; then the handheld; then the laptop hears of it. Wherever the carrier breaks:
//!
//! | last message that arrived | laptop | handheld | what follows |
//! |---|---|---|---|
//! | any before `Confirm` | nothing | nothing | start again |
//! | `Confirm` | provisional | nothing | the handheld has dropped its key: nobody can use the entry, [`PROVISIONAL_S`] ends it |
//! | `Grant` | provisional | stored | the first data session proves it, and ends the provision |
//! | `Stored` | stored | stored | |
//!
//! A handheld never keeps a relationship that the laptop has not stored before.
//!
//! The machines are pure. A shell moves plaintext between them and the channel, calls `tick` when
//! `deadline` has come, and looks at `phase` after every call: it says what to show and what to store.

mod attempts;
mod binding;
mod handheld;
mod laptop;
mod message;
mod outcome;

#[cfg(all(test, feature = "std"))]
mod tests;

pub use attempts::{Admission, Attempts, Paused, Window};
pub use binding::{Binding, Digits};
pub use handheld::{HandheldPairing, HandheldPhase};
pub use laptop::{Kept, LaptopPairing, LaptopPhase, Typing};
pub use message::{AbortReason, MAX_MESSAGE_LEN};
pub use outcome::{Grant, HandheldOutcome, LaptopOutcome, LinkInfo, Name, PairingError};

/// Version of this exchange; the first byte that the laptop says.
pub const PAIRING_VERSION: u8 = 1;

/// How long a window stays open, and so how long an attempt may take: time to walk to the other device.
pub const WINDOW_MS: u64 = 120_000;

/// How long a step may take that waits for a device and not for a person.
pub const STEP_MS: u64 = 10_000;

/// Seconds after which a laptop drops a relationship that the handheld has never used nor said it stored.
pub const PROVISIONAL_S: u64 = 24 * 3600;

/// Exporter label of the value that binds the digits to this one channel.
pub const EXPORTER_PAIR: &[u8] = b"EXPORTER-OfficeOS-pair-v1";

/// Exporter label of the key under which both sides confirm.
pub const EXPORTER_CONFIRM: &[u8] = b"EXPORTER-OfficeOS-pair-confirm-v1";

/// Exporter label of the secret for server-name tokens.
pub const EXPORTER_TOKEN: &[u8] = b"EXPORTER-OfficeOS-token-v1";
