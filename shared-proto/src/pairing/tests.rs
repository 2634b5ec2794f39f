//! The two machines against each other, against time, against loss, and against hostile words.
#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to the lint.

mod attempts;
mod explore;
mod wire;

use super::*;
use crate::channel::{Acceptor, Channel, ChannelError, TlsChannel, connect_pairing};
use crate::crypto::ring::{RingCrypto, RingSigner};
use crate::crypto::{Crypto, PublicKey, RelationshipKey, Signer};
use crate::message::Screen;
use crate::time::Millis;

type Laptop = LaptopPairing<RingCrypto>;
type Handheld = HandheldPairing<RingCrypto>;

fn public(seed: u8) -> PublicKey {
    RingSigner::new(&RelationshipKey::from_bytes([seed; 32])).public_key()
}

/// A binding over exporter values that hash label, context and a channel number, as a real channel's would
/// differ.
fn binding_of(channel: u8, handheld: PublicKey, laptop: PublicKey) -> Binding {
    Binding::derive(handheld, laptop, |label, context| {
        Ok(RingCrypto.sha256(&[&[channel], label, context]))
    })
    .unwrap()
}

fn binding() -> Binding {
    binding_of(0, public(1), public(2))
}

fn name(text: &str) -> Name {
    Name::try_from(text).unwrap()
}

const SCREEN: Screen = Screen {
    width: 640,
    height: 480,
};

const START: Millis = Millis(1_000_000);

fn machines() -> (Laptop, Handheld) {
    (
        Laptop::new(
            RingCrypto,
            binding(),
            [0x22; 32],
            name("Ada's ThinkPad"),
            START,
            START.after(WINDOW_MS),
        ),
        Handheld::new(
            RingCrypto,
            binding(),
            [0x11; 32],
            name("Ada's RG35XX"),
            SCREEN,
            START,
        ),
    )
}

fn grant() -> Grant {
    Grant {
        expires_in_s: 30 * 24 * 3600,
        link: LinkInfo {
            ssid: heapless::Vec::from_slice(b"DIRECT-OO-ada").unwrap(),
            passphrase: heapless::String::try_from("correct horse battery").unwrap(),
            frequency: 2437,
            port: 8144,
            carriers: heapless::Vec::new(),
        },
    }
}

fn said_by_laptop(machine: &mut Laptop) -> Vec<u8> {
    let mut out = Vec::new();
    machine.transmit(&mut out);
    out
}

fn said_by_handheld(machine: &mut Handheld) -> Vec<u8> {
    let mut out = Vec::new();
    machine.transmit(&mut out);
    out
}

/// Moves all that waits, both ways, until nobody has anything to say.
fn talk(laptop: &mut Laptop, handheld: &mut Handheld) {
    loop {
        let to_handheld = said_by_laptop(laptop);
        let to_laptop = said_by_handheld(handheld);
        if to_handheld.is_empty() && to_laptop.is_empty() {
            return;
        }
        handheld.receive(&to_handheld, START);
        laptop.receive(&to_laptop, START);
    }
}

/// The digits as the person reads them off the handheld.
fn shown(handheld: &Handheld) -> String {
    match handheld.phase() {
        HandheldPhase::Showing { digits, .. } => digits.to_string(),
        other => panic!("no digits are shown: {other:?}"),
    }
}

/// Another number than the one shown.
fn wrong(digits: &str) -> String {
    let last = digits.chars().last().unwrap().to_digit(10).unwrap();
    format!("{}{}", &digits[..digits.len() - 1], (last + 1) % 10)
}

#[test]
fn two_people_in_agreement_make_a_relationship() {
    let (mut laptop, mut handheld) = machines();
    assert_eq!(laptop.phase(), LaptopPhase::Connecting);
    assert_eq!(handheld.phase(), HandheldPhase::Connecting);
    talk(&mut laptop, &mut handheld);
    assert_eq!(
        laptop.phase(),
        LaptopPhase::Typing {
            name: name("Ada's RG35XX")
        }
    );
    let digits = shown(&handheld);
    assert_eq!(laptop.typed(&digits, START), Typing::Right);
    assert_eq!(laptop.phase(), LaptopPhase::Confirming);
    talk(&mut laptop, &mut handheld);
    assert!(matches!(
        handheld.phase(),
        HandheldPhase::Showing { typed: true, .. }
    ));
    assert!(handheld.confirm(START));
    talk(&mut laptop, &mut handheld);
    let LaptopPhase::Store(there) = laptop.phase() else {
        panic!("{:?}", laptop.phase());
    };
    assert_eq!(handheld.phase(), HandheldPhase::Confirmed);
    laptop.stored(grant(), START);
    talk(&mut laptop, &mut handheld);
    let HandheldPhase::Store(here) = handheld.phase() else {
        panic!("{:?}", handheld.phase());
    };
    assert_eq!(laptop.phase(), LaptopPhase::Granted);
    handheld.stored();
    talk(&mut laptop, &mut handheld);
    assert_eq!(handheld.phase(), HandheldPhase::Paired);
    assert_eq!(laptop.phase(), LaptopPhase::Paired);
    assert_eq!((laptop.deadline(), handheld.deadline()), (None, None));

    assert_eq!(there.peer, public(1));
    assert_eq!(here.peer, public(2));
    assert_eq!(there.token, here.token);
    assert_eq!((there.name, there.screen), (name("Ada's RG35XX"), SCREEN));
    assert_eq!((here.name, here.grant), (name("Ada's ThinkPad"), grant()));
}

#[test]
fn wrong_digits_end_it_on_both_sides_and_are_known_as_such() {
    let (mut laptop, mut handheld) = machines();
    talk(&mut laptop, &mut handheld);
    let digits = wrong(&shown(&handheld));
    assert_eq!(laptop.typed(&digits, START), Typing::Wrong);
    talk(&mut laptop, &mut handheld);
    assert_eq!(laptop.phase(), LaptopPhase::Failed(PairingError::Mismatch));
    assert_eq!(
        handheld.phase(),
        HandheldPhase::Failed(PairingError::Aborted(AbortReason::Mismatch))
    );
    // Not even the right ones help now.
    assert_eq!(laptop.typed(&shown_before(), START), Typing::NotNow);
}

fn shown_before() -> String {
    let (mut laptop, mut handheld) = machines();
    talk(&mut laptop, &mut handheld);
    shown(&handheld)
}

#[test]
fn what_is_not_six_digits_is_no_attempt() {
    let (mut laptop, mut handheld) = machines();
    talk(&mut laptop, &mut handheld);
    for text in ["", "12345", "1234567", "12a456", "yes", "١٢٣٤٥٦"] {
        assert_eq!(laptop.typed(text, START), Typing::NotSixDigits, "{text}");
    }
    let digits = shown(&handheld);
    let spread = digits
        .replace(' ', "-")
        .chars()
        .fold(String::new(), |mut all, c| {
            all.push(c);
            all.push(' ');
            all
        });
    assert_eq!(laptop.typed(&spread, START), Typing::Right);
}

#[test]
fn a_yes_before_the_digits_were_typed_has_no_effect() {
    let (mut laptop, mut handheld) = machines();
    assert!(!handheld.confirm(START));
    talk(&mut laptop, &mut handheld);
    assert!(!handheld.confirm(START));
    assert!(said_by_handheld(&mut handheld).is_empty());
    laptop.typed(&shown(&handheld), START);
    talk(&mut laptop, &mut handheld);
    assert!(handheld.confirm(START));
    assert!(!handheld.confirm(START), "one yes is enough");
}

#[test]
fn time_ends_every_step_that_waits() {
    // The devices: ten seconds. The person: two minutes.
    let (mut laptop, mut handheld) = machines();
    for machine_deadline in [laptop.deadline(), handheld.deadline()] {
        assert_eq!(machine_deadline, Some(START.after(STEP_MS)));
    }
    talk(&mut laptop, &mut handheld);
    for machine_deadline in [laptop.deadline(), handheld.deadline()] {
        assert_eq!(machine_deadline, Some(START.after(WINDOW_MS)));
    }
    let almost = Millis(START.0 + WINDOW_MS - 1);
    laptop.tick(almost);
    handheld.tick(almost);
    assert!(matches!(laptop.phase(), LaptopPhase::Typing { .. }));
    let digits = shown(&handheld);
    assert_eq!(
        laptop.typed(&digits, START.after(WINDOW_MS)),
        Typing::NotNow,
        "too late by nothing"
    );
    assert_eq!(laptop.phase(), LaptopPhase::Failed(PairingError::TimedOut));
    handheld.tick(START.after(WINDOW_MS));
    assert_eq!(
        handheld.phase(),
        HandheldPhase::Failed(PairingError::TimedOut)
    );
}

#[test]
fn a_laptop_that_changes_its_nonce_after_seeing_ours_is_caught() {
    let (_, mut handheld) = machines();
    let mut liar = Laptop::new(
        RingCrypto,
        binding(),
        [0x22; 32],
        name("liar"),
        START,
        START.after(WINDOW_MS),
    );
    handheld.receive(&said_by_laptop(&mut liar), START);
    let reveal = message::PairingMessage::Reveal { nonce: [0x23; 32] };
    let mut bytes = Vec::new();
    message::frame(&reveal.payload(), &mut bytes);
    handheld.receive(&bytes, START);
    assert_eq!(
        handheld.phase(),
        HandheldPhase::Failed(PairingError::BrokenCommitment)
    );
}

#[test]
fn equal_keys_and_equal_nonces_are_refused() {
    let same = Binding::derive(public(1), public(1), |_, _| Ok([0; 32]));
    assert_eq!(same.unwrap_err(), PairingError::Reflected);

    let (mut laptop, _) = machines();
    let mut mirror = Handheld::new(
        RingCrypto,
        binding(),
        [0x22; 32],
        name("mirror"),
        SCREEN,
        START,
    );
    talk(&mut laptop, &mut mirror);
    assert_eq!(laptop.phase(), LaptopPhase::Failed(PairingError::Reflected));
    assert_eq!(
        mirror.phase(),
        HandheldPhase::Failed(PairingError::Aborted(AbortReason::Fault))
    );
}

#[test]
fn another_version_is_refused_by_name() {
    let (_, mut handheld) = machines();
    let commit = message::PairingMessage::Commit {
        version: 2,
        commitment: [0; 32],
        name: name("newer"),
    };
    let mut bytes = Vec::new();
    message::frame(&commit.payload(), &mut bytes);
    handheld.receive(&bytes, START);
    assert_eq!(
        handheld.phase(),
        HandheldPhase::Failed(PairingError::Version(2))
    );
}

#[test]
fn digits_differ_with_channel_keys_and_nonces() {
    let digits = |channel, handheld, laptop, a: u8, b: u8| {
        binding_of(channel, public(handheld), public(laptop)).digits(
            &RingCrypto,
            &[a; 32],
            &[b; 32],
        )
    };
    let all = [
        digits(0, 1, 2, 1, 2),
        digits(9, 1, 2, 1, 2),
        digits(0, 3, 2, 1, 2),
        digits(0, 1, 3, 1, 2),
        digits(0, 1, 2, 3, 2),
        digits(0, 1, 2, 1, 3),
        digits(0, 1, 2, 2, 1),
        digits(0, 2, 1, 1, 2),
    ];
    for (index, one) in all.iter().enumerate() {
        assert!(all[..index].iter().all(|other| other != one), "{all:?}");
    }
}

#[test]
fn a_man_in_the_middle_shows_other_digits_on_each_side() {
    // Two channels, two exporters; the attacker relays every word unchanged.
    let mut laptop = Laptop::new(
        RingCrypto,
        binding_of(1, public(9), public(2)),
        [0x22; 32],
        name("laptop"),
        START,
        START.after(WINDOW_MS),
    );
    let (_, mut handheld) = machines();
    talk(&mut laptop, &mut handheld);
    // The commitment is bound to the channel, so that relaying ends before there are any digits.
    assert_eq!(
        handheld.phase(),
        HandheldPhase::Failed(PairingError::BrokenCommitment)
    );
    assert_eq!(
        laptop.phase(),
        LaptopPhase::Failed(PairingError::Aborted(AbortReason::Fault))
    );
}

#[test]
fn a_man_in_the_middle_who_pairs_with_both_is_found_out_by_the_digits() {
    // The attacker plays a laptop to the handheld and a handheld to the laptop, with keys and nonces of its own.
    let mut laptop = Laptop::new(
        RingCrypto,
        binding_of(1, public(9), public(2)),
        [0x22; 32],
        name("laptop"),
        START,
        START.after(WINDOW_MS),
    );
    let mut to_laptop = Handheld::new(
        RingCrypto,
        binding_of(1, public(9), public(2)),
        [0x33; 32],
        name("attacker"),
        SCREEN,
        START,
    );
    let mut to_handheld = Laptop::new(
        RingCrypto,
        binding_of(0, public(1), public(8)),
        [0x44; 32],
        name("attacker"),
        START,
        START.after(WINDOW_MS),
    );
    let mut handheld = Handheld::new(
        RingCrypto,
        binding_of(0, public(1), public(8)),
        [0x11; 32],
        name("handheld"),
        SCREEN,
        START,
    );
    talk(&mut laptop, &mut to_laptop);
    talk(&mut to_handheld, &mut handheld);
    let digits = shown(&handheld);
    assert_ne!(digits, shown(&to_laptop));
    assert_eq!(laptop.typed(&digits, START), Typing::Wrong);
    assert_eq!(laptop.kept(), Kept::Nothing);
}

#[test]
fn digits_are_shown_and_read_alike() {
    for (text, value) in [
        ("000 000", [0; 6]),
        ("000 042", [0, 0, 0, 0, 4, 2]),
        ("482 913", [4, 8, 2, 9, 1, 3]),
        ("999 999", [9; 6]),
    ] {
        let digits = Digits::parse(text).unwrap();
        assert_eq!(digits.to_string(), text);
        assert_eq!(digits.each(), value);
    }
}

#[test]
fn the_passphrase_is_not_printed() {
    let text = format!("{:?}", grant());
    assert!(
        text.contains("DIRECT-OO-ada") && !text.contains("horse"),
        "{text}"
    );
}

/// Plaintext from one end of a real channel to the other.
fn over(from: &mut TlsChannel, to: &mut TlsChannel, said: &[u8]) -> Result<Vec<u8>, ChannelError> {
    assert_eq!(from.write(said)?, said.len());
    let mut wire = Vec::new();
    from.transmit(&mut wire);
    let mut rest = &wire[..];
    let mut heard = Vec::new();
    while !rest.is_empty() {
        rest = &rest[to.receive(rest)?..];
        let mut buffer = [0; 1024];
        loop {
            match to.read(&mut buffer)? {
                0 => break,
                n => heard.extend_from_slice(&buffer[..n]),
            }
        }
    }
    Ok(heard)
}

#[test]
fn pairing_over_a_real_channel_opens_the_first_data_session() {
    let (handheld_key, handheld_signer) = RingSigner::generate().unwrap();
    let (laptop_key, laptop_signer) = RingSigner::generate().unwrap();
    let mut client = connect_pairing(&handheld_key).unwrap();
    let mut hello = Vec::new();
    client.transmit(&mut hello);
    let hello = Acceptor::new().receive(&hello).unwrap().unwrap();
    let mut server = hello.accept_pairing(&laptop_key).unwrap();
    over(&mut server, &mut client, b"").unwrap();
    over(&mut client, &mut server, b"").unwrap();

    let mut laptop = Laptop::new(
        RingCrypto,
        Binding::on_laptop(&server, laptop_signer.public_key()).unwrap(),
        RingCrypto.nonce().unwrap(),
        name("laptop"),
        START,
        START.after(WINDOW_MS),
    );
    let mut handheld = Handheld::new(
        RingCrypto,
        Binding::on_handheld(&client, handheld_signer.public_key()).unwrap(),
        RingCrypto.nonce().unwrap(),
        name("handheld"),
        SCREEN,
        START,
    );
    let (mut there, mut here) = (None, None);
    for _ in 0..8 {
        let said = said_by_laptop(&mut laptop);
        handheld.receive(&over(&mut server, &mut client, &said).unwrap(), START);
        let said = said_by_handheld(&mut handheld);
        laptop.receive(&over(&mut client, &mut server, &said).unwrap(), START);
        match handheld.phase() {
            HandheldPhase::Showing {
                digits,
                typed: false,
                ..
            } => {
                laptop.typed(&digits.to_string(), START);
            }
            HandheldPhase::Showing { typed: true, .. } => {
                handheld.confirm(START);
            }
            HandheldPhase::Store(outcome) => {
                here = Some(outcome);
                handheld.stored();
            }
            _ => {}
        }
        if let LaptopPhase::Store(outcome) = laptop.phase() {
            there = Some(outcome);
            laptop.stored(grant(), START);
        }
    }
    assert_eq!(laptop.phase(), LaptopPhase::Paired);
    let (there, here) = (there.unwrap(), here.unwrap());

    let token = crate::token::mint(
        &RingCrypto,
        &here.token,
        crate::token::TokenNonce::generate(&RingCrypto).unwrap(),
    );
    let mut client = crate::channel::connect(&handheld_key, here.peer, &token).unwrap();
    let mut hello = Vec::new();
    client.transmit(&mut hello);
    let hello = Acceptor::new().receive(&hello).unwrap().unwrap();
    assert!(crate::token::find(&RingCrypto, &hello.server_name(), [&there.token]).is_some());
    let mut server = hello.accept(&laptop_key, there.peer).unwrap();
    over(&mut server, &mut client, b"").unwrap();
    assert_eq!(
        over(&mut client, &mut server, b"first words").unwrap(),
        b"first words"
    );
}
