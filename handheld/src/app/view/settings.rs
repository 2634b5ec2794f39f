//! Settings and the topics of help.

use super::{ListView, Mark, Row};
use crate::app::model::{ListState, Model};
use crate::app::words::{self, help::TOPICS};

/// A row of the settings screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Item {
    /// Colours.
    Theme,
    /// Size of body text.
    TextSize,
    /// Keyboard.
    Keyboard,
    /// Confirm and back.
    Swap,
    /// Suggestions.
    Suggestions,
    /// Words that the keyboard has learned.
    LearnedWords,
    /// Motion.
    Motion,
    /// Rumble.
    Rumble,
    /// When link and radio sleep.
    Radio,
    /// Lock.
    Lock,
    /// Which keys stand for the buttons.
    Buttons,
    /// What holds of the air gap.
    AirGap,
    /// About, licences.
    About,
}

impl Item {
    /// From the top.
    pub const ALL: [Self; 13] = [
        Self::Theme,
        Self::TextSize,
        Self::Keyboard,
        Self::Swap,
        Self::Suggestions,
        Self::LearnedWords,
        Self::Motion,
        Self::Rumble,
        Self::Radio,
        Self::Lock,
        Self::Buttons,
        Self::AirGap,
        Self::About,
    ];

    /// ← and → change it.
    pub const fn has_value(self) -> bool {
        !matches!(
            self,
            Self::LearnedWords | Self::Lock | Self::Buttons | Self::AirGap | Self::About
        )
    }
}

/// The settings screen.
pub fn list(model: &Model, state: ListState) -> ListView {
    let s = &model.settings;
    let rows = Item::ALL.map(|item| match item {
        Item::Theme => value("Theme", words::theme(s.theme)),
        Item::TextSize => value("Text size", words::text_size(s.text_size)),
        Item::Keyboard => value("Keyboard", words::keyboard(s.keyboard)),
        Item::Swap => value(
            "Confirm and back",
            if s.swap_ab {
                "B yes, A no"
            } else {
                "A yes, B no"
            },
        ),
        Item::Suggestions => value("Suggestions", words::on_off(s.suggestions)),
        Item::LearnedWords => opens("Learned words", &learned(model)),
        Item::Motion => value("Motion", words::on_off(s.motion)),
        Item::Rumble => value("Rumble", words::on_off(s.rumble)),
        Item::Radio => Row {
            second: words::radio::SLEEP_COSTS.into(),
            ..value("Radio", words::radio::sleep(s.sleep))
        },
        Item::Lock => opens("Lock", if s.lock { "On" } else { "Off" }),
        Item::Buttons => opens("Buttons", "Set up again"),
        Item::AirGap => opens("Air gap", "Show the proof"),
        Item::About => opens("About, licences", ""),
    });
    ListView::default().with_rows(rows.into(), state)
}

/// How many words the keyboard has learned.
fn learned(model: &Model) -> String {
    match model.keyboard.learned().len() {
        0 => "none".into(),
        count => count.to_string(),
    }
}

/// The topics of help.
pub fn help(state: ListState) -> ListView {
    let rows = TOPICS
        .iter()
        .map(|t| Row::new(Mark::None, t.title, t.second))
        .collect();
    ListView {
        tall: true,
        ..ListView::default()
    }
    .with_rows(rows, state)
}

fn value(title: &str, value: &str) -> Row {
    Row {
        title: title.into(),
        value: Some(value.into()),
        ..Row::default()
    }
}

fn opens(title: &str, right: &str) -> Row {
    Row {
        title: title.into(),
        right: right.into(),
        ..Row::default()
    }
}
