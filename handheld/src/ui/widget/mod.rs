//! What screens are put together from.

pub mod button_map;
pub mod card;
pub mod column;
pub mod dialog;
pub mod field;
pub mod header;
pub mod hint_bar;
pub mod keyboard;
pub mod list;
pub mod mark;
pub mod scroll_bar;
pub mod tabs;
