use super::super::items::{Key, Table};
use super::super::simulated::{CountingEntropy, Dice, SimulatedCard};
use super::*;

const KEY: [u8; 32] = [7; 32];

fn open(card: &mut SimulatedCard, seed: u64) -> (Journal, Vec<Skipped>) {
    Journal::open(card, &CountingEntropy::new(seed), &KEY).expect("startup always succeeds")
}

/// The n-th batch of a fixed script that puts, appends, overwrites and deletes, in sizes around a sector.
fn batch(n: u64, items: &Items) -> Vec<Change> {
    let key = Key(n % 5, (n % 3) as u32);
    let text = Key(n % 4, 0);
    let have = items.value(Table::TurnText, text).map_or(0, <[u8]>::len) as u32;
    let len = [3, 40, 430, 470, 500, 1300, 2100][(n % 7) as usize];
    let mut changes = vec![
        Change::Put(Table::Turn, key, vec![n as u8; len]),
        Change::Append(Table::TurnText, text, have, vec![n as u8; len / 3 + 1]),
    ];
    match n % 11 {
        4 => changes.push(Change::DeleteAll(Table::Turn, n % 5)),
        9 => changes.push(Change::Delete(Table::TurnText, text)),
        _ => {}
    }
    changes
}

fn applied(mut items: Items, changes: Vec<Change>) -> Items {
    for change in changes {
        assert!(items.apply(change));
    }
    items
}

/// Runs the script until the power fails. Every seventh batch is followed by a compaction.
/// Gives what was acknowledged, and what it would be with the batch in flight.
fn run_until_cut(
    card: &mut SimulatedCard,
    journal: &mut Journal,
    entropy: &CountingEntropy,
    from: u64,
) -> [Items; 2] {
    for n in from..from + 28 {
        let acked = journal.items().clone();
        let changes = batch(n, &acked);
        let next = applied(acked.clone(), changes.clone());
        if journal.append(card, entropy, changes).is_err() {
            assert_eq!(journal.items(), &acked, "a refused batch changes nothing");
            return [acked, next];
        }
        assert_eq!(journal.items(), &next);
        if n % 7 == 6 && journal.compact(card, entropy).is_err() {
            return [next.clone(), next];
        }
    }
    [journal.items().clone(), journal.items().clone()]
}

#[test]
fn power_cut_after_every_step_loses_nothing_acknowledged_and_reads_nothing_torn() {
    let mut whole = SimulatedCard::default();
    let (mut journal, _) = open(&mut whole, 1);
    run_until_cut(&mut whole, &mut journal, &CountingEntropy::new(2), 0);
    let steps = whole.steps;
    assert!(
        steps > 100,
        "the script is long enough to mean something: {steps}"
    );
    for cut in 0..steps {
        for outcome in 0..2 {
            let mut card = SimulatedCard {
                steps_left: cut,
                ..SimulatedCard::default()
            };
            let mut dice = Dice::new(cut * 97 + outcome);
            let expected = match Journal::open(&mut card, &CountingEntropy::new(1), &KEY) {
                Ok((mut journal, _)) => {
                    run_until_cut(&mut card, &mut journal, &CountingEntropy::new(2), 0)
                }
                Err(_) => [Items::default(), Items::default()],
            };
            // A second cut, soon after the first restart: recovery itself must be as safe.
            let mut card = card.after_power_cut(&mut dice);
            let (mut journal, skipped) = open(&mut card, 3);
            assert_eq!(skipped, [], "cut {cut}.{outcome}");
            assert!(expected.contains(journal.items()), "cut {cut}.{outcome}");
            card.steps_left = dice.below(25);
            let expected = run_until_cut(&mut card, &mut journal, &CountingEntropy::new(4), 100);
            let mut card = card.after_power_cut(&mut dice);
            let (journal, skipped) = open(&mut card, 5);
            assert_eq!(skipped, [], "second cut after {cut}.{outcome}");
            assert!(
                expected.contains(journal.items()),
                "second cut after {cut}.{outcome}"
            );
        }
    }
}

#[test]
fn a_kill_keeps_every_batch() {
    let mut card = SimulatedCard::default();
    let (mut journal, _) = open(&mut card, 1);
    let [acked, _] = run_until_cut(&mut card, &mut journal, &CountingEntropy::new(2), 0);
    let (journal, skipped) = open(&mut card.after_kill(), 9);
    assert_eq!((journal.items(), skipped.len()), (&acked, 0));
}

#[test]
fn a_damaged_record_is_named_and_the_others_are_read() {
    let mut card = SimulatedCard::default();
    let entropy = CountingEntropy::new(2);
    let (mut journal, _) = open(&mut card, 1);
    for n in 0..6 {
        journal
            .append(
                &mut card,
                &entropy,
                vec![Change::Put(Table::Turn, Key(n, 0), vec![n as u8; 100])],
            )
            .unwrap();
    }
    journal
        .append(
            &mut card,
            &entropy,
            vec![Change::Append(
                Table::TurnText,
                Key(0, 0),
                0,
                b"one".to_vec(),
            )],
        )
        .unwrap();
    journal
        .append(
            &mut card,
            &entropy,
            vec![Change::Append(
                Table::TurnText,
                Key(0, 0),
                3,
                b"two".to_vec(),
            )],
        )
        .unwrap();
    card.flip("a000.seg", 2 * SECTOR + 60);
    card.flip("a000.seg", 6 * SECTOR + 5);
    let (mut journal, skipped) = open(&mut card, 3);
    let left: Vec<u64> = journal
        .items()
        .table(Table::Turn)
        .map(|(key, _)| key.0)
        .collect();
    assert_eq!(left, [0, 1, 3, 4, 5]);
    let named: Vec<&str> = skipped.iter().map(|s| s.what.as_str()).collect();
    assert_eq!(
        named,
        [
            "1 damaged records in a000.seg before 1536",
            "1 damaged records in a000.seg before 3584",
            "a piece of TurnText 0.0 after a damaged one"
        ]
    );
    journal
        .append(
            &mut card,
            &entropy,
            vec![Change::Delete(Table::Turn, Key(0, 0))],
        )
        .unwrap();
    assert_eq!(
        open(&mut card, 4).0.items(),
        journal.items(),
        "writing goes on after the damage"
    );
}

#[test]
fn any_octets_in_a_segment_open_without_a_panic() {
    for seed in 0..40 {
        let mut card = SimulatedCard::default();
        let (mut journal, _) = open(&mut card, 1);
        run_until_cut(&mut card, &mut journal, &CountingEntropy::new(2), 0);
        let mut dice = Dice::new(seed);
        for _ in 0..30 {
            let name = if dice.below(2) == 0 {
                "a000.seg"
            } else {
                "b000.seg"
            };
            card.flip(name, dice.below(40_000) as usize);
        }
        open(&mut card, 3);
    }
}

#[test]
fn another_key_reads_nothing() {
    let mut card = SimulatedCard::default();
    let (mut journal, _) = open(&mut card, 1);
    journal
        .append(
            &mut card,
            &CountingEntropy::new(2),
            vec![Change::Put(Table::Turn, Key(1, 0), b"secret".to_vec())],
        )
        .unwrap();
    let (other, _) = Journal::open(&mut card, &CountingEntropy::new(3), &[8; 32]).unwrap();
    assert_eq!(other.items().table(Table::Turn).count(), 0);
    let mut buf = vec![0; SECTOR];
    card.read_at("a000.seg", 0, &mut buf).unwrap();
    assert!(!buf.windows(6).any(|w| w == b"secret"));
}

#[test]
fn a_full_card_refuses_and_goes_on_when_there_is_room() {
    let mut card = SimulatedCard {
        capacity: SEGMENT_LEN as u64 + 4096,
        ..SimulatedCard::default()
    };
    let entropy = CountingEntropy::new(2);
    let (mut journal, _) = open(&mut card, 1);
    let put = |n: u64| vec![Change::Put(Table::Turn, Key(n, 0), vec![1; 400_000])];
    let stored = (0..10)
        .take_while(|n| journal.append(&mut card, &entropy, put(*n)).is_ok())
        .count();
    assert_eq!(stored, 5, "one segment's worth");
    assert!(matches!(
        journal.append(&mut card, &entropy, put(9)),
        Err(CardError::Full { .. })
    ));
    assert!(matches!(
        journal.compact(&mut card, &entropy),
        Err(CardError::Full { .. })
    ));
    assert_eq!(open(&mut card.after_kill(), 3).0.items(), journal.items());
    card.capacity *= 4;
    journal.append(&mut card, &entropy, put(9)).unwrap();
    journal.compact(&mut card, &entropy).unwrap();
    assert_eq!(open(&mut card, 3).0.items(), journal.items());
}

#[test]
fn a_long_run_of_small_appends_stays_within_its_segments() {
    let mut card = SimulatedCard::default();
    let entropy = CountingEntropy::new(2);
    let (mut journal, _) = open(&mut card, 1);
    let mut compacted = 0;
    for n in 0..20_000u64 {
        journal
            .append(
                &mut card,
                &entropy,
                vec![Change::Put(Table::Turn, Key(n % 9, 0), vec![1; 50])],
            )
            .unwrap();
        if journal.wants_compaction() {
            journal.compact(&mut card, &entropy).unwrap();
            compacted += 1;
        }
    }
    assert!((2..=3).contains(&compacted), "{compacted}");
    let files = card
        .list()
        .unwrap()
        .into_iter()
        .filter(|(n, _)| n.ends_with(".seg"))
        .count();
    assert!(files <= 6, "two sets of at most three: {files}");
    assert_eq!(open(&mut card, 3).0.items(), journal.items());
}

#[test]
fn a_card_that_fails_anywhere_in_a_compaction_and_recovers_loses_nothing_written_later() {
    let entropy = CountingEntropy::new(5);
    let mut failures = 0;
    for steps in 0.. {
        let mut card = SimulatedCard::default();
        let (mut journal, _) = open(&mut card, 3);
        for n in 0..6 {
            let changes = batch(n, journal.items());
            journal.append(&mut card, &entropy, changes).unwrap();
        }
        card.steps_left = steps;
        let compacted = journal.compact(&mut card, &entropy);
        card.steps_left = u64::MAX;
        let changes = batch(6, journal.items());
        journal.append(&mut card, &entropy, changes).unwrap();
        // Once more, over what the failed one has left.
        card.steps_left = steps / 2;
        let _ = journal.compact(&mut card, &entropy);
        card.steps_left = u64::MAX;
        let changes = batch(7, journal.items());
        journal.append(&mut card, &entropy, changes).unwrap();
        let cut = card.after_power_cut(&mut Dice::new(steps + 1));
        for mut found in [card.after_kill(), cut] {
            let (again, skipped) = open(&mut found, 4);
            assert!(again.items() == journal.items(), "failed at step {steps}");
            assert_eq!(skipped, [], "failed at step {steps}");
        }
        match compacted {
            Ok(()) => break,
            Err(_) => failures += 1,
        }
    }
    assert!(failures > 6, "{failures}");
}

#[test]
fn a_root_of_a_newer_version_is_refused_and_nothing_is_written() {
    let mut card = SimulatedCard::default();
    let (journal, _) = open(&mut card, 1);
    let newer = Root {
        version: ROOT_VERSION + 1,
        ..journal.root.clone()
    };
    for content in [postcard::to_allocvec(&newer).unwrap(), vec![0xFF; 3]] {
        let mut slot = Slot::load(&card, ROOT).unwrap();
        slot.store(&mut card, &content).unwrap();
        let steps = card.steps;
        let refused = Journal::open(&mut card, &CountingEntropy::new(3), &KEY);
        assert!(matches!(refused, Err(CardError::Newer { what: "journal" })));
        assert_eq!(card.steps, steps);
    }
}
