//! The fifteen buttons that every device is mapped to, and the four things that happen to one.

/// A button by what is printed on it: X top, A right, B bottom, Y left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Button {
    /// D-pad up.
    Up,
    /// D-pad down.
    Down,
    /// D-pad left.
    Left,
    /// D-pad right.
    Right,
    /// Right face button.
    A,
    /// Bottom face button.
    B,
    /// Top face button.
    X,
    /// Left face button.
    Y,
    /// Left shoulder.
    L1,
    /// Right shoulder.
    R1,
    /// Left trigger.
    L2,
    /// Right trigger.
    R2,
    /// Start.
    Start,
    /// Select.
    Select,
    /// The extra button that many devices carry (printed M, F or with the maker's sign).
    Menu,
}

/// What happened to a button.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Edge {
    /// It went down.
    Press,
    /// It came up.
    Release,
    /// It is still down, and a repeat is due.
    Repeat,
    /// It has been down long enough to mean something else than a press; sent once.
    Hold,
}
