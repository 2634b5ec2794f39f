//! Everything a screen may show. `ui` reads it, `card` stores the records marked as stored, only `update` changes it.

pub mod chat;
pub mod files;
pub mod laptop;
pub mod outbox;
pub mod overlay;
pub mod pads;
pub mod picture;
pub mod proof;
pub mod radio;
pub mod screen;
pub mod services;
pub mod settings;

use std::collections::VecDeque;

use crate::entry::keyboard::Keyboard;
use crate::time::Millis;

pub use chat::{Chat, ChatId, Chats, Role, Turn, TurnState};
pub use files::{Files, LocalFile, RemoteFile, Side};
pub use laptop::{
    Call, Carrier, Laptop, LaptopId, Link, Nearby, Network, Permission, Signal, Verdict,
};
pub use outbox::{
    Entry, EntryState, Failure, Origin, Outbox, RequestId, RequestKey, Source, Upload, Wish,
};
pub use overlay::{Dialog, Menu, MenuItem, Overlay, Toast};
pub use pads::{Pad, Pads, Warned};
pub use picture::{Picture, PictureId, PictureState, Pictures, Raster};
pub use radio::Radio;
pub use screen::Screen;
pub use services::Services;
pub use settings::Settings;

/// The whole state of the app.
#[derive(Clone, Debug)]
pub struct Model {
    /// The instant of the last message.
    pub now: Millis,
    /// The panel that is drawn on.
    pub panel: Panel,
    /// What `ui` measured of the content on the top screen.
    pub extent: Extent,
    /// Wall clock, if a laptop has told it.
    pub clock: Option<Clock>,
    /// Battery, if the device has one.
    pub battery: Option<Battery>,
    /// What the person chose. Stored.
    pub settings: Settings,
    /// Paired laptops. Stored by `card` with their keys.
    pub laptops: Vec<Laptop>,
    /// The laptop that is talked to.
    pub chosen: Option<LaptopId>,
    /// The link to the chosen laptop.
    pub link: Link,
    /// The radio.
    pub radio: Radio,
    /// Requests on their way.
    pub outbox: Outbox,
    /// Conversations.
    pub chats: Chats,
    /// Pictures.
    pub pictures: Pictures,
    /// Files on both sides.
    pub files: Files,
    /// What the laptop last said of its services.
    pub services: Services,
    /// Screens from home (first) to the one that is shown (last); never empty.
    pub screens: Vec<Screen>,
    /// A menu, dialog or button map above the screen.
    pub overlay: Option<Overlay>,
    /// The toast that is shown, and those that wait.
    pub toasts: VecDeque<Toast>,
    /// Set while the app asks for the button sequence; nothing else is shown or obeyed then.
    pub lock: Option<screen::LockScreen>,
    /// Field and keyboard of the writing screen; learned words and clipboard stay from one text to the next.
    pub keyboard: Keyboard,
    /// Texts that were left unfinished, by purpose. Stored.
    pub drafts: Vec<(screen::Purpose, String)>,
    /// Set once the person has asked to quit.
    pub quitting: bool,
    /// The wake-up that was last asked for.
    pub timer: Option<Millis>,
    /// State of the generator of conversation numbers and picture seeds.
    pub seed: u64,
    /// The next ticket for a request that has no number yet.
    pub next_ticket: u32,
    /// What waits for size and hash of a file or picture before it can be asked for.
    pub hashing: Vec<(Source, Origin)>,
    /// Conversations with text that is not on the card yet, and when it shall be written.
    pub unsaved: Vec<ChatId>,
    /// When `unsaved` is written.
    pub save_at: Option<Millis>,
    /// Ways to a laptop that whoever started the app knows of, offered first in pairing.
    pub ways: Vec<Carrier>,
    /// What is stored has been read; nothing is written before.
    pub loaded: bool,
    /// Pads and their set-up.
    pub pads: Pads,
    /// The device sleeps, or is about to: nothing is drawn, link and radio rest.
    pub dark: bool,
    /// What of the battery has been told.
    pub warned: Warned,
}

impl Model {
    /// An app that knows nothing yet: home screen, no laptop. `seed` comes from the system's random source.
    pub fn new(panel: Panel, seed: u64) -> Self {
        Self {
            now: Millis(0),
            panel,
            extent: Extent::default(),
            clock: None,
            battery: None,
            settings: Settings::default(),
            laptops: Vec::new(),
            chosen: None,
            link: Link::Unpaired,
            radio: Radio::default(),
            outbox: Outbox::default(),
            chats: Chats::default(),
            pictures: Pictures::default(),
            files: Files::default(),
            services: Services::default(),
            screens: vec![Screen::Home(screen::HomeScreen::default())],
            overlay: None,
            toasts: VecDeque::new(),
            lock: None,
            keyboard: Keyboard::default(),
            drafts: Vec::new(),
            quitting: false,
            timer: None,
            seed,
            next_ticket: 1,
            hashing: Vec::new(),
            unsaved: Vec::new(),
            save_at: None,
            ways: Vec::new(),
            loaded: false,
            pads: Pads::default(),
            dark: false,
            warned: Warned::default(),
        }
    }

    /// The screen that is shown.
    pub fn screen(&self) -> &Screen {
        self.screens
            .last()
            .expect("the home screen is never popped")
    }

    /// The screen that is shown, to change.
    pub fn screen_mut(&mut self) -> &mut Screen {
        self.screens
            .last_mut()
            .expect("the home screen is never popped")
    }

    /// The laptop that is talked to.
    pub fn laptop(&self) -> Option<&Laptop> {
        self.laptops.iter().find(|l| Some(l.id) == self.chosen)
    }

    /// Name of the laptop that is talked to, for sentences.
    pub fn laptop_name(&self) -> &str {
        self.laptop().map_or("The laptop", |l| l.name.as_str())
    }

    /// Seconds since 1970 by the laptop's clock; zero if no laptop has told the time yet.
    pub fn wall(&self) -> u64 {
        self.clock.map_or(0, |c| c.unix_at(self.now))
    }
}

/// The panel: size and what follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Panel {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl Panel {
    /// The panel of most devices.
    pub const VGA: Self = Self {
        width: 640,
        height: 480,
    };

    /// The layout unit u in pixels: 8 to 16.
    pub const fn unit(self) -> u32 {
        match self.width {
            0..=719 => 8,
            720..=1279 if self.height <= 480 => 8,
            720..=1279 => 9,
            _ => 16,
        }
    }

    /// Full rows of `units` u between header and hint bar, at least one.
    pub const fn rows(self, units: u32) -> usize {
        let usable = self.height.saturating_sub(10 * self.unit());
        let rows = usable / (units * self.unit());
        if rows == 0 { 1 } else { rows as usize }
    }
}

/// What `ui` measured: the content of the top screen and how much of it shows at once, in lines or rows. `update` scrolls by it;
/// `ui` sends it (as `Msg::Extent`) when it differs from the model's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// All lines of the content.
    pub content: u32,
    /// Lines that show at once.
    pub page: u32,
}

impl Extent {
    /// The furthest line that may stand at the top.
    pub const fn last_top(self) -> u32 {
        self.content.saturating_sub(self.page)
    }
}

/// Position in a text: the first line that shows, or the end, which is followed as text arrives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Scroll {
    /// This line (from zero) stands at the top.
    Top(u32),
    /// The last line stands at the bottom, and new text moves the view.
    #[default]
    End,
}

impl Scroll {
    /// The line that stands at the top.
    pub const fn top(self, extent: Extent) -> u32 {
        match self {
            Self::Top(line) if line < extent.last_top() => line,
            Self::Top(_) | Self::End => extent.last_top(),
        }
    }
}

/// A list: which row has the focus and which one stands at the top. `ui` draws from `top`, and where its own row count differs
/// it moves the window so that the focus shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ListState {
    /// The focused row; zero in an empty list.
    pub focus: usize,
    /// The first row that shows.
    pub top: usize,
}

/// The laptop's wall clock and time zone, as an offset from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    /// Seconds since 1970, UTC, at the instant `at`.
    pub unix: u64,
    /// The instant.
    pub at: Millis,
    /// Minutes east of UTC on the laptop.
    pub offset_minutes: i16,
}

impl Clock {
    /// Seconds since 1970 at `now`.
    pub const fn unix_at(self, now: Millis) -> u64 {
        self.unix + now.since(self.at) / 1000
    }
}

/// The battery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Battery {
    /// 0 to 100.
    pub percent: u8,
    /// On the charger.
    pub charging: bool,
}
