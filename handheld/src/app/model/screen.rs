//! One struct per screen: what only that screen remembers.

use serde::{Deserialize, Serialize};

use super::chat::{ChatId, ChatKind};
use super::files::Side;
use super::laptop::Call;
use super::picture::PictureId;
use super::{ListState, Scroll};
use crate::input::button::Button;
use crate::time::Millis;

/// A screen.
#[derive(Clone, Debug)]
pub enum Screen {
    /// Eight tiles.
    Home(HomeScreen),
    /// The list of conversations.
    Chats(ListState),
    /// One conversation.
    Chat(ChatScreen),
    /// A keyboard and a field.
    Writing(Box<Writing>),
    /// What a new picture shall be.
    Prompt(PromptScreen),
    /// A picture in the making.
    Progress(PictureId),
    /// One picture, edge to edge.
    Viewer(ViewerScreen),
    /// All pictures.
    Gallery(ListState),
    /// Files on both sides.
    Files(FilesScreen),
    /// Requests on their way.
    Outbox(ListState),
    /// The chosen laptop, its permissions and the other laptops.
    Laptop(ListState),
    /// Laptops that the radio hears.
    Nearby(ListState),
    /// Pairing.
    Pairing(PairingScreen),
    /// Health, models, jobs.
    Services(ServicesScreen),
    /// Settings.
    Settings(ListState),
    /// Topics of help.
    Help(ListState),
    /// A text to read: a help topic, licences, what holds of the air gap, why a carrier failed.
    Page(Page),
    /// Choosing a new button sequence for the lock.
    SetLock(SetLockScreen),
}

/// A tile of the home screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tile {
    /// Conversations.
    #[default]
    Chat,
    /// Pictures.
    Pictures,
    /// Files.
    Files,
    /// Services (and jobs, once there are any).
    Services,
    /// Outbox.
    Outbox,
    /// Laptop.
    Laptop,
    /// Settings.
    Settings,
    /// Help.
    Help,
}

impl Tile {
    /// Two columns, row by row.
    pub const ALL: [Self; 8] = [
        Self::Chat,
        Self::Pictures,
        Self::Files,
        Self::Services,
        Self::Outbox,
        Self::Laptop,
        Self::Settings,
        Self::Help,
    ];
}

/// Home.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HomeScreen {
    /// The focused tile.
    pub focus: Tile,
}

/// One conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatScreen {
    /// Which.
    pub chat: ChatId,
    /// Where in it.
    pub scroll: Scroll,
    /// Text came in below what shows.
    pub below: bool,
}

/// A keyboard and a field.
#[derive(Clone, Debug)]
pub struct Writing {
    /// What the text is for.
    pub purpose: Purpose,
    /// The line above the field: what is being answered, or what is asked for. The text itself is in `Model::keyboard`.
    pub context: String,
}

/// What a text is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Purpose {
    /// A message in a conversation.
    Message(ChatId),
    /// The first message of a conversation that does not exist yet.
    FirstMessage(ChatKind),
    /// Title of a conversation.
    Title(ChatId),
    /// System prompt of a conversation.
    System(ChatId),
    /// What a picture shall show.
    Prompt,
    /// What a picture shall not show.
    Negative,
    /// What shall change in a picture.
    Change(PictureId),
    /// A URL that the laptop shall download.
    Url,
    /// Address of a laptop: `host:port`.
    Address,
    /// A queued request is written anew.
    Requeue(super::outbox::RequestKey),
    /// Passphrase of the network of the laptop in `Radio::joining`. Never kept as a draft.
    Passphrase,
}

/// Rows of the prompt screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptRow {
    /// What it shall show.
    #[default]
    Prompt,
    /// Style.
    Style,
    /// Size.
    Size,
    /// Steps.
    Steps,
    /// Model.
    Model,
    /// What it shall not show.
    Negative,
}

impl PromptRow {
    /// From the top.
    pub const ALL: [Self; 6] = [
        Self::Prompt,
        Self::Style,
        Self::Size,
        Self::Steps,
        Self::Model,
        Self::Negative,
    ];
}

/// What a new picture shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PromptScreen {
    /// The focused row.
    pub row: PromptRow,
}

/// One picture, edge to edge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ViewerScreen {
    /// Which.
    pub picture: PictureId,
    /// Enlargement in per cent of the picture's own pixels; `None` fits it to the panel.
    pub zoom: Option<u16>,
    /// Centre of the view in thousandths of the picture's width and height.
    pub centre: (u16, u16),
    /// Until when title and hints show.
    pub bar_until: Option<Millis>,
}

/// Files on both sides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilesScreen {
    /// Which side shows.
    pub side: Side,
    /// Focus on the laptop's side.
    pub remote: ListState,
    /// Focus on the card's side.
    pub local: ListState,
}

/// Pairing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingScreen {
    /// How far.
    pub stage: PairingStage,
    /// Whom, and how they are reached.
    pub call: Call,
    /// When the window closes.
    pub until: Option<Millis>,
}

/// How far pairing is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PairingStage {
    /// The laptop is being called; it must open its window too.
    Calling,
    /// These six digits shall be typed on the laptop.
    Digits([u8; 6]),
    /// The laptop accepted the digits: A yes, B no, nothing preselected.
    Confirm {
        /// The digits, still shown.
        digits: [u8; 6],
        /// Name of the laptop. Peer text.
        laptop: String,
    },
    /// The keys are being written down.
    Keeping {
        /// Name of the laptop. Peer text.
        laptop: String,
    },
    /// It did not work: title, then what to do.
    Failed {
        /// What happened.
        title: String,
        /// What to do.
        body: String,
    },
}

/// Tabs of the services screen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ServicesTab {
    /// Health of the providers and the laptop.
    #[default]
    Health,
    /// Models.
    Models,
    /// Jobs, which this version does not have.
    Jobs,
}

/// Health, models, jobs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServicesScreen {
    /// Which tab.
    pub tab: ServicesTab,
    /// Focus.
    pub list: ListState,
}

/// A text to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Title.
    pub title: String,
    /// Markdown.
    pub text: String,
    /// Position.
    pub scroll: Scroll,
}

/// The app is locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LockScreen {
    /// How many buttons have been pressed. Which ones is shown nowhere.
    pub entered: Vec<Button>,
    /// The last try was wrong; how often so far.
    pub wrong: u32,
    /// Until when no further try is taken.
    pub wait_until: Option<Millis>,
    /// The card is checking the sequence.
    pub checking: bool,
}

/// Choosing a new button sequence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SetLockScreen {
    /// The sequence so far.
    pub entered: Vec<Button>,
    /// The first entry, while it is being repeated.
    pub first: Option<Vec<Button>>,
    /// The two entries differed.
    pub differed: bool,
}
