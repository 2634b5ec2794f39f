//! From a text back to the fingers: which buttons type it. Lessons, scripts and end-to-end tests write with this.

use std::collections::VecDeque;

use unicode_segmentation::UnicodeSegmentation;

use super::accent::{accents_of, base_of};
use super::arc::{self, Direction, FACES};
use super::emoji::EMOJI;
use super::grid::{self, Focus};
use super::keyboard::{Keyboard, step};
use super::layer::Layer;
use super::view::{ACCENT_COLUMNS, Board, EMOJI_COLUMNS, Face, MENU_COLUMNS, MenuChoice, Mode};
use crate::input::repeat::HOLD;
use crate::input::{Button, ButtonSet, Press, Tracker};
use crate::time::Millis;

/// Milliseconds that a planned long press lasts beyond its threshold: real clocks and queues are not exact.
const HOLD_MARGIN: u64 = 100;

/// What a finger does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Presses a button down.
    Press(Button),
    /// Lets it go.
    Release(Button),
    /// Holds still for this many milliseconds; between other steps no wait is needed.
    Wait(u64),
}

/// The steps that type `text` at the cursor of `keyboard` as it stands: short, without suggestions, every button
/// released at the end. `None` if a character is on no key, the letters are not showing or the field is full.
#[must_use]
pub fn keys_for(keyboard: &Keyboard, text: &str) -> Option<Vec<Step>> {
    let mut plan = Plan {
        keyboard: keyboard.without_suggestions(),
        tracker: Tracker::new(),
        now: Millis(0),
        pad: ButtonSet::EMPTY,
        steps: Vec::new(),
    };
    for grapheme in text.graphemes(true) {
        if !matches!(plan.keyboard.view().board, Board::Grid(_) | Board::Arc(_)) {
            return None;
        }
        if EMOJI.contains(&grapheme) {
            plan.emoji(grapheme)?;
        } else {
            grapheme.chars().try_for_each(|c| plan.type_char(c))?;
        }
    }
    plan.point(ButtonSet::EMPTY);
    Some(plan.steps)
}

/// Plays steps through the tracker, `gap` milliseconds apart, and gives the presses that a keyboard would get.
#[must_use]
pub fn play(steps: &[Step], start: Millis, gap: u64) -> Vec<Press> {
    let mut tracker = Tracker::new();
    let mut now = start;
    let mut presses = Vec::new();
    for step in steps {
        let (set, wait) = match *step {
            Step::Press(button) => (Some((button, true)), gap),
            Step::Release(button) => (Some((button, false)), gap),
            Step::Wait(ms) => (None, ms),
        };
        presses.extend(set.and_then(|(button, pressed)| tracker.set(button, pressed, now)));
        now = now.plus(wait);
        while let Some(press) = tracker.due(now) {
            presses.push(press);
        }
    }
    presses
}

/// A plan in the making: a keyboard that is really typed on, so that what it corrects by itself is seen.
struct Plan {
    keyboard: Keyboard,
    tracker: Tracker,
    now: Millis,
    /// The D-pad contacts held now; one direction is kept over characters that share it.
    pad: ButtonSet,
    steps: Vec<Step>,
}

impl Plan {
    fn take(&mut self, step: Step) {
        self.steps.push(step);
        let press = match step {
            Step::Press(button) => self.tracker.set(button, true, self.now),
            Step::Release(button) => self.tracker.set(button, false, self.now),
            Step::Wait(ms) => {
                self.now = self.now.plus(ms);
                None
            }
        };
        if let Some(press) = press {
            self.keyboard.handle(press, self.now);
        }
        while let Some(press) = self.tracker.due(self.now) {
            self.keyboard.handle(press, self.now);
        }
    }

    fn tap(&mut self, button: Button) {
        self.take(Step::Press(button));
        self.take(Step::Release(button));
    }

    /// Holds exactly these D-pad contacts.
    fn point(&mut self, pad: ButtonSet) {
        for button in self
            .pad
            .iter()
            .filter(|&button| !pad.contains(button))
            .collect::<Vec<_>>()
        {
            self.take(Step::Release(button));
        }
        for button in pad
            .iter()
            .filter(|&button| !self.pad.contains(button))
            .collect::<Vec<_>>()
        {
            self.take(Step::Press(button));
        }
        self.pad = pad;
    }

    fn is_arc(&self) -> bool {
        self.keyboard.settings().mode == Mode::Arc
    }

    fn expected(&self, inserted: &str) -> String {
        let view = self.keyboard.view();
        let range = view.selection.unwrap_or(view.cursor..view.cursor);
        format!(
            "{}{inserted}{}",
            &view.text[..range.start],
            &view.text[range.end..]
        )
    }

    fn type_char(&mut self, c: char) -> Option<()> {
        let expected = self.expected(c.encode_utf8(&mut [0; 4]));
        match c {
            ' ' => self.tap(Button::R1),
            '\n' => {
                self.point(ButtonSet::EMPTY);
                self.tap(Button::Select);
                self.tap(self.keyboard.confirm());
                self.tap(Button::Select);
            }
            _ => match self.press_key(c) {
                Some(finger) => self.take(Step::Release(finger)),
                None => self.accent(c)?,
            },
        }
        if self.keyboard.text() != expected {
            // The keyboard corrected something or kept a space to itself: take it back, or type it again.
            self.point(ButtonSet::EMPTY);
            if c == ' ' && self.expected(" ") == expected {
                self.tap(Button::R1);
            } else {
                let back = if self.is_arc() {
                    Button::B
                } else {
                    self.keyboard.back()
                };
                self.tap(back);
            }
        }
        (self.keyboard.text() == expected).then_some(())
    }

    /// Presses the key of `c` and leaves its button down, which it returns.
    fn press_key(&mut self, c: char) -> Option<Button> {
        let (layers, place) = self.place_of(c)?;
        for layer in layers {
            self.point(ButtonSet::EMPTY);
            self.tap(if layer == Face::Caps {
                Button::X
            } else {
                Button::Y
            });
        }
        let finger = match place {
            Place::Arc(direction, face) => {
                self.point(direction.contacts());
                face
            }
            Place::Grid(target) => {
                for button in path(self.keyboard.focus(), target) {
                    self.tap(button);
                }
                self.keyboard.confirm()
            }
        };
        self.take(Step::Press(finger));
        Some(finger)
    }

    /// The fewest layer presses after which `c` is on a key, and that key.
    fn place_of(&self, c: char) -> Option<(Vec<Face>, Place)> {
        let (start, first) = self.keyboard.layer_here();
        let mut queue = VecDeque::from([(first, Vec::new())]);
        while let Some((layer, presses)) = queue.pop_front() {
            let place = if self.is_arc() {
                arc_place(c, layer, start)
            } else {
                grid_place(c, layer, start, self.keyboard.focus())
            };
            if let Some(place) = place {
                return Some((presses, place));
            }
            if presses.len() == 4 {
                continue;
            }
            // On the arc the capital button is a digit while symbols show.
            if !(self.is_arc() && layer.symbols.shown()) {
                let mut next = layer;
                next.press_caps(start);
                queue.push_back((next, [presses.as_slice(), &[Face::Caps]].concat()));
            }
            let mut next = layer;
            next.press_symbols();
            queue.push_back((next, [presses.as_slice(), &[Face::Symbols]].concat()));
        }
        None
    }

    /// Holds the base letter of `c` and picks `c` among its accents.
    fn accent(&mut self, c: char) -> Option<()> {
        let (base, at) = base_of(c)?;
        let finger = self.press_key(base)?;
        self.take(Step::Wait(HOLD + HOLD_MARGIN));
        let count = accents_of(base).len();
        self.point(ButtonSet::EMPTY);
        for button in walk(0, at, count, ACCENT_COLUMNS)? {
            self.tap(button);
        }
        self.take(Step::Release(finger));
        Some(())
    }

    fn emoji(&mut self, emoji: &str) -> Option<()> {
        let expected = self.expected(emoji);
        self.point(ButtonSet::EMPTY);
        self.tap(Button::Select);
        self.tap(Button::Y);
        let Board::Menu { items, focus, .. } = self.keyboard.view().board else {
            return None;
        };
        let entry = items
            .iter()
            .position(|item| item.choice == MenuChoice::Emoji)?;
        for button in walk(focus, entry, items.len(), MENU_COLUMNS)? {
            self.tap(button);
        }
        self.tap(self.keyboard.confirm());
        let place = EMOJI.iter().position(|known| *known == emoji)?;
        for button in walk(0, place, EMOJI.len(), EMOJI_COLUMNS)? {
            self.tap(button);
        }
        self.tap(self.keyboard.confirm());
        self.tap(self.keyboard.back());
        self.tap(Button::Select);
        (self.keyboard.text() == expected).then_some(())
    }
}

/// Where a character is.
enum Place {
    Arc(Direction, Button),
    Grid(Focus),
}

fn arc_place(c: char, layer: Layer, sentence_start: bool) -> Option<Place> {
    let caps = layer.effective(sentence_start);
    Direction::all()
        .flat_map(|direction| FACES.map(|button| (direction, button)))
        .find(|&(direction, button)| {
            arc::face(direction, button, caps, layer.symbols) == Some(Face::Char(c))
        })
        .map(|(direction, button)| Place::Arc(direction, button))
}

fn grid_place(c: char, layer: Layer, sentence_start: bool, from: Focus) -> Option<Place> {
    let caps = layer.effective(sentence_start);
    (1..grid::FUNCTIONS)
        .flat_map(|row| (0..grid::COLUMNS).map(move |column| Focus { row, column }))
        .filter(|focus| focus.face(caps, layer.symbols) == Some(Face::Char(c)))
        .min_by_key(|&focus| path(from, focus).len())
        .map(Place::Grid)
}

/// The shortest way over the grid that does not cross the strip, whose suggestions come and go.
fn path(from: Focus, to: Focus) -> Vec<Button> {
    let vertical = if from.row < to.row {
        Button::Down
    } else {
        Button::Up
    };
    let mut buttons = vec![vertical; from.row.abs_diff(to.row).into()];
    // In the rows of characters every column is a key; the way along is taken there.
    let right = (to.column + grid::COLUMNS - from.column) % grid::COLUMNS;
    let left = grid::COLUMNS - right;
    let along = if right <= left {
        (Button::Right, right)
    } else {
        (Button::Left, left)
    };
    buttons.extend(core::iter::repeat_n(along.0, along.1.into()));
    buttons
}

/// The shortest way between two places of a board that wraps.
fn walk(from: usize, to: usize, count: usize, columns: usize) -> Option<Vec<Button>> {
    let mut queue = VecDeque::from([(from, Vec::new())]);
    let mut seen = vec![false; count];
    while let Some((at, way)) = queue.pop_front() {
        if at == to {
            return Some(way);
        }
        if core::mem::replace(seen.get_mut(at)?, true) {
            continue;
        }
        for button in [Button::Right, Button::Left, Button::Down, Button::Up] {
            queue.push_back((
                step(at, button, count, columns),
                [way.as_slice(), &[button]].concat(),
            ));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::keyboard::{Purpose, Settings};
    use proptest::prelude::*;

    fn keyboard(mode: Mode, swap_ab: bool, purpose: Purpose) -> Keyboard {
        let mut keyboard = Keyboard::new(Settings {
            mode,
            swap_ab,
            ..Settings::default()
        });
        keyboard.open("", purpose);
        keyboard
    }

    fn typed(mut keyboard: Keyboard, text: &str, gap: u64) -> String {
        let steps = keys_for(&keyboard, text).unwrap_or_else(|| panic!("no plan for {text:?}"));
        for press in play(&steps, Millis(77), gap) {
            keyboard.handle(press, press.at);
        }
        keyboard.text().to_owned()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]
        #[test]
        fn any_printable_ascii_text_is_typed_exactly(text in "[ -~\n]{0,40}", arc: bool, swap: bool, exact: bool, gap in 0u64..60) {
            let mode = if arc { Mode::Arc } else { Mode::Grid };
            let purpose = if exact { Purpose::Exact } else { Purpose::Prose };
            prop_assert_eq!(typed(keyboard(mode, swap, purpose), &text, gap), text);
        }

        #[test]
        fn sentences_full_of_small_i_and_marks_are_typed_exactly(text in "([iI]|i'm|I'll|a|[.,?!:;()] |\\. | |\"|[0-9]){0,20}", arc: bool) {
            let mode = if arc { Mode::Arc } else { Mode::Grid };
            prop_assert_eq!(typed(keyboard(mode, false, Purpose::Prose), &text, 10), text);
        }
    }

    #[test]
    fn every_printable_ascii_character_and_latin_letter_is_typed_on_both_keyboards() {
        let letters = ('\u{C0}'..='\u{17F}').filter(|c| c.is_alphabetic());
        for c in (' '..='~').chain(letters) {
            for mode in [Mode::Grid, Mode::Arc] {
                let text = format!("{c}x{c}");
                assert_eq!(
                    typed(keyboard(mode, false, Purpose::Prose), &text, 10),
                    text
                );
            }
        }
    }

    #[test]
    fn emoji_and_line_breaks_are_typed_too() {
        for mode in [Mode::Grid, Mode::Arc] {
            let text = "Fine 👍\nNaïve café ☕";
            assert_eq!(typed(keyboard(mode, true, Purpose::Prose), text, 20), text);
        }
    }

    #[test]
    fn what_the_keyboard_corrects_by_itself_is_typed_as_it_was_asked_for() {
        for text in [
            "i\n",
            "i i'm i, I.",
            "so i. then",
            "\"i \"",
            "a.  b",
            "Ok.ok",
            "x. @y",
        ] {
            for mode in [Mode::Grid, Mode::Arc] {
                assert_eq!(typed(keyboard(mode, false, Purpose::Prose), text, 10), text);
            }
        }
    }

    #[test]
    fn typing_goes_on_where_the_field_stands() {
        let mut keyboard = keyboard(Mode::Grid, false, Purpose::Prose);
        keyboard.open("Could you", Purpose::Prose);
        let steps = keys_for(&keyboard, " help?").unwrap();
        for press in play(&steps, Millis(0), 10) {
            keyboard.handle(press, press.at);
        }
        assert_eq!(keyboard.text(), "Could you help?");
    }

    #[test]
    fn what_is_on_no_key_has_no_plan() {
        for mode in [Mode::Grid, Mode::Arc] {
            assert_eq!(keys_for(&keyboard(mode, false, Purpose::Prose), "漢"), None);
        }
        let mut keyboard = keyboard(Mode::Arc, false, Purpose::Prose);
        for press in [
            Press::down(Button::Select, Millis(0)),
            Press::up(Button::Select, Millis(1)),
        ] {
            keyboard.handle(press, press.at);
        }
        assert_eq!(keys_for(&keyboard, "a"), None);
    }

    #[test]
    fn a_plan_ends_with_every_button_released() {
        let steps = keys_for(&keyboard(Mode::Arc, false, Purpose::Prose), "This, that!").unwrap();
        let mut down = ButtonSet::EMPTY;
        for step in steps {
            match step {
                Step::Press(button) => down = down.with(button),
                Step::Release(button) => down = down.without(button),
                Step::Wait(_) => {}
            }
        }
        assert!(down.is_empty());
    }

    #[test]
    fn the_arc_stays_under_its_target_of_presses_a_character() {
        let text = "Dear neighbour, the fence between our gardens lost two boards in the storm last week. I would \
            like to repair it on Saturday and would be glad of a hand. Do you still have the cordless drill? Three \
            things we could share: the price of the boards, the work, and a pot of tea when it is done.";
        let presses = |mode| {
            let steps = keys_for(&keyboard(mode, false, Purpose::Prose), text).unwrap();
            let presses = steps
                .iter()
                .filter(|step| matches!(step, Step::Press(_)))
                .count();
            presses as f64 / text.chars().count() as f64
        };
        assert!(presses(Mode::Arc) < 1.75, "{}", presses(Mode::Arc));
        assert!(presses(Mode::Grid) < 4.5, "{}", presses(Mode::Grid));
    }
}
