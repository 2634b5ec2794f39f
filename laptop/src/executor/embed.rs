//! Vectors of texts.

use super::{Content, Fault, Run, Value};
use crate::ipc::{EmbedRequest, ServiceEvent, ServiceRequest};
use shared_proto::embedding::decode_texts;
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_DIMENSIONS;
use shared_proto::program::{Embed, ValueType};
use std::fs::File;
use std::io::Write as _;

impl Run<'_, '_> {
    pub(super) fn embed(&mut self, op: u8, operands: &Embed) -> Result<Value, Fault> {
        let request = EmbedRequest {
            model: self.program.text(operands.model).to_owned(),
            texts: self.texts(operands)?,
            dimensions: operands.dimensions,
        };
        let read: usize = request.texts.iter().map(String::len).sum();
        let _permit = self.enter(op)?;
        let counted = self.usage.tokens_in;
        // On the disk, as a program may have many of them and hold each to its end.
        let mut vectors = self.world.scratch()?;
        let mut any = false;
        let result = self.collect(op, request, &mut vectors, &mut any);
        // As with texts: whoever breaks off does not hear the count.
        if let Err(fault) = &result
            && self.usage.tokens_in == counted
            && (any || fault.is_broken_off())
        {
            self.usage.tokens_in += super::language::tokens(read);
            self.estimated = true;
        }
        result.map(|()| Value::Bytes(Content::File(vectors)))
    }

    /// The texts that an operand is.
    fn texts(&self, operands: &Embed) -> Result<Vec<String>, Fault> {
        let wrong = |words: String| Fault::new(ErrorCode::Malformed, words);
        let texts = match self.type_of(operands.input) {
            Some(ValueType::Text) => vec![self.text(operands.input)?],
            _ => {
                let mut texts = Vec::new();
                decode_texts(&self.octets(operands.input)?, |text| {
                    texts.push(text.to_owned())
                })
                .map_err(|error| wrong(format!("the list of texts: {error}")))?;
                texts
            }
        };
        if texts.len() != usize::from(operands.count) {
            let words = format!(
                "the list has {} texts where {} were announced",
                texts.len(),
                operands.count
            );
            return Err(wrong(words));
        }
        match texts.iter().position(String::is_empty) {
            Some(place) => Err(wrong(format!("text {place} of the list is empty"))),
            None => Ok(texts),
        }
    }

    fn collect(
        &mut self,
        op: u8,
        request: EmbedRequest,
        vectors: &mut File,
        any: &mut bool,
    ) -> Result<(), Fault> {
        let (wanted, mut dimensions) = (request.texts.len(), request.dimensions.map(usize::from));
        let mut made = 0;
        let client = self.world.language();
        let mut calling = self.call(client, ServiceRequest::Embed(request), op)?;
        loop {
            match calling.next_event()? {
                ServiceEvent::Started { provider, model } => {
                    self.output.started(op, &format!("{provider}/{model}"))
                }
                ServiceEvent::Vector(vector)
                    if made < wanted
                        && *dimensions.get_or_insert(vector.len()) == vector.len()
                        && (1..=usize::from(MAX_DIMENSIONS)).contains(&vector.len()) =>
                {
                    made += 1;
                    let octets: Vec<u8> = vector.iter().flat_map(|one| one.to_le_bytes()).collect();
                    *any = true;
                    vectors
                        .write_all(&octets)
                        .map_err(|error| Fault::disk(&error))?;
                    self.append(op, &octets)?;
                }
                ServiceEvent::Usage(usage) => {
                    self.usage.tokens_in += u64::from(usage.prompt_tokens);
                    self.estimated |= usage.estimated;
                }
                ServiceEvent::Done(_) if made == wanted => return Ok(()),
                ServiceEvent::Failed(failure) => return Err(failure.into()),
                other => return Err(super::file::out_of_turn("llm-service", &other)),
            }
        }
    }
}
