//! Writes programs. Equal constants are stored once.

use super::decode::VERSION;
use super::op::{ConstRef, Op, Ref};
use super::value::{Blob, Const, ValueType};
use crate::codec::push_varint;
use crate::error::Misuse;
use crate::limits::{MAX_CONSTS, MAX_OPS, MAX_PROGRAM_LEN};
use alloc::vec::Vec;

/// Collects constants and operations; [`Builder::finish`] yields the bytes.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    consts: Vec<Vec<u8>>,
    steps: Vec<u8>,
    len: usize,
}

impl Builder {
    /// An empty program.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A constant text.
    pub fn text(&mut self, text: &str) -> Ref {
        self.constant(&Const::Text(text))
    }

    /// A constant text as policy operands name it.
    pub fn name(&mut self, text: &str) -> ConstRef {
        ConstRef(self.text(text).0)
    }

    /// Constant octets.
    pub fn bytes(&mut self, bytes: &[u8]) -> Ref {
        self.constant(&Const::Bytes(bytes))
    }

    /// A constant number.
    pub fn int(&mut self, value: u64) -> Ref {
        self.constant(&Const::Int(value))
    }

    /// Data that is uploaded beside the program.
    pub fn blob(&mut self, blob: Blob) -> Ref {
        self.constant(&Const::Blob(blob))
    }

    fn constant(&mut self, constant: &Const<'_>) -> Ref {
        let encoded = encode_const(constant);
        let index = self
            .consts
            .iter()
            .position(|known| *known == encoded)
            .unwrap_or_else(|| {
                self.consts.push(encoded);
                self.consts.len() - 1
            });
        Ref::constant(index.min(usize::from(u8::MAX)) as u8)
    }

    /// Appends an operation; names its result.
    pub fn op(&mut self, op: &Op) -> Ref {
        self.push(0, op)
    }

    /// Appends an operation that runs only where `failed`, an earlier result, failed.
    pub fn op_if_failed(&mut self, failed: Ref, op: &Op) -> Ref {
        self.push(u64::from(failed.0.saturating_sub(0x40)) + 1, op)
    }

    /// Appends an emit of `value`.
    pub fn emit(&mut self, value: Ref) {
        self.op(&Op::Emit(value));
    }

    fn push(&mut self, guard: u64, op: &Op) -> Ref {
        let operands = encode_operands(op);
        self.steps.push(op.opcode() as u8);
        push_varint(guard, &mut self.steps);
        push_varint(operands.len() as u64, &mut self.steps);
        self.steps.extend_from_slice(&operands);
        self.len += 1;
        Ref::result((self.len - 1).min(MAX_OPS) as u8)
    }

    /// The bytes of the program.
    ///
    /// # Errors
    /// [`Misuse::TooLong`] where it has too many constants, operations or octets. It is not verified yet.
    pub fn finish(&self) -> Result<Vec<u8>, Misuse> {
        let mut out = Vec::new();
        out.push(VERSION);
        push_varint(self.consts.len() as u64, &mut out);
        self.consts
            .iter()
            .for_each(|constant| out.extend_from_slice(constant));
        push_varint(self.len as u64, &mut out);
        out.extend_from_slice(&self.steps);
        if self.consts.len() > MAX_CONSTS || self.len > MAX_OPS || out.len() > MAX_PROGRAM_LEN {
            return Err(Misuse::TooLong);
        }
        Ok(out)
    }
}

fn encode_const(constant: &Const<'_>) -> Vec<u8> {
    let mut inner = Vec::new();
    let kind = match constant {
        Const::Text(text) => {
            inner.extend_from_slice(text.as_bytes());
            0
        }
        Const::Bytes(bytes) => {
            inner.extend_from_slice(bytes);
            1
        }
        Const::Int(value) => {
            push_varint(*value, &mut inner);
            2
        }
        Const::Blob(blob) => {
            inner.extend_from_slice(&blob.sha256);
            push_varint(blob.len, &mut inner);
            inner.push(match blob.ty {
                ValueType::Text => 0,
                ValueType::Image => 2,
                ValueType::Bytes | ValueType::Int | ValueType::Record => 1,
            });
            3
        }
    };
    let mut out = Vec::with_capacity(inner.len() + 4);
    out.push(kind);
    push_varint(inner.len() as u64, &mut out);
    out.extend_from_slice(&inner);
    out
}

fn encode_operands(op: &Op) -> Vec<u8> {
    let encoded = match op {
        Op::Text(r) | Op::Bytes(r) | Op::Integer(r) | Op::Emit(r) => postcard::to_allocvec(r),
        Op::Concat(parts) => postcard::to_allocvec(parts),
        Op::Chat(op) => postcard::to_allocvec(op),
        Op::Complete(op) | Op::Code(op) | Op::Summarize(op) => postcard::to_allocvec(op),
        Op::Embed(op) => postcard::to_allocvec(op),
        Op::Generate(op) => postcard::to_allocvec(op),
        Op::Edit(op) => postcard::to_allocvec(op),
        Op::Upscale(op) => postcard::to_allocvec(op),
        Op::Variation(op) => postcard::to_allocvec(op),
        Op::Fit(op) => postcard::to_allocvec(op),
        Op::List(op) => postcard::to_allocvec(op),
        Op::Metadata(op) => postcard::to_allocvec(op),
        Op::Get(op) => postcard::to_allocvec(op),
        Op::Put(op) => postcard::to_allocvec(op),
        Op::Delete(op) => postcard::to_allocvec(op),
        Op::Fetch(op) => postcard::to_allocvec(op),
        Op::Status | Op::Capabilities | Op::Resources | Op::Health => return Vec::new(),
    };
    // Plain structs into a growing vector: postcard has no way to fail here.
    encoded.unwrap_or_default()
}
