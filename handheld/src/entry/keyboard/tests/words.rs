//! Suggestions before the first letter, and what is learned of what is sent.

use super::*;

#[test]
fn a_word_is_suggested_before_its_first_letter_and_b_takes_it_back() {
    let mut hands = Hands::on(Mode::Arc);
    hands
        .keyboard
        .open("I would rather be here ", Purpose::Prose);
    hands.keyboard.open("That is better ", Purpose::Prose);
    assert_eq!(hands.word(0), "than");
    assert_eq!(hands.tap(L1), Outcome::Edited);
    assert_eq!(hands.text(), "That is better than ");
    hands.tap(B);
    assert_eq!(hands.text(), "That is better ");
    assert_eq!(hands.word(0), "than");
}

#[test]
fn words_can_be_chained_and_marks_still_move_before_the_space() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("Well, thank ", Purpose::Prose);
    assert_eq!(hands.word(0), "you");
    hands.tap(L1);
    hands.chord(&[Down, Right, A]);
    assert_eq!(hands.text(), "Well, thank you. ");
    // A sentence starts: so do its suggestions.
    assert!(hands.word(0).starts_with(char::is_uppercase));
}

#[test]
fn capitals_show_on_the_words_before_the_first_letter() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("it is better ", Purpose::Prose);
    hands.tap(X);
    assert_eq!(hands.word(0), "Than");
    hands.tap(X);
    assert_eq!(hands.word(0), "THAN");
    hands.tap(L1);
    assert_eq!(hands.text(), "it is better THAN ");
    assert!(hands.word(0).starts_with(char::is_lowercase));
}

#[test]
fn nothing_is_suggested_in_an_exact_field_or_where_suggestions_are_off() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("", Purpose::Exact);
    assert!((0..3).all(|slot| hands.word(slot).is_empty()));
    assert_eq!(hands.tap(L1), Outcome::None);
    let mut hands = Hands::with(Settings {
        suggestions: false,
        ..Settings::default()
    });
    hands.keyboard.open("better ", Purpose::Prose);
    assert!((0..3).all(|slot| hands.word(slot).is_empty()));
}

#[test]
fn what_is_sent_is_learned_with_its_pairs_and_what_may_be_secret_never_is() {
    let mut hands = Hands::on(Mode::Arc);
    for _ in 0..3 {
        hands.keyboard.open("my crimson harbour", Purpose::Prose);
        assert_eq!(hands.tap(Start), Outcome::Send);
    }
    hands.keyboard.open("so crimson ", Purpose::Prose);
    assert_eq!(hands.word(0), "harbour");
    let known = hands.keyboard.learned().export();
    hands.keyboard.open("correct horse battery", Purpose::Exact);
    hands.tap(Start);
    hands.keyboard.set_settings(Settings {
        suggestions: false,
        ..hands.keyboard.settings()
    });
    hands.keyboard.open("quite unheard of", Purpose::Prose);
    hands.tap(Start);
    assert_eq!(hands.keyboard.learned().export(), known);
}

#[test]
fn a_space_typed_while_a_letter_is_held_survives_the_accent() {
    let mut hands = Hands::on(Mode::Arc);
    hands.keyboard.open("caf", Purpose::Prose);
    hands.set(A, true);
    hands.wait(100);
    hands.tap(R1);
    hands.wait(400);
    hands.set(A, false);
    assert_eq!(hands.text(), "cafe ");
    // Nor does a late contact take it back.
    hands.set(A, true);
    hands.set(R1, true);
    hands.wait(20);
    hands.set(Right, true);
    assert_eq!(hands.text(), "cafe e ");
}
