//! Models that devices may be offered.

use serde::{Deserialize, Serialize};

/// Names a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelId {
    /// `provider/model`, at most 128 octets.
    pub id: String,
}

/// A model that devices may be offered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Model {
    /// `language` or `image`.
    pub service: String,
    /// `provider/model`.
    pub id: String,
    /// Whether it is loaded; missing where the provider does not say.
    pub loaded: Option<bool>,
    /// Whether a request that names none gets this one.
    pub default: bool,
    /// A remark, such as its size.
    pub note: String,
    /// Whether it may be asked; false where the owner has switched it off.
    pub enabled: bool,
    /// Whether it makes embeddings and no text; missing where the provider does not say.
    pub embeds: Option<bool>,
}
