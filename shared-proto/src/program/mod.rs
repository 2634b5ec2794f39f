//! Programs: straight-line, typed, single-assignment bytecode. SPEC.md, "Programs", has the bytes.
//!
//! [`decode`] reads one without allocating, [`verify`] proves it well-typed and returns what it would do and
//! what that would cost at the most. Both sides run both.

#[cfg(feature = "alloc")]
mod builder;
mod decode;
mod effect;
mod op;
mod value;
mod verify;

#[cfg(feature = "alloc")]
pub use builder::Builder;
pub use decode::{Program, Step, decode};
pub use effect::{Cost, Effect};
pub use op::{
    Chat, Complete, ConstRef, Delete, Edit, Embed, Fetch, Fit, Generate, Get, List, Metadata, Op,
    Parts, Put, Ref, Source, Upscale, Variation, Write,
};
pub use value::{Blob, Const, ValueType};
pub use verify::{Verified, verify};

use crate::error::{DecodeError, ErrorCode};
use crate::opcode::Opcode;
use core::fmt;

/// Why a program is refused, and at which operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramError {
    /// Index of the operation; `None` where the fault lies before the first.
    pub op: Option<u8>,
    /// What is wrong.
    pub fault: ProgramFault,
}

/// What is wrong with a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramFault {
    /// The bytes do not decode.
    Bytes(DecodeError),
    /// Another version of the program encoding.
    Version(u64),
    /// A constant of an unknown kind.
    ConstKind(u8),
    /// A constant text that is not UTF-8.
    NotUtf8,
    /// An opcode that nobody knows.
    UnknownOpcode(u8),
    /// An opcode that is known and not offered by this version.
    Unsupported(Opcode),
    /// A reference to a constant or result that does not exist, or not yet.
    BadReference(u8),
    /// A value of another type than the operation takes.
    TypeMismatch {
        /// The reference.
        reference: u8,
        /// What it names.
        found: ValueType,
    },
    /// A number or length above (or below) its cap.
    Limit(&'static str),
    /// No operation emits anything.
    NothingEmitted,
    /// A value is emitted twice.
    EmittedTwice(u8),
    /// A guard on an emit, or a guard that names no earlier result.
    BadGuard,
}

impl ProgramError {
    /// The code that travels in `Failed`.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self.fault {
            ProgramFault::Bytes(_) | ProgramFault::ConstKind(_) | ProgramFault::NotUtf8 => {
                ErrorCode::Malformed
            }
            ProgramFault::UnknownOpcode(_) => ErrorCode::UnknownOpcode,
            ProgramFault::Version(_) | ProgramFault::Unsupported(_) => ErrorCode::Unsupported,
            ProgramFault::BadReference(_) | ProgramFault::BadGuard => ErrorCode::BadReference,
            ProgramFault::TypeMismatch { .. } => ErrorCode::TypeMismatch,
            ProgramFault::Limit(_) => ErrorCode::LimitExceeded,
            ProgramFault::NothingEmitted | ProgramFault::EmittedTwice(_) => ErrorCode::BadEmit,
        }
    }

    pub(crate) const fn at(op: usize, fault: ProgramFault) -> Self {
        Self {
            op: Some(op as u8),
            fault,
        }
    }

    pub(crate) const fn before(fault: ProgramFault) -> Self {
        Self { op: None, fault }
    }
}

impl fmt::Display for ProgramError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(op) = self.op {
            write!(f, "operation {op}: ")?;
        }
        match self.fault {
            ProgramFault::Bytes(error) => write!(f, "{error}"),
            ProgramFault::Version(version) => {
                write!(f, "program version {version} is not spoken here")
            }
            ProgramFault::ConstKind(kind) => write!(f, "constant kind {kind} is unknown"),
            ProgramFault::NotUtf8 => f.write_str("a constant text is not UTF-8"),
            ProgramFault::UnknownOpcode(number) => write!(f, "opcode {number:#04x} is unknown"),
            ProgramFault::Unsupported(opcode) => {
                write!(f, "{} is not offered by this laptop", opcode.name())
            }
            ProgramFault::BadReference(reference) => {
                write!(
                    f,
                    "reference {reference:#04x} names nothing that exists yet"
                )
            }
            ProgramFault::TypeMismatch { reference, found } => {
                write!(
                    f,
                    "reference {reference:#04x} is {}, which does not fit here",
                    found.name()
                )
            }
            ProgramFault::Limit(what) => write!(f, "{what} is outside its limits"),
            ProgramFault::NothingEmitted => f.write_str("the program emits nothing"),
            ProgramFault::EmittedTwice(reference) => {
                write!(f, "reference {reference:#04x} is emitted twice")
            }
            ProgramFault::BadGuard => {
                f.write_str("the guard names no earlier result, or guards an emit")
            }
        }
    }
}

impl core::error::Error for ProgramError {}
