use super::super::items::{Key as ItemKey, Table};
use super::super::simulated::{CountingEntropy, Dice, SimulatedCard};
use super::*;

const SEQUENCE: &[u8] = &[0, 1, 2, 3, 4, 4];

fn open(medium: SimulatedCard) -> Opened<SimulatedCard> {
    Card::open_with(medium, Box::new(CountingEntropy::new(5)), 0).expect("startup always succeeds")
}

fn ready(medium: SimulatedCard) -> Card<SimulatedCard> {
    match open(medium) {
        Opened::Ready(card, skipped) => {
            assert_eq!(skipped, []);
            *card
        }
        Opened::Locked(_) => panic!("no lock was set"),
    }
}

fn relationship(id: u32) -> Relationship {
    Relationship {
        id,
        seed: [id as u8; 32],
        peer: [2; 32],
        token_secret: [3; 32],
        next: None,
    }
}

fn put(n: u64) -> Vec<Change> {
    vec![Change::Put(Table::Turn, ItemKey(n, 0), vec![n as u8; 30])]
}

#[test]
fn keys_words_and_settings_are_there_after_a_restart() {
    let mut card = ready(SimulatedCard::default());
    card.set_settings(b"dark").unwrap();
    card.set_words(b"harbour").unwrap();
    card.set_relationships(vec![relationship(1), relationship(2)])
        .unwrap();
    card.change(put(1)).unwrap();
    let again = ready(card.medium.after_kill());
    assert_eq!(again.settings(), Some(&b"dark"[..]));
    assert_eq!(again.words().as_deref(), Some(&b"harbour"[..]));
    assert_eq!(again.relationships(), [relationship(1), relationship(2)]);
    assert_eq!(again.items(), card.items());
}

#[test]
fn a_forgotten_key_is_in_no_file_any_more_even_for_who_has_the_card_key() {
    let mut card = ready(SimulatedCard::default());
    card.set_relationships(vec![relationship(7)]).unwrap();
    card.set_relationships(vec![]).unwrap();
    for name in ["secrets.a", "secrets.b"] {
        let slot = card
            .medium
            .len(name)
            .unwrap()
            .map(|len| card.read_blob(name, 0, len as usize).unwrap())
            .unwrap();
        let len = u32::from_le_bytes(slot[16..20].try_into().unwrap()) as usize;
        let plain = open_sealed(&card.key, "secrets", &slot[36..36 + len]).unwrap();
        assert_eq!(
            postcard::from_bytes::<Vec<Relationship>>(&plain).unwrap(),
            []
        );
    }
}

#[test]
fn a_locked_card_opens_by_its_sequence_only_and_wrong_tries_are_counted_across_restarts() {
    let mut card = ready(SimulatedCard::default());
    card.set_settings(b"dark").unwrap();
    card.change(put(1)).unwrap();
    card.set_lock(Some(SEQUENCE), 100).unwrap();
    assert!(card.is_locked());
    let mut medium = card.medium.after_kill();
    for wrong in 1..=3 {
        let Opened::Locked(mut locked) = open(medium) else {
            panic!("locked")
        };
        assert_eq!(locked.settings(), Some(&b"dark"[..]));
        let answer = locked.try_sequence(&[9; 6], 10_000);
        let wait = if wrong == 3 { 1000 } else { 0 };
        assert!(
            matches!(answer, Err(CardError::WrongSequence { wait_ms }) if wait_ms == wait),
            "{wrong}"
        );
        medium = locked.medium.after_kill();
    }
    let Opened::Locked(mut locked) = open(medium) else {
        panic!("locked")
    };
    assert!(matches!(
        locked.try_sequence(SEQUENCE, 999),
        Err(CardError::TooSoon { wait_ms: 1 })
    ));
    let key = locked.try_sequence(SEQUENCE, 1000).unwrap();
    let (mut card, skipped) = locked.open(key).unwrap();
    assert_eq!(
        (card.items().table(Table::Turn).count(), skipped.len()),
        (1, 0)
    );
    card.set_lock(None, 0).unwrap();
    assert_eq!(ready(card.medium.after_kill()).items(), card.items());
}

#[test]
fn setting_the_lock_leaves_no_open_key_behind() {
    let mut card = ready(SimulatedCard::default());
    card.set_lock(Some(SEQUENCE), 100).unwrap();
    for name in ["lock.a", "lock.b"] {
        let len = card.medium.len(name).unwrap().unwrap() as usize;
        let bytes = card.read_blob(name, 0, len).unwrap();
        assert!(!bytes.windows(32).any(|w| w == card.key), "{name}");
    }
}

#[test]
fn a_power_cut_while_the_lock_is_set_leaves_the_card_open_or_locked_but_never_lost() {
    for cut in 0..24 {
        for outcome in 0..8 {
            let mut card = ready(SimulatedCard::default());
            card.change(put(1)).unwrap();
            card.medium.steps_left = cut;
            let _ = card.set_lock(Some(SEQUENCE), 10);
            let items = card.items().clone();
            let medium = card
                .medium
                .after_power_cut(&mut Dice::new(cut * 31 + outcome));
            let card = match open(medium) {
                Opened::Ready(card, _) => *card,
                Opened::Locked(mut locked) => {
                    let key = locked.try_sequence(SEQUENCE, 1_000_000).unwrap();
                    locked.open(key).unwrap().0
                }
            };
            assert_eq!(card.items(), &items, "cut {cut}.{outcome}");
        }
    }
}

#[test]
fn a_power_cut_during_the_first_start_leaves_a_card_that_starts() {
    for cut in 0..40 {
        for outcome in 0..6 {
            let mut kept = SimulatedCard {
                steps_left: cut,
                ..SimulatedCard::default()
            };
            let _ = Card::open_with(&mut kept, Box::new(CountingEntropy::new(1)), 0);
            let mut card = ready(kept.after_power_cut(&mut Dice::new(cut * 7 + outcome)));
            card.change(put(3)).unwrap();
            assert_eq!(ready(card.medium.after_kill()).items(), card.items());
        }
    }
}

#[test]
fn a_blob_counts_once_it_is_named_and_orphans_are_swept() {
    let mut card = ready(SimulatedCard::default());
    let kept = card.new_blob();
    card.write_blob(&kept, 0, b"picture").unwrap();
    card.sync_blob(&kept).unwrap();
    let lost = card.new_blob();
    card.write_blob(&lost, 0, b"half a pic").unwrap();
    assert_ne!(kept, lost);
    let mut card = ready(card.medium.after_power_cut(&mut Dice::new(3)));
    assert!(card.sweep(&BTreeSet::from([kept.clone()])).unwrap() <= 1);
    assert_eq!(card.read_blob(&kept, 0, 7).unwrap(), b"picture");
    assert!(matches!(
        card.read_blob(&lost, 0, 1),
        Err(CardError::Damaged { .. })
    ));
    assert!(card.new_blob() > kept, "a name in use is not given again");
    assert!(
        card.medium.len("lock.a").unwrap().is_some(),
        "sweeping takes blobs only"
    );
}

#[test]
fn a_backup_restores_identity_and_chats_on_another_card() {
    let mut card = ready(SimulatedCard::default());
    card.set_words(b"harbour").unwrap();
    card.set_relationships(vec![relationship(1)]).unwrap();
    card.change(put(1)).unwrap();
    let file = card.backup(SEQUENCE, 50).unwrap();
    let mut other = ready(SimulatedCard::default());
    other.set_relationships(vec![relationship(4)]).unwrap();
    assert!(matches!(
        other.restore(&file, &[1; 6]),
        Err(CardError::WrongSequence { .. })
    ));
    assert!(matches!(
        other.restore(b"holiday.jpg", SEQUENCE),
        Err(CardError::Damaged { .. })
    ));
    other.restore(&file, SEQUENCE).unwrap();
    assert_eq!(other.items(), card.items());
    assert_eq!(other.words().as_deref(), Some(&b"harbour"[..]));
    assert_eq!(other.relationships(), [relationship(1), relationship(4)]);
}

#[test]
fn a_read_only_card_opens_and_says_so_when_written() {
    let mut card = ready(SimulatedCard::default());
    card.change(put(1)).unwrap();
    let mut medium = card.medium.after_kill();
    medium.read_only = true;
    let mut card = ready(medium);
    assert_eq!(card.items().table(Table::Turn).count(), 1);
    assert!(matches!(card.change(put(2)), Err(CardError::ReadOnly)));
}
