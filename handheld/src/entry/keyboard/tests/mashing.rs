//! Whatever the fingers do, nothing breaks and nothing is lost; and what a newcomer does with the pad, A and B.

use super::*;
use crate::entry::typing::{Step, keys_for};
use crate::entry::view::{Face, Key};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn any_presses_keep_the_text_whole_and_undo_brings_back_the_first(
        presses in prop::collection::vec((0usize..Button::ALL.len(), 0u64..500), 0..150),
        arc: bool, swap_ab: bool, triggers: bool, suggestions: bool, exact: bool,
    ) {
        let mode = if arc { Mode::Arc } else { Mode::Grid };
        let mut hands = Hands::with(Settings { mode, swap_ab, triggers, suggestions, ..Settings::default() });
        let first = "Start héllo, the\n👩\u{200d}🚀 i";
        hands.keyboard.open(first, if exact { Purpose::Exact } else { Purpose::Prose });
        let mut down = ButtonSet::EMPTY;
        for (index, wait) in presses {
            let button = Button::ALL[index];
            let pressed = !down.contains(button);
            down = if pressed { down.with(button) } else { down.without(button) };
            let before = hands.text().to_owned();
            let outcome = hands.set(button, pressed);
            // Sending and leaving take nothing away, and what is only shown changes nothing.
            if matches!(outcome, Outcome::None | Outcome::Shown | Outcome::Send | Outcome::Leave | Outcome::Action(Action::Switched(_))) {
                prop_assert_eq!(hands.text(), &before);
            }
            hands.wait(wait);
            let view = hands.keyboard.view();
            prop_assert!(view.text.is_char_boundary(view.cursor));
            prop_assert!(view.hints.len() <= 5 && view.strip.len() <= 3);
            if exact || !suggestions {
                prop_assert!(view.strip.iter().all(|slot| slot.word.is_empty()));
            }
        }
        let last = hands.text().to_owned();
        let mut steps = 0;
        while hands.keyboard.editor.undo() {
            steps += 1;
        }
        prop_assert_eq!(hands.text(), first);
        // Redo makes it again, unless something undone was already waiting to be.
        for _ in 0..steps {
            prop_assert!(hands.keyboard.editor.redo());
        }
        prop_assert_eq!(hands.text(), last);
    }
}

/// Goes to the key with `face` and presses A, as somebody who knows no other buttons.
fn newcomer(hands: &mut Hands, wanted: Face) {
    for _ in 0..60 {
        let Board::Grid(rows) = hands.keyboard.view().board else {
            panic!("no grid")
        };
        let keys: Vec<(usize, Key)> = rows
            .iter()
            .enumerate()
            .flat_map(|(row, keys)| keys.iter().map(move |key| (row + 1, *key)))
            .collect();
        let goal = keys.iter().find(|(_, key)| key.face == wanted).unwrap();
        let Some(here) = keys.iter().find(|(_, key)| key.focused) else {
            hands.tap(Down);
            continue;
        };
        let button = match (here.0.cmp(&goal.0), here.1.column.cmp(&goal.1.column)) {
            (core::cmp::Ordering::Less, _) => Down,
            (core::cmp::Ordering::Greater, _) => Up,
            (_, core::cmp::Ordering::Less) => Right,
            (_, core::cmp::Ordering::Greater) => Left,
            _ => {
                hands.tap(A);
                return;
            }
        };
        hands.tap(button);
    }
    panic!("{wanted:?} was not reached");
}

#[test]
fn a_newcomer_writes_and_sends_a_sentence_with_the_pad_a_and_b() {
    let mut hands = Hands::on(Mode::Grid);
    for c in "Is it warm, or".chars() {
        newcomer(
            &mut hands,
            if c == ' ' { Face::Space } else { Face::Char(c) },
        );
    }
    // A slip, and B.
    newcomer(&mut hands, Face::Char('x'));
    hands.tap(B);
    for c in " not".chars() {
        newcomer(
            &mut hands,
            if c == ' ' { Face::Space } else { Face::Char(c) },
        );
    }
    newcomer(&mut hands, Face::Char('?'));
    assert_eq!(hands.text(), "Is it warm, or not?");
    // Capitals and symbols are keys, too.
    newcomer(&mut hands, Face::Space);
    newcomer(&mut hands, Face::Symbols);
    newcomer(&mut hands, Face::Char('#'));
    newcomer(&mut hands, Face::Caps);
    assert_eq!(hands.text(), "Is it warm, or not? #");
    let sent = hands.outcomes.len();
    newcomer(&mut hands, Face::Send);
    assert!(hands.outcomes[sent..].contains(&Outcome::Send));
}

#[test]
fn a_plan_types_the_same_whether_words_are_suggested_or_not() {
    for suggestions in [false, true] {
        for mode in [Mode::Grid, Mode::Arc] {
            let mut hands = Hands::with(Settings {
                mode,
                suggestions,
                ..Settings::default()
            });
            let text = "Thank you: see you at 5, I hope!";
            for step in keys_for(&hands.keyboard, text).unwrap() {
                match step {
                    Step::Press(button) => drop(hands.set(button, true)),
                    Step::Release(button) => drop(hands.set(button, false)),
                    Step::Wait(ms) => hands.wait(ms),
                }
                hands.wait(30);
            }
            assert_eq!(hands.text(), text);
        }
    }
}
