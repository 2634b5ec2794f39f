//! What fingers do, and what the field then holds.

mod boards;
mod mashing;
mod words;

use super::*;
use crate::entry::view::Board;
use crate::input::Tracker;

/// A keyboard under fingers: presses go through the real tracker, and time passes between them.
struct Hands {
    keyboard: Keyboard,
    tracker: Tracker,
    now: Millis,
    outcomes: Vec<Outcome>,
}

impl Hands {
    fn on(mode: Mode) -> Self {
        Self::with(Settings {
            mode,
            ..Settings::default()
        })
    }

    fn with(settings: Settings) -> Self {
        Self {
            keyboard: Keyboard::new(settings),
            tracker: Tracker::new(),
            now: Millis(1000),
            outcomes: Vec::new(),
        }
    }

    fn set(&mut self, button: Button, pressed: bool) -> Outcome {
        let press = self
            .tracker
            .set(button, pressed, self.now)
            .expect("the fingers alternate");
        let outcome = self.keyboard.handle(press, self.now);
        self.outcomes.push(outcome);
        outcome
    }

    fn wait(&mut self, ms: u64) {
        let until = self.now.plus(ms);
        while let Some(at) = self.tracker.next_wake().filter(|at| *at <= until) {
            self.now = at;
            while let Some(press) = self.tracker.due(at) {
                let outcome = self.keyboard.handle(press, at);
                self.outcomes.push(outcome);
            }
        }
        self.now = until;
    }

    /// Presses `buttons` in order, 50 ms apart, and releases them in reverse order; gives the last outcome.
    fn chord(&mut self, buttons: &[Button]) -> Outcome {
        for &button in buttons {
            self.set(button, true);
            self.wait(50);
        }
        let mut outcome = Outcome::None;
        for &button in buttons.iter().rev() {
            outcome = self.set(button, false);
            self.wait(50);
        }
        outcome
    }

    fn tap(&mut self, button: Button) -> Outcome {
        let down = {
            let outcome = self.set(button, true);
            self.wait(50);
            outcome
        };
        let up = self.set(button, false);
        self.wait(50);
        if up == Outcome::None { down } else { up }
    }

    fn text(&self) -> &str {
        self.keyboard.text()
    }

    fn word(&self, slot: usize) -> String {
        self.keyboard.view().strip[slot].word.to_owned()
    }
}

use Button::{A, B, Down, L1, L2, Left, R1, R2, Right, Select, Start, Up, X, Y};

#[test]
fn the_arc_types_a_chord_at_once_and_capitalises_the_sentence() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(Up, true);
    hands.wait(100);
    assert_eq!(hands.set(X, true), Outcome::Edited);
    assert_eq!(hands.text(), "H");
    hands.set(X, false);
    hands.set(Up, false);
    hands.chord(&[Right, A]);
    assert_eq!(hands.text(), "Hi");
}

#[test]
fn a_contact_closing_within_40_ms_replaces_the_character_by_the_chord_meant() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(A, true);
    assert_eq!(hands.text(), "E");
    hands.wait(40);
    hands.set(Right, true);
    assert_eq!(hands.text(), "I");
    hands.wait(10);
    hands.set(A, false);
    hands.set(Right, false);
    // One undo takes the character back: the mistaken one never was.
    assert!(hands.keyboard.editor.undo());
    assert_eq!(hands.text(), "");
    assert!(!hands.keyboard.editor.undo());
}

#[test]
fn a_diagonal_may_close_in_two_steps_after_the_face_button() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(A, true);
    hands.wait(15);
    hands.set(Up, true);
    assert_eq!(hands.text(), "A");
    hands.wait(15);
    hands.set(Left, true);
    assert_eq!(hands.text(), "C");
}

#[test]
fn a_contact_closing_later_or_after_the_release_changes_nothing() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(A, true);
    hands.wait(41);
    hands.set(Right, true);
    assert_eq!(hands.text(), "E");
    hands.set(A, false);
    hands.set(Right, false);
    hands.set(A, true);
    hands.wait(10);
    hands.set(A, false);
    hands.set(Right, true);
    assert_eq!(hands.text(), "Ee");
}

#[test]
fn a_late_contact_also_undoes_a_deletion_a_layer_and_a_leave() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(B, true);
    hands.wait(20);
    hands.set(Up, true);
    assert_eq!(hands.text(), "T");
    assert_eq!(hands.set(B, false), Outcome::None);
    hands.set(Up, false);
    hands.set(B, true);
    assert_eq!(hands.text(), "");
    hands.set(Down, true);
    assert_eq!(hands.text(), "Ty");
    hands.set(B, false);
    hands.set(Down, false);
    hands.set(Y, true);
    assert!(hands.keyboard.view().symbols.shown());
    hands.set(Down, true);
    assert_eq!(hands.text(), "Tym");
    assert!(!hands.keyboard.view().symbols.shown());
}

#[test]
fn b_deletes_repeats_and_never_leaves_by_repeating() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("0123456789", Purpose::Prose);
    hands.set(B, true);
    hands.wait(399);
    assert_eq!(hands.text(), "012345678");
    hands.wait(1);
    assert_eq!(hands.text(), "01234567");
    hands.wait(2000);
    assert_eq!(hands.text(), "");
    assert_eq!(hands.set(B, false), Outcome::None);
    assert_eq!(hands.tap(B), Outcome::Leave);
}

#[test]
fn a_letter_held_on_b_does_not_delete() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(Down, true);
    hands.set(B, true);
    hands.wait(390);
    assert_eq!(hands.text(), "Y");
    hands.wait(200);
    assert!(matches!(hands.keyboard.view().board, Board::Accents { .. }));
    hands.set(B, false);
    assert_eq!(hands.text(), "Y");
}

#[test]
fn holding_a_letter_offers_its_accents_and_the_release_commits() {
    for mode in [Mode::Arc, Mode::Grid] {
        let mut hands = Hands::on(mode);
        hands.keyboard.open("caf", Purpose::Prose);
        if mode == Mode::Grid {
            hands.keyboard.focus = Focus { row: 2, column: 2 };
        }
        hands.set(A, true);
        hands.wait(400);
        assert_eq!(hands.text(), "cafe");
        hands.set(Right, true);
        hands.set(Right, false);
        let Board::Accents { options, focus, .. } = hands.keyboard.view().board else {
            panic!("no accents")
        };
        assert_eq!((options[0], options[focus]), ('e', 'é'));
        assert_eq!(hands.set(A, false), Outcome::Edited);
        assert_eq!(hands.text(), "café");
    }
}

#[test]
fn another_face_button_calls_accents_off() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(A, true);
    hands.wait(400);
    hands.set(Right, true);
    hands.set(X, true);
    hands.set(X, false);
    hands.set(A, false);
    assert_eq!(hands.text(), "E");
    assert!(matches!(hands.keyboard.view().board, Board::Arc(_)));
}

#[test]
fn centre_x_gives_one_capital_and_twice_until_a_space() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("x ", Purpose::Prose);
    hands.tap(X);
    hands.tap(A);
    hands.tap(A);
    assert_eq!(hands.text(), "x Ee");
    hands.tap(X);
    hands.tap(X);
    hands.tap(A);
    hands.tap(A);
    hands.tap(R1);
    hands.tap(A);
    assert_eq!(hands.text(), "x EeEE e");
}

#[test]
fn capital_marks_stand_on_the_arc() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("x", Purpose::Prose);
    for face in [X, A, B, Y] {
        hands.tap(X);
        hands.chord(&[Down, Right, face]);
    }
    assert_eq!(hands.text(), "x@:;/");
}

#[test]
fn the_automatic_capital_leaves_marks_alone() {
    let mut hands = Hands::on(Mode::Arc);
    hands.chord(&[Down, Right, A]);
    assert_eq!(hands.text(), ".");
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("", Purpose::Exact);
    hands.tap(A);
    assert_eq!(hands.text(), "e");
}

#[test]
fn digits_keep_the_symbols_until_a_space() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("x ", Purpose::Prose);
    hands.tap(Y);
    hands.chord(&[Up, A]);
    hands.chord(&[Left, A]);
    hands.tap(A);
    hands.tap(R1);
    hands.tap(A);
    assert_eq!(hands.text(), "x 245 e");
}

#[test]
fn a_shoulder_accepts_its_word_and_b_straight_after_takes_it_back() {
    let mut hands = Hands::on(Mode::Arc);
    hands.chord(&[Up, B]);
    assert_eq!((hands.text(), hands.word(0).as_str()), ("T", "The"));
    assert!(!hands.keyboard.just_accepted());
    assert_eq!(hands.tap(L1), Outcome::Edited);
    assert_eq!(hands.text(), "The ");
    assert!(hands.keyboard.just_accepted());
    assert_eq!(hands.tap(B), Outcome::Edited);
    assert_eq!(hands.text(), "T");
    let second = hands.word(1);
    hands.tap(L2);
    hands.chord(&[Up, A]);
    hands.tap(B);
    assert_eq!(hands.text(), format!("{second} "));
}

#[test]
fn a_mark_moves_before_an_accepted_words_space() {
    let mut hands = Hands::on(Mode::Arc);
    hands.chord(&[Up, B]);
    hands.tap(L1);
    hands.chord(&[Down, Right, A]);
    assert_eq!(hands.text(), "The. ");
    hands.chord(&[Up, X]);
    assert_eq!(hands.text(), "The. H");
    // A typed space is a space; marks stay behind it.
    hands.tap(R1);
    hands.chord(&[Down, Right, B]);
    assert_eq!(hands.text(), "The. H ,");
}

#[test]
fn the_habitual_space_after_an_accepted_word_is_not_a_second() {
    let mut hands = Hands::on(Mode::Arc);
    hands.chord(&[Up, B]);
    hands.tap(L1);
    hands.tap(R1);
    assert_eq!(hands.text(), "The ");
    hands.tap(R1);
    assert_eq!(hands.text(), "The  ");
}

#[test]
fn a_held_shoulder_shows_three_more_and_accepts_one_of_them() {
    let mut hands = Hands::on(Mode::Arc);
    hands.chord(&[Up, B]);
    let fourth = hands.keyboard.suggestions[3].clone();
    hands.set(L1, true);
    hands.wait(300);
    assert_eq!(hands.word(0), fourth);
    hands.set(L1, false);
    assert_eq!(hands.text(), format!("{fourth} "));
    // A face button while they show calls it off.
    hands.chord(&[Up, B]);
    let before = hands.text().to_owned();
    hands.set(R2, true);
    hands.wait(300);
    hands.tap(B);
    hands.set(R2, false);
    assert_eq!(hands.text(), before);
}

#[test]
fn without_triggers_l1_carries_one_suggestion() {
    let mut hands = Hands::with(Settings {
        mode: Mode::Arc,
        triggers: false,
        ..Settings::default()
    });
    hands.chord(&[Up, B]);
    assert_eq!(hands.keyboard.view().strip.len(), 1);
    hands.tap(L2);
    assert_eq!(hands.text(), "T");
    hands.tap(L1);
    assert_eq!(hands.text(), "The ");
}

#[test]
fn a_lone_i_becomes_a_capital_and_b_brings_it_back() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("so ", Purpose::Prose);
    hands.chord(&[Right, A]);
    hands.tap(R1);
    assert_eq!(hands.text(), "so I ");
    hands.tap(B);
    assert_eq!(hands.text(), "so i ");
    hands.tap(B);
    assert_eq!(hands.text(), "so i");
}
