//! link-service: see the crate documentation.
fn main() {}
