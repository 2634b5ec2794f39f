//! Words of the set-up of buttons.

use crate::input::button::Button;
use crate::input::setup::{Note, Setup, Stage};

/// Title of the screen.
pub const TITLE: &str = "Set up buttons";
/// Menu: begin it.
pub const AGAIN: &str = "Set up again";
/// Menu: forget what was learned.
pub const UNDO: &str = "Undo set-up";
/// Menu: the keys of a desktop keyboard.
pub const SHOW_KEYS: &str = "Show the keys";
/// It was kept.
pub const KEPT: &str = "Buttons kept";
/// It was not.
pub const UNCHANGED: &str = "Buttons as before";
/// What was learned is forgotten.
pub const FORGOTTEN: &str = "Set-up undone";
/// Title of the dialog when a needed button was skipped.
pub const NEEDED: &str = "Not enough buttons";
/// Question of the trial.
pub const TRY: &str = "Keep these buttons?";
/// What to do in the trial.
pub const TRY_HOW: &str = "Press any of them to try it. A keeps them, B undoes them.";

/// A needed button was skipped.
pub fn missing(button: Button) -> String {
    format!(
        "{} was skipped. The D-pad, A and B are needed; the rest is not. Press any button to begin again.",
        name(button)
    )
}

/// The large line: what is asked.
pub fn question(setup: &Setup) -> String {
    match setup.stage() {
        Stage::Asking(button) => format!("Press {}", name(*button)),
        _ => TRY.to_owned(),
    }
}

/// The line below: what the last contact did.
pub fn note(setup: &Setup) -> String {
    if setup.is_leaving() {
        return "Skipped. Hold on to leave.".to_owned();
    }
    match (setup.stage(), setup.note()) {
        (Stage::Trying, Note::Took(button)) => format!("That was {}.", name(button)),
        (Stage::Trying, _) => TRY_HOW.to_owned(),
        (_, Note::None) => "Any button answers. Nothing has to be known yet.".to_owned(),
        (_, Note::Took(button)) => format!("{} is known now.", name(button)),
        (_, Note::Double(button)) => format!("That is {} already. Press another.", name(button)),
        (_, Note::Skipped(button)) => format!("{} skipped.", name(button)),
    }
}

/// The last line: what time does. `left` in words.
pub fn clock(setup: &Setup, left: &str) -> String {
    match setup.stage() {
        Stage::Trying => format!("Undone by itself in {left}."),
        _ => format!("Not there? Hold any button for a second, or wait {left}."),
    }
}

/// How a button is called in a sentence.
pub const fn name(button: Button) -> &'static str {
    match button {
        Button::Up => "up on the D-pad",
        Button::Down => "down on the D-pad",
        Button::Left => "left on the D-pad",
        Button::Right => "right on the D-pad",
        other => other.label(),
    }
}
