//! Where the pure app meets the world.
pub mod drawer;
pub mod raster;
pub mod shelf;
