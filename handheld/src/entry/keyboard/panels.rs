//! The boards that are no letters: accents, edit layer, edit menu, emoji.

use super::super::emoji::EMOJI;
use super::super::view::{ACCENT_COLUMNS, EMOJI_COLUMNS, MENU_COLUMNS, MenuChoice, MenuItem, Mode};
use super::{Action, Keyboard, Outcome, Stage};
use crate::input::{Button, Edge, Press};

/// The entries of the edit menu.
const MENU: [MenuChoice; 9] = [
    MenuChoice::Undo,
    MenuChoice::Redo,
    MenuChoice::Emoji,
    MenuChoice::Cut,
    MenuChoice::Copy,
    MenuChoice::Paste,
    MenuChoice::OtherKeyboard,
    MenuChoice::Clear,
    MenuChoice::Leave,
];

/// The focus after a D-pad press among `count` things that stand in rows of `columns`; all edges wrap.
pub(in super::super) fn step(focus: usize, towards: Button, count: usize, columns: usize) -> usize {
    let rows = count.div_ceil(columns);
    let (row, column) = (focus / columns, focus % columns);
    let to = match towards {
        Button::Left => (focus + count - 1) % count,
        Button::Right => (focus + 1) % count,
        Button::Up => (row + rows - 1) % rows * columns + column,
        Button::Down => (row + 1) % rows * columns + column,
        _ => focus,
    };
    // The last row may be short: go on past it.
    if to < count {
        to
    } else if towards == Button::Up {
        to - columns
    } else {
        column
    }
}

impl Keyboard {
    /// Accents of a held letter: the D-pad picks, the letter's release commits, any other face button calls it off.
    pub(super) fn accents(&mut self, press: Press) -> Outcome {
        let Stage::Accents {
            holder,
            options,
            focus,
        } = &mut self.stage
        else {
            return Outcome::None;
        };
        if press.button.is_dpad() && press.acts() {
            *focus = step(*focus, press.button, options.len(), ACCENT_COLUMNS);
            return Outcome::Shown;
        }
        if press.button == *holder && press.edge == Edge::Release {
            let (chosen, changed) = (options[*focus], *focus > 0);
            self.stage = Stage::Letters;
            let stroke = self.stroke.take();
            let (Some(stroke), true) = (stroke, changed) else {
                return Outcome::Shown;
            };
            self.restore(&stroke);
            return self.type_char(chosen);
        }
        if press.button.is_face() && press.edge == Edge::Press {
            self.stage = Stage::Letters;
            self.stroke = None;
            return Outcome::Shown;
        }
        Outcome::None
    }

    /// The edit layer.
    pub(super) fn edit(&mut self, press: Press) -> Outcome {
        let columns = self.settings.columns;
        let moved = match press.button {
            _ if !press.acts() => return Outcome::None,
            Button::Left => self.editor.left(),
            Button::Right => self.editor.right(),
            Button::Up => self.editor.up(columns),
            Button::Down => self.editor.down(columns),
            Button::L1 => self.editor.word_left(),
            Button::R1 => self.editor.word_right(),
            Button::L2 => self.editor.start(),
            Button::R2 => self.editor.end(),
            _ if press.edge != Edge::Press => return Outcome::None,
            Button::X => {
                self.editor.toggle_mark();
                true
            }
            Button::Y => {
                self.stage = Stage::Menu {
                    focus: 0,
                    from_edit: true,
                };
                true
            }
            button if button == self.confirm() => return self.type_char('\n'),
            button if button == self.back() => {
                self.leaving = Some(button);
                false
            }
            _ => return Outcome::None,
        };
        if moved { Outcome::Shown } else { Outcome::None }
    }

    /// The edit menu: undo and redo keep it open, everything else closes it.
    pub(super) fn menu(&mut self, press: Press, focus: usize, from_edit: bool) -> Outcome {
        if press.button.is_dpad() && press.acts() {
            let focus = step(focus, press.button, MENU.len(), MENU_COLUMNS);
            self.stage = Stage::Menu { focus, from_edit };
            return Outcome::Shown;
        }
        if press.edge != Edge::Press {
            return Outcome::None;
        }
        if press.button == self.confirm() {
            return self.choose(MENU[focus], from_edit);
        }
        if press.button == self.back() || press.button == Button::Y {
            self.stage = stage_behind(from_edit);
            return Outcome::Shown;
        }
        Outcome::None
    }

    fn choose(&mut self, choice: MenuChoice, from_edit: bool) -> Outcome {
        if !self.is_enabled(choice) {
            return Outcome::None;
        }
        if !matches!(choice, MenuChoice::Undo | MenuChoice::Redo) {
            self.stage = stage_behind(from_edit);
        }
        let outcome = match choice {
            MenuChoice::Undo => edited(self.editor.undo()),
            MenuChoice::Redo => edited(self.editor.redo()),
            MenuChoice::Emoji => {
                self.stage = Stage::Emoji {
                    focus: 0,
                    from_edit,
                };
                Outcome::Shown
            }
            MenuChoice::Cut => {
                self.clipboard = self.editor.selected().unwrap_or_default().to_owned();
                edited(self.editor.delete_back())
            }
            MenuChoice::Copy => {
                self.clipboard = self
                    .editor
                    .selected()
                    .unwrap_or_else(|| self.editor.text())
                    .to_owned();
                Outcome::Shown
            }
            MenuChoice::Paste => {
                let clipboard = core::mem::take(&mut self.clipboard);
                let pasted = self.editor.insert(&clipboard);
                self.clipboard = clipboard;
                edited(pasted)
            }
            MenuChoice::OtherKeyboard => {
                self.settings.mode = match self.settings.mode {
                    Mode::Grid => Mode::Arc,
                    Mode::Arc => Mode::Grid,
                };
                self.stage = Stage::Letters;
                Outcome::Action(Action::Switched(self.settings.mode))
            }
            MenuChoice::Clear => edited(self.editor.clear()),
            MenuChoice::Leave => Outcome::Leave,
        };
        self.layer.auto_off = false;
        self.refresh();
        outcome
    }

    fn is_enabled(&self, choice: MenuChoice) -> bool {
        match choice {
            MenuChoice::Undo => self.editor.can_undo(),
            MenuChoice::Redo => self.editor.can_redo(),
            MenuChoice::Cut => self.editor.selection().is_some(),
            MenuChoice::Copy | MenuChoice::Clear => !self.editor.text().is_empty(),
            MenuChoice::Paste => !self.clipboard.is_empty(),
            MenuChoice::Emoji | MenuChoice::OtherKeyboard | MenuChoice::Leave => true,
        }
    }

    /// The entries of the menu as they stand now.
    pub(super) fn menu_items(&self) -> [MenuItem; 9] {
        MENU.map(|choice| {
            let label = match choice {
                MenuChoice::Undo => "Undo",
                MenuChoice::Redo => "Redo",
                MenuChoice::Emoji => "Emoji",
                MenuChoice::Cut => "Cut",
                MenuChoice::Copy if self.editor.selection().is_none() => "Copy all",
                MenuChoice::Copy => "Copy",
                MenuChoice::Paste => "Paste",
                MenuChoice::OtherKeyboard if self.settings.mode == Mode::Grid => "Arc keyboard",
                MenuChoice::OtherKeyboard => "Grid keyboard",
                MenuChoice::Clear => "Clear",
                MenuChoice::Leave => "Leave",
            };
            MenuItem {
                choice,
                label,
                enabled: self.is_enabled(choice),
            }
        })
    }

    /// The emoji: A types one and stays, B closes.
    pub(super) fn emoji(&mut self, press: Press, focus: usize, from_edit: bool) -> Outcome {
        if press.button.is_dpad() && press.acts() {
            let focus = step(focus, press.button, EMOJI.len(), EMOJI_COLUMNS);
            self.stage = Stage::Emoji { focus, from_edit };
            return Outcome::Shown;
        }
        if press.edge != Edge::Press {
            return Outcome::None;
        }
        if press.button == self.confirm() {
            let inserted = self.editor.insert(EMOJI[focus]);
            self.refresh();
            return edited(inserted);
        }
        if press.button == self.back() {
            self.stage = stage_behind(from_edit);
            return Outcome::Shown;
        }
        Outcome::None
    }
}

const fn stage_behind(from_edit: bool) -> Stage {
    if from_edit {
        Stage::Edit
    } else {
        Stage::Letters
    }
}

const fn edited(changed: bool) -> Outcome {
    if changed {
        Outcome::Edited
    } else {
        Outcome::None
    }
}
