//! Writes programs. Equal constants are stored once.

use super::decode::VERSION;
use super::op::{ConstRef, Op, Ref};
use super::value::{Blob, Const, ValueType};
use crate::codec::{push_postcard, push_varint, write_varint};
use crate::error::Misuse;
use crate::limits::{MAX_CONSTS, MAX_OPS, MAX_PROGRAM_LEN};
use alloc::vec::Vec;

/// Collects constants and operations; [`Builder::finish`] yields the bytes.
#[derive(Clone, Debug, Default)]
pub struct Builder {
    /// Constants as they will stand in the program, one behind the other.
    consts: Vec<u8>,
    /// Where each of them ends.
    ends: Vec<usize>,
    steps: Vec<u8>,
    len: usize,
}

impl Builder {
    /// An empty program.
    #[must_use]
    pub fn new() -> Self {
        // What a question of a few sentences takes, so that nothing grows step by step.
        Self {
            consts: Vec::with_capacity(256),
            ends: Vec::with_capacity(8),
            steps: Vec::with_capacity(64),
            len: 0,
        }
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
        // Written at the end, and taken away again where it is there already.
        let start = self.consts.len();
        push_const(constant, &mut self.consts);
        let (known, new) = self.consts.split_at(start);
        let mut from = 0;
        let found = self.ends.iter().position(|end| {
            let same = known[from..*end] == *new;
            from = *end;
            same
        });
        let index = match found {
            Some(index) => {
                self.consts.truncate(start);
                index
            }
            None => {
                self.ends.push(self.consts.len());
                self.ends.len() - 1
            }
        };
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
        self.steps.push(op.opcode() as u8);
        push_varint(guard, &mut self.steps);
        // Operands take less than 128 octets, so that their length is one.
        let at = self.steps.len();
        self.steps.push(0);
        push_operands(op, &mut self.steps);
        let len = self.steps.len() - at - 1;
        debug_assert!(len < 0x80, "operands of {len} octets");
        self.steps[at] = len as u8;
        self.len += 1;
        Ref::result((self.len - 1).min(MAX_OPS) as u8)
    }

    /// The bytes of the program.
    ///
    /// # Errors
    /// [`Misuse::TooLong`] where it has too many constants, operations or octets. It is not verified yet.
    pub fn finish(&self) -> Result<Vec<u8>, Misuse> {
        let mut out = Vec::with_capacity(self.consts.len() + self.steps.len() + 8);
        out.push(VERSION);
        push_varint(self.ends.len() as u64, &mut out);
        out.extend_from_slice(&self.consts);
        push_varint(self.len as u64, &mut out);
        out.extend_from_slice(&self.steps);
        if self.ends.len() > MAX_CONSTS || self.len > MAX_OPS || out.len() > MAX_PROGRAM_LEN {
            return Err(Misuse::TooLong);
        }
        Ok(out)
    }
}

fn push_const(constant: &Const<'_>, out: &mut Vec<u8>) {
    let mut varint = [0; 10];
    match constant {
        Const::Text(text) => push_content(0, &[text.as_bytes()], out),
        Const::Bytes(bytes) => push_content(1, &[bytes], out),
        Const::Int(value) => {
            let len = write_varint(*value, &mut varint);
            push_content(2, &[&varint[..len]], out);
        }
        Const::Blob(blob) => {
            let len = write_varint(blob.len, &mut varint);
            let ty = match blob.ty {
                ValueType::Text => 0,
                ValueType::Image => 2,
                ValueType::Bytes | ValueType::Int | ValueType::Record => 1,
            };
            push_content(3, &[&blob.sha256, &varint[..len], &[ty]], out);
        }
    }
}

fn push_content(kind: u8, parts: &[&[u8]], out: &mut Vec<u8>) {
    out.push(kind);
    let len: usize = parts.iter().map(|part| part.len()).sum();
    push_varint(len as u64, out);
    parts.iter().for_each(|part| out.extend_from_slice(part));
}

fn push_operands(op: &Op, out: &mut Vec<u8>) {
    let pushed = match op {
        Op::Text(r) | Op::Bytes(r) | Op::Integer(r) | Op::Emit(r) => push_postcard(r, out),
        Op::Concat(parts) => push_postcard(parts, out),
        Op::Chat(op) => push_postcard(op, out),
        Op::Complete(op) | Op::Code(op) | Op::Summarize(op) => push_postcard(op, out),
        Op::Embed(op) => push_postcard(op, out),
        Op::Generate(op) => push_postcard(op, out),
        Op::Edit(op) => push_postcard(op, out),
        Op::Upscale(op) => push_postcard(op, out),
        Op::Variation(op) => push_postcard(op, out),
        Op::Fit(op) => push_postcard(op, out),
        Op::List(op) => push_postcard(op, out),
        Op::Metadata(op) => push_postcard(op, out),
        Op::Get(op) => push_postcard(op, out),
        Op::Put(op) => push_postcard(op, out),
        Op::Delete(op) => push_postcard(op, out),
        Op::Fetch(op) => push_postcard(op, out),
        Op::Status | Op::Capabilities | Op::Resources | Op::Health => Ok(()),
    };
    // Plain structs into a growing vector: postcard has no way to fail here.
    debug_assert_eq!(pushed, Ok(()));
}
