//! The drop folder of each device, and what it uploads.
//!
//! Every path that a device names is walked one component at a time below an open folder, following no symbolic link,
//! so that no name, and no link that someone put there, leads out. What is written appears whole or not at all.

mod blob;
mod folder;
mod path;
mod picture;

pub use blob::{BlobStore, Upload};
pub use folder::{DropFolder, Entry, FileFault, Info, Mode};
pub use path::{FilePath, PathFault};
pub use picture::save_original;
