//! The verifier: every reference exists, every type fits, every number lies within its cap. What comes out
//! says what the program would do.

use super::decode::{Program, Step};
use super::effect::{Cost, Effect};
use super::op::{ConstRef, Embed, Op, Ref, Source};
use super::value::{Const, ValueType};
use super::{ProgramError, ProgramFault};
use crate::embedding::NUMBER_LEN;
use crate::limits::{
    MAX_CONSTS, MAX_DIMENSIONS, MAX_EMBED_TEXTS, MAX_MODEL_LEN, MAX_OPS, MAX_PATH_LEN, MAX_SIDE,
    MAX_STEPS, MAX_TEXT_LEN, MAX_TOKEN_LEN, MAX_TOKENS, MAX_URL_LEN, MAX_VALUE_LEN, MIN_SIDE,
};

/// Seconds before the first token of an answer: loading a large model from disk.
const LANGUAGE_START_S: u64 = 120;
/// Slowest generation that is waited for, in tokens a second.
const SLOWEST_TOKENS_PER_S: u64 = 2;
/// Slowest reading that is waited for, in octets of text a second.
const SLOWEST_READING_PER_S: u64 = 64;
/// Seconds for one picture besides its steps.
const IMAGE_START_S: u64 = 120;
/// Seconds for one step at most, on a laptop without a graphics card.
const IMAGE_STEP_S: u64 = 20;
/// Seconds for an operation on files.
const FILE_S: u64 = 60;
/// Slowest download that is waited for, in octets a second.
const SLOWEST_FETCH_PER_S: u64 = 16 * 1024;
/// Longest picture in octets, as a provider may send it: an uncompressed RGBA of the largest size.
const MAX_IMAGE_LEN: u64 = MAX_SIDE as u64 * MAX_SIDE as u64 * 4;
/// Longest record in octets: a full page of a listing.
const MAX_RECORD_LEN: u64 = 64 * 1024;

/// A program that [`verify`] passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified<'a> {
    consts: heapless::Vec<Const<'a>, MAX_CONSTS>,
    steps: heapless::Vec<Step, MAX_OPS>,
    types: heapless::Vec<ValueType, MAX_OPS>,
    emitted: u32,
    handled: u32,
    effects: heapless::Vec<Effect<'a>, MAX_OPS>,
    cost: Cost,
}

impl<'a> Verified<'a> {
    /// Constants by index.
    #[must_use]
    pub fn consts(&self) -> &[Const<'a>] {
        &self.consts
    }

    /// Operations in the order they run.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Type of the result of each operation.
    #[must_use]
    pub fn types(&self) -> &[ValueType] {
        &self.types
    }

    /// Whether the result of operation `op` is sent to the handheld.
    #[must_use]
    pub const fn is_emitted(&self, op: u8) -> bool {
        op < 32 && self.emitted & (1 << op) != 0
    }

    /// Whether a guard waits for the failure of operation `op`, so that it does not end the program.
    #[must_use]
    pub const fn is_handled(&self, op: u8) -> bool {
        op < 32 && self.handled & (1 << op) != 0
    }

    /// Everything the program would do, in order.
    #[must_use]
    pub fn effects(&self) -> &[Effect<'a>] {
        &self.effects
    }

    /// What the whole program costs at the most.
    #[must_use]
    pub const fn cost(&self) -> Cost {
        self.cost
    }

    /// The text of a constant that [`verify`] found to be one; empty otherwise.
    #[must_use]
    pub fn text(&self, reference: ConstRef) -> &'a str {
        match self.consts.get(usize::from(reference.0)) {
            Some(Const::Text(text)) => text,
            _ => "",
        }
    }
}

/// Proves `program` well-formed and returns its effects and cost.
///
/// # Errors
/// A [`ProgramError`] that names the first operation at fault.
pub fn verify<'a>(program: Program<'a>) -> Result<Verified<'a>, ProgramError> {
    let mut check = Check {
        consts: &program.consts,
        types: heapless::Vec::new(),
        lens: heapless::Vec::new(),
        emits: 0,
        emitted: 0,
        handled: 0,
    };
    let mut effects = heapless::Vec::new();
    let mut cost = Cost::default();
    for (index, step) in program.steps.iter().enumerate() {
        let at = |fault| ProgramError::at(index, fault);
        if let Some(guard) = step.guard {
            if usize::from(guard) >= index || matches!(step.op, Op::Emit(_)) {
                return Err(at(ProgramFault::BadGuard));
            }
            check.handled |= 1 << guard;
        }
        let outcome = check.step(&step.op).map_err(at)?;
        if let Some(operation) = step.op.opcode().operation() {
            let effect = Effect {
                op: index as u8,
                operation,
                model: outcome.model,
                target: outcome.target,
                size: outcome.size,
                cost: outcome.cost,
            };
            cost = cost.plus(outcome.cost);
            effects
                .push(effect)
                .map_err(|_| at(ProgramFault::Limit("the number of operations")))?;
        }
        let full = |_| at(ProgramFault::Limit("the number of operations"));
        check.types.push(outcome.ty).map_err(full)?;
        check
            .lens
            .push(outcome.len.min(MAX_VALUE_LEN))
            .map_err(|_| full(outcome.ty))?;
    }
    if check.emitted == 0 {
        return Err(ProgramError::before(ProgramFault::NothingEmitted));
    }
    let Check {
        types,
        emitted,
        handled,
        ..
    } = check;
    Ok(Verified {
        consts: program.consts,
        steps: program.steps,
        types,
        emitted,
        handled,
        effects,
        cost,
    })
}

/// What one operation yields.
struct Outcome<'a> {
    ty: ValueType,
    len: u64,
    model: &'a str,
    target: &'a str,
    size: (u16, u16),
    cost: Cost,
}

impl Outcome<'_> {
    fn plain(ty: ValueType, len: u64) -> Self {
        Self {
            ty,
            len,
            model: "",
            target: "",
            size: (0, 0),
            cost: Cost::default(),
        }
    }
}

struct Check<'p, 'a> {
    consts: &'p [Const<'a>],
    types: heapless::Vec<ValueType, MAX_OPS>,
    lens: heapless::Vec<u64, MAX_OPS>,
    /// Operations that are emits, which yield nothing to refer to.
    emits: u32,
    emitted: u32,
    handled: u32,
}

impl<'a> Check<'_, 'a> {
    fn step(&mut self, op: &Op) -> Result<Outcome<'a>, ProgramFault> {
        use ValueType::{Bytes, Image, Int, Record, Text};
        Ok(match op {
            Op::Text(value) => {
                let len = self.value(*value, &[Text, Bytes, Int])?;
                Outcome::plain(Text, at_most("the length of a text", len, MAX_TEXT_LEN)?)
            }
            Op::Bytes(value) => {
                Outcome::plain(Bytes, self.value(*value, &[Text, Bytes, Image, Record])?)
            }
            Op::Integer(value) => {
                self.value(*value, &[Text, Int])?;
                Outcome::plain(Int, 20)
            }
            Op::Concat(parts) => {
                let mut len = 0u64;
                for part in parts {
                    len = len.saturating_add(self.value(*part, &[Text, Int])?);
                }
                Outcome::plain(Text, at_most("the length of a text", len, MAX_TEXT_LEN)?)
            }
            Op::Emit(value) => {
                let len = self.value(*value, &[Text, Bytes, Int, Image, Record])?;
                let Source::Result(index) = value.source() else {
                    return Err(ProgramFault::BadReference(value.0));
                };
                if self.emitted & (1 << index) != 0 {
                    return Err(ProgramFault::EmittedTwice(value.0));
                }
                self.emitted |= 1 << index;
                self.emits |= 1 << self.types.len();
                Outcome::plain(self.types[usize::from(index)], len)
            }
            Op::Chat(chat) => {
                self.text(chat.input)?;
                if let Some(system) = chat.system {
                    self.text(system)?;
                }
                if let Some(history) = chat.history {
                    let len = self.value(history, &[Bytes])?;
                    at_most("the length of a history", len, MAX_TEXT_LEN)?;
                }
                self.language(chat.model, chat.max_tokens, chat.temperature)?
            }
            Op::Complete(op) | Op::Code(op) | Op::Summarize(op) => {
                self.text(op.input)?;
                self.language(op.model, op.max_tokens, op.temperature)?
            }
            Op::Embed(op) => self.embedding(op)?,
            Op::Generate(op) => {
                self.text(op.prompt)?;
                if let Some(negative) = op.negative {
                    self.text(negative)?;
                }
                self.constant(op.style, "the style", MAX_MODEL_LEN)?;
                size(op.width, op.height)?;
                self.painting(op.model, op.steps, (op.width, op.height))?
            }
            Op::Edit(op) => {
                self.value(op.image, &[Image, Bytes])?;
                self.text(op.prompt)?;
                percent(op.strength)?;
                self.painting(op.model, op.steps, (MAX_SIDE, MAX_SIDE))?
            }
            Op::Variation(op) => {
                self.value(op.image, &[Image, Bytes])?;
                percent(op.strength)?;
                self.painting(op.model, op.steps, (MAX_SIDE, MAX_SIDE))?
            }
            Op::Upscale(op) => {
                self.value(op.image, &[Image, Bytes])?;
                if !(2..=4).contains(&op.factor) {
                    return Err(ProgramFault::Limit("the factor"));
                }
                self.painting(op.model, 1, (MAX_SIDE, MAX_SIDE))?
            }
            Op::Fit(op) => {
                let len = self.value(op.image, &[Image, Bytes])?;
                size(op.width, op.height)?;
                if op.formats == 0 {
                    return Err(ProgramFault::Limit("the list of formats"));
                }
                let size = (op.width, op.height);
                let cost = Cost {
                    seconds: FILE_S,
                    ..Cost::default()
                };
                Outcome {
                    size,
                    cost,
                    ..Outcome::plain(Image, len.max(MAX_IMAGE_LEN))
                }
            }
            Op::List(op) => {
                let target = self.constant(op.path, "the length of a path", MAX_PATH_LEN)?;
                if op.limit == 0 || op.limit > crate::report::MAX_ENTRIES {
                    return Err(ProgramFault::Limit("the number of entries"));
                }
                Outcome {
                    target,
                    cost: file(0),
                    ..Outcome::plain(Record, MAX_RECORD_LEN)
                }
            }
            Op::Metadata(op) => {
                let target = self.path(op.path)?;
                Outcome {
                    target,
                    cost: file(0),
                    ..Outcome::plain(Record, MAX_RECORD_LEN)
                }
            }
            Op::Get(op) => {
                let target = self.path(op.path)?;
                let len = at_most("the length of a file", op.max_len, MAX_VALUE_LEN)?;
                Outcome {
                    target,
                    cost: file(len),
                    ..Outcome::plain(Bytes, len)
                }
            }
            Op::Put(op) => {
                let target = self.path(op.path)?;
                let len = self.value(op.data, &[Text, Bytes, Image])?;
                Outcome {
                    target,
                    cost: file(len),
                    ..Outcome::plain(Int, 20)
                }
            }
            Op::Delete(op) => Outcome {
                target: self.path(op.path)?,
                cost: file(0),
                ..Outcome::plain(Int, 20)
            },
            Op::Fetch(op) => {
                let target = self.constant(op.url, "the length of an address", MAX_URL_LEN)?;
                let len = at_most("the length of a download", op.max_len, MAX_VALUE_LEN)?;
                let seconds = FILE_S + len / SLOWEST_FETCH_PER_S;
                let cost = Cost {
                    bytes: len,
                    seconds,
                    ..Cost::default()
                };
                Outcome {
                    target,
                    cost,
                    ..Outcome::plain(Bytes, len)
                }
            }
            Op::Status | Op::Capabilities | Op::Resources | Op::Health => {
                let cost = Cost {
                    seconds: FILE_S,
                    ..Cost::default()
                };
                Outcome {
                    cost,
                    ..Outcome::plain(Record, MAX_RECORD_LEN)
                }
            }
        })
    }

    /// Checks that `reference` exists with one of `types`; returns how long it may be.
    fn value(&self, reference: Ref, types: &[ValueType]) -> Result<u64, ProgramFault> {
        let bad = ProgramFault::BadReference(reference.0);
        let (found, len) = match reference.source() {
            Source::Const(index) => {
                let constant = self.consts.get(usize::from(index)).ok_or(bad)?;
                (constant.ty(), constant.len())
            }
            Source::Result(index) => {
                let index = usize::from(index);
                if index < MAX_OPS && self.emits & (1 << index) != 0 {
                    return Err(bad);
                }
                (
                    *self.types.get(index).ok_or(bad)?,
                    *self.lens.get(index).ok_or(bad)?,
                )
            }
        };
        if types.contains(&found) {
            Ok(len)
        } else {
            Err(ProgramFault::TypeMismatch {
                reference: reference.0,
                found,
            })
        }
    }

    fn text(&self, reference: Ref) -> Result<(), ProgramFault> {
        let len = self.value(reference, &[ValueType::Text])?;
        at_most("the length of a text", len, MAX_TEXT_LEN).map(|_| ())
    }

    fn constant(
        &self,
        reference: ConstRef,
        what: &'static str,
        cap: usize,
    ) -> Result<&'a str, ProgramFault> {
        match self.consts.get(usize::from(reference.0)) {
            Some(Const::Text(text)) if text.len() <= cap => Ok(text),
            Some(Const::Text(_)) => Err(ProgramFault::Limit(what)),
            Some(other) => Err(ProgramFault::TypeMismatch {
                reference: reference.0,
                found: other.ty(),
            }),
            None => Err(ProgramFault::BadReference(reference.0)),
        }
    }

    fn path(&self, reference: ConstRef) -> Result<&'a str, ProgramFault> {
        let path = self.constant(reference, "the length of a path", MAX_PATH_LEN)?;
        if path.is_empty() {
            Err(ProgramFault::Limit("the length of a path"))
        } else {
            Ok(path)
        }
    }

    fn language(
        &self,
        model: ConstRef,
        max_tokens: u32,
        temperature: Option<u8>,
    ) -> Result<Outcome<'a>, ProgramFault> {
        let model = self.constant(model, "the name of a model", MAX_MODEL_LEN)?;
        if max_tokens == 0 || max_tokens > MAX_TOKENS {
            return Err(ProgramFault::Limit("the number of tokens"));
        }
        if temperature.is_some_and(|hundredths| hundredths > 200) {
            return Err(ProgramFault::Limit("the temperature"));
        }
        let tokens = u64::from(max_tokens);
        let seconds = LANGUAGE_START_S + tokens / SLOWEST_TOKENS_PER_S;
        let cost = Cost {
            tokens,
            seconds,
            ..Cost::default()
        };
        Ok(Outcome {
            model,
            cost,
            ..Outcome::plain(ValueType::Text, tokens * MAX_TOKEN_LEN)
        })
    }

    fn embedding(&self, op: &Embed) -> Result<Outcome<'a>, ProgramFault> {
        let model = self.constant(op.model, "the name of a model", MAX_MODEL_LEN)?;
        if model.is_empty() {
            return Err(ProgramFault::Limit("the name of a model"));
        }
        let len = self.value(op.input, &[ValueType::Text, ValueType::Bytes])?;
        let len = at_most("the length of a text", len, MAX_TEXT_LEN)?;
        let most = match self.value(op.input, &[ValueType::Text]) {
            Ok(_) => 1,
            Err(_) => MAX_EMBED_TEXTS,
        };
        if op.count == 0 || op.count > most {
            return Err(ProgramFault::Limit("the number of texts"));
        }
        let dimensions = op.dimensions.unwrap_or(MAX_DIMENSIONS);
        if dimensions == 0 || dimensions > MAX_DIMENSIONS {
            return Err(ProgramFault::Limit("the length of a vector"));
        }
        let cost = Cost {
            // Nothing is written. What is read has no more tokens than octets.
            tokens: len,
            seconds: LANGUAGE_START_S + len / SLOWEST_READING_PER_S,
            ..Cost::default()
        };
        let len = u64::from(op.count) * u64::from(dimensions) * NUMBER_LEN;
        Ok(Outcome {
            model,
            cost,
            ..Outcome::plain(ValueType::Bytes, len)
        })
    }

    fn painting(
        &self,
        model: ConstRef,
        steps: u8,
        size: (u16, u16),
    ) -> Result<Outcome<'a>, ProgramFault> {
        let model = self.constant(model, "the name of a model", MAX_MODEL_LEN)?;
        if steps == 0 || steps > MAX_STEPS {
            return Err(ProgramFault::Limit("the number of steps"));
        }
        let steps = u64::from(steps);
        let cost = Cost {
            pictures: 1,
            pixel_steps: u64::from(size.0) * u64::from(size.1) * steps,
            seconds: IMAGE_START_S + IMAGE_STEP_S * steps,
            ..Cost::default()
        };
        Ok(Outcome {
            model,
            size,
            cost,
            ..Outcome::plain(ValueType::Image, MAX_IMAGE_LEN)
        })
    }
}

fn file(bytes: u64) -> Cost {
    Cost {
        bytes,
        seconds: FILE_S,
        ..Cost::default()
    }
}

fn at_most(what: &'static str, value: u64, cap: u64) -> Result<u64, ProgramFault> {
    if value <= cap {
        Ok(value)
    } else {
        Err(ProgramFault::Limit(what))
    }
}

fn percent(value: u8) -> Result<(), ProgramFault> {
    if value <= 100 {
        Ok(())
    } else {
        Err(ProgramFault::Limit("the strength"))
    }
}

fn size(width: u16, height: u16) -> Result<(), ProgramFault> {
    let fits = |side| (MIN_SIDE..=MAX_SIDE).contains(&side);
    if fits(width) && fits(height) {
        Ok(())
    } else {
        Err(ProgramFault::Limit("the size of a picture"))
    }
}
