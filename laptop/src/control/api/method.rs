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
