//! Constants and the types of values.

/// The type of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// UTF-8 text.
    Text,
    /// Octets.
    Bytes,
    /// An unsigned number of 64 bits.
    Int,
    /// A picture in one of the formats of [`crate::picture`].
    Image,
    /// A value of [`crate::report`], as postcard.
    Record,
}

impl ValueType {
    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Bytes => "bytes",
            Self::Int => "a number",
            Self::Image => "a picture",
            Self::Record => "a record",
        }
    }
}

/// Data that is uploaded beside the program and named by its hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Blob {
    /// SHA-256 of the whole.
    pub sha256: [u8; 32],
    /// Its length in octets.
    pub len: u64,
    /// What it is: text, bytes or picture.
    pub ty: ValueType,
}

/// A value that the program carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Const<'a> {
    /// Kind 0.
    Text(&'a str),
    /// Kind 1.
    Bytes(&'a [u8]),
    /// Kind 2.
    Int(u64),
    /// Kind 3.
    Blob(Blob),
}

impl Const<'_> {
    /// Its type.
    #[must_use]
    pub const fn ty(&self) -> ValueType {
        match self {
            Self::Text(_) => ValueType::Text,
            Self::Bytes(_) => ValueType::Bytes,
            Self::Int(_) => ValueType::Int,
            Self::Blob(blob) => blob.ty,
        }
    }

    /// Its length in octets; 20 for a number, as it may be written in digits.
    #[must_use]
    pub const fn len(&self) -> u64 {
        match self {
            Self::Text(text) => text.len() as u64,
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Int(_) => 20,
            Self::Blob(blob) => blob.len,
        }
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
