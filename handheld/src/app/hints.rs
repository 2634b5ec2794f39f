//! One table per screen state: which button does what, and how it is called. `update` obeys it, the hint bar and the button map show it.

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
    pub label: &'static str,
    /// Place in the hint bar from the left (at most five show); `None` shows only in the button map. Two hints of one place share
    /// a chip ("L1 R1 Chats") under the label of the first.
    pub place: Option<u8>,
}
