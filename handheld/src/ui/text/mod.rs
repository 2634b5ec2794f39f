//! Text: embedded fonts, outlines turned into coverage masks, measuring, wrapping, shortening.

pub mod ending;
pub mod font;
pub mod glyph;
pub mod kern;
pub mod typeset;
pub mod wrap;

pub use ending::Ending;
pub use font::Face;
pub use glyph::{GlyphCache, Mask};
pub use typeset::{Placed, Shaped, Typesetter};
pub use wrap::{Ink, Line, Run, Span};
