//! Pictures: what was asked for, and what came.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::outbox::{Failure, RequestId};

/// Number of a picture on this card.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct PictureId(pub u32);

/// All pictures, newest first, and the recipe that the prompt screen edits.
#[derive(Clone, Debug, Default)]
pub struct Pictures {
    /// The pictures.
    pub list: Vec<Picture>,
    /// The number for the next one.
    pub next: u32,
    /// What the prompt screen shows. Stored with the settings.
    pub recipe: Recipe,
    /// Prompts used before, last first, at most 20. Stored with the settings.
    pub earlier: Vec<String>,
}

impl Pictures {
    /// The picture with this number.
    pub fn find(&self, id: PictureId) -> Option<&Picture> {
        self.list.iter().find(|p| p.id == id)
    }

    /// The picture with this number, to change.
    pub fn find_mut(&mut self, id: PictureId) -> Option<&mut Picture> {
        self.list.iter_mut().find(|p| p.id == id)
    }
}

/// What a picture is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipe {
    /// What it shall show.
    pub prompt: String,
    /// What it shall not show.
    pub negative: String,
    /// How it shall look.
    pub style: Style,
    /// How large it shall be.
    pub size: Size,
    /// Steps, 1 to 50.
    pub steps: u8,
    /// Model id; empty means the laptop's default.
    pub model: String,
}

/// How a picture shall look; its words go into the prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Style {
    /// As the model likes.
    #[default]
    Free,
    /// Oil painting.
    Oil,
    /// Watercolour.
    Watercolour,
    /// Photograph.
    Photo,
    /// Pencil drawing.
    Pencil,
    /// Pixel art.
    Pixel,
    /// Comic.
    Comic,
    /// Woodcut.
    Woodcut,
}

/// How large a picture shall be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Size {
    /// The panel of this handheld.
    #[default]
    Screen,
    /// 512×512.
    Square,
    /// 512×768.
    Portrait,
    /// 768×512.
    Landscape,
    /// 1024×1024.
    Large,
}

/// How a picture came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Made {
    /// From words.
    Painted,
    /// From a picture and words.
    Edited,
    /// Enlarged.
    Upscaled,
    /// As a variation.
    Varied,
}

/// One picture. Stored, its octets beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Picture {
    /// Number.
    pub id: PictureId,
    /// What it was made from.
    pub recipe: Recipe,
    /// How.
    pub made: Made,
    /// The picture it was made from, if it was.
    pub from: Option<PictureId>,
    /// Seconds since 1970; zero if unknown.
    pub at: u64,
    /// The request that makes it. `None` while it has no number yet.
    pub request: Option<RequestId>,
    /// How far it is.
    pub state: PictureState,
    /// Width and height in pixels once known.
    pub size: Option<(u32, u32)>,
    /// Pixels for the gallery, if loaded.
    #[serde(skip)]
    pub thumb: Option<Arc<Raster>>,
    /// Pixels for progress and viewer, if loaded: a preview while it is open.
    #[serde(skip)]
    pub raster: Option<Arc<Raster>>,
}

/// How far a picture is. What an open one waits for stands in its outbox entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum PictureState {
    /// On its way.
    Open,
    /// On the card.
    Ready,
    /// Stopped by the person.
    Stopped,
    /// Not made.
    Broken(Failure),
}

/// Decoded pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Raster {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Red, green, blue; three octets per pixel, rows from the top.
    pub rgb: Vec<u8>,
}

impl std::fmt::Debug for Raster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Raster({}×{})", self.width, self.height)
    }
}
