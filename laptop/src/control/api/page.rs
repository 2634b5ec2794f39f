//! Who may use the local page and the control API on loopback.

use super::Access;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A way into the page, for one use.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageLogin {
    /// Where to go; a browser never sends the part behind `#` of its own accord.
    pub url: String,
    /// The code alone, for a browser without JavaScript.
    pub code: String,
    /// Seconds until the code is worth nothing.
    pub expires_in_s: u64,
}

/// The code stays out of every log.
impl fmt::Debug for PageLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageLogin").finish_non_exhaustive()
    }
}

/// A code from [`PageLogin`].
#[derive(Clone, Serialize, Deserialize)]
pub struct PageCode {
    /// As it was given out.
    pub code: String,
}

/// The code stays out of every log.
impl fmt::Debug for PageCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PageCode").finish_non_exhaustive()
    }
}

/// A token to be made.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewToken {
    /// Name, to tell it by: 1 to 64 visible characters.
    pub name: String,
    /// What it is good for; to look, where it is missing.
    #[serde(default = "read")]
    pub access: Access,
}

fn read() -> Access {
    Access::Read
}

/// A token, told once and kept nowhere.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MadeToken {
    /// What is known of it.
    #[serde(flatten)]
    pub token: Token,
    /// The secret, for `Authorization: Bearer`.
    pub secret: String,
}

/// The secret stays out of every log.
impl fmt::Debug for MadeToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MadeToken")
            .field("token", &self.token)
            .finish_non_exhaustive()
    }
}

/// A token for programs that use the control API on loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// Its name.
    pub name: String,
    /// What it is good for.
    pub access: Access,
    /// When it was made, in local time.
    pub made: String,
}

/// Names a token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenName {
    /// Its name.
    pub name: String,
}

/// The secret of a token.
#[derive(Clone, Serialize, Deserialize)]
pub struct TokenSecret {
    /// As it was given out.
    pub secret: String,
}

/// The secret stays out of every log.
impl fmt::Debug for TokenSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSecret").finish_non_exhaustive()
    }
}
