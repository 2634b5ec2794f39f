//! What a program would do and what it would cost at the most: all that permission needs to know.

use crate::opcode::Operation;

/// One thing that a program would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect<'a> {
    /// Index of the operation.
    pub op: u8,
    /// What it does.
    pub operation: Operation,
    /// `provider/model`; empty where the laptop chooses or no model takes part.
    pub model: &'a str,
    /// Path or URL; empty where none takes part.
    pub target: &'a str,
    /// Pixels across and down; zero where no picture is made.
    pub size: (u16, u16),
    /// What this operation alone costs.
    pub cost: Cost,
}

/// An upper bound. Each field adds up saturating.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Tokens that models may write, or read to make vectors of.
    pub tokens: u64,
    /// Pictures that models may paint.
    pub pictures: u64,
    /// Pixels times steps of those pictures.
    pub pixel_steps: u64,
    /// Octets read from or written to the drop folder or the internet.
    pub bytes: u64,
    /// Seconds that the operations may take before they are ended.
    pub seconds: u64,
}

impl Cost {
    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            tokens: self.tokens.saturating_add(other.tokens),
            pictures: self.pictures.saturating_add(other.pictures),
            pixel_steps: self.pixel_steps.saturating_add(other.pixel_steps),
            bytes: self.bytes.saturating_add(other.bytes),
            seconds: self.seconds.saturating_add(other.seconds),
        }
    }
}
