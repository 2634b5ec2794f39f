//! Sending and leaving, the edit layer and its menu, the grid's own keys, and what is learned.

use super::*;
use crate::entry::view::{Face, MenuChoice};

#[test]
fn start_sends_on_release_but_never_with_select() {
    let mut hands = Hands::on(Mode::Arc);
    assert_eq!(hands.set(Start, true), Outcome::None);
    assert_eq!(hands.set(Start, false), Outcome::Send);
    hands.set(Start, true);
    hands.set(Select, true);
    assert_eq!(hands.set(Start, false), Outcome::None);
    assert_eq!(hands.set(Select, false), Outcome::None);
    assert!(matches!(hands.keyboard.view().board, Board::Arc(_)));
}

#[test]
fn a_release_or_hold_of_a_press_made_elsewhere_does_nothing() {
    for mode in [Mode::Arc, Mode::Grid] {
        let mut keyboard = Keyboard::new(Settings {
            mode,
            ..Settings::default()
        });
        for button in Button::ALL {
            for edge in [Edge::Hold, Edge::Repeat, Edge::Release] {
                assert_eq!(
                    keyboard.handle(Press::new(edge, button, Millis(5)), Millis(5)),
                    Outcome::None
                );
            }
        }
        assert_eq!(keyboard.text(), "");
    }
}

#[test]
fn holding_select_is_not_the_edit_layer() {
    let mut hands = Hands::on(Mode::Grid);
    hands.set(Select, true);
    hands.wait(500);
    hands.set(Select, false);
    assert!(matches!(hands.keyboard.view().board, Board::Grid(_)));
    hands.tap(Select);
    assert_eq!(hands.keyboard.view().board, Board::Edit { marking: false });
    hands.tap(Select);
    assert!(matches!(hands.keyboard.view().board, Board::Grid(_)));
}

#[test]
fn the_edit_layer_moves_marks_breaks_lines_and_leaves() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("one two", Purpose::Prose);
    hands.tap(Select);
    hands.tap(L1);
    assert_eq!(hands.keyboard.view().cursor, 4);
    hands.tap(A);
    assert_eq!(hands.text(), "one \ntwo");
    hands.tap(L2);
    hands.tap(X);
    hands.tap(R1);
    assert_eq!(hands.keyboard.view().selection, Some(0..3));
    hands.tap(R2);
    assert_eq!(hands.keyboard.view().cursor, 8);
    assert_eq!(hands.set(B, true), Outcome::None);
    assert_eq!(hands.set(B, false), Outcome::Leave);
    assert_eq!(hands.text(), "one \ntwo");
}

fn choose(hands: &mut Hands, wanted: MenuChoice) -> Outcome {
    let Board::Menu { items, .. } = hands.keyboard.view().board else {
        panic!("no menu")
    };
    let at = items.iter().position(|item| item.choice == wanted).unwrap();
    for _ in 0..at {
        hands.tap(Right);
    }
    hands.tap(A)
}

#[test]
fn cut_and_paste_move_words_and_undo_and_redo_follow() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("one two", Purpose::Prose);
    hands.tap(Select);
    hands.tap(X);
    hands.tap(L1);
    hands.tap(Y);
    assert_eq!(choose(&mut hands, MenuChoice::Cut), Outcome::Edited);
    assert_eq!(hands.text(), "one ");
    hands.tap(L2);
    hands.tap(Y);
    assert_eq!(choose(&mut hands, MenuChoice::Paste), Outcome::Edited);
    assert_eq!(hands.text(), "twoone ");
    hands.tap(Y);
    assert_eq!(hands.tap(A), Outcome::Edited);
    assert_eq!(hands.tap(A), Outcome::Edited);
    assert_eq!(hands.text(), "one two");
    assert_eq!(hands.tap(A), Outcome::None);
    hands.tap(Right);
    hands.tap(A);
    assert_eq!(hands.text(), "one ");
}

#[test]
fn the_grid_reaches_the_menu_by_its_key_and_changes_keyboards() {
    let mut hands = Hands::on(Mode::Grid);
    hands.keyboard.focus = Focus { row: 5, column: 7 };
    hands.tap(A);
    assert_eq!(
        choose(&mut hands, MenuChoice::OtherKeyboard),
        Outcome::Action(Action::Switched(Mode::Arc))
    );
    assert!(matches!(hands.keyboard.view().board, Board::Arc(_)));
}

#[test]
fn an_emoji_is_typed_and_deleted_whole() {
    let mut hands = Hands::on(Mode::Grid);
    hands.keyboard.focus = Focus { row: 5, column: 7 };
    hands.tap(A);
    choose(&mut hands, MenuChoice::Emoji);
    hands.tap(Down);
    hands.tap(A);
    hands.tap(A);
    hands.tap(B);
    assert_eq!(hands.text(), "😢😢");
    hands.tap(B);
    assert_eq!(hands.text(), "😢");
}

#[test]
fn the_grid_types_the_focused_key_and_accepts_from_the_strip() {
    let mut hands = Hands::on(Mode::Grid);
    hands.keyboard.focus = Focus { row: 2, column: 4 };
    hands.tap(A);
    assert_eq!(hands.text(), "T");
    hands.tap(Up);
    hands.tap(Up);
    assert!(hands.keyboard.view().strip[1].focused);
    let second = hands.word(1);
    hands.tap(A);
    assert_eq!(hands.text(), format!("{second} "));
    // The next words stand there already: the focus stays.
    assert!(hands.keyboard.view().strip[1].focused);
    let next = hands.word(1);
    hands.tap(A);
    assert_eq!(hands.text(), format!("{second} {next} "));
    hands.tap(B);
    assert_eq!(hands.text(), format!("{second} "));
    // With nothing left to suggest the focus is back among the letters.
    hands.keyboard.open("zzzz", Purpose::Prose);
    hands.keyboard.focus = Focus { row: 0, column: 4 };
    hands.keyboard.open("zzzzq", Purpose::Prose);
    let Board::Grid(rows) = hands.keyboard.view().board else {
        panic!("no grid")
    };
    assert!(
        rows.iter()
            .flatten()
            .any(|key| key.focused && matches!(key.face, Face::Char(_)))
    );
}

#[test]
fn the_grid_is_reached_by_pad_a_and_b_alone() {
    let mut hands = Hands::on(Mode::Grid);
    // From g: down twice to the function row, then its keys from left to right.
    hands.tap(Down);
    hands.tap(Down);
    hands.tap(Left);
    hands.tap(A);
    assert_eq!(hands.text(), " ");
    for _ in 0..6 {
        hands.tap(Right);
    }
    assert_eq!(hands.tap(A), Outcome::Send);
    hands.tap(B);
    assert_eq!(hands.tap(B), Outcome::Leave);
}

#[test]
fn swapped_buttons_type_with_b_on_the_grid_but_letters_of_the_arc_stay() {
    let swapped = Settings {
        swap_ab: true,
        ..Settings::default()
    };
    let mut hands = Hands::with(swapped);
    hands.tap(B);
    assert_eq!(hands.text(), "G");
    hands.tap(A);
    assert_eq!(hands.text(), "");
    let mut hands = Hands::with(Settings {
        mode: Mode::Arc,
        ..swapped
    });
    hands.tap(A);
    assert_eq!(hands.text(), "E");
}

#[test]
fn the_arc_is_offered_once_after_two_hundred_characters() {
    let mut hands = Hands::on(Mode::Grid);
    for _ in 0..450 {
        hands.tap(A);
    }
    let offers: Vec<_> = hands
        .outcomes
        .iter()
        .enumerate()
        .filter(|(_, o)| **o == Outcome::Action(Action::OfferArc))
        .collect();
    assert_eq!(offers.len(), 1);
    assert_eq!(offers[0].0, 2 * (200 - 1));
}

#[test]
fn sent_words_are_learned_from_prose_only() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("zyxomma", Purpose::Exact);
    hands.tap(Start);
    assert!(hands.keyboard.learned().is_empty());
    hands.keyboard.open("zyxomma", Purpose::Prose);
    hands.tap(Start);
    assert_eq!(hands.keyboard.take(), "zyxomma");
    hands.keyboard.open("z", Purpose::Prose);
    assert_eq!(hands.word(0), "zyxomma");
    let debug = format!("{:?}", hands.keyboard);
    assert!(!debug.contains("zyxomma"), "{debug}");
}

#[test]
fn nothing_is_suggested_in_the_middle_of_a_word_or_when_turned_off() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("th", Purpose::Prose);
    assert_ne!(hands.word(0), "");
    hands.keyboard.open("thx", Purpose::Prose);
    hands.tap(Select);
    hands.tap(Left);
    hands.tap(Select);
    assert_eq!(hands.word(0), "");
    hands.keyboard.set_settings(Settings {
        suggestions: false,
        ..Settings::default()
    });
    hands.keyboard.open("th", Purpose::Prose);
    assert_eq!(hands.word(0), "");
}

#[test]
fn accepting_before_a_space_uses_that_space() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("t end", Purpose::Prose);
    hands.tap(Select);
    hands.tap(L2);
    hands.tap(Right);
    hands.tap(Select);
    hands.tap(L1);
    assert_eq!(hands.text(), "the end");
    hands.tap(B);
    assert_eq!(hands.text(), "t end");
}

#[test]
fn hints_are_five_at_most_in_every_state() {
    for swap_ab in [false, true] {
        for mode in [Mode::Grid, Mode::Arc] {
            let mut hands = Hands::with(Settings {
                mode,
                swap_ab,
                ..Settings::default()
            });
            assert!(hands.keyboard.hints().len() <= 5);
            hands.tap(Select);
            assert!(hands.keyboard.hints().len() <= 5);
            hands.tap(Y);
            assert!(hands.keyboard.hints().len() <= 5);
        }
    }
}

#[test]
fn buttons_let_go_of_do_nothing_and_leave_no_direction_behind() {
    let mut hands = Hands::on(Mode::Arc);
    hands.set(Up, true);
    hands.set(Select, true);
    hands.wait(400);
    hands.keyboard.let_go();
    // The releases go to the map that took the buttons.
    let Board::Arc(petals) = hands.keyboard.view().board else {
        panic!("no arc")
    };
    assert!(petals.iter().all(|petal| !petal.held));
    let up = Press::up(Select, hands.now);
    assert_eq!(hands.keyboard.handle(up, hands.now), Outcome::None);
    assert!(matches!(hands.keyboard.view().board, Board::Arc(_)));
}

#[test]
fn the_edit_board_names_the_buttons_that_do_it() {
    for swap_ab in [false, true] {
        let keyboard = Keyboard::new(Settings {
            swap_ab,
            ..Settings::default()
        });
        let keys = keyboard.view().edit_keys;
        let label = |button| {
            keys.iter()
                .find(|hint| hint.buttons == [button])
                .map(|hint| hint.label)
        };
        assert_eq!(label(if swap_ab { B } else { A }), Some("New line"));
        assert_eq!(
            label(if swap_ab { A } else { B }),
            Some("Leave, keep draft")
        );
    }
}
