//! The keyboard as one machine: presses and time in, an [`Outcome`] out, a [`View`](super::view::View) to look at.
//!
//! Actions that could meet a press still going on elsewhere (send, leave, accept, edit layer) wait for the release of
//! a button that went down here, so opening the keyboard with A or Start never also types or sends.

mod letters;
mod panels;
mod show;
#[cfg(test)]
mod tests;

pub(super) use panels::step;

use super::completion::suggest;
use super::editor::Editor;
use super::grid::Focus;
use super::layer::{Caps, Layer, starts_sentence};
use super::learned::Learned;
use super::view::Mode;
use crate::input::{Button, ButtonSet, Edge, Press};
use crate::time::Millis;

/// Characters typed in the grid after which the arc is offered, once.
pub const OFFER_ARC_AFTER: u32 = 200;

/// What a field is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Purpose {
    /// Sentences: capitals come by themselves, words are suggested and learned.
    #[default]
    Prose,
    /// Names, addresses, passphrases: exactly what is typed, nothing suggested, nothing learned.
    Exact,
}

/// What the person has chosen about keyboards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Grid or arc.
    pub mode: Mode,
    /// Whether words are suggested.
    pub suggestions: bool,
    /// B confirms and A goes back. The letters of the arc stay where they are.
    pub swap_ab: bool,
    /// Whether the device has L2 and R2; without them L1 carries one suggestion.
    pub triggers: bool,
    /// Graphemes that fit on a line of the field, for the cursor's way up and down.
    pub columns: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::Grid,
            suggestions: true,
            swap_ab: false,
            triggers: true,
            columns: 52,
        }
    }
}

/// What came of a press.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing; the press is the caller's.
    None,
    /// Something to see changed (focus, cursor, layer, board), but not the text.
    Shown,
    /// The text changed.
    Edited,
    /// Send the text. Its words have been learned; the field still holds it.
    Send,
    /// Leave the field; its text is the draft to keep.
    Leave,
    /// Something for the app to do.
    Action(Action),
}

/// What a keyboard asks of the app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The person changed keyboards: store it.
    Switched(Mode),
    /// Two hundred characters were typed in the grid: one toast may offer the arc. The text changed too.
    OfferArc,
}

/// Which board has the buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Letters,
    Edit,
    Menu {
        focus: usize,
        from_edit: bool,
    },
    Emoji {
        focus: usize,
        from_edit: bool,
    },
    Accents {
        holder: Button,
        options: Vec<char>,
        focus: usize,
    },
}

/// A face button that is down, and how the world was before it: a D-pad contact may still change what it meant.
#[derive(Debug, Clone)]
struct Stroke {
    button: Button,
    at: Millis,
    checkpoint: u64,
    layer: Layer,
    taken: Option<Taken>,
    settled: bool,
    typed: Option<char>,
    deletes: bool,
}

/// What an automatic change replaced, so that B straight after brings it back.
#[derive(Debug, Clone)]
struct Taken {
    start: usize,
    original: String,
}

/// A text field with its keyboard.
#[derive(Clone)]
pub struct Keyboard {
    editor: Editor,
    purpose: Purpose,
    settings: Settings,
    layer: Layer,
    focus: Focus,
    stage: Stage,
    /// Buttons that went down since the field was opened.
    armed: ButtonSet,
    stroke: Option<Stroke>,
    taken: Option<Taken>,
    /// An accepted word's space stands before the cursor: a mark moves before it.
    settled: bool,
    suggestions: Vec<String>,
    /// The shoulder button held for three more suggestions.
    more: Option<Button>,
    /// The button whose release leaves.
    leaving: Option<Button>,
    learned: Learned,
    clipboard: String,
    grid_typed: u32,
    offer_arc: bool,
}

impl core::fmt::Debug for Keyboard {
    /// Says how it stands but not what is written: models are logged, texts are not.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Keyboard")
            .field("octets", &self.editor.text().len())
            .field("cursor", &self.editor.cursor())
            .field("settings", &self.settings)
            .field("layer", &self.layer)
            .finish_non_exhaustive()
    }
}

impl Default for Keyboard {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Keyboard {
    /// An empty prose field.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            editor: Editor::default(),
            purpose: Purpose::Prose,
            settings,
            layer: Layer::default(),
            focus: Focus::default(),
            stage: Stage::Letters,
            armed: ButtonSet::EMPTY,
            stroke: None,
            taken: None,
            settled: false,
            suggestions: Vec::new(),
            more: None,
            leaving: None,
            learned: Learned::new(),
            clipboard: String::new(),
            grid_typed: 0,
            offer_arc: true,
        }
    }

    /// Opens another field that holds `text`. Settings, clipboard and learned words stay.
    pub fn open(&mut self, text: &str, purpose: Purpose) {
        self.editor = Editor::new(text);
        self.purpose = purpose;
        self.layer = Layer::default();
        self.focus = Focus::default();
        self.stage = Stage::Letters;
        self.let_go();
        self.unsettle();
        self.refresh();
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.editor.text()
    }

    /// The text, leaving an empty field of the same purpose: what to do after [`Outcome::Send`].
    pub fn take(&mut self) -> String {
        let text = self.editor.text().to_owned();
        self.open("", self.purpose);
        text
    }

    /// Whether the change just made accepted a suggestion: what a rumble may confirm.
    #[must_use]
    pub const fn just_accepted(&self) -> bool {
        // A correction only sets the first, a mark that moved only the second.
        self.taken.is_some() && self.settled
    }

    /// What the person has chosen.
    #[must_use]
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// Changes what the person has chosen; the text stays.
    pub fn set_settings(&mut self, settings: Settings) {
        self.settings = settings;
        self.stage = Stage::Letters;
        self.let_go();
        self.refresh();
    }

    /// The words that the person writes, to be stored as [`Learned::export`] data.
    #[must_use]
    pub const fn learned(&self) -> &Learned {
        &self.learned
    }

    /// The learned words, to import or forget them.
    pub const fn learned_mut(&mut self) -> &mut Learned {
        &mut self.learned
    }

    /// Puts something on the clipboard that the person copied elsewhere.
    pub fn set_clipboard(&mut self, text: &str) {
        self.clipboard = text.to_owned();
    }

    /// Whether the arc may still be offered; the app stores that it was.
    pub const fn set_offer_arc(&mut self, offer: bool) {
        self.offer_arc = offer;
    }

    /// Something else takes the buttons for a while (a button map, a dialog): whatever is down here is let go of and
    /// does nothing; text and layers stay.
    pub fn let_go(&mut self) {
        self.armed = ButtonSet::EMPTY;
        self.stroke = None;
        self.more = None;
        self.leaving = None;
        if let Stage::Accents { .. } = self.stage {
            self.stage = Stage::Letters;
        }
    }

    /// One press. `now` is the time of handling; chords are judged by it.
    pub fn handle(&mut self, press: Press, now: Millis) -> Outcome {
        let armed = self.armed.contains(press.button);
        match press.edge {
            Edge::Press => self.armed = self.armed.with(press.button),
            Edge::Release => self.armed = self.armed.without(press.button),
            Edge::Repeat | Edge::Hold => {}
        }
        if press.edge != Edge::Press && !armed {
            return Outcome::None;
        }
        if let Stage::Accents { .. } = self.stage {
            return self.accents(press);
        }
        if press.edge == Edge::Release {
            let stroke_ends = self
                .stroke
                .as_ref()
                .is_some_and(|stroke| stroke.button == press.button);
            if stroke_ends {
                self.stroke = None;
            }
            if self.leaving == Some(press.button) {
                self.leaving = None;
                return Outcome::Leave;
            }
            match press.button {
                Button::Start if !press.with.contains(Button::Select) => return self.send(),
                Button::Select if press.is_click(ButtonSet::of(&[Button::Start])) => {
                    return self.toggle_edit();
                }
                _ => {}
            }
        }
        match self.stage {
            Stage::Letters if self.settings.mode == Mode::Arc => self.arc(press, now),
            Stage::Letters => self.grid(press, now),
            Stage::Edit => self.edit(press),
            Stage::Menu { focus, from_edit } => self.menu(press, focus, from_edit),
            Stage::Emoji { focus, from_edit } => self.emoji(press, focus, from_edit),
            Stage::Accents { .. } => Outcome::None,
        }
    }

    fn send(&mut self) -> Outcome {
        if self.learns() {
            self.learned.learn(self.editor.text());
        }
        Outcome::Send
    }

    /// Whether what is sent from this field is learned: prose is, where words are suggested. What is exact may be secret.
    #[must_use]
    pub fn learns(&self) -> bool {
        self.settings.suggestions && self.purpose == Purpose::Prose
    }

    fn toggle_edit(&mut self) -> Outcome {
        self.stage = if self.stage == Stage::Letters {
            Stage::Edit
        } else {
            Stage::Letters
        };
        self.stroke = None;
        self.unsettle();
        self.refresh();
        Outcome::Shown
    }

    /// The buttons that confirm and go back on everything but the arc's letters.
    pub(super) const fn confirm(&self) -> Button {
        if self.settings.swap_ab {
            Button::B
        } else {
            Button::A
        }
    }

    pub(super) const fn back(&self) -> Button {
        if self.settings.swap_ab {
            Button::A
        } else {
            Button::B
        }
    }

    /// Whether a sentence starts here, and the layers as they stand: for planning key strokes.
    pub(super) fn layer_here(&self) -> (bool, Layer) {
        (self.sentence_start(), self.layer)
    }

    /// This keyboard for trying things out: the same field and state, nothing suggested, nothing remembered.
    pub(super) fn without_suggestions(&self) -> Self {
        let learned = Learned::new();
        let mut keyboard = Self {
            learned,
            clipboard: String::new(),
            suggestions: Vec::new(),
            ..self.clone()
        };
        keyboard.settings.suggestions = false;
        keyboard.armed = ButtonSet::EMPTY;
        keyboard
    }

    fn held_pad(&self) -> ButtonSet {
        self.armed
            .iter()
            .filter(|button| button.is_dpad())
            .fold(ButtonSet::EMPTY, ButtonSet::with)
    }

    fn sentence_start(&self) -> bool {
        self.purpose == Purpose::Prose && starts_sentence(self.editor.before())
    }

    fn caps(&self) -> Caps {
        self.layer.effective(self.sentence_start())
    }

    /// Forgets that a word was just accepted or corrected.
    fn unsettle(&mut self) {
        self.taken = None;
        self.settled = false;
        self.more = None;
    }

    /// Finds the suggestions for what stands before the cursor now.
    fn refresh(&mut self) {
        self.suggestions.clear();
        let wanted = self.learns();
        let inside_word = self.editor.after().starts_with(char::is_alphanumeric);
        if wanted && !inside_word && self.editor.selection().is_none() {
            self.suggestions = suggest(self.editor.before(), self.caps(), &self.learned);
        }
        if self.slots() == 0 && self.focus.row == super::grid::STRIP {
            self.focus = Focus::default();
        }
    }

    /// The buttons of the strip.
    const fn strip_buttons(&self) -> &'static [Button] {
        if self.settings.triggers {
            &[Button::L1, Button::L2, Button::R2]
        } else {
            &[Button::L1]
        }
    }

    /// How many slots of the strip carry a word.
    fn slots(&self) -> u8 {
        self.suggestions.len().min(self.strip_buttons().len()) as u8
    }
}
