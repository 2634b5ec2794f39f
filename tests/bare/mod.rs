//! Real laptop processes and a pocket client for end-to-end tests.

#![allow(dead_code, unused_imports)] // Each test binary uses its own part.

pub mod calm;
pub mod footprint;
pub mod laptop;
pub mod meddler;
pub mod person;
pub mod pocket;

pub use laptop::Laptop;
pub use pocket::{Card, End, Line};

// Runs use the two together and apart.
#[allow(clippy::duplicate_mod)]
#[path = "../process.rs"]
pub mod process;
