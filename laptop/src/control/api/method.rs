//! The methods themselves.

use super::Access;
use serde::{Deserialize, Serialize};

/// A method that may be called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MethodInfo {
    /// Its name.
    pub name: String,
    /// What a caller has to be allowed.
    pub access: Access,
    /// Whether it may be called on loopback too; the others are for the control socket alone.
    pub web: bool,
}

/// What the page's own forms do and no token may: who writes the settings decides where keys of providers go, and who reads them may
/// see some.
pub const PAGE_ALONE: [&str; 3] = ["config.read", "config.try", "config.write"];
