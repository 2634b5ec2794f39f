//! What a program would do and cost at most: the question that policy answers.

use super::Usage;
use shared_proto::opcode::Operation;

/// What one operation is aimed at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Nothing in particular: the system itself.
    Laptop,
    /// A model; the empty name means the default of the service.
    Model(String),
    /// A path in the drop folder of the device.
    Path(String),
    /// An address to download from.
    Url(String),
}

/// One thing a program would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// Place of the op in the program.
    pub op: u8,
    /// What kind of thing it is.
    pub operation: Operation,
    /// What it is aimed at.
    pub target: Target,
    /// Upper bound of what this op uses.
    pub bound: Usage,
}

/// Upper bounds of a whole program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    /// What the budgets count.
    pub usage: Usage,
    /// Longest time it may run, in seconds; zero where no bound is known.
    pub seconds: u64,
}

/// A verified program as policy sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Number of the relationship.
    pub relationship: i64,
    /// Number of the request within the relationship.
    pub request: u64,
    /// Digest of the program: consent to one program is none to another.
    pub digest: [u8; 32],
    /// Everything it would do, in order.
    pub effects: Vec<Effect>,
    /// What it may cost.
    pub cost: Cost,
}
