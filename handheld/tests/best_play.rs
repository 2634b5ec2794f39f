//! The layouts' worth, held fast: the fewest presses for a small text must not become more. Counted, not timed.

#![allow(clippy::unwrap_used)] // A plan that is not found is a failed test.
#[path = "presses/mod.rs"]
mod presses;

use handheld::entry::learned::Learned;
use handheld::entry::{Keyboard, Mode, Purpose, Settings};
use presses::layout::{Counting, Grid, Layout, Petals, Plain, WHEEL};
use presses::plan::{Planner, Words, execute};

/// Written for this test: a letter, questions, names, numbers, marks.
const TEXTS: [&str; 6] = [
    "Dear neighbour, the fence between our gardens lost two boards in the storm last week. I would like to repair it on \
     Saturday and would be glad of a hand. Do you still have the cordless drill?",
    "What would that cost? About forty euros, if the posts are still sound; a hammer you can borrow from me.",
    "A calm harbour at dusk, oil on canvas, with fishing boats in the foreground and a few gulls above the lighthouse.",
    "\"The trouble with a kitten is that,\" he said, \"eventually it becomes a cat.\" We laughed, but it was true: by \
     October there were three of them.",
    "Explain in 5 sentences why the sky is blue, as if I were ten years old. Then give me one experiment that I can do \
     at home with a glass of water, some milk and a torch.",
    "Please make it shorter. I don't think Mrs. Miller needs to know about 1998, and it's not her fault (or mine) that \
     the bus was late -- but thank her for waiting.",
];

/// Contacts a character of all texts, planned and played.
fn played<L: Layout>(layout: &L, mode: Mode, words: Words) -> f64 {
    let mut keyboard = Keyboard::new(Settings {
        mode,
        suggestions: words != Words::Off,
        ..Settings::default()
    });
    let (mut presses, mut characters) = (0, 0);
    for text in TEXTS {
        keyboard.open("", Purpose::Prose);
        let (cost, acts) = Planner::new(layout, words, keyboard.learned(), text)
            .plan()
            .unwrap();
        let played = execute(layout, &mut keyboard, &acts, text).unwrap();
        assert_eq!(cost, played.contacts, "{text}");
        assert!(played.directions >= played.accepted && played.accepted >= played.held);
        presses += played.contacts;
        characters += text.len();
    }
    f64::from(presses) / characters as f64
}

fn planned<L: Layout>(layout: &L) -> f64 {
    let learned = Learned::new();
    let cost = |text| {
        Planner::new(layout, Words::Off, &learned, text)
            .plan()
            .unwrap()
            .0
    };
    let presses: u32 = TEXTS.into_iter().map(cost).sum();
    f64::from(presses) / TEXTS.iter().map(|text| text.len()).sum::<usize>() as f64
}

const fn arc(released: bool) -> Petals {
    Petals {
        counting: Counting::Contacts,
        released,
        peer: None,
    }
}

#[test]
fn the_arc_stays_at_its_figures() {
    for (words, released, most) in [
        (Words::Off, false, 1.60),
        (Words::Off, true, 1.90),
        (Words::Begun, false, 1.10),
        (Words::Three, false, 1.00),
        (Words::Three, true, 1.15),
        (Words::Six, false, 0.90),
    ] {
        let figure = played(&arc(released), Mode::Arc, words);
        println!("arc, {words:?}, released: {released}: {figure:.3}");
        assert!(figure <= most, "{words:?} {released}: {figure}");
    }
}

#[test]
fn the_grid_stays_at_its_figures() {
    for (words, most) in [(Words::Off, 4.0), (Words::Begun, 2.5), (Words::Three, 2.2)] {
        let figure = played(&Grid::new(), Mode::Grid, words);
        println!("grid, {words:?}: {figure:.3}");
        assert!(figure <= most, "{words:?}: {figure}");
    }
}

#[test]
fn both_keyboards_beat_their_peers() {
    let wheel = |released| {
        planned(&Petals {
            counting: Counting::Contacts,
            released,
            peer: Some(WHEEL),
        })
    };
    for released in [false, true] {
        assert!(planned(&arc(released)) < 0.95 * wheel(released));
    }
    assert!(planned(&Grid::new()) < 0.85 * planned(&Plain));
    // Directions count a diagonal once, so they are never more than contacts.
    let directions = planned(&Petals {
        counting: Counting::Directions,
        ..arc(false)
    });
    assert!(directions <= planned(&arc(false)));
}
