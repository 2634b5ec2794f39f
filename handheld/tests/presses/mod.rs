//! Best play: the fewest presses for a text, planned and then played on the real keyboard.

pub mod layout;
pub mod plan;
