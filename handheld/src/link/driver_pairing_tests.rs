//! Pairing against a laptop made of the same machines.

use super::*;

/// The laptop's side of pairing; the person there types what `typed` makes of the digits.
pub(super) fn meet(
    listener: TcpListener,
    digits: Receiver<String>,
) -> JoinHandle<Option<PublicKey>> {
    std::thread::spawn(move || {
        let mut far = Far::accept(&listener, &KEYS)?;
        let own = public(KEYS.laptop);
        let binding = Binding::on_laptop(&far.channel, own).unwrap();
        let name = Name::try_from("Ada's ThinkPad").unwrap();
        let now = Millis(clock());
        let mut machine =
            LaptopPairing::new(RingCrypto, binding, [3; 32], name, now, now.after(60_000));
        loop {
            let mut out = Vec::new();
            machine.transmit(&mut out);
            far.say(&out);
            match machine.phase() {
                LaptopPhase::Store(outcome) => {
                    machine.stored(Grant::default(), Millis(clock()));
                    let _ = outcome;
                    continue;
                }
                LaptopPhase::Paired => return far.channel.peer_key(),
                LaptopPhase::Failed(_) => return None,
                _ => {}
            }
            if let Ok(text) = digits.try_recv() {
                machine.typed(&text, Millis(clock()));
                continue;
            }
            match far.turn() {
                Some(plain) => machine.receive(&plain, Millis(clock())),
                None => machine.cut(),
            }
        }
    })
}

#[test]
fn pairing_shows_digits_waits_for_both_people_and_keeps_the_keys() {
    let (listener, address) = listen();
    let bench = Bench::new();
    let (type_there, typed) = unbounded();
    let laptop = meet(listener, typed);
    bench.say(Command::Pair(crate::app::model::Call::Carrier(
        Carrier::Tcp(address),
    )));
    let pairing = |bench: &Bench| {
        bench.wait(|e| {
            if let LinkEvent::Pairing(p) = e {
                Some(p)
            } else {
                None
            }
        })
    };
    let PairingEvent::Digits { digits, left_ms } = pairing(&bench) else {
        panic!("digits first")
    };
    assert!((100_000..=120_000).contains(&left_ms), "{left_ms}");
    let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
    type_there.send_blocking(text).unwrap();
    let PairingEvent::Matched { laptop: name } = pairing(&bench) else {
        panic!("then the match")
    };
    assert_eq!(name, "Ada's ThinkPad");
    assert!(
        bench.shelf.0.lock().unwrap().is_none(),
        "nothing is kept before the person here agrees"
    );
    bench.say(Command::PairConfirm);
    let PairingEvent::Kept(kept) = pairing(&bench) else {
        panic!("kept at last")
    };
    assert_eq!(kept.name, "Ada's ThinkPad");
    let seen_there = laptop.join().unwrap().expect("paired");
    let relationship = bench.shelf.0.lock().unwrap().clone().unwrap();
    assert_eq!(
        (public(relationship.seed), relationship.peer),
        (seen_there, public(KEYS.laptop).0)
    );
}

#[test]
fn wrong_digits_and_a_no_keep_nothing() {
    for wrong in [true, false] {
        let (listener, address) = listen();
        let bench = Bench::new();
        let (type_there, typed) = unbounded();
        let laptop = meet(listener, typed);
        bench.say(Command::Pair(crate::app::model::Call::Carrier(
            Carrier::Tcp(address),
        )));
        let pairing = |bench: &Bench| {
            bench.wait(|e| {
                if let LinkEvent::Pairing(p) = e {
                    Some(p)
                } else {
                    None
                }
            })
        };
        let PairingEvent::Digits { digits, .. } = pairing(&bench) else {
            panic!("digits first")
        };
        let expected = if wrong {
            let text: String = digits
                .iter()
                .map(|d| char::from(b'0' + (d + 1) % 10))
                .collect();
            type_there.send_blocking(text).unwrap();
            PairingFault::WrongDigits
        } else {
            bench.say(Command::PairCancel);
            PairingFault::Declined
        };
        let PairingEvent::Failed(fault) = pairing(&bench) else {
            panic!("it fails")
        };
        assert_eq!(fault, expected);
        assert!(laptop.join().unwrap().is_none() && bench.shelf.0.lock().unwrap().is_none());
    }
}
