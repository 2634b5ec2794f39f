//! The buttons of the supported handhelds, named by what is printed on them, and what can happen to them.

use serde::{Deserialize, Serialize};

use crate::time::Millis;

/// One physical button. The face buttons stand as printed: X top, A right, B bottom, Y left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[repr(u8)]
pub enum Button {
    /// D-pad up.
    Up,
    /// D-pad down.
    Down,
    /// D-pad left.
    Left,
    /// D-pad right.
    Right,
    /// Face button, right.
    A,
    /// Face button, bottom.
    B,
    /// Face button, top.
    X,
    /// Face button, left.
    Y,
    /// Left shoulder.
    L1,
    /// Right shoulder.
    R1,
    /// Left trigger; missing on some models.
    L2,
    /// Right trigger; missing on some models.
    R2,
    /// Start.
    Start,
    /// Select.
    Select,
    /// Menu, F or the firmware's own key.
    Menu,
}

impl Button {
    /// Every button, in the order of the enum.
    pub const ALL: [Self; 15] = [
        Self::Up,
        Self::Down,
        Self::Left,
        Self::Right,
        Self::A,
        Self::B,
        Self::X,
        Self::Y,
        Self::L1,
        Self::R1,
        Self::L2,
        Self::R2,
        Self::Start,
        Self::Select,
        Self::Menu,
    ];

    /// Position in [`Button::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Whether this is one of the four D-pad contacts.
    #[must_use]
    pub const fn is_dpad(self) -> bool {
        matches!(self, Self::Up | Self::Down | Self::Left | Self::Right)
    }

    /// Whether this is one of the four face buttons.
    #[must_use]
    pub const fn is_face(self) -> bool {
        matches!(self, Self::A | Self::B | Self::X | Self::Y)
    }

    /// The word printed on the button, as hints show it.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Up => "Up",
            Self::Down => "Down",
            Self::Left => "Left",
            Self::Right => "Right",
            Self::A => "A",
            Self::B => "B",
            Self::X => "X",
            Self::Y => "Y",
            Self::L1 => "L1",
            Self::R1 => "R1",
            Self::L2 => "L2",
            Self::R2 => "R2",
            Self::Start => "Start",
            Self::Select => "Select",
            Self::Menu => "Menu",
        }
    }

    /// The button with this label, ignoring case: for scripts and learned maps.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|button| button.label().eq_ignore_ascii_case(label))
    }
}

/// A set of buttons, as bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct ButtonSet(u16);

impl ButtonSet {
    /// No button.
    pub const EMPTY: Self = Self(0);

    /// Exactly these buttons.
    #[must_use]
    pub fn of(buttons: &[Button]) -> Self {
        buttons
            .iter()
            .fold(Self::EMPTY, |set, &button| set.with(button))
    }

    /// This set and `button`.
    #[must_use]
    pub const fn with(self, button: Button) -> Self {
        Self(self.0 | 1 << button as u16)
    }

    /// This set without `button`.
    #[must_use]
    pub const fn without(self, button: Button) -> Self {
        Self(self.0 & !(1 << button as u16))
    }

    /// Both sets together.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `button` is in the set.
    #[must_use]
    pub const fn contains(self, button: Button) -> bool {
        self.0 & (1 << button as u16) != 0
    }

    /// Whether the set holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The buttons of the set, in the order of [`Button::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Button> {
        Button::ALL
            .into_iter()
            .filter(move |&button| self.contains(button))
    }
}

/// What happened to a button.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edge {
    /// It went down.
    Press,
    /// It came up.
    Release,
    /// It is still down and its turn to repeat has come (D-pad, B and shoulders only).
    Repeat,
    /// It has been down for its long-press time; sent once (everything but the D-pad).
    Hold,
}

/// One event of one button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Press {
    /// Which button.
    pub button: Button,
    /// What happened.
    pub edge: Edge,
    /// When.
    pub at: Millis,
    /// When the button closed; equals `at` for [`Edge::Press`].
    pub down_at: Millis,
    /// Every other button that was down at some time while this one was.
    ///
    /// An [`Edge::Release`] of Start whose `with` holds Select is the end of a chord, not a click.
    pub with: ButtonSet,
}

impl Press {
    /// A press of a button that is alone and has just closed: for tests and scripts.
    #[must_use]
    pub const fn new(edge: Edge, button: Button, at: Millis) -> Self {
        Self {
            button,
            edge,
            at,
            down_at: at,
            with: ButtonSet::EMPTY,
        }
    }

    /// `button` closes, alone.
    #[must_use]
    pub const fn down(button: Button, at: Millis) -> Self {
        Self::new(Edge::Press, button, at)
    }

    /// `button` opens, alone, after a short press.
    #[must_use]
    pub const fn up(button: Button, at: Millis) -> Self {
        Self::new(Edge::Release, button, at)
    }

    /// Whether the button acts now in a list: it closed, or repeats.
    #[must_use]
    pub const fn acts(&self) -> bool {
        matches!(self.edge, Edge::Press | Edge::Repeat)
    }

    /// A release after a short press with nothing chorded onto it by `others`: what "on release" actions wait for.
    #[must_use]
    pub fn is_click(&self, others: ButtonSet) -> bool {
        self.edge == Edge::Release
            && !self.was_long()
            && !self.with.iter().any(|button| others.contains(button))
    }

    /// Whether the button has been held at least its long-press time.
    #[must_use]
    pub fn was_long(&self) -> bool {
        super::repeat::hold_after(self.button).is_some_and(|ms| self.at.since(self.down_at) >= ms)
    }

    /// Whether this press makes a chord of these two buttons, in either order: it is the [`Edge::Press`] of the second.
    #[must_use]
    pub fn is_chord(&self, one: Button, other: Button) -> bool {
        self.edge == Edge::Press
            && ((self.button == one && self.with.contains(other))
                || (self.button == other && self.with.contains(one)))
    }

    /// Whether Start and Select are down together: the quit chord.
    #[must_use]
    pub fn is_quit_chord(&self) -> bool {
        self.is_chord(Button::Start, Button::Select)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_lists_each_button_at_its_own_index() {
        for (index, button) in Button::ALL.into_iter().enumerate() {
            assert_eq!(button.index(), index);
            assert_eq!(
                Button::from_label(&button.label().to_lowercase()),
                Some(button)
            );
        }
        assert_eq!(Button::from_label("L3"), None);
    }

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = ButtonSet::of(&[Button::A, Button::Menu]);
        assert!(set.contains(Button::A) && set.contains(Button::Menu));
        assert!(!set.contains(Button::B));
        assert_eq!(set.iter().collect::<Vec<_>>(), [Button::A, Button::Menu]);
        assert!(set.without(Button::A).without(Button::Menu).is_empty());
    }

    #[test]
    fn a_release_after_a_chord_or_a_long_press_is_no_click() {
        let select = ButtonSet::of(&[Button::Select]);
        let mut press = Press::up(Button::Start, Millis(100));
        assert!(press.is_click(select));
        press.with = select;
        assert!(!press.is_click(select));
        let mut long = Press::up(Button::Select, Millis(900));
        long.down_at = Millis(400);
        assert!(!long.is_click(ButtonSet::EMPTY));
    }
}
