//! fetch-service: see the crate documentation.
fn main() {}
