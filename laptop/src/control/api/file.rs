//! Files in a device's drop folder, for the owner of the laptop.

use serde::{Deserialize, Serialize};

/// Most octets that go in one call.
pub const MAX_PIECE_LEN: usize = 512 * 1024;

/// Names a file or a folder of a device.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileName {
    /// Number or name of the device.
    pub device: String,
    /// Path in its drop folder; empty for the whole.
    #[serde(default)]
    pub path: String,
}

/// One entry of a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name; any text.
    pub name: String,
    /// Whether it is a folder.
    pub folder: bool,
    /// Its length in octets; zero for a folder.
    pub len: u64,
    /// Seconds since its last change.
    pub changed_ago_s: i64,
}

/// Asks for a piece of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileRead {
    /// Number or name of the device.
    pub device: String,
    /// Path in its drop folder.
    pub path: String,
    /// Octet to begin with.
    #[serde(default)]
    pub offset: u64,
}

/// A piece of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FilePiece {
    /// Its octets in base64, at most [`MAX_PIECE_LEN`]; none at the end.
    pub data: String,
    /// Length of the whole file.
    pub len: u64,
}

/// Hands over a piece of a new file; the file appears with the last.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FileWrite {
    /// Number or name of the device.
    pub device: String,
    /// Path in its drop folder.
    pub path: String,
    /// Where the piece belongs; pieces come in order, zero begins anew.
    pub offset: u64,
    /// Its octets in base64, at most [`MAX_PIECE_LEN`].
    pub data: String,
    /// Whether this is the last.
    pub last: bool,
    /// Whether a file of that name may be replaced.
    #[serde(default)]
    pub replace: bool,
}
