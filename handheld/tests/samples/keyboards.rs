//! The writing screen with all of its boards.

use super::{Book, NOW};
use handheld::app::Model;
use handheld::app::model::screen::{Purpose, Writing};
use handheld::app::model::{ChatId, Screen};
use handheld::entry::{self, Mode, keyboard};
use handheld::input::button::{Button, ButtonSet, Edge, Press};

const CONTEXT: &str = "… would be glad of a hand. Three things we could share: the price of the boards, my cordless drill, a cup of coffee afterwards.";
const SHORT: &str = "Could you make it warmer and add th";
const NEXT: &str = "Thank you. The other one is better ";
const LONG: &str = "Could you make it warmer and add the time of day, and mention that I have the drill already, so that only the boards and a few screws are left to buy before Satur";

fn open(model: &mut Model, mode: Mode, text: &str) {
    model.keyboard.set_settings(entry::Settings {
        mode,
        ..entry::Settings::default()
    });
    model.keyboard.open(text, keyboard::Purpose::Prose);
}

fn press(model: &mut Model, presses: &[(Button, Edge)]) {
    for (i, &(button, edge)) in presses.iter().enumerate() {
        let at = NOW.plus(100 * i as u64);
        model.keyboard.handle(
            Press {
                button,
                edge,
                at,
                down_at: at,
                with: ButtonSet::EMPTY,
            },
            at,
        );
    }
}

/// Samples of writing.
pub fn samples(book: &mut Book) {
    use Button::{A, Down, L1, L2, Right, Select, Up, X, Y};
    use Edge::{Hold, Release};
    let press_of = |button| (button, Edge::Press);
    let screen = || {
        Screen::Writing(Box::new(Writing {
            purpose: Purpose::Message(ChatId(1)),
            context: CONTEXT.into(),
        }))
    };
    let tap = |button| [(button, Edge::Press), (button, Release)];
    let mut add = |name, mode, text: &'static str, presses: Vec<(Button, Edge)>| {
        book.add(name, screen(), |m| {
            open(m, mode, text);
            press(m, &presses);
        });
    };
    add("writing-grid", Mode::Grid, SHORT, vec![]);
    add("writing-grid-symbols", Mode::Grid, LONG, tap(Y).to_vec());
    add("writing-arc", Mode::Arc, SHORT, vec![]);
    add("writing-arc-right", Mode::Arc, LONG, vec![press_of(Right)]);
    add(
        "writing-arc-symbols",
        Mode::Arc,
        SHORT,
        [tap(Y), tap(Y)].concat(),
    );
    add("writing-empty", Mode::Arc, "", vec![]);
    add(
        "writing-accents",
        Mode::Grid,
        "Gr",
        vec![press_of(A), (A, Hold)],
    );
    add(
        "writing-arc-accents",
        Mode::Arc,
        "Gr",
        vec![press_of(A), (A, Hold), press_of(Right)],
    );
    add(
        "writing-more",
        Mode::Arc,
        SHORT,
        vec![press_of(L1), (L1, Hold)],
    );
    add("writing-next", Mode::Grid, NEXT, vec![]);
    add("writing-edit", Mode::Grid, SHORT, tap(Select).to_vec());
    let mut marked = [tap(Select), tap(L2), tap(X)].concat();
    (0..9).for_each(|_| marked.extend(tap(Right)));
    add("writing-mark", Mode::Grid, LONG, marked.clone());
    add(
        "writing-menu",
        Mode::Grid,
        LONG,
        [marked, tap(Y).to_vec(), tap(Down).to_vec()].concat(),
    );
    add(
        "writing-emoji",
        Mode::Grid,
        SHORT,
        [tap(Select), tap(Y), tap(Right), tap(Right), tap(A)].concat(),
    );
    add(
        "writing-emoji-end",
        Mode::Grid,
        SHORT,
        [tap(Select), tap(Y), tap(Right), tap(Right), tap(A), tap(Up)].concat(),
    );
    let passphrase = Screen::Writing(Box::new(Writing {
        purpose: Purpose::Passphrase,
        context: "Ada's ThinkPad: officectl pair shows it there.".into(),
    }));
    book.add("writing-passphrase", passphrase, |m| {
        m.keyboard.open("abcd 23", keyboard::Purpose::Exact);
    });
}
