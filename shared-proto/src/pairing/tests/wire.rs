//! The bytes of the exchange: as published, in any chunks, damaged in any bit, and out of turn.

use proptest::prelude::*;

use super::super::message::{PairingMessage, frame};
use super::*;

/// What each side of one exchange has in the end, when `mutate` changes the `at`-th message on its way.
struct End {
    laptop: Laptop,
    handheld: Handheld,
    messages: Vec<Vec<u8>>,
}

const MESSAGES: usize = 7;

fn run(at: usize, mutate: impl Fn(&[u8]) -> Vec<u8>) -> End {
    let (mut laptop, mut handheld) = machines();
    let mut messages = Vec::new();
    for index in 0..MESSAGES {
        let from_laptop = [0, 2, 3, 5].contains(&index);
        let said = if from_laptop {
            said_by_laptop(&mut laptop)
        } else {
            said_by_handheld(&mut handheld)
        };
        messages.push(said.clone());
        let said = if index == at { mutate(&said) } else { said };
        if from_laptop {
            handheld.receive(&said, START);
        } else {
            laptop.receive(&said, START);
        }
        // What the people and the stores do once they are asked. The person types what the handheld shows.
        if let (LaptopPhase::Typing { .. }, HandheldPhase::Showing { digits, .. }) =
            (laptop.phase(), handheld.phase())
        {
            laptop.typed(&digits.to_string(), START);
        }
        handheld.confirm(START);
        if let LaptopPhase::Store(_) = laptop.phase() {
            laptop.stored(grant(), START);
        }
        handheld.stored();
    }
    End {
        laptop,
        handheld,
        messages,
    }
}

#[test]
fn every_flipped_bit_of_every_message_prevents_the_relationship() {
    let whole = run(MESSAGES, <[u8]>::to_vec);
    assert_eq!(whole.laptop.phase(), LaptopPhase::Paired);
    for (index, message) in whole.messages.iter().enumerate() {
        for bit in 0..message.len() * 8 {
            let mut end = run(index, |bytes| {
                let mut bytes = bytes.to_vec();
                bytes[bit / 8] ^= 1 << (bit % 8);
                bytes
            });
            end.laptop.tick(START.after(WINDOW_MS));
            end.handheld.tick(START.after(WINDOW_MS));
            // Only the last message comes after the handheld has it; the laptop then keeps it provisionally.
            let last = index == MESSAGES - 1;
            assert_eq!(
                end.handheld.phase() == HandheldPhase::Paired,
                last,
                "message {index} bit {bit}"
            );
            assert_ne!(end.laptop.phase(), LaptopPhase::Paired);
            // Before the grant nothing may remain; after it, nothing that counts as proven.
            match (index, end.laptop.kept()) {
                (_, Kept::Nothing) | (5.., Kept::Provisional) => {}
                (_, kept) => panic!("{kept:?} after message {index} bit {bit}"),
            }
        }
    }
}

#[test]
fn every_message_out_of_turn_ends_the_exchange() {
    let recorded = run(MESSAGES, <[u8]>::to_vec).messages;
    for at in 0..MESSAGES {
        for other in (0..MESSAGES).filter(|other| *other != at) {
            let end = run(at, |_| recorded[other].clone());
            let receiver_failed = if [0, 2, 3, 5].contains(&at) {
                matches!(end.handheld.phase(), HandheldPhase::Failed(_))
            } else {
                matches!(end.laptop.phase(), LaptopPhase::Failed(_))
            };
            assert!(receiver_failed, "message {other} in place of {at}");
        }
        // A message twice in a row, where anything may still be wrong afterwards.
        let end = run(at, |bytes| [bytes, bytes].concat());
        if at < 5 {
            assert_ne!(end.handheld.phase(), HandheldPhase::Paired, "{at} twice");
            assert_eq!(end.laptop.kept(), Kept::Nothing, "{at} twice");
        }
    }
}

#[test]
fn any_chunking_gives_the_same_exchange() {
    let recorded = run(MESSAGES, <[u8]>::to_vec).messages;
    for chunk in 1..20 {
        let (mut laptop, mut handheld) = machines();
        for (index, message) in recorded[..3].iter().enumerate() {
            for piece in message.chunks(chunk) {
                if index == 1 {
                    laptop.receive(piece, START);
                } else {
                    handheld.receive(piece, START);
                }
            }
        }
        assert!(matches!(laptop.phase(), LaptopPhase::Typing { .. }));
        assert!(matches!(handheld.phase(), HandheldPhase::Showing { .. }));
    }
}

#[test]
fn the_longest_message_fits_its_bound() {
    let longest = Grant {
        expires_in_s: u64::MAX,
        link: LinkInfo {
            ssid: heapless::Vec::from_slice(&[255; 32]).unwrap(),
            passphrase: "p".repeat(64).as_str().try_into().unwrap(),
            frequency: u16::MAX,
            port: u16::MAX,
            carriers: heapless::Vec::from_slice(&[1; 192]).unwrap(),
        },
    };
    let grant = PairingMessage::Grant {
        grant: Box::new(longest),
        mac: [0; 32],
    };
    let nonce = PairingMessage::Nonce {
        nonce: [0; 32],
        name: "n".repeat(64).as_str().try_into().unwrap(),
        screen: SCREEN,
    };
    assert!(grant.payload().len() <= MAX_MESSAGE_LEN);
    assert!(nonce.payload().len() <= MAX_MESSAGE_LEN);
}

#[test]
fn numbers_of_messages_and_reasons_are_pinned() {
    let first = |message: PairingMessage| message.payload()[0];
    let nonce = [0; 32];
    assert_eq!(
        [
            first(PairingMessage::Commit {
                version: 1,
                commitment: nonce,
                name: name("")
            }),
            first(PairingMessage::Nonce {
                nonce,
                name: name(""),
                screen: SCREEN
            }),
            first(PairingMessage::Reveal { nonce }),
            first(PairingMessage::Typed),
            first(PairingMessage::Confirm { mac: nonce }),
            first(PairingMessage::Grant {
                grant: Box::default(),
                mac: nonce
            }),
            first(PairingMessage::Stored),
        ],
        [0, 1, 2, 3, 4, 5, 6]
    );
    for (reason, number) in [
        (AbortReason::Cancelled, 0),
        (AbortReason::Mismatch, 1),
        (AbortReason::TimedOut, 2),
        (AbortReason::Crowded, 3),
        (AbortReason::Fault, 4),
        (AbortReason::Full, 5),
        (AbortReason::Version, 6),
        (AbortReason::NotStored, 7),
    ] {
        assert_eq!(Laptop::refusal(reason), [0, 2, 7, number]);
    }
}

#[test]
fn a_refusal_reaches_the_handheld_as_its_reason() {
    let (_, mut handheld) = machines();
    handheld.receive(&Laptop::refusal(AbortReason::Full), START);
    assert_eq!(
        handheld.phase(),
        HandheldPhase::Failed(PairingError::Aborted(AbortReason::Full))
    );
}

/// The exchange of these tests, as SPEC.md publishes it for other implementations.
#[test]
fn the_published_vectors_are_what_the_machines_say() {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let end = run(MESSAGES, <[u8]>::to_vec);
    let binding = binding();
    let mut published = vec![
        format!("handheld key  {}", hex(&public(1).0)),
        format!("laptop key    {}", hex(&public(2).0)),
    ];
    let mut context = Vec::new();
    Binding::derive(public(1), public(2), |label, given| {
        context = given.to_vec();
        let value = RingCrypto.sha256(&[&[0], label, given]);
        let what = match label {
            EXPORTER_PAIR => "exporter B    ",
            EXPORTER_CONFIRM => "exporter K    ",
            _ => "exporter token",
        };
        published.push(format!("{} {}", what.trim_end(), hex(&value)).replacen(
            what.trim_end(),
            &format!("{:<13}", what.trim_end()),
            1,
        ));
        Ok(value)
    })
    .unwrap();
    published.push(format!("context       {}", hex(&context)));
    published.push(format!(
        "digits        {}",
        binding.digits(&RingCrypto, &[0x11; 32], &[0x22; 32])
    ));
    for (message, what) in end.messages.iter().zip([
        "Commit", "Nonce", "Reveal", "Typed", "Confirm", "Grant", "Stored",
    ]) {
        published.push(format!("{what:<13} {}", hex(message)));
    }
    let spec = include_str!("../../../SPEC.md");
    let missing: Vec<_> = published
        .iter()
        .filter(|line| !spec.contains(line.as_str()))
        .collect();
    assert!(
        missing.is_empty(),
        "SPEC.md lacks these lines:\n{}",
        published.join("\n")
    );
}

proptest! {
    #[test]
    fn garbage_ends_either_machine_or_waits_for_more(
        bytes in proptest::collection::vec(any::<u8>(), 0..2000),
        framed: bool,
    ) {
        let (mut laptop, mut handheld) = machines();
        let bytes = if framed {
            let mut out = Vec::new();
            frame(&bytes[..bytes.len().min(MAX_MESSAGE_LEN)], &mut out);
            out
        } else {
            bytes
        };
        laptop.receive(&bytes, START);
        handheld.receive(&bytes, START);
        let laptop_is_well = matches!(
            laptop.phase(),
            LaptopPhase::Connecting | LaptopPhase::Typing { .. } | LaptopPhase::Failed(_)
        );
        prop_assert!(laptop_is_well);
        let handheld_is_well = matches!(
            handheld.phase(),
            HandheldPhase::Connecting | HandheldPhase::Failed(_)
        );
        prop_assert!(handheld_is_well);
    }
}
