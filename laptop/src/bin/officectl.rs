//! officectl: see the crate documentation.
fn main() {}
