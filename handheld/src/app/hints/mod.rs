//! One table per screen state: which button does what, and how it is called. `update` obeys it, the hint bar and the button map show it.

mod screens;

use std::borrow::Cow;

use super::model::{Model, Overlay};
use crate::input::button::Button;

/// What a button means on a screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Move the focus, the line or the view.
    Up,
    /// Move the focus, the line or the view.
    Down,
    /// Move the focus or the view, or take the value before.
    Left,
    /// Move the focus or the view, or take the value after.
    Right,
    /// One page back.
    PageUp,
    /// One page on.
    PageDown,
    /// Open, confirm, choose, change, tick: what A does with the focus.
    Confirm,
    /// Back, close, leave, no.
    Back,
    /// The home screen.
    Home,
    /// The menu of what else can be done.
    More,
    /// Start something new.
    New,
    /// Go to the laptop screen.
    Laptop,
    /// Write.
    Write,
    /// Stop, withdraw.
    Stop,
    /// Try again, ask again.
    Retry,
    /// Model and system prompt.
    Choose,
    /// The one before: chat, picture, page, side, tab.
    Previous,
    /// The one after.
    Next,
    /// Larger.
    ZoomIn,
    /// Smaller.
    ZoomOut,
    /// Delete.
    Delete,
    /// Edit.
    Edit,
    /// Begin or end ticking.
    Select,
    /// Renew.
    Renew,
    /// Try the link now.
    Reconnect,
    /// Goes to the keyboard.
    Key,
    /// Adds to the button sequence.
    Sequence,
    /// Send or queue what is written; paint.
    Send,
    /// Earlier prompts.
    Earlier,
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The printed button.
    pub button: Button,
    /// What it does.
    pub act: Act,
    /// One or two words.
    pub label: Cow<'static, str>,
    /// Place in the hint bar from the left; `None` shows only in the button map.
    pub place: Option<u8>,
    /// What the chip says of both of its buttons, where that differs from this one's label.
    pub chip: Option<&'static str>,
}

/// One chip of the hint bar: buttons that belong together and a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chip {
    /// Printed buttons.
    pub buttons: Vec<Button>,
    /// One or two words.
    pub label: Cow<'static, str>,
}

/// Most chips in the hint bar.
pub const MAX_CHIPS: usize = 5;

/// A table being written.
#[derive(Debug, Default)]
pub(super) struct Table {
    hints: Vec<Hint>,
    places: u8,
}

impl Table {
    /// A button with a chip of its own.
    fn chip(&mut self, button: Button, act: Act, label: impl Into<Cow<'static, str>>) -> &mut Self {
        let place = Some(self.places);
        self.places += 1;
        self.hints.push(Hint {
            button,
            act,
            label: label.into(),
            place,
            chip: None,
        });
        self
    }

    /// Two buttons on one chip, with words of their own for the button map.
    fn pair(
        &mut self,
        first: (Button, Act, &'static str),
        second: (Button, Act, &'static str),
        label: &'static str,
    ) -> &mut Self {
        let place = Some(self.places);
        self.places += 1;
        for (button, act, words) in [first, second] {
            self.hints.push(Hint {
                button,
                act,
                label: words.into(),
                place,
                chip: Some(label),
            });
        }
        self
    }

    /// Buttons on one chip that do the same.
    fn group(&mut self, buttons: &[Button], act: Act, label: &'static str) -> &mut Self {
        let place = Some(self.places);
        self.places += 1;
        let hint = |button: &Button| Hint {
            button: *button,
            act,
            label: label.into(),
            place,
            chip: None,
        };
        self.hints.extend(buttons.iter().map(hint));
        self
    }

    /// All other buttons.
    fn rest(&mut self, act: Act, label: &'static str) {
        for button in Button::ALL {
            if !self.hints.iter().any(|h| h.button == button) {
                self.quiet(button, act, label);
            }
        }
    }

    /// A button that only the map shows.
    fn quiet(
        &mut self,
        button: Button,
        act: Act,
        label: impl Into<Cow<'static, str>>,
    ) -> &mut Self {
        self.hints.push(Hint {
            button,
            act,
            label: label.into(),
            place: None,
            chip: None,
        });
        self
    }
}

/// What every button does in the present state. Buttons that would do nothing are not in it.
pub fn table(model: &Model) -> Vec<Hint> {
    let mut table = Table::default();
    if let Some(lock) = &model.lock {
        screens::lock(model, lock, &mut table);
    } else if let Some(overlay) = &model.overlay {
        match overlay {
            Overlay::Menu(menu) => screens::menu(menu, &mut table),
            Overlay::Dialog(dialog) => screens::dialog(dialog, &mut table),
            Overlay::ButtonMap => {}
        }
    } else {
        screens::screen(model, &mut table);
    }
    let mut hints = table.hints;
    // Letters never move, and a sequence is what is printed.
    let moves = !hints
        .iter()
        .any(|h| matches!(h.act, Act::Key | Act::Sequence));
    if model.settings.swap_ab && moves {
        for hint in &mut hints {
            hint.button = match hint.button {
                Button::A => Button::B,
                Button::B => Button::A,
                other => other,
            };
        }
    }
    hints
}

/// What `button` does in the present state.
pub fn act(model: &Model, button: Button) -> Option<Act> {
    table(model)
        .into_iter()
        .find(|h| h.button == button)
        .map(|h| h.act)
}

/// The hint bar: at most five chips from the left.
pub fn bar(model: &Model) -> Vec<Chip> {
    let mut chips: Vec<(u8, Chip)> = Vec::new();
    for hint in table(model) {
        let Some(place) = hint.place else { continue };
        match chips.iter_mut().find(|(p, _)| *p == place) {
            Some((_, chip)) => chip.buttons.push(hint.button),
            None => chips.push((
                place,
                Chip {
                    buttons: vec![hint.button],
                    label: hint.chip.map_or(hint.label, Cow::Borrowed),
                },
            )),
        }
    }
    chips.sort_by_key(|(place, _)| *place);
    chips
        .into_iter()
        .take(MAX_CHIPS)
        .map(|(_, chip)| chip)
        .collect()
}

/// The button map of the screen below the overlay: every button with its words, those of the whole app last.
pub fn map(model: &Model) -> Vec<Hint> {
    let below = Model {
        overlay: None,
        ..model.clone()
    };
    let mut hints = table(&below);
    for (button, label) in [
        (Button::Select, "hold: this map"),
        (Button::Start, "with Select: quit"),
    ] {
        match hints.iter_mut().find(|h| h.button == button) {
            Some(hint) => hint.label = format!("{}; {label}", hint.label).into(),
            None => hints.push(Hint {
                button,
                act: Act::Back,
                label: label.into(),
                place: None,
                chip: None,
            }),
        }
    }
    hints
}
