//! Where the pure app meets the world.
pub mod drawer;
pub mod keeper;
pub mod parts;
pub mod raster;
pub mod shelf;
