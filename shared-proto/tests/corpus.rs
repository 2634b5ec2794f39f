//! What coverage-guided fuzzing has found to lead elsewhere in what both sides share (`fuzz/corpus`), played again on any compiler.
#![allow(clippy::unwrap_used)]

#[path = "../../fuzz/src/acceptor.rs"]
mod acceptor;
#[path = "../../fuzz/src/frame.rs"]
mod frame;
#[path = "../../fuzz/src/octets.rs"]
mod octets;
#[path = "../../fuzz/src/pairing.rs"]
mod pairing;
#[path = "../../fuzz/src/corpus.rs"]
mod play;
#[path = "../../fuzz/src/program.rs"]
mod program;
#[path = "../../fuzz/src/session.rs"]
mod session;
#[path = "../../fuzz/src/supplicant.rs"]
mod supplicant;

use play::play;

#[test]
fn a_strangers_hello() {
    play("acceptor", acceptor::drive);
}

#[test]
fn frames_and_messages() {
    play("frame", frame::drive);
}

#[test]
fn pairing_of_both_roles() {
    play("pairing", pairing::drive);
}

#[test]
fn programs() {
    play("program", program::drive);
}

#[test]
fn sessions_of_both_roles() {
    play("session", session::drive);
}

#[test]
fn lines_of_wpa_supplicant() {
    play("supplicant", supplicant::drive);
}
