//! Operations that ask a language model.

use super::{Fault, Run, Turns, Value};
use crate::ipc::{ChatMessage, Role as Part, ServiceEvent, ServiceRequest, TextKind, TextRequest};
use shared_proto::context::{Role, decode_history};
use shared_proto::error::ErrorCode;
use shared_proto::limits::MAX_TEXT_LEN;
use shared_proto::program::{Chat, Complete};

impl Run<'_, '_> {
    pub(super) fn chat(&mut self, op: u8, chat: &Chat) -> Result<Value, Fault> {
        let mut turns = self.turns(chat)?;
        let input = self.text(chat.input)?;
        let mut messages = Vec::new();
        if let Some(system) = chat.system {
            messages.push(ChatMessage {
                role: Part::System,
                text: self.text(system)?,
            });
        }
        messages.extend(turns.iter().map(|(role, text)| {
            let role = match role {
                Role::User => Part::User,
                Role::Assistant => Part::Assistant,
            };
            ChatMessage {
                role,
                text: text.to_owned(),
            }
        }));
        messages.push(ChatMessage {
            role: Part::User,
            text: input.clone(),
        });
        let request = TextRequest {
            kind: TextKind::Chat,
            model: self.program.text(chat.model).to_owned(),
            messages,
            max_tokens: chat.max_tokens,
            temperature_permille: chat
                .temperature
                .map(|hundredths| u16::from(hundredths) * 10),
        };
        let mut answer = String::new();
        let result = self.stream(op, request, &mut answer);
        // What arrived of a broken answer belongs to the conversation: the person has read it.
        if result.is_ok() || !answer.is_empty() {
            turns.push(Role::User, input);
            turns.push(Role::Assistant, answer.clone());
            self.world
                .contexts()
                .put(self.world.relationship(), chat.conversation, turns);
        }
        result.map(|()| Value::Text(answer))
    }

    fn turns(&self, chat: &Chat) -> Result<Turns, Fault> {
        let mut turns = Turns::new();
        if let Some(history) = chat.history {
            decode_history(&self.octets(history)?, |turn| {
                turns.push(turn.role, turn.text.to_owned())
            })
            .map_err(|error| Fault::new(ErrorCode::Malformed, format!("the history: {error}")))?;
        } else if chat.parent != turns.head() {
            let held = self
                .world
                .contexts()
                .get(self.world.relationship(), chat.conversation);
            turns = held.unwrap_or_default();
        }
        if turns.head() == chat.parent {
            Ok(turns)
        } else {
            Err(Fault::new(
                ErrorCode::ContextMissing,
                "the laptop holds another state of this conversation",
            ))
        }
    }

    pub(super) fn complete(
        &mut self,
        op: u8,
        kind: TextKind,
        operands: &Complete,
    ) -> Result<Value, Fault> {
        let request = TextRequest {
            kind,
            model: self.program.text(operands.model).to_owned(),
            messages: vec![ChatMessage {
                role: Part::User,
                text: self.text(operands.input)?,
            }],
            max_tokens: operands.max_tokens,
            temperature_permille: operands
                .temperature
                .map(|hundredths| u16::from(hundredths) * 10),
        };
        let mut answer = String::new();
        self.stream(op, request, &mut answer)?;
        Ok(Value::Text(answer))
    }

    /// Asks the language service and streams what it writes into `answer` and to the handheld.
    fn stream(&mut self, op: u8, request: TextRequest, answer: &mut String) -> Result<(), Fault> {
        let _permit = self.enter(op)?;
        let prompt: usize = request.messages.iter().map(|said| said.text.len()).sum();
        let counted = (self.usage.tokens_in, self.usage.tokens_out);
        let result = self.listen(op, request, answer);
        // Whoever breaks off does not hear the count: without this, a cancel before the end would cost nothing.
        if let Err(fault) = &result
            && (self.usage.tokens_in, self.usage.tokens_out) == counted
            && (!answer.is_empty() || fault.is_broken_off())
        {
            self.usage.tokens_in += tokens(prompt);
            self.usage.tokens_out += tokens(answer.len());
            self.estimated = true;
        }
        result
    }

    fn listen(&mut self, op: u8, request: TextRequest, answer: &mut String) -> Result<(), Fault> {
        let client = self.world.language();
        let mut calling = self.call(client, ServiceRequest::Text(request), op)?;
        loop {
            match calling.next_event()? {
                ServiceEvent::Started { provider, model } => {
                    self.output.started(op, &format!("{provider}/{model}"))
                }
                ServiceEvent::Text(text) => {
                    if (answer.len() + text.len()) as u64 > MAX_TEXT_LEN {
                        return Err(Fault::new(
                            ErrorCode::TooLarge,
                            "the answer is longer than a text may be",
                        ));
                    }
                    answer.push_str(&text);
                    self.append(op, text.as_bytes())?;
                }
                ServiceEvent::Usage(usage) => {
                    self.usage.tokens_in += u64::from(usage.prompt_tokens);
                    self.usage.tokens_out += u64::from(usage.output_tokens);
                    self.estimated |= usage.estimated;
                }
                ServiceEvent::Done(reason) => {
                    self.output.finished(op, reason);
                    return Ok(());
                }
                ServiceEvent::Failed(failure) => return Err(failure.into()),
                ServiceEvent::Progress { permille, eta_s } => {
                    self.output.progress(op, permille, eta_s)
                }
                other => return Err(super::file::out_of_turn("llm-service", &other)),
            }
        }
    }
}

/// Tokens of a text that nobody has counted: four octets each, as llm-service estimates them.
pub(super) fn tokens(len: usize) -> u64 {
    len.div_ceil(4) as u64
}
