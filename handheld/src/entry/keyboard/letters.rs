//! Letters: what the two keyboards type, delete and accept.

use super::super::accent::accents_of;
use super::super::arc::{self, CHORD_WINDOW, Direction};
use super::super::completion::word_prefix;
use super::super::grid::Focus;
use super::super::layer::lone_i;
use super::super::view::{Face, Mode};
use super::{Action, Keyboard, OFFER_ARC_AFTER, Outcome, Purpose, Stage, Stroke, Taken};
use crate::input::{Button, Edge, Press};
use crate::time::Millis;

impl Keyboard {
    /// The arc: a face button acts at once for the direction held; a contact closing just after changes its mind.
    pub(super) fn arc(&mut self, press: Press, now: Millis) -> Outcome {
        if press.button.is_dpad() {
            return match press.edge {
                Edge::Press => self.rethink(now),
                Edge::Release => Outcome::Shown,
                Edge::Repeat | Edge::Hold => Outcome::None,
            };
        }
        if !press.button.is_face() {
            return self.shoulder(press);
        }
        match press.edge {
            Edge::Press => self.begin(press.button, now, None),
            Edge::Repeat => self.delete_on(press.button),
            Edge::Hold => self.offer_accents(press.button),
            Edge::Release => Outcome::None,
        }
    }

    /// The grid: the D-pad moves the focus, A types, B deletes, X and Y change layers.
    pub(super) fn grid(&mut self, press: Press, now: Millis) -> Outcome {
        let Press { button, edge, .. } = press;
        if button.is_dpad() {
            if !press.acts() {
                return Outcome::None;
            }
            self.focus = self.focus.step(button, self.slots());
            return Outcome::Shown;
        }
        if !button.is_face() {
            return self.shoulder(press);
        }
        match edge {
            Edge::Press if button == self.confirm() => {
                let slots = self.slots();
                if let Some(slot) = self.focus.slot(slots) {
                    return self.accept(slot.into());
                }
                let face = self.focus.face(self.caps(), self.layer.symbols);
                face.map_or(Outcome::None, |face| self.begin(button, now, Some(face)))
            }
            Edge::Press if button == self.back() => self.begin(button, now, Some(Face::Delete)),
            Edge::Press if button == Button::X => self.begin(button, now, Some(Face::Caps)),
            Edge::Press => self.begin(button, now, Some(Face::Symbols)),
            Edge::Repeat => self.delete_on(button),
            Edge::Hold => self.offer_accents(button),
            Edge::Release => Outcome::None,
        }
    }

    /// R1 types a space; L1, L2 and R2 accept suggestions on release, the next three after a hold.
    fn shoulder(&mut self, press: Press) -> Outcome {
        if press.button == Button::R1 {
            return if press.edge == Edge::Press {
                self.settle_stroke();
                self.type_char(' ')
            } else {
                Outcome::None
            };
        }
        let Some(slot) = self
            .strip_buttons()
            .iter()
            .position(|&button| button == press.button)
        else {
            return Outcome::None;
        };
        let first = self.strip_buttons().len();
        match press.edge {
            Edge::Hold if self.suggestions.len() > first => {
                self.more = Some(press.button);
                Outcome::Shown
            }
            Edge::Release if self.more == Some(press.button) => {
                self.more = None;
                self.accept(first + slot)
            }
            Edge::Release => self.accept(slot),
            _ => Outcome::None,
        }
    }

    /// A face button goes down. `face` is what it does; on the arc that follows from the direction.
    fn begin(&mut self, button: Button, now: Millis, face: Option<Face>) -> Outcome {
        if let Some(held) = self.more.take() {
            // A face button while three more are shown calls the acceptance off.
            self.armed = self.armed.without(held);
            return Outcome::Shown;
        }
        self.stroke = Some(Stroke {
            button,
            at: now,
            checkpoint: self.editor.checkpoint(),
            layer: self.layer,
            taken: self.taken.clone(),
            settled: self.settled,
            typed: None,
            deletes: false,
        });
        let face = face.or_else(|| self.pointed_face(button));
        face.map_or(Outcome::None, |face| self.act(face))
    }

    fn pointed_face(&self, button: Button) -> Option<Face> {
        arc::face(
            Direction::of(self.held_pad()),
            button,
            self.caps(),
            self.layer.symbols,
        )
    }

    /// A D-pad contact closed: if a face button went down just before, it was meant as one chord with it.
    fn rethink(&mut self, now: Millis) -> Outcome {
        let Some(stroke) = self
            .stroke
            .clone()
            .filter(|stroke| now.since(stroke.at) <= CHORD_WINDOW)
        else {
            return Outcome::Shown;
        };
        self.restore(&stroke);
        self.leaving = None;
        match self.pointed_face(stroke.button) {
            Some(face) => self.act(face),
            None => Outcome::Shown,
        };
        Outcome::Edited
    }

    /// Another button wrote while a face button is down: what that one typed stays, since taking it back for a late
    /// contact or an accent would take the other's along.
    fn settle_stroke(&mut self) {
        self.stroke = None;
    }

    /// Puts text and layers back to what they were before `stroke`.
    pub(super) fn restore(&mut self, stroke: &Stroke) {
        self.editor.rollback(stroke.checkpoint);
        self.layer = stroke.layer;
        self.taken = stroke.taken.clone();
        self.settled = stroke.settled;
        self.refresh();
    }

    fn act(&mut self, face: Face) -> Outcome {
        match face {
            Face::Char(c) => {
                let outcome = self.type_char(c);
                if let Some(stroke) = &mut self.stroke {
                    stroke.typed = Some(c);
                }
                outcome
            }
            Face::Space => self.type_char(' '),
            Face::Newline => self.type_char('\n'),
            Face::Caps => {
                self.layer.press_caps(self.sentence_start());
                // Before the first letter the suggestions follow the layer.
                self.refresh();
                Outcome::Shown
            }
            Face::Symbols | Face::Letters => {
                self.layer.press_symbols();
                Outcome::Shown
            }
            Face::Delete => {
                if let Some(stroke) = &mut self.stroke {
                    stroke.deletes = true;
                }
                self.delete(true)
            }
            Face::CursorLeft | Face::CursorRight => {
                self.unsettle();
                if face == Face::CursorLeft {
                    self.editor.left()
                } else {
                    self.editor.right()
                };
                self.refresh();
                Outcome::Shown
            }
            Face::EditMenu => {
                self.unsettle();
                self.stroke = None;
                self.stage = Stage::Menu {
                    focus: 0,
                    from_edit: false,
                };
                Outcome::Shown
            }
            Face::Send => self.send(),
        }
    }

    /// Types one character the way a person means it: a mark before an accepted word's space, a lone i as I.
    pub(super) fn type_char(&mut self, c: char) -> Outcome {
        let settled = core::mem::take(&mut self.settled) && self.editor.before().ends_with(' ');
        self.unsettle();
        let cursor = self.editor.cursor();
        let fits = if settled && matches!(c, '.' | ',' | '?' | '!' | ';' | ':' | ')') {
            self.settled = true;
            self.editor.replace(cursor - 1..cursor, &format!("{c} "))
        } else if settled && c == ' ' {
            // The accepted word brought its space along; the habitual one is not a second.
            true
        } else if let Some(start) = self.correctable_i(c) {
            let original = format!("{}{c}", &self.editor.before()[start..]);
            let corrected = original.replacen('i', "I", 1);
            self.taken = Some(Taken { start, original });
            self.editor.replace(start..cursor, &corrected)
        } else {
            self.editor.type_char(c)
        };
        self.layer.typed(c);
        self.refresh();
        if !fits {
            return Outcome::Shown;
        }
        if self.settings.mode == Mode::Grid && self.stage == Stage::Letters {
            self.grid_typed = self.grid_typed.saturating_add(1);
            if self.grid_typed >= OFFER_ARC_AFTER && self.offer_arc {
                self.offer_arc = false;
                return Outcome::Action(Action::OfferArc);
            }
        }
        Outcome::Edited
    }

    /// Where a lone small i would be corrected by typing `next`: only on letters, where B can take it back.
    fn correctable_i(&self, next: char) -> Option<usize> {
        if self.purpose != Purpose::Prose
            || self.stage != Stage::Letters
            || self.editor.selection().is_some()
        {
            return None;
        }
        lone_i(self.editor.before(), next)
    }

    /// Accepts suggestion `index` in place of the word's beginning, with a space.
    pub(super) fn accept(&mut self, index: usize) -> Outcome {
        let Some(word) = self.suggestions.get(index).cloned() else {
            return Outcome::None;
        };
        self.settle_stroke();
        let cursor = self.editor.cursor();
        let start = cursor - word_prefix(self.editor.before()).len();
        // A space that stands there already is the word's own.
        let end = if self.editor.after().starts_with(' ') {
            cursor + 1
        } else {
            cursor
        };
        let original = self.editor.text()[start..end].to_owned();
        if !self.editor.replace(start..end, &format!("{word} ")) {
            return Outcome::None;
        }
        self.unsettle();
        self.layer.typed('x');
        self.layer.typed(' ');
        self.taken = Some(Taken { start, original });
        self.settled = true;
        self.refresh();
        Outcome::Edited
    }

    /// Deletes backwards; straight after an automatic change it takes that back instead.
    ///
    /// On an empty field the release leaves, if `may_leave`.
    fn delete(&mut self, may_leave: bool) -> Outcome {
        if let Some(taken) = self.taken.take() {
            let cursor = self.editor.cursor();
            self.unsettle();
            self.editor.replace(taken.start..cursor, &taken.original);
            self.refresh();
            return Outcome::Edited;
        }
        self.unsettle();
        if self.editor.delete_back() {
            self.layer.auto_off = false;
            self.refresh();
            return Outcome::Edited;
        }
        let button = self.stroke.as_ref().map(|stroke| stroke.button);
        if may_leave && self.editor.text().is_empty() && self.leaves(button) {
            self.leaving = button;
        }
        Outcome::None
    }

    /// Only the delete button leaves an empty field, not the grid's del key.
    fn leaves(&self, button: Option<Button>) -> bool {
        let back = if self.settings.mode == Mode::Arc {
            Button::B
        } else {
            self.back()
        };
        button == Some(back)
    }

    fn delete_on(&mut self, button: Button) -> Outcome {
        let deletes = self
            .stroke
            .as_ref()
            .is_some_and(|stroke| stroke.button == button && stroke.deletes);
        if deletes {
            self.delete(false)
        } else {
            Outcome::None
        }
    }

    /// A letter has been held: its accents take the keys until the release.
    fn offer_accents(&mut self, button: Button) -> Outcome {
        let typed = self
            .stroke
            .as_ref()
            .filter(|stroke| stroke.button == button)
            .and_then(|stroke| stroke.typed);
        let options = typed.map(accents_of).unwrap_or_default();
        if options.is_empty() {
            return Outcome::None;
        }
        self.stage = Stage::Accents {
            holder: button,
            options,
            focus: 0,
        };
        Outcome::Shown
    }

    /// The focus of the grid: for planning key strokes.
    pub(in super::super) const fn focus(&self) -> Focus {
        self.focus
    }
}
