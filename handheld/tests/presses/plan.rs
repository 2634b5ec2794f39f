//! The fewest presses for a text, found by Dijkstra's algorithm over where the fingers are, the layers, what stands
//! behind an accepted word, and the suggestions; and the same presses played on the real keyboard, which has the last word.

use std::collections::{BinaryHeap, HashMap};
use std::rc::Rc;

use handheld::entry::completion::suggest;
use handheld::entry::layer::{Layer, lone_i, starts_sentence};
use handheld::entry::learned::Learned;
use handheld::entry::typing::Step;
use handheld::entry::{Caps, Keyboard, Symbols};
use handheld::input::repeat::SHOULDER_HOLD;
use handheld::input::{Button, Tracker};
use handheld::time::Millis;

use super::layout::{Layout, Place};

/// How suggestions are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// Not at all.
    Off,
    /// The three on the strip, once the first letter of a word is written.
    Begun,
    /// The three on the strip, also before the first letter.
    Three,
    /// Also the three more behind a hold.
    Six,
}

/// One act of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Goes to a place and presses a button there: a character.
    Type(Place, Button),
    /// A layer button, at a place.
    Layer(Place, Button),
    /// Goes to a place and presses space there.
    Space(Place),
    /// The delete button, at a place.
    Delete(Place),
    /// Accepts a suggestion; from the fourth on after a hold.
    Accept(usize),
}

/// What stands before the cursor beside the wanted text so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Tail {
    /// Nothing.
    None,
    /// An accepted word's space.
    Space,
    /// A lone small i where a capital is wanted, which the keyboard will mend.
    SmallI,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct State {
    at: usize,
    place: Place,
    caps: u8,
    symbols: u8,
    auto_off: bool,
    tail: Tail,
    /// A mark goes before the space, a space is not a second.
    settled: bool,
    /// The delete button takes the word back.
    taken: bool,
}

const CAPS: [Caps; 3] = [Caps::Off, Caps::One, Caps::Lock];
const SYMBOLS: [Symbols; 3] = [Symbols::Off, Symbols::One, Symbols::Lock];

impl State {
    fn layer(&self) -> Layer {
        Layer {
            caps: CAPS[usize::from(self.caps)],
            symbols: SYMBOLS[usize::from(self.symbols)],
            auto_off: self.auto_off,
        }
    }

    fn with(mut self, layer: Layer) -> Self {
        let place = |all: &[Caps], one| all.iter().position(|known| *known == one).unwrap_or(0);
        self.caps = place(&CAPS, layer.caps) as u8;
        self.symbols = SYMBOLS
            .iter()
            .position(|known| *known == layer.symbols)
            .unwrap_or(0) as u8;
        self.auto_off = layer.auto_off;
        self
    }
}

/// Finds the fewest presses for texts on one layout.
pub struct Planner<'a, L: Layout> {
    layout: &'a L,
    words: Words,
    learned: &'a Learned,
    chars: Vec<char>,
    /// Octet of each character and of the end.
    octets: Vec<usize>,
    text: &'a str,
    suggestions: HashMap<(usize, bool, u8), Rc<[String]>>,
}

impl<'a, L: Layout> Planner<'a, L> {
    /// For `text` typed into an empty field.
    pub fn new(layout: &'a L, words: Words, learned: &'a Learned, text: &'a str) -> Self {
        let mut octets: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        octets.push(text.len());
        Self {
            layout,
            words,
            learned,
            chars: text.chars().collect(),
            octets,
            text,
            suggestions: HashMap::new(),
        }
    }

    fn before(&self, state: &State) -> String {
        let mut before = self.text[..self.octets[state.at]].to_owned();
        match state.tail {
            Tail::None => {}
            Tail::Space => before.push(' '),
            Tail::SmallI => {
                if let Some(at) = before.rfind('I') {
                    before.replace_range(at..=at, "i");
                }
            }
        }
        before
    }

    /// The suggestions that show in `state`.
    fn suggested(&mut self, state: &State, before: &str, caps: Caps) -> Rc<[String]> {
        if self.words == Words::Off || state.tail == Tail::SmallI {
            return Rc::new([]);
        }
        let learned = self.learned;
        self.suggestions
            .entry((state.at, state.tail == Tail::Space, caps as u8))
            .or_insert_with(|| suggest(before, caps, learned).into())
            .clone()
    }

    /// The acts, or nothing where a character is on no key.
    pub fn plan(mut self) -> Option<(u32, Vec<Act>)> {
        let start = State {
            at: 0,
            place: self.layout.start(),
            caps: 0,
            symbols: 0,
            auto_off: false,
            tail: Tail::None,
            settled: false,
            taken: false,
        };
        let mut nodes: Vec<(State, u32, usize, Option<Act>)> = vec![(start, 0, 0, None)];
        let mut known: HashMap<State, usize> = HashMap::from([(start, 0)]);
        let mut queue = BinaryHeap::from([(std::cmp::Reverse(0), 0)]);
        let mut next = Vec::new();
        while let Some((std::cmp::Reverse(cost), node)) = queue.pop() {
            let (state, best, ..) = nodes[node];
            if cost > best {
                continue;
            }
            if state.at == self.chars.len() && state.tail != Tail::SmallI {
                let mut acts = Vec::new();
                let mut back = node;
                while let (_, _, parent, Some(act)) = nodes[back] {
                    acts.push(act);
                    back = parent;
                }
                acts.reverse();
                return Some((cost, acts));
            }
            next.clear();
            self.moves(&state, &mut next);
            for &(to, extra, act) in &next {
                let cost = cost + extra;
                match known.entry(to) {
                    std::collections::hash_map::Entry::Occupied(entry) => {
                        let index = *entry.get();
                        if nodes[index].1 <= cost {
                            continue;
                        }
                        nodes[index] = (to, cost, node, Some(act));
                        queue.push((std::cmp::Reverse(cost), index));
                    }
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        entry.insert(nodes.len());
                        queue.push((std::cmp::Reverse(cost), nodes.len()));
                        nodes.push((to, cost, node, Some(act)));
                    }
                }
            }
        }
        None
    }

    fn moves(&mut self, state: &State, out: &mut Vec<(State, u32, Act)>) {
        let before = self.before(state);
        let starts = starts_sentence(&before);
        let caps = state.layer().effective(starts);
        let suggestions = self.suggested(state, &before, caps);
        let slots = suggestions.len().min(3) as u8;
        let wanted = self.chars.get(state.at).copied();
        let plain = State {
            settled: false,
            taken: false,
            ..*state
        };
        // Layers.
        for (button, capitals) in [(Button::X, true), (Button::Y, false)] {
            if capitals && !self.layout.has_capitals(state.layer().symbols) {
                continue;
            }
            let mut layer = state.layer();
            if capitals {
                layer.press_caps(starts);
            } else {
                layer.press_symbols();
            }
            let (at, cost) = self.layout.function(state.place, button, slots);
            let to = State {
                place: at,
                ..*state
            }
            .with(layer);
            out.push((to, cost + 1, Act::Layer(at, button)));
        }
        // Delete: only a space that is one too many, and only where that does not take the word back.
        if state.tail == Tail::Space && !state.taken {
            let mut layer = state.layer();
            layer.auto_off = false;
            let (at, cost) = self.layout.function(state.place, Button::B, slots);
            let to = State {
                place: at,
                tail: Tail::None,
                ..plain
            }
            .with(layer);
            out.push((to, cost + 1, Act::Delete(at)));
        }
        let mut typed = state.layer();
        // Space.
        let (at, cost) = self.layout.space(state.place);
        if state.settled && before.ends_with(' ') {
            typed.typed(' ');
            let to = State { place: at, ..plain };
            out.push((to.with(typed), cost + 1, Act::Space(at)));
        } else if wanted == Some(' ') && state.tail != Tail::Space {
            typed.typed(' ');
            if let Some(to) = self.mended(state, &before, ' ') {
                let to = State { place: at, ..to };
                out.push((to.with(typed), cost + 1, Act::Space(at)));
            }
        }
        // Characters.
        if let Some(c) = wanted.filter(|c| *c != ' ') {
            let mark = matches!(c, '.' | ',' | '?' | '!' | ';' | ':' | ')');
            let moves_mark = state.settled && before.ends_with(' ') && mark;
            let to = if moves_mark {
                (state.tail == Tail::Space).then(|| {
                    self.behind(State {
                        at: state.at + 1,
                        settled: true,
                        taken: false,
                        ..*state
                    })
                })
            } else if state.tail == Tail::Space {
                None
            } else {
                self.mended(state, &before, c)
            };
            if let Some(to) = to {
                self.typed(state, to, c, caps, slots, out);
            }
            if c == 'I' && caps == Caps::Off && state.tail == Tail::None && !moves_mark {
                let lone = !before.ends_with(|c: char| c.is_alphanumeric() || c == '\'');
                if lone {
                    let to = State {
                        at: state.at + 1,
                        tail: Tail::SmallI,
                        ..plain
                    };
                    self.typed(state, to, 'i', caps, slots, out);
                }
            }
        }
        // Suggestions.
        if state.tail == Tail::None && self.words != Words::Off {
            let most = if self.words == Words::Six { 6 } else { 3 };
            let prefix = handheld::entry::completion::word_prefix(&before).len();
            let rest = &self.text[before.len() - prefix..];
            for (index, word) in suggestions.iter().enumerate().take(most) {
                let early = prefix == 0 && self.words == Words::Begun;
                if early || !rest.starts_with(word.as_str()) {
                    continue;
                }
                let mut layer = state.layer();
                layer.typed('x');
                layer.typed(' ');
                let to = self.behind(State {
                    at: state.at + word.chars().count()
                        - before[before.len() - prefix..].chars().count(),
                    tail: Tail::Space,
                    settled: true,
                    taken: true,
                    ..*state
                });
                let to = State {
                    place: self.layout.after(state.place),
                    ..to
                };
                out.push((to.with(layer), 1, Act::Accept(index)));
            }
        }
    }

    /// Where the surplus space is the wanted one, it is none.
    fn behind(&self, mut state: State) -> State {
        if state.tail == Tail::Space && self.chars.get(state.at) == Some(&' ') {
            state.at += 1;
            state.tail = Tail::None;
        }
        state
    }

    /// The state after `c` as wanted, with a small i mended if `c` mends it; `None` if `c` mends what is wanted small.
    fn mended(&self, state: &State, before: &str, c: char) -> Option<State> {
        let mends = lone_i(before, c).is_some();
        let tail = match (state.tail, mends) {
            (Tail::SmallI, true) => Tail::None,
            (Tail::SmallI, false) => {
                // Still inside "i'm", or it can no longer be mended.
                let inside = c == '\'' || c.is_alphanumeric();
                inside.then_some(Tail::SmallI)?
            }
            (_, true) => return None,
            (tail, false) => tail,
        };
        Some(State {
            at: state.at + 1,
            tail,
            settled: false,
            taken: mends,
            ..*state
        })
    }

    fn typed(
        &self,
        from: &State,
        to: State,
        c: char,
        caps: Caps,
        slots: u8,
        out: &mut Vec<(State, u32, Act)>,
    ) {
        let mut layer = from.layer();
        layer.typed(c);
        for (place, button) in self.layout.places(c, caps, from.layer().symbols) {
            let cost = self.layout.cost(from.place, place, slots) + 1;
            let to = State {
                place: self.layout.after(place),
                ..to
            };
            out.push((to.with(layer), cost, Act::Type(place, button)));
        }
    }
}

/// What a plan cost when it was played.
#[derive(Debug, Clone, Copy, Default)]
pub struct Played {
    /// Contacts of the pad that closed, and other buttons pressed.
    pub contacts: u32,
    /// The same with each change to a new direction counted once.
    pub directions: u32,
    /// Suggestions accepted, and of these after a hold.
    pub accepted: u32,
    /// After a hold.
    pub held: u32,
}

/// Fingers on the real machine: steps go through its tracker to its keyboard, 50 ms apart.
struct Fingers<'a> {
    keyboard: &'a mut Keyboard,
    tracker: Tracker,
    now: Millis,
    pressed: u32,
}

impl Fingers<'_> {
    fn take(&mut self, step: Step) {
        let (report, wait) = match step {
            Step::Press(button) => (Some((button, true)), 50),
            Step::Release(button) => (Some((button, false)), 50),
            Step::Wait(ms) => (None, ms),
        };
        if let Some((button, down)) = report {
            self.pressed += u32::from(down);
            if let Some(press) = self.tracker.set(button, down, self.now) {
                self.keyboard.handle(press, self.now);
            }
        }
        self.now = self.now.plus(wait);
        while let Some(press) = self.tracker.due(self.now) {
            self.keyboard.handle(press, self.now);
        }
    }

    fn tap(&mut self, button: Button) {
        self.take(Step::Press(button));
        self.take(Step::Release(button));
    }
}

/// Plays `acts` on the real keyboard through the real tracker; the count is of the presses that were played.
///
/// # Errors
/// The text that came of it, where it is not the text wanted.
pub fn execute<L: Layout>(
    layout: &L,
    keyboard: &mut Keyboard,
    acts: &[Act],
    wanted: &str,
) -> Result<Played, String> {
    let mut place = layout.start();
    let mut played = Played::default();
    let mut fingers = Fingers {
        keyboard,
        tracker: Tracker::new(),
        now: Millis(1000),
        pressed: 0,
    };
    let mut steps = Vec::new();
    for act in acts {
        let mut go = |fingers: &mut Fingers<'_>, to| {
            let view = fingers.keyboard.view();
            let slots = view
                .strip
                .iter()
                .filter(|slot| !slot.word.is_empty())
                .count();
            steps.clear();
            let changes = layout.go(place, to, slots as u8, &mut steps);
            steps.iter().for_each(|&step| fingers.take(step));
            place = to;
            changes
        };
        played.directions += 1;
        match *act {
            Act::Type(to, button) | Act::Layer(to, button) => {
                played.directions += go(&mut fingers, to);
                fingers.tap(button);
            }
            Act::Delete(to) => {
                played.directions += go(&mut fingers, to);
                fingers.tap(Button::B);
            }
            Act::Space(to) => {
                played.directions += go(&mut fingers, to);
                fingers.tap(Button::R1);
            }
            Act::Accept(index) => {
                let button = [Button::L1, Button::L2, Button::R2][index % 3];
                played.accepted += 1;
                if index < 3 {
                    fingers.tap(button);
                } else {
                    played.held += 1;
                    fingers.take(Step::Press(button));
                    fingers.take(Step::Wait(SHOULDER_HOLD));
                    fingers.take(Step::Release(button));
                }
            }
        }
        let after = layout.after(place);
        let mut steps = Vec::new();
        layout.go(place, after, 0, &mut steps);
        steps.iter().for_each(|&step| fingers.take(step));
        place = after;
    }
    played.contacts = fingers.pressed;
    // What is sent is trimmed: the last accepted word's space goes.
    if keyboard.text().trim_end() == wanted {
        Ok(played)
    } else {
        Err(keyboard.text().to_owned())
    }
}
