//! From bytes to constants and operations, on borrowed data.

use super::op::Op;
use super::value::{Blob, Const, ValueType};
use super::{ProgramError, ProgramFault};
use crate::codec::{Reader, from_postcard};
use crate::error::DecodeError;
use crate::limits::{MAX_CONSTS, MAX_OPS, MAX_PARTS, MAX_PROGRAM_LEN, MAX_VALUE_LEN};
use crate::opcode::Opcode;

/// Version of the program encoding, its first octet.
pub(super) const VERSION: u8 = 1;

/// One operation and when it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Runs only where the result of this earlier operation failed.
    pub guard: Option<u8>,
    /// What to do.
    pub op: Op,
}

/// A program that decodes. It may still be ill-typed: see [`super::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program<'a> {
    /// Constants by index.
    pub consts: heapless::Vec<Const<'a>, MAX_CONSTS>,
    /// Operations in the order they run.
    pub steps: heapless::Vec<Step, MAX_OPS>,
}

/// Reads a program.
///
/// # Errors
/// A [`ProgramError`] that names the operation where the fault lies in one.
pub fn decode(bytes: &[u8]) -> Result<Program<'_>, ProgramError> {
    let before = |error| ProgramError::before(ProgramFault::Bytes(error));
    if bytes.len() > MAX_PROGRAM_LEN {
        return Err(before(DecodeError::TooLong));
    }
    let mut reader = Reader::new(bytes);
    let version = reader.varint().map_err(before)?;
    if version != u64::from(VERSION) {
        return Err(ProgramError::before(ProgramFault::Version(version)));
    }
    let mut consts = heapless::Vec::new();
    for _ in 0..reader.count(MAX_CONSTS).map_err(before)? {
        let constant = decode_const(&mut reader).map_err(ProgramError::before)?;
        consts
            .push(constant)
            .map_err(|_| before(DecodeError::TooLong))?;
    }
    let mut steps = heapless::Vec::new();
    for index in 0..reader.count(MAX_OPS).map_err(before)? {
        let step = decode_step(&mut reader).map_err(|fault| ProgramError::at(index, fault))?;
        steps.push(step).map_err(|_| before(DecodeError::TooLong))?;
    }
    reader.finish().map_err(before)?;
    Ok(Program { consts, steps })
}

fn decode_const<'a>(reader: &mut Reader<'a>) -> Result<Const<'a>, ProgramFault> {
    let kind = reader.octet().map_err(ProgramFault::Bytes)?;
    let bytes = reader.bytes(MAX_PROGRAM_LEN).map_err(ProgramFault::Bytes)?;
    match kind {
        0 => core::str::from_utf8(bytes)
            .map(Const::Text)
            .map_err(|_| ProgramFault::NotUtf8),
        1 => Ok(Const::Bytes(bytes)),
        2 => {
            let mut inner = Reader::new(bytes);
            let value = inner.varint().map_err(ProgramFault::Bytes)?;
            inner.finish().map_err(ProgramFault::Bytes)?;
            Ok(Const::Int(value))
        }
        3 => decode_blob(bytes).map(Const::Blob),
        other => Err(ProgramFault::ConstKind(other)),
    }
}

fn decode_blob(bytes: &[u8]) -> Result<Blob, ProgramFault> {
    let mut inner = Reader::new(bytes);
    let mut sha256 = [0; 32];
    sha256.copy_from_slice(inner.take(32).map_err(ProgramFault::Bytes)?);
    let len = inner.varint().map_err(ProgramFault::Bytes)?;
    let ty = match inner.octet().map_err(ProgramFault::Bytes)? {
        0 => ValueType::Text,
        1 => ValueType::Bytes,
        2 => ValueType::Image,
        _ => return Err(ProgramFault::Bytes(DecodeError::BadPayload)),
    };
    inner.finish().map_err(ProgramFault::Bytes)?;
    if len > MAX_VALUE_LEN {
        return Err(ProgramFault::Limit("the length of an upload"));
    }
    Ok(Blob { sha256, len, ty })
}

fn decode_step(reader: &mut Reader<'_>) -> Result<Step, ProgramFault> {
    let number = reader.octet().map_err(ProgramFault::Bytes)?;
    let guard = match reader.count(MAX_OPS).map_err(ProgramFault::Bytes)? {
        0 => None,
        one_above => Some((one_above - 1) as u8),
    };
    let operands = reader.bytes(MAX_PROGRAM_LEN).map_err(ProgramFault::Bytes)?;
    let opcode = Opcode::from_number(number).ok_or(ProgramFault::UnknownOpcode(number))?;
    let op = decode_op(opcode, operands)?;
    Ok(Step { guard, op })
}

fn decode_op(opcode: Opcode, operands: &[u8]) -> Result<Op, ProgramFault> {
    fn get<'a, T: serde::Deserialize<'a>>(operands: &'a [u8]) -> Result<T, ProgramFault> {
        from_postcard(operands).map_err(ProgramFault::Bytes)
    }
    fn none(operands: &[u8], op: Op) -> Result<Op, ProgramFault> {
        if operands.is_empty() {
            Ok(op)
        } else {
            Err(ProgramFault::Bytes(DecodeError::Trailing))
        }
    }
    Ok(match opcode {
        Opcode::Text => Op::Text(get(operands)?),
        Opcode::Bytes => Op::Bytes(get(operands)?),
        Opcode::Integer => Op::Integer(get(operands)?),
        Opcode::Concat => {
            if operands
                .first()
                .is_some_and(|count| usize::from(*count) > MAX_PARTS)
            {
                return Err(ProgramFault::Limit("the number of parts"));
            }
            Op::Concat(get(operands)?)
        }
        Opcode::Emit => Op::Emit(get(operands)?),
        Opcode::Chat => Op::Chat(get(operands)?),
        Opcode::Complete => Op::Complete(get(operands)?),
        Opcode::Code => Op::Code(get(operands)?),
        Opcode::Summarize => Op::Summarize(get(operands)?),
        Opcode::Embed => Op::Embed(get(operands)?),
        Opcode::Generate => Op::Generate(get(operands)?),
        Opcode::Edit => Op::Edit(get(operands)?),
        Opcode::Upscale => Op::Upscale(get(operands)?),
        Opcode::Variation => Op::Variation(get(operands)?),
        Opcode::Fit => Op::Fit(get(operands)?),
        Opcode::List => Op::List(get(operands)?),
        Opcode::Metadata => Op::Metadata(get(operands)?),
        Opcode::Get => Op::Get(get(operands)?),
        Opcode::Put => Op::Put(get(operands)?),
        Opcode::Delete => Op::Delete(get(operands)?),
        Opcode::Fetch => Op::Fetch(get(operands)?),
        Opcode::Status => none(operands, Op::Status)?,
        Opcode::Capabilities => none(operands, Op::Capabilities)?,
        Opcode::Resources => none(operands, Op::Resources)?,
        Opcode::Health => none(operands, Op::Health)?,
        Opcode::JobRun | Opcode::JobStatus | Opcode::JobResult | Opcode::JobCancel => {
            return Err(ProgramFault::Unsupported(opcode));
        }
    })
}
