//! Runs verified programs.
//!
//! One call of [`run`] carries out one program under one [`Permit`]: operations in order, each dispatched with
//! its own part of the permit, results streamed while they come to be. It knows neither sessions nor devices:
//! what it needs of the laptop comes through [`World`], what it makes goes to [`Output`].
//!
//! A failed operation ends the program unless a guard waits for that failure; an operation whose operand
//! failed or was passed over is passed over too.

mod context;
mod embed;
mod fault;
mod file;
mod image;
mod language;
mod system;
#[cfg(test)]
mod tests;
mod value;
mod world;

pub use context::{Contexts, Turns};
pub use fault::Fault;
pub use value::{Content, Painting, Value};
pub use world::{FileEntry, Files, Listing, Output, OutputClosed, SystemView, Turn, World};

use crate::ipc::CancelToken;
use crate::policy::{OpPermit, Permit};
use shared_proto::context::EMPTY;
use shared_proto::error::ErrorCode;
use shared_proto::message::Usage;
use shared_proto::program::{Const, Op, Ref, Source, Step, ValueType, Verified};
use std::cell::Cell;
use std::rc::Rc;
use std::time::Instant;

/// Why a program ended before its end.
#[derive(Debug)]
pub struct Failure {
    /// The operation at fault; `None` where none is.
    pub op: Option<u8>,
    /// What happened.
    pub fault: Fault,
}

/// How a program ended, and what it took in either case.
#[derive(Debug)]
pub struct Outcome {
    /// Well, or not.
    pub result: Result<(), Failure>,
    /// What was used.
    pub usage: Usage,
    /// Whether its tokens are estimated, because a provider told none.
    pub estimated: bool,
}

/// Refuses a program whose conversations this laptop does not hold, before anybody is asked and anything runs.
///
/// # Errors
/// `ContextMissing`, with the operation.
pub fn preflight(
    program: &Verified<'_>,
    relationship: i64,
    contexts: &Contexts,
) -> Result<(), Failure> {
    for (index, step) in program.steps().iter().enumerate() {
        let Op::Chat(chat) = &step.op else { continue };
        let known = chat.history.is_some()
            || chat.parent == EMPTY
            || contexts.holds(relationship, chat.conversation, chat.parent);
        if !known {
            return Err(Failure {
                op: Some(index as u8),
                fault: Fault::new(
                    ErrorCode::ContextMissing,
                    "the laptop no longer holds this conversation",
                ),
            });
        }
    }
    Ok(())
}

/// Runs `program`. Blocks until it ends or `cancel` is cancelled.
pub fn run(
    program: &Verified<'_>,
    permit: Permit,
    world: &dyn World,
    output: &dyn Output,
    cancel: &CancelToken,
) -> Outcome {
    let mut run = Run {
        program,
        permit,
        world,
        output,
        cancel,
        results: Vec::new(),
        usage: Usage::default(),
        estimated: false,
        worked: Rc::default(),
    };
    let result = run.all();
    run.usage.millis = run.worked.get();
    Outcome {
        result,
        usage: run.usage,
        estimated: run.estimated,
    }
}

/// What became of an operation.
enum Slot {
    Made(Value),
    Failed,
    PassedOver,
}

struct Run<'r, 'p> {
    program: &'r Verified<'p>,
    permit: Permit,
    world: &'r dyn World,
    output: &'r dyn Output,
    cancel: &'r CancelToken,
    results: Vec<Slot>,
    usage: Usage,
    estimated: bool,
    /// Milliseconds that services have worked on it.
    worked: Rc<Cell<u64>>,
}

/// An operation under way: its part of the permit, and its place at a service. Counts the time it takes.
struct Entered {
    _permit: OpPermit,
    turn: Turn,
    since: Instant,
    worked: Rc<Cell<u64>>,
}

impl Drop for Entered {
    fn drop(&mut self) {
        if self.turn.counts() {
            let millis = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.worked.set(self.worked.get().saturating_add(millis));
        }
    }
}

impl Run<'_, '_> {
    fn all(&mut self) -> Result<(), Failure> {
        for (index, step) in self.program.steps().iter().enumerate() {
            let op = index as u8;
            if self.cancel.is_cancelled() {
                return Err(Failure {
                    op: Some(op),
                    fault: Fault::cancelled(),
                });
            }
            let slot = if self.is_wanted(step) {
                match self.one(op, &step.op) {
                    Ok(value) => Slot::Made(value),
                    Err(fault) if self.program.is_handled(op) && !fault.ends_everything() => {
                        Slot::Failed
                    }
                    Err(fault) => {
                        return Err(Failure {
                            op: Some(op),
                            fault,
                        });
                    }
                }
            } else {
                Slot::PassedOver
            };
            self.results.push(slot);
        }
        Ok(())
    }

    /// Whether the guard holds and every operand exists.
    fn is_wanted(&self, step: &Step) -> bool {
        if let Some(guard) = step.guard
            && !matches!(self.results.get(usize::from(guard)), Some(Slot::Failed))
        {
            return false;
        }
        let mut wanted = true;
        step.op.for_each_ref(|reference| {
            if let Source::Result(index) = reference.source() {
                wanted &= matches!(self.results.get(usize::from(index)), Some(Slot::Made(_)));
            }
        });
        wanted
    }

    fn one(&mut self, op: u8, what: &Op) -> Result<Value, Fault> {
        let value = match what {
            Op::Text(value) => Value::Text(self.text(*value)?),
            Op::Bytes(value) => Value::Bytes(Content::Memory(self.octets(*value)?)),
            Op::Integer(value) => Value::Int(self.integer(*value)?),
            Op::Concat(parts) => {
                let mut whole = String::new();
                for part in parts {
                    whole.push_str(&self.text(*part)?);
                }
                Value::Text(whole)
            }
            Op::Emit(_) => return Ok(Value::Int(0)),
            Op::Chat(chat) => self.chat(op, chat)?,
            Op::Complete(operands) => {
                self.complete(op, crate::ipc::TextKind::Complete, operands)?
            }
            Op::Code(operands) => self.complete(op, crate::ipc::TextKind::Code, operands)?,
            Op::Summarize(operands) => {
                self.complete(op, crate::ipc::TextKind::Summarize, operands)?
            }
            Op::Embed(operands) => self.embed(op, operands)?,
            Op::Generate(operands) => self.generate(op, operands)?,
            Op::Edit(operands) => self.edit(op, operands)?,
            Op::Upscale(operands) => self.upscale(op, operands)?,
            Op::Variation(operands) => self.variation(op, operands)?,
            Op::Fit(operands) => self.fit(op, operands)?,
            Op::List(operands) => self.list(op, operands)?,
            Op::Metadata(operands) => self.metadata(op, operands)?,
            Op::Get(operands) => self.get(op, operands)?,
            Op::Put(operands) => self.put(op, operands)?,
            Op::Delete(operands) => self.delete(op, operands)?,
            Op::Fetch(operands) => self.fetch(op, operands)?,
            Op::Status => self.status(op)?,
            Op::Capabilities => self.capabilities(op)?,
            Op::Resources => self.resources(op)?,
            Op::Health => self.health(op)?,
        };
        // Language and fetch have streamed theirs already.
        let streamed = matches!(
            what,
            Op::Chat(_)
                | Op::Complete(_)
                | Op::Code(_)
                | Op::Summarize(_)
                | Op::Embed(_)
                | Op::Fetch(_)
        );
        if self.program.is_emitted(op) {
            if !streamed {
                value.send(|bytes| self.append(op, bytes))?;
            }
            self.output.end(op).map_err(|OutputClosed(fault)| fault)?;
        }
        Ok(value)
    }

    /// Takes the part of the permit that covers operation `op` and asks the policy once more: it may have
    /// changed since the program was let in.
    fn enter(&mut self, op: u8) -> Result<Entered, Fault> {
        let permit = self.permit.take(op).ok_or_else(|| {
            Fault::new(
                ErrorCode::Denied,
                "the permit does not cover this operation",
            )
        })?;
        self.world.recheck(&permit)?;
        let turn = self.world.turn(&permit)?;
        if turn.counts() {
            // It may have waited long.
            self.world.recheck(&permit)?;
        }
        Ok(Entered {
            _permit: permit,
            turn,
            since: Instant::now(),
            worked: Rc::clone(&self.worked),
        })
    }

    /// Sends octets of the result of `op`, where it is emitted.
    fn append(&self, op: u8, bytes: &[u8]) -> Result<(), Fault> {
        if !self.program.is_emitted(op) {
            return Ok(());
        }
        self.output
            .append(op, bytes)
            .map_err(|OutputClosed(fault)| fault)
    }

    fn made(&self, index: u8) -> Result<&Value, Fault> {
        match self.results.get(usize::from(index)) {
            Some(Slot::Made(value)) => Ok(value),
            _ => Err(Fault::new(
                ErrorCode::BadReference,
                "a result that was never made is used",
            )),
        }
    }

    fn constant(&self, index: u8) -> Result<&Const<'_>, Fault> {
        self.program
            .consts()
            .get(usize::from(index))
            .ok_or_else(|| {
                Fault::new(
                    ErrorCode::BadReference,
                    "a constant that does not exist is used",
                )
            })
    }

    fn type_of(&self, reference: Ref) -> Option<ValueType> {
        match reference.source() {
            Source::Result(index) => self.program.types().get(usize::from(index)).copied(),
            Source::Const(index) => self.program.consts().get(usize::from(index)).map(Const::ty),
        }
    }

    fn text(&self, reference: Ref) -> Result<String, Fault> {
        match reference.source() {
            Source::Result(index) => self.made(index)?.to_text(),
            Source::Const(index) => match self.constant(index)? {
                Const::Text(text) => Ok((*text).to_owned()),
                Const::Int(value) => Ok(value.to_string()),
                Const::Bytes(bytes) => value::text_of(bytes.to_vec()),
                Const::Blob(_) => value::text_of(self.world.blob(index)?.read()?),
            },
        }
    }

    fn octets(&self, reference: Ref) -> Result<Vec<u8>, Fault> {
        match reference.source() {
            Source::Result(index) => self.made(index)?.to_octets(),
            Source::Const(index) => match self.constant(index)? {
                Const::Text(text) => Ok(text.as_bytes().to_vec()),
                Const::Bytes(bytes) => Ok(bytes.to_vec()),
                Const::Int(value) => Ok(value.to_string().into_bytes()),
                Const::Blob(_) => self.world.blob(index)?.read(),
            },
        }
    }

    fn content(&self, reference: Ref) -> Result<Content, Fault> {
        if let Source::Const(index) = reference.source()
            && matches!(self.constant(index)?, Const::Blob(_))
        {
            return self.world.blob(index);
        }
        if let Source::Result(index) = reference.source()
            && let Value::Bytes(content) = self.made(index)?
        {
            return content.duplicate();
        }
        self.octets(reference).map(Content::Memory)
    }

    fn integer(&self, reference: Ref) -> Result<u64, Fault> {
        if let Source::Const(index) = reference.source()
            && let Const::Int(value) = self.constant(index)?
        {
            return Ok(*value);
        }
        let text = self.text(reference)?;
        text.trim()
            .parse()
            .map_err(|_| Fault::new(ErrorCode::TypeMismatch, "the text is not a whole number"))
    }
}
