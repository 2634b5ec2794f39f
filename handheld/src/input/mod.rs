//! Buttons: what they are and what happens to them.

pub mod button;
