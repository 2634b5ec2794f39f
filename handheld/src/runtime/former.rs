//! Values as earlier versions of their shape wrote them: laptops that had told of no network, settings without sleep and without what a
//! set-up of buttons taught, turns that did not name the laptop of their request.

use serde::Deserialize;

use crate::app::model::chat::{ChatKind, Role};
use crate::app::model::laptop::{Carrier, Ended, Laptop, LaptopId, ModelInfo, Permission};
use crate::app::model::radio::Sleep;
use crate::app::model::screen::Purpose;
use crate::app::model::settings::{KeyboardKind, Settings, TextSize, Theme};
use crate::app::model::{ChatId, PictureId, RequestId, TurnState};
use crate::input::Taught;

/// A laptop.
#[derive(Deserialize)]
pub struct FormerLaptop {
    id: LaptopId,
    name: String,
    carriers: Vec<Carrier>,
    expires_at: u64,
    expired: bool,
    permissions: Vec<Permission>,
    models: Vec<ModelInfo>,
    seen_at: u64,
}

impl From<FormerLaptop> for Laptop {
    fn from(former: FormerLaptop) -> Self {
        Self {
            id: former.id,
            name: former.name,
            carriers: former.carriers,
            expires_at: former.expires_at,
            ended: former.expired.then_some(Ended::Expired),
            permissions: former.permissions,
            models: former.models,
            seen_at: former.seen_at,
            network: None,
        }
    }
}

/// Settings.
#[derive(Deserialize)]
pub struct FormerSettings {
    theme: Theme,
    text_size: TextSize,
    keyboard: KeyboardKind,
    swap_ab: bool,
    suggestions: bool,
    motion: bool,
    rumble: bool,
    lock: bool,
    laptop: Option<LaptopId>,
    arc_offered: bool,
}

/// Settings with sleep, without taught buttons.
#[derive(Deserialize)]
pub struct SecondSettings {
    theme: Theme,
    text_size: TextSize,
    keyboard: KeyboardKind,
    swap_ab: bool,
    suggestions: bool,
    motion: bool,
    rumble: bool,
    lock: bool,
    laptop: Option<LaptopId>,
    arc_offered: bool,
    sleep: Sleep,
}

impl From<SecondSettings> for Settings {
    fn from(former: SecondSettings) -> Self {
        Self {
            theme: former.theme,
            text_size: former.text_size,
            keyboard: former.keyboard,
            swap_ab: former.swap_ab,
            suggestions: former.suggestions,
            motion: former.motion,
            rumble: former.rumble,
            lock: former.lock,
            laptop: former.laptop,
            arc_offered: former.arc_offered,
            sleep: former.sleep,
            taught: Taught::default(),
        }
    }
}

impl From<FormerSettings> for SecondSettings {
    fn from(former: FormerSettings) -> Self {
        Self {
            theme: former.theme,
            text_size: former.text_size,
            keyboard: former.keyboard,
            swap_ab: former.swap_ab,
            suggestions: former.suggestions,
            motion: former.motion,
            rumble: former.rumble,
            lock: former.lock,
            laptop: former.laptop,
            arc_offered: former.arc_offered,
            sleep: Sleep::Never,
        }
    }
}

/// What an unfinished text was for.
#[derive(Deserialize)]
pub enum FormerPurpose {
    /// A message in a conversation.
    Message(ChatId),
    /// The first message of a conversation.
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
    /// A URL to download.
    Url,
    /// Address of a laptop.
    Address,
    /// A queued request, of whichever laptop: it still has its words.
    Requeue(#[expect(dead_code, reason = "read only to come past it")] RequestId),
}

impl FormerPurpose {
    /// The same purpose now.
    pub fn now(self) -> Option<Purpose> {
        Some(match self {
            Self::Message(chat) => Purpose::Message(chat),
            Self::FirstMessage(kind) => Purpose::FirstMessage(kind),
            Self::Title(chat) => Purpose::Title(chat),
            Self::System(chat) => Purpose::System(chat),
            Self::Prompt => Purpose::Prompt,
            Self::Negative => Purpose::Negative,
            Self::Change(picture) => Purpose::Change(picture),
            Self::Url => Purpose::Url,
            Self::Address => Purpose::Address,
            Self::Requeue(_) => return None,
        })
    }
}

/// A turn without its text. Which laptop had its request stands in the outbox, for as long as that matters.
#[derive(Deserialize)]
pub struct FormerTurn {
    /// Who speaks.
    pub role: Role,
    /// The model that answered.
    pub model: String,
    /// Seconds since 1970.
    pub at: u64,
    /// The number of its request at whichever laptop.
    pub request: Option<RequestId>,
    /// Whether more is to come.
    pub state: TurnState,
}
