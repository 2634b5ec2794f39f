//! What a program may touch, and where its results go.

use super::{Content, Contexts, Fault};
use crate::ipc::{AllowedUrl, FinishReason, Screen, ServiceClient};
use crate::policy::OpPermit;
use shared_proto::program::Write;

/// A place at a service; dropping it gives it to the next.
pub struct Turn(Option<Box<dyn std::any::Any + Send>>);

impl Turn {
    /// A place that `held` gives back when it is dropped.
    pub fn new(held: impl std::any::Any + Send) -> Self {
        Self(Some(Box::new(held)))
    }

    /// Of an operation that needs none.
    pub const fn free() -> Self {
        Self(None)
    }

    /// Whether time spent in it is counted.
    pub(super) const fn counts(&self) -> bool {
        self.0.is_some()
    }
}

/// The laptop as one request of one device sees it.
pub trait World: Sync {
    /// The relationship that asks.
    fn relationship(&self) -> i64;
    /// Whether the policy still allows what `permit` permits.
    ///
    /// # Errors
    /// A [`Fault`] that says why not.
    fn recheck(&self, permit: &OpPermit) -> Result<(), Fault>;
    /// Waits until the service of `permit` may work on it, and holds its place there. An operation that needs no turn
    /// gets one at once.
    ///
    /// # Errors
    /// A [`Fault`]: the laptop can bear no such work now, or the request was cancelled.
    fn turn(&self, permit: &OpPermit) -> Result<Turn, Fault>;
    /// The language service.
    fn language(&self) -> &ServiceClient;
    /// Models that the owner has switched off, as `provider/model`.
    fn models_off(&self) -> Vec<String> {
        Vec::new()
    }
    /// The image service.
    fn image(&self) -> &ServiceClient;
    /// The download service.
    fn downloads(&self) -> &ServiceClient;
    /// Addresses that this device may fetch.
    fn allowed_urls(&self) -> Vec<AllowedUrl>;
    /// The screen of the device that asks.
    fn screen(&self) -> Screen;
    /// Conversations.
    fn contexts(&self) -> &Contexts;
    /// The drop folder of the relationship.
    fn files(&self) -> &dyn Files;
    /// An upload of this request, whole and checked, by the index of its constant.
    ///
    /// # Errors
    /// A [`Fault`] where it is missing or the disk fails.
    fn blob(&self, constant: u8) -> Result<Content, Fault>;
    /// A fresh file for octets that are too many for memory; it is gone when dropped.
    ///
    /// # Errors
    /// A [`Fault`] of the disk.
    fn scratch(&self) -> Result<std::fs::File, Fault>;
    /// The laptop itself.
    fn system(&self) -> SystemView;
}

/// One file of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileEntry {
    /// Its name.
    pub name: String,
    /// Octets.
    pub len: u64,
    /// Seconds since 1970.
    pub modified: u64,
    /// Whether it is a folder.
    pub folder: bool,
}

/// A page of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listing {
    /// Entries in the folder.
    pub total: u32,
    /// Octets used in the whole drop folder.
    pub used: u64,
    /// Octets it may hold.
    pub quota: u64,
    /// Those asked for.
    pub entries: Vec<FileEntry>,
}

/// A drop folder.
pub trait Files {
    /// A page of the folder `path`.
    ///
    /// # Errors
    /// A [`Fault`]: `PathRefused`, `NotFound`, or of the disk.
    fn list(&self, path: &str, skip: u32, limit: u16) -> Result<Listing, Fault>;
    /// Length, time and SHA-256 of a file.
    ///
    /// # Errors
    /// As [`Files::list`].
    fn metadata(&self, path: &str) -> Result<(u64, u64, [u8; 32]), Fault>;
    /// A file as it is now.
    ///
    /// # Errors
    /// As [`Files::list`].
    fn open(&self, path: &str) -> Result<std::fs::File, Fault>;
    /// Writes a file whole or not at all; returns the name it got.
    ///
    /// # Errors
    /// As [`Files::list`], and `FileExists` or `StoreFull`.
    fn put(&self, path: &str, content: &Content, write: Write) -> Result<String, Fault>;
    /// Keeps a picture that was painted for `prompt`, under a name of its own.
    ///
    /// # Errors
    /// As [`Files::list`], and `StoreFull`.
    fn keep_picture(&self, prompt: &str, ending: &str, picture: &[u8]) -> Result<(), Fault>;
    /// Removes a file.
    ///
    /// # Errors
    /// As [`Files::list`].
    fn delete(&self, path: &str) -> Result<(), Fault>;
}

/// Facts about the laptop.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SystemView {
    /// Its name.
    pub name: String,
    /// Version of the daemon.
    pub version: String,
    /// Seconds since the daemon started.
    pub uptime_s: u64,
    /// Requests running for this device.
    pub running: u16,
    /// Seconds until the relationship expires.
    pub expires_in_s: u64,
    /// Processors.
    pub cpus: u16,
    /// Load over a minute in hundredths.
    pub load_hundredths: u32,
    /// Memory, whole and free, in octets.
    pub memory: (u64, u64),
    /// Free octets where the drop folder lies.
    pub disk_free: u64,
}

/// The record that results are written to refuses more.
#[derive(Debug)]
pub struct OutputClosed(pub Fault);

/// Where results go.
pub trait Output: Sync {
    /// Operation `op` is taken up by `model`.
    fn started(&self, op: u8, model: &str);
    /// How far operation `op` has come.
    fn progress(&self, op: u8, permille: u16, eta_s: Option<u32>);
    /// More octets of the result of `op`.
    ///
    /// # Errors
    /// [`OutputClosed`] where they cannot be kept.
    fn append(&self, op: u8, bytes: &[u8]) -> Result<(), OutputClosed>;
    /// The model stopped writing for `op`: because it was done, or because it had as many tokens as it may.
    fn finished(&self, op: u8, reason: FinishReason) {
        let _ = (op, reason);
    }
    /// The result of `op` is whole.
    ///
    /// # Errors
    /// [`OutputClosed`] where that cannot be kept.
    fn end(&self, op: u8) -> Result<(), OutputClosed>;
}
