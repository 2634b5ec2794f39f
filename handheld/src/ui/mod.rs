//! How the app looks: pixels, text, widgets and screens. Reads the model and changes nothing in it.

pub mod canvas;
pub mod color;
pub mod markdown;
pub mod metrics;
pub mod motion;
pub mod rect;
mod screen;
pub mod text;
pub mod theme;
pub mod widget;

pub use canvas::{Canvas, Picture};
pub use color::Color;
pub use metrics::{Metrics, TextSize};
pub use motion::Motion;
pub use rect::Rect;
pub use screen::{draw, theme};
pub use theme::{Theme, Tone};
