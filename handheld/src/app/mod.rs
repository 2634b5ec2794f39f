//! The pure heart of the handheld app.
//!
//! [`model`] is everything a screen may show, [`msg`] is everything that can happen, [`effect`] is everything the app may ask of
//! the world, and `update` leads from one to the next. Nothing here knows a socket, a file, a clock or a pixel.

pub mod effect;
pub mod hints;
pub mod model;
pub mod msg;
pub mod script;
pub mod update;
pub mod view;
pub mod words;

pub use effect::{Effect, Effects};
pub use model::Model;
pub use msg::Msg;
pub use update::update;

#[cfg(test)]
mod tests;
