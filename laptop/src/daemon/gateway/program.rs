//! Makes programs of what callers ask for, so that verifier and policy see the same effects as a device's. Pure.

use super::fault::Failed;
use crate::control::api::{
    GatewayChat, GatewayEmbed, GatewayFault, GatewayImage, GatewayMessage, GatewayText, Sampling,
    Speaker,
};
use shared_proto::context::{EMPTY, Role, Turn, advance, encode_history};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;
use shared_proto::embedding::encode_texts;
use shared_proto::limits::{
    MAX_DIMENSIONS, MAX_EMBED_TEXTS, MAX_MODEL_LEN, MAX_SIDE, MAX_TOKENS, MIN_SIDE,
};
use shared_proto::message::Screen;
use shared_proto::program::{Blob, Builder, Chat, Complete, Embed, Generate, Op, Ref, ValueType};

/// Tokens of an answer where the caller names no number.
const USUAL_TOKENS: u32 = 4096;
/// Octets of text in one conversation: what the executor keeps of one. A longer one would lose its beginning.
const MAX_SAID: usize = 240 * 1024;
/// Messages of one conversation, as llm-service takes them.
const MAX_MESSAGES: usize = 500;
/// Octets of all texts of one request for vectors.
const MAX_EMBEDDED: usize = 512 * 1024;
/// Texts that an answer ends before, and octets of each.
const MAX_STOPS: usize = 4;
const MAX_STOP_LEN: usize = 256;
/// Pictures of one request.
const MAX_PICTURES: u8 = 4;
/// Steps of a picture: what a handheld asks for where nobody has chosen another number. Painters without steps take no notice.
const STEPS: u8 = 20;
/// Longest text that lies in the program itself; what is longer is named by its hash.
const MAX_INLINE_LEN: usize = 2 * 1024;

/// A program with what it names by hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) program: Vec<u8>,
    pub(super) attached: Vec<Vec<u8>>,
    pub(super) screen: Screen,
}

#[derive(Default)]
struct Maker {
    builder: Builder,
    attached: Vec<Vec<u8>>,
}

impl Maker {
    fn text(&mut self, text: &str) -> Ref {
        if text.len() <= MAX_INLINE_LEN {
            self.builder.text(text)
        } else {
            self.blob(text.as_bytes().to_vec(), ValueType::Text)
        }
    }

    fn octets(&mut self, octets: Vec<u8>) -> Ref {
        if octets.len() <= MAX_INLINE_LEN {
            self.builder.bytes(&octets)
        } else {
            self.blob(octets, ValueType::Bytes)
        }
    }

    fn blob(&mut self, octets: Vec<u8>, ty: ValueType) -> Ref {
        let blob = Blob {
            sha256: RingCrypto.sha256(&[&octets]),
            len: octets.len() as u64,
            ty,
        };
        self.attached.push(octets);
        self.builder.blob(blob)
    }

    fn finish(self, screen: Screen) -> Result<Asked, Failed> {
        let program = self
            .builder
            .finish()
            .map_err(|_| Failed::request("the request is too long"))?;
        Ok(Asked {
            program,
            attached: self.attached,
            screen,
        })
    }
}

/// A language operation shows nothing.
const NO_SCREEN: Screen = Screen {
    width: 0,
    height: 0,
};

/// The next turn of a conversation.
pub(super) fn chat(wanted: &GatewayChat) -> Result<Asked, Failed> {
    check(&wanted.model, &wanted.sampling)?;
    let said: usize = wanted.messages.iter().map(|one| one.text.len()).sum();
    if said > MAX_SAID || wanted.messages.len() > MAX_MESSAGES {
        let words = format!(
            "the messages have {said} bytes of text and number {}; {MAX_SAID} and {MAX_MESSAGES} are taken",
            wanted.messages.len()
        );
        return Err(Failed::new(GatewayFault::TooLong, words));
    }
    let (system, turns) = split(&wanted.messages)?;
    let Some((
        GatewayMessage {
            role: Speaker::User,
            text: input,
        },
        turns,
    )) = turns.split_last()
    else {
        return Err(Failed::request(
            "messages: the last one must be of the user; going on from an assistant's message is not supported",
        ));
    };
    if input.trim().is_empty() {
        return Err(Failed::request("messages: the last one is empty"));
    }
    let turns = turns.iter().map(|one| Turn {
        role: match one.role {
            Speaker::Assistant => Role::Assistant,
            Speaker::User | Speaker::System => Role::User,
        },
        text: &one.text,
    });
    let mut maker = Maker::default();
    let model = maker.builder.name(&wanted.model);
    let parent = turns.clone().fold(EMPTY, |head, turn| {
        advance(head, turn, |parts| RingCrypto.sha256(parts))
    });
    let history = encode_history(turns);
    let history = (!history.is_empty()).then(|| maker.octets(history));
    let system = (!system.is_empty()).then(|| maker.text(&system));
    let input = maker.text(input);
    let answer = maker.builder.op(&Op::Chat(Chat {
        model,
        // The whole is sent each time: one place for all of them, and nothing in it is built upon.
        conversation: 0,
        parent,
        history,
        system,
        input,
        max_tokens: wanted.sampling.max_tokens.unwrap_or(USUAL_TOKENS),
        temperature: wanted.sampling.temperature,
    }));
    maker.builder.emit(answer);
    maker.finish(NO_SCREEN)
}

/// Standing instructions as one text, and what was said.
fn split(messages: &[GatewayMessage]) -> Result<(String, &[GatewayMessage]), Failed> {
    let first = messages
        .iter()
        .position(|one| one.role != Speaker::System)
        .unwrap_or(messages.len());
    let (system, turns) = messages.split_at(first);
    if turns.iter().any(|one| one.role == Speaker::System) {
        return Err(Failed::request(
            "messages: a system message in the middle of a conversation is not supported; put it first",
        ));
    }
    let system: Vec<&str> = system.iter().map(|one| one.text.as_str()).collect();
    Ok((system.join("\n\n"), turns))
}

/// The continuation of a text.
pub(super) fn complete(wanted: &GatewayText) -> Result<Asked, Failed> {
    check(&wanted.model, &wanted.sampling)?;
    if wanted.prompt.len() > MAX_SAID {
        let words = format!(
            "the prompt has {} bytes; {MAX_SAID} are taken",
            wanted.prompt.len()
        );
        return Err(Failed::new(GatewayFault::TooLong, words));
    }
    if wanted.prompt.trim().is_empty() {
        return Err(Failed::request("prompt: it is empty"));
    }
    let mut maker = Maker::default();
    let model = maker.builder.name(&wanted.model);
    let input = maker.text(&wanted.prompt);
    let answer = maker.builder.op(&Op::Complete(Complete {
        model,
        input,
        max_tokens: wanted.sampling.max_tokens.unwrap_or(USUAL_TOKENS),
        temperature: wanted.sampling.temperature,
    }));
    maker.builder.emit(answer);
    maker.finish(NO_SCREEN)
}

/// Vectors of texts.
pub(super) fn embed(wanted: &GatewayEmbed) -> Result<Asked, Failed> {
    check(&wanted.model, &Sampling::default())?;
    let count = u16::try_from(wanted.input.len()).unwrap_or(u16::MAX);
    if count > MAX_EMBED_TEXTS {
        let words = format!("input: it has {count} texts; {MAX_EMBED_TEXTS} are taken at a time");
        return Err(Failed::request(words));
    }
    if count == 0 || wanted.input.iter().any(String::is_empty) {
        return Err(Failed::request(
            "input: it is empty, or one of its texts is",
        ));
    }
    let size: usize = wanted.input.iter().map(String::len).sum();
    if size > MAX_EMBEDDED {
        let words = format!("input: it has {size} bytes; {MAX_EMBEDDED} are taken at a time");
        return Err(Failed::request(words));
    }
    if wanted
        .dimensions
        .is_some_and(|count| !(1..=MAX_DIMENSIONS).contains(&count))
    {
        let words = format!("dimensions: 1 to {MAX_DIMENSIONS} are possible");
        return Err(Failed::request(words));
    }
    let mut maker = Maker::default();
    let model = maker.builder.name(&wanted.model);
    let input = match wanted.input.as_slice() {
        [one] => maker.text(one),
        several => maker.octets(encode_texts(several.iter().map(String::as_str))),
    };
    let vectors = maker.builder.op(&Op::Embed(Embed {
        model,
        input,
        count,
        dimensions: wanted.dimensions,
    }));
    maker.builder.emit(vectors);
    maker.finish(NO_SCREEN)
}

/// Pictures of one prompt.
pub(super) fn image(wanted: &GatewayImage) -> Result<Asked, Failed> {
    check(&wanted.model, &Sampling::default())?;
    let fits = |side| (MIN_SIDE..=MAX_SIDE).contains(&side);
    if !fits(wanted.width) || !fits(wanted.height) {
        let words = format!("size: a side has {MIN_SIDE} to {MAX_SIDE} pixels");
        return Err(Failed::request(words));
    }
    if !(1..=MAX_PICTURES).contains(&wanted.count) {
        let words = format!("n: 1 to {MAX_PICTURES} pictures are painted for one request");
        return Err(Failed::request(words));
    }
    if wanted.prompt.trim().is_empty() || wanted.prompt.len() > MAX_SAID {
        return Err(Failed::request("prompt: it is empty or too long"));
    }
    let mut maker = Maker::default();
    let model = maker.builder.name(&wanted.model);
    let style = maker.builder.name("");
    let prompt = maker.text(&wanted.prompt);
    for _ in 0..wanted.count {
        let picture = maker.builder.op(&Op::Generate(Generate {
            model,
            prompt,
            negative: None,
            style,
            width: wanted.width,
            height: wanted.height,
            steps: STEPS,
            seed: None,
        }));
        maker.builder.emit(picture);
    }
    maker.finish(Screen {
        width: wanted.width,
        height: wanted.height,
    })
}

fn check(model: &str, sampling: &Sampling) -> Result<(), Failed> {
    if model.is_empty() {
        return Err(Failed::request("model: name one of those in /v1/models"));
    }
    if model.len() > MAX_MODEL_LEN {
        return Err(Failed::no_model(
            &model[..model.floor_char_boundary(MAX_MODEL_LEN)],
        ));
    }
    if sampling
        .max_tokens
        .is_some_and(|count| !(1..=MAX_TOKENS).contains(&count))
    {
        let words = format!("max_tokens: 1 to {MAX_TOKENS} are possible");
        return Err(Failed::request(words));
    }
    if sampling.temperature.is_some_and(|value| value > 200) {
        return Err(Failed::request("temperature: 0 to 2 is possible"));
    }
    let too_long = sampling.stop.iter().any(|word| word.len() > MAX_STOP_LEN);
    if sampling.stop.len() > MAX_STOPS || too_long {
        let words =
            format!("stop: {MAX_STOPS} texts of {MAX_STOP_LEN} bytes at the most are possible");
        return Err(Failed::request(words));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::api::Secret;
    use shared_proto::opcode::Operation;
    use shared_proto::program::{decode, verify};

    fn said(role: Speaker, text: &str) -> GatewayMessage {
        GatewayMessage {
            role,
            text: text.into(),
        }
    }

    fn chat_of(messages: Vec<GatewayMessage>) -> GatewayChat {
        GatewayChat {
            key: Secret("k".into()),
            model: "ollama/llama3.1:8b".into(),
            messages,
            sampling: Sampling {
                max_tokens: Some(300),
                ..Sampling::default()
            },
        }
    }

    #[test]
    fn a_conversation_becomes_a_program_that_names_its_model_and_cost() {
        let asked = chat(&chat_of(vec![
            said(Speaker::System, "be brief"),
            said(Speaker::User, "hello"),
            said(Speaker::Assistant, "hi"),
            said(Speaker::User, "how are you?"),
        ]))
        .expect("made");
        let verified = verify(decode(&asked.program).expect("decodes")).expect("verifies");
        let [effect] = verified.effects() else {
            panic!("one effect");
        };
        assert_eq!(
            (effect.operation, effect.model),
            (Operation::Chat, "ollama/llama3.1:8b")
        );
        assert_eq!(effect.cost.tokens, 300);
        assert!(asked.attached.is_empty());
    }

    #[test]
    fn what_is_long_travels_beside_the_program() {
        let long = "x".repeat(100_000);
        let asked = chat(&chat_of(vec![
            said(Speaker::System, &long),
            said(Speaker::User, &long),
            said(Speaker::Assistant, "hi"),
            said(Speaker::User, "how are you?"),
        ]))
        .expect("made");
        assert!(asked.program.len() < 500, "{}", asked.program.len());
        assert_eq!(asked.attached.len(), 2);
        verify(decode(&asked.program).expect("decodes")).expect("verifies");
    }

    #[test]
    fn what_the_executor_would_forget_is_refused() {
        let long = "x".repeat(MAX_SAID);
        let chat = chat(&chat_of(vec![
            said(Speaker::User, &long),
            said(Speaker::Assistant, "hi"),
            said(Speaker::User, "more"),
        ]));
        let event = chat.expect_err("refused").event();
        assert!(matches!(
            event,
            crate::control::api::GatewayEvent::Failed {
                fault: GatewayFault::TooLong,
                ..
            }
        ));
    }

    #[test]
    fn conversations_that_no_program_can_say_are_refused() {
        for messages in [
            vec![],
            vec![said(Speaker::System, "be brief")],
            vec![said(Speaker::User, " ")],
            vec![said(Speaker::User, "a"), said(Speaker::Assistant, "b")],
            vec![
                said(Speaker::User, "a"),
                said(Speaker::System, "b"),
                said(Speaker::User, "c"),
            ],
        ] {
            assert!(chat(&chat_of(messages.clone())).is_err(), "{messages:?}");
        }
    }

    #[test]
    fn texts_become_one_operation_that_costs_what_it_reads() {
        let wanted = |input: &[&str]| GatewayEmbed {
            key: Secret("k".into()),
            model: "desk/vectors".into(),
            input: input.iter().map(|one| (*one).to_owned()).collect(),
            dimensions: None,
        };
        for (input, tokens) in [(&["four"][..], 4), (&["four", "five!"], 11)] {
            let asked = embed(&wanted(input)).expect("made");
            let verified = verify(decode(&asked.program).expect("decodes")).expect("verifies");
            assert_eq!(verified.effects()[0].operation, Operation::Embed);
            assert_eq!(verified.cost().tokens, tokens);
        }
        let long = "x".repeat(MAX_EMBEDDED);
        for (input, dimensions) in [
            (&[][..], None),
            (&["a", ""], None),
            (&["a"; 513], None),
            (&["a", &long], None),
            (&["a"], Some(0)),
            (&["a"], Some(8193)),
        ] {
            let wanted = GatewayEmbed {
                dimensions,
                ..wanted(input)
            };
            assert!(embed(&wanted).is_err(), "{} texts", input.len());
        }
    }

    #[test]
    fn several_pictures_are_several_operations() {
        let wanted = GatewayImage {
            key: Secret("k".into()),
            model: "built-in/painter".into(),
            prompt: "a boat".into(),
            width: 512,
            height: 256,
            count: 3,
        };
        let asked = image(&wanted).expect("made");
        let verified = verify(decode(&asked.program).expect("decodes")).expect("verifies");
        assert_eq!(verified.effects().len(), 3);
        assert_eq!(verified.cost().pictures, 3);
        assert!(
            image(&GatewayImage {
                count: 5,
                ..wanted.clone()
            })
            .is_err()
        );
        assert!(image(&GatewayImage { width: 8, ..wanted }).is_err());
    }
}
