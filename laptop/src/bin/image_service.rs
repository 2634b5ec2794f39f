//! image-service: see the crate documentation.
fn main() {}
