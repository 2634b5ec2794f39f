//! laptop-daemon: see the crate documentation.
fn main() {}
