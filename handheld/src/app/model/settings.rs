//! What the person chose.

use serde::{Deserialize, Serialize};

use super::laptop::LaptopId;
use super::radio::Sleep;
use crate::input::Taught;

/// Settings. Stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Colours.
    pub theme: Theme,
    /// Size of body text.
    pub text_size: TextSize,
    /// Keyboard.
    pub keyboard: KeyboardKind,
    /// B confirms and A goes back, instead of the printed A yes, B no. Letters never move.
    pub swap_ab: bool,
    /// Words are suggested while writing.
    pub suggestions: bool,
    /// Things move where it explains something.
    pub motion: bool,
    /// The device shakes briefly.
    pub rumble: bool,
    /// A button sequence seals what is on the card.
    pub lock: bool,
    /// The laptop that was last talked to.
    pub laptop: Option<LaptopId>,
    /// The arc has been offered or tried.
    pub arc_offered: bool,
    /// How long link and radio stay awake with nothing to do.
    pub sleep: Sleep,
    /// What the set-up of buttons was taught.
    pub taught: Taught,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            theme: Theme::Dark,
            text_size: TextSize::Normal,
            keyboard: KeyboardKind::Grid,
            swap_ab: false,
            suggestions: true,
            motion: true,
            rumble: false,
            lock: false,
            laptop: None,
            arc_offered: false,
            sleep: Sleep::Never,
            taught: Taught::default(),
        }
    }
}

/// Colours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    /// Light on dark.
    #[default]
    Dark,
    /// Dark on light.
    Light,
}

/// Size of body text; the rest stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum TextSize {
    /// 20 px.
    Small,
    /// 24 px.
    #[default]
    Normal,
    /// 28 px.
    Large,
}

/// Keyboard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyboardKind {
    /// Keys in rows.
    #[default]
    Grid,
    /// A direction and a face button.
    Arc,
}
