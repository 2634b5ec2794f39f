//! The handheld app.
fn main() {}
