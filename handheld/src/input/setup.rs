//! "Press the button shown": the set-up of a pad that no table explains, or of one that somebody wants otherwise. It asks for one
//! button after the other and works when no button is known yet: any contact answers, holding one skips or leaves, and waiting comes
//! to an end by itself. What was found is tried out before it is kept, and is undone by itself if nobody keeps it.
//!
//! ```text
//! Asking ─each button answered, skipped─▶ Trying ─A─▶ Kept
//!    ├─held 3 s─▶ Left                      └─B, 15 s, held 3 s─▶ Undone
//!    └─a needed one skipped, nobody there─▶ Missing, Left
//! ```

use super::button::Button;
use super::contact::Contact;
use super::translator::Touch;
use crate::time::Millis;

/// Holding any contact so many milliseconds skips the button that is asked for.
pub const SKIP_MS: u64 = 1000;
/// Holding it on, until so many milliseconds, leaves the set-up.
pub const LEAVE_MS: u64 = 3000;
/// A button that nobody presses for so many milliseconds is skipped.
pub const WAIT_MS: u64 = 12_000;
/// What was found is undone if nobody keeps it within so many milliseconds.
pub const TRY_MS: u64 = 15_000;

/// Buttons without which the app cannot be used; the others are extras.
pub const NEEDED: [Button; 6] = [
    Button::Up,
    Button::Down,
    Button::Left,
    Button::Right,
    Button::A,
    Button::B,
];

/// A contact of a device, and the button it was taken for.
pub type Found = (String, Contact, Button);

/// How far the set-up is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// This button is asked for.
    Asking(Button),
    /// Everything was asked; A keeps it, B undoes it.
    Trying,
    /// A was pressed: this shall be kept.
    Kept(Vec<Found>),
    /// It was not kept.
    Undone,
    /// Somebody held a button to leave, or nobody was there.
    Left,
    /// This button was skipped, and nothing else can stand for it.
    Missing(Button),
}

/// What the last contact did, for the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Note {
    /// Nothing yet.
    None,
    /// It was taken for this button.
    Took(Button),
    /// It is this button already.
    Double(Button),
    /// This button was skipped.
    Skipped(Button),
}

/// The contact that is closed: on which device, which one, since when, and whether it has skipped already.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Down {
    device: String,
    contact: Contact,
    since: Millis,
    skipped: bool,
}

/// The set-up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    stage: Stage,
    note: Note,
    found: Vec<Found>,
    down: Option<Down>,
    /// When the present question, or the trial, ends by itself.
    until: Millis,
    /// A skipped button still has the meaning that a table gives it.
    explained: bool,
}

impl Setup {
    /// Begins at `now`. `explained`: there is a pad whose buttons are known, so that nothing is needed of this set-up.
    #[must_use]
    pub fn new(explained: bool, now: Millis) -> Self {
        Self {
            stage: Stage::Asking(Button::ALL[0]),
            note: Note::None,
            found: Vec::new(),
            down: None,
            until: now.plus(WAIT_MS),
            explained,
        }
    }

    /// How far it is.
    #[must_use]
    pub const fn stage(&self) -> &Stage {
        &self.stage
    }

    /// What the last contact did.
    #[must_use]
    pub const fn note(&self) -> Note {
        self.note
    }

    /// Buttons that have a contact now.
    pub fn found(&self) -> impl Iterator<Item = Button> {
        self.found.iter().map(|row| row.2)
    }

    /// When the question or the trial ends by itself.
    #[must_use]
    pub const fn until(&self) -> Millis {
        self.until
    }

    /// Somebody holds a contact, and has skipped with it: holding it on leaves.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.down.as_ref().is_some_and(|down| down.skipped)
    }

    /// A contact closed or opened. Call [`Setup::tick`] first.
    pub fn touch(&mut self, device: &str, touch: Touch, now: Millis) {
        if touch.pressed {
            self.close(device, touch, now);
        } else {
            self.open(device, touch.contact, now);
        }
    }

    fn close(&mut self, device: &str, touch: Touch, now: Millis) {
        // A trigger that is a key and an axis, a stick pushed aslant: what closes first is meant.
        if self.down.is_some() || self.is_over() {
            return;
        }
        self.down = Some(Down {
            device: device.to_owned(),
            contact: touch.contact,
            since: now,
            skipped: false,
        });
        if self.stage == Stage::Trying {
            match self.taken(device, touch.contact).or(touch.button) {
                Some(Button::A) => self.stage = Stage::Kept(std::mem::take(&mut self.found)),
                Some(Button::B) => self.stage = Stage::Undone,
                Some(other) => self.note = Note::Took(other),
                None => {}
            }
        }
    }

    fn open(&mut self, device: &str, contact: Contact, now: Millis) {
        let Some(down) = self
            .down
            .take_if(|down| down.contact == contact && down.device == device)
        else {
            return;
        };
        let Stage::Asking(asked) = self.stage else {
            return;
        };
        if down.skipped {
            return;
        }
        match self.taken(device, contact) {
            Some(other) => {
                self.note = Note::Double(other);
                self.until = now.plus(WAIT_MS);
            }
            None => {
                self.found.push((down.device, contact, asked));
                self.note = Note::Took(asked);
                self.advance(asked, now);
            }
        }
    }

    /// The device went away: what it held opens without an answer.
    pub fn lost(&mut self, device: &str) {
        self.down.take_if(|down| down.device == device);
    }

    /// Time has passed. Call until [`Setup::next_wake`] lies in the future; once is enough in practice.
    pub fn tick(&mut self, now: Millis) {
        while let Some(at) = self.next_wake().filter(|at| *at <= now) {
            self.pass(at);
        }
    }

    /// When [`Setup::tick`] next has something to do.
    #[must_use]
    pub fn next_wake(&self) -> Option<Millis> {
        if self.is_over() {
            return None;
        }
        let held = self.down.as_ref().map(|down| {
            let asking = matches!(self.stage, Stage::Asking(_)) && !down.skipped;
            down.since.plus(if asking { SKIP_MS } else { LEAVE_MS })
        });
        // While somebody holds something the question waits.
        held.or(Some(self.until))
    }

    fn pass(&mut self, at: Millis) {
        let Stage::Asking(asked) = self.stage else {
            self.stage = Stage::Undone;
            return;
        };
        match &mut self.down {
            Some(down) if !down.skipped => {
                down.skipped = true;
                self.skip(asked, at);
            }
            Some(_) => self.stage = Stage::Left,
            // Two questions to an empty room, and nothing known: nobody is there.
            None if self.found.is_empty() && asked != Button::ALL[0] => self.stage = Stage::Left,
            None => self.skip(asked, at),
        }
    }

    fn skip(&mut self, asked: Button, at: Millis) {
        self.note = Note::Skipped(asked);
        if !self.explained && NEEDED.contains(&asked) {
            self.stage = Stage::Missing(asked);
            return;
        }
        self.advance(asked, at);
    }

    fn advance(&mut self, asked: Button, at: Millis) {
        let next = Button::ALL.get(asked.index() + 1);
        if next.is_none() {
            // The trial has words of its own.
            self.note = Note::None;
        }
        (self.stage, self.until) = match next {
            Some(&next) => (Stage::Asking(next), at.plus(WAIT_MS)),
            None if self.found.is_empty() => (Stage::Left, at),
            None => (Stage::Trying, at.plus(TRY_MS)),
        };
    }

    fn taken(&self, device: &str, contact: Contact) -> Option<Button> {
        let row = self
            .found
            .iter()
            .find(|row| row.0 == device && row.1 == contact);
        row.map(|row| row.2)
    }

    /// Nothing more happens: the outcome stands in the stage.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        !matches!(self.stage, Stage::Asking(_) | Stage::Trying)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAD: &str = "pad";

    fn touch(code: u16, pressed: bool) -> Touch {
        Touch {
            contact: Contact::Key(code),
            button: None,
            pressed,
        }
    }

    /// Presses a key for so many milliseconds; returns when it is let go.
    fn press(setup: &mut Setup, code: u16, at: u64, ms: u64) -> u64 {
        setup.tick(Millis(at));
        setup.touch(PAD, touch(code, true), Millis(at));
        setup.tick(Millis(at + ms));
        setup.touch(PAD, touch(code, false), Millis(at + ms));
        at + ms
    }

    fn answered() -> Setup {
        let mut setup = Setup::new(false, Millis(0));
        for code in 0..15 {
            press(&mut setup, 100 + code, u64::from(code) * 500, 80);
        }
        setup
    }

    #[test]
    fn an_unknown_pad_is_asked_button_by_button_and_tried_with_what_was_found() {
        let mut setup = answered();
        assert_eq!(setup.stage(), &Stage::Trying);
        press(&mut setup, 106, 9000, 50);
        assert_eq!(
            setup.note(),
            Note::Took(Button::X),
            "trying a button shows it"
        );
        press(&mut setup, 104, 9500, 50);
        let Stage::Kept(found) = setup.stage() else {
            panic!("{:?}", setup.stage())
        };
        assert_eq!(found.len(), 15);
        assert_eq!(found[4], (PAD.to_owned(), Contact::Key(104), Button::A));
    }

    #[test]
    fn nobody_who_keeps_it_and_b_undo_it() {
        let mut setup = answered();
        setup.tick(setup.until());
        assert_eq!(setup.stage(), &Stage::Undone);
        let mut setup = answered();
        press(&mut setup, 105, 9000, 50);
        assert_eq!(setup.stage(), &Stage::Undone);
    }

    #[test]
    fn a_contact_that_has_a_button_already_is_named_and_asks_again() {
        let mut setup = Setup::new(false, Millis(0));
        press(&mut setup, 7, 100, 50);
        press(&mut setup, 7, 300, 50);
        assert_eq!(
            (setup.note(), setup.stage()),
            (Note::Double(Button::Up), &Stage::Asking(Button::Down))
        );
        // The same number on another device is another contact.
        setup.touch("other", touch(7, true), Millis(500));
        setup.touch("other", touch(7, false), Millis(550));
        assert_eq!(setup.stage(), &Stage::Asking(Button::Left));
    }

    #[test]
    fn holding_skips_and_holding_on_leaves() {
        let mut setup = Setup::new(true, Millis(0));
        press(&mut setup, 9, 100, 1200);
        assert_eq!(
            (setup.note(), setup.stage()),
            (Note::Skipped(Button::Up), &Stage::Asking(Button::Down))
        );
        setup.touch(PAD, touch(9, true), Millis(2000));
        setup.tick(Millis(3000));
        assert!(setup.is_leaving());
        setup.tick(Millis(5000));
        assert_eq!(setup.stage(), &Stage::Left);
        assert_eq!(setup.next_wake(), None);
    }

    #[test]
    fn a_needed_button_that_is_skipped_ends_the_set_up_of_an_unknown_pad() {
        let mut setup = Setup::new(false, Millis(0));
        press(&mut setup, 9, 100, 1200);
        assert_eq!(setup.stage(), &Stage::Missing(Button::Up));
    }

    #[test]
    fn an_empty_room_comes_to_an_end() {
        let mut unknown = Setup::new(false, Millis(0));
        unknown.tick(Millis(WAIT_MS));
        assert_eq!(unknown.stage(), &Stage::Missing(Button::Up));
        let mut known = Setup::new(true, Millis(0));
        known.tick(Millis(WAIT_MS));
        assert_eq!(known.stage(), &Stage::Asking(Button::Down));
        known.tick(Millis(10 * WAIT_MS));
        assert_eq!(known.stage(), &Stage::Left);
    }

    #[test]
    fn a_pad_without_triggers_is_known_by_waiting() {
        let mut setup = Setup::new(false, Millis(0));
        let mut at = 0;
        for code in 0..10 {
            at = press(&mut setup, 100 + code, at + 300, 60);
        }
        assert_eq!(setup.stage(), &Stage::Asking(Button::L2));
        setup.tick(Millis(at + 2 * WAIT_MS));
        assert_eq!(setup.stage(), &Stage::Asking(Button::Start));
    }

    #[test]
    fn what_closes_second_waits_for_what_closed_first() {
        let mut setup = Setup::new(false, Millis(0));
        setup.touch(PAD, touch(1, true), Millis(10));
        setup.touch(PAD, touch(2, true), Millis(11));
        setup.touch(PAD, touch(2, false), Millis(12));
        assert_eq!(setup.stage(), &Stage::Asking(Button::Up));
        setup.lost(PAD);
        setup.touch(PAD, touch(1, false), Millis(20));
        assert_eq!(
            setup.stage(),
            &Stage::Asking(Button::Up),
            "a pad that went away answered nothing"
        );
    }

    proptest! {
        /// Whatever is pressed, for however long: it ends, no contact has two buttons, no button two contacts.
        #[test]
        fn it_ends_and_what_it_finds_is_one_to_one(
            explained in any::<bool>(),
            steps in prop::collection::vec((0u16..20, any::<bool>(), 0u64..4000), 0..200),
        ) {
            let mut setup = Setup::new(explained, Millis(0));
            let mut now = 0;
            for (code, pressed, wait) in steps {
                now += wait;
                setup.tick(Millis(now));
                setup.touch(PAD, touch(code, pressed), Millis(now));
                prop_assert!(setup.next_wake().is_none_or(|at| at.0 > now));
                let buttons: Vec<_> = setup.found().collect();
                let mut once = buttons.clone();
                once.sort();
                once.dedup();
                prop_assert_eq!(buttons.len(), once.len());
                let mut contacts: Vec<_> = setup.found.iter().map(|row| row.1).collect();
                contacts.sort();
                contacts.dedup();
                prop_assert_eq!(contacts.len(), setup.found.len());
            }
            setup.tick(Millis(now + 20 * WAIT_MS));
            prop_assert!(setup.is_over(), "{:?}", setup.stage());
        }
    }
}
