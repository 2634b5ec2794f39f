//! Answers set as documents.

/// Laid-out documents, by text and width.
#[derive(Default)]
pub struct Cache {}
