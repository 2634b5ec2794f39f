//! From a wish to a program of bytecode.

use ring::digest;
use shared_proto::context;
use shared_proto::limits::{MAX_SIDE, MAX_STEPS, MAX_VALUE_LEN, MIN_SIDE};
use shared_proto::picture::Format;
use shared_proto::program::{self, Blob, Builder, Op, Ref, ValueType, Write};
use shared_proto::report::MAX_ENTRIES;

use crate::app::model::chat::ChatKind;
use crate::app::model::picture::Recipe;
use crate::app::model::{
    Chat, Entry, Failure, Model, Origin, PictureId, RequestKey, Role, Source, Upload, Wish,
};
use crate::app::{view, words};

/// Longest text inside a program; a longer one is uploaded beside it.
const MAX_INLINE: usize = 8 * 1024;

/// Longest history that is sent again: some ten thousand tokens, more than most models here hold.
const MAX_HISTORY: usize = 40 * 1024;

/// Longest text of one request that the card keeps in one piece.
const MAX_INPUT: usize = 48 * 1024;

/// Largest download that the laptop is asked to make.
const MAX_DOWNLOAD: u64 = 256 * 1024 * 1024;

/// Formats of pictures that this handheld reads.
const FORMATS: u8 = Format::Jpeg.bit() | Format::Png.bit() | Format::Rgb565.bit();

/// How far an edit goes from its picture, in per cent.
const EDIT_STRENGTH: u8 = 65;

/// How far a variation goes, in per cent.
const VARIATION_STRENGTH: u8 = 45;

/// Bytes and uploads of the program for an entry. `seed` is fresh for every program.
pub(super) fn build(
    model: &mut Model,
    entry: &Entry,
    seed: u32,
) -> Result<(Vec<u8>, Vec<Upload>), Failure> {
    let mut draft = Draft::default();
    match (&entry.wish, &entry.origin) {
        (
            Wish::Say {
                kind,
                text,
                with_history,
            },
            Origin::Chat(id),
        ) => {
            if text.len() > MAX_INPUT {
                return Err(Failure::own(Failure::TOO_LONG, ""));
            }
            let chat = model.chats.find_mut(*id).ok_or_else(gone)?;
            say(&mut draft, chat, entry.key(), *kind, text, *with_history);
        }
        (wish, Origin::Picture(id)) => {
            let panel = model.panel;
            let picture = model.pictures.find(*id).ok_or_else(gone)?;
            let (width, height) = view::picture::pixels(picture.recipe.size, panel);
            paint(&mut draft, wish, &picture.recipe, (width, height), seed);
        }
        (wish, _) => files_and_system(&mut draft, wish),
    }
    let bytes = draft
        .builder
        .finish()
        .map_err(|e| Failure::own(Failure::TOO_LONG, e.to_string()))?;
    let decoded =
        program::decode(&bytes).map_err(|e| Failure::own(Failure::TOO_LONG, e.to_string()))?;
    program::verify(decoded).map_err(|e| Failure::own(Failure::TOO_LONG, e.to_string()))?;
    Ok((bytes, draft.uploads))
}

/// The slot of the result that the entry waits for.
pub(super) const fn result_slot(wish: &Wish) -> u8 {
    match wish {
        Wish::Paint
        | Wish::Repaint { .. }
        | Wish::Enlarge { .. }
        | Wish::Vary { .. }
        | Wish::Download { .. } => 1,
        _ => 0,
    }
}

/// Slots of a survey: status, resources, capabilities, health.
pub(super) const STATUS_SLOT: u8 = 0;
/// See [`STATUS_SLOT`].
pub(super) const RESOURCES_SLOT: u8 = 1;
/// See [`STATUS_SLOT`].
pub(super) const CAPABILITIES_SLOT: u8 = 2;
/// See [`STATUS_SLOT`].
pub(super) const HEALTH_SLOT: u8 = 3;

fn gone() -> Failure {
    Failure::own(Failure::FORGOTTEN, "")
}

#[derive(Default)]
struct Draft {
    builder: Builder,
    uploads: Vec<Upload>,
}

impl Draft {
    /// A text, inside the program or beside it.
    fn text(&mut self, text: &str) -> Ref {
        if text.len() <= MAX_INLINE {
            return self.builder.text(text);
        }
        self.octets(text.as_bytes(), ValueType::Text)
    }

    /// Octets beside the program.
    fn octets(&mut self, bytes: &[u8], ty: ValueType) -> Ref {
        let blob = Blob {
            sha256: sha256(&[bytes]),
            len: bytes.len() as u64,
            ty,
        };
        self.blob(blob, Source::Bytes(bytes.to_vec()))
    }

    fn blob(&mut self, blob: Blob, source: Source) -> Ref {
        let reference = self.builder.blob(blob);
        self.uploads.push(Upload {
            constant: reference.0,
            source,
        });
        reference
    }

    fn picture(&mut self, from: PictureId, len: u64, sha256: [u8; 32]) -> Ref {
        self.blob(
            Blob {
                sha256,
                len,
                ty: ValueType::Image,
            },
            Source::Picture(from),
        )
    }
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = digest::Context::new(&digest::SHA256);
    parts.iter().for_each(|part| hash.update(part));
    let mut out = [0; 32];
    out.copy_from_slice(hash.finish().as_ref());
    out
}

/// Most tokens of an answer.
const fn max_tokens(kind: ChatKind) -> u32 {
    match kind {
        ChatKind::Chat | ChatKind::Code => 2048,
        ChatKind::Complete => 1024,
        ChatKind::Summarize => 512,
    }
}

fn say(
    draft: &mut Draft,
    chat: &mut Chat,
    key: RequestKey,
    kind: ChatKind,
    text: &str,
    with_history: bool,
) {
    let model = draft.builder.name(&chat.model);
    let max_tokens = max_tokens(kind);
    if kind != ChatKind::Chat {
        let input = draft.text(text);
        let op = program::Complete {
            model,
            input,
            max_tokens,
            temperature: None,
        };
        let result = draft.builder.op(&match kind {
            ChatKind::Complete => Op::Complete(op),
            ChatKind::Code => Op::Code(op),
            ChatKind::Chat | ChatKind::Summarize => Op::Summarize(op),
        });
        return draft.builder.emit(result);
    }
    if with_history {
        shorten(chat, key);
    }
    let turns = context_of(chat, key);
    let history =
        (with_history && !turns.is_empty()).then(|| context::encode_history(turns.iter().copied()));
    let parent = head(&turns);
    let history = history.map(|bytes| {
        if bytes.len() <= MAX_INLINE {
            draft.builder.bytes(&bytes)
        } else {
            draft.octets(&bytes, ValueType::Bytes)
        }
    });
    let system = (!chat.system.is_empty()).then(|| draft.text(&chat.system));
    let input = draft.text(text);
    let op = program::Chat {
        model,
        conversation: chat.wire_id,
        parent,
        history,
        system,
        input,
        max_tokens,
        temperature: None,
    };
    let result = draft.builder.op(&Op::Chat(op));
    draft.builder.emit(result);
}

/// The turns before this request that count: each question with the last answer that brought words.
pub(super) fn context_of(chat: &Chat, key: RequestKey) -> Vec<context::Turn<'_>> {
    let from = chat.context_from as usize;
    let asked = chat
        .turns
        .iter()
        .rposition(|t| t.request == Some(key) && t.role == Role::Person);
    let answer = chat
        .turns
        .iter()
        .rposition(|t| t.request == Some(key) && t.role == Role::Answer);
    // A question asked again has its new answer further down; its own words are not context.
    let end = match (asked, answer) {
        (Some(asked), _) => asked,
        (None, Some(answer)) => chat.turns[..answer]
            .iter()
            .rposition(|t| t.role == Role::Person)
            .unwrap_or(answer),
        (None, None) => chat.turns.len(),
    };
    let mut out = Vec::new();
    let mut question: Option<&str> = None;
    let mut reply: Option<&str> = None;
    for turn in chat.turns.get(from..end).unwrap_or_default() {
        match turn.role {
            Role::Person => {
                push_pair(&mut out, question.take(), reply.take());
                question = Some(&turn.text);
            }
            Role::Answer if !turn.text.is_empty() => reply = Some(&turn.text),
            Role::Answer => {}
        }
    }
    push_pair(&mut out, question, reply);
    out
}

fn push_pair<'a>(
    out: &mut Vec<context::Turn<'a>>,
    question: Option<&'a str>,
    reply: Option<&'a str>,
) {
    if let (Some(question), Some(reply)) = (question, reply) {
        out.push(context::Turn {
            role: context::Role::User,
            text: question,
        });
        out.push(context::Turn {
            role: context::Role::Assistant,
            text: reply,
        });
    }
}

/// The head that the laptop should hold for these turns.
pub(super) fn head(turns: &[context::Turn<'_>]) -> [u8; 8] {
    turns.iter().fold(context::EMPTY, |head, turn| {
        context::advance(head, *turn, sha256)
    })
}

/// Leaves the oldest turns out until the history fits.
fn shorten(chat: &mut Chat, key: RequestKey) {
    loop {
        let turns = context_of(chat, key);
        if turns.is_empty() || context::encode_history(turns.iter().copied()).len() <= MAX_HISTORY {
            return;
        }
        let from = chat.context_from as usize;
        let next = chat
            .turns
            .iter()
            .enumerate()
            .skip(from + 1)
            .find(|(_, t)| t.role == Role::Person)
            .map(|(i, _)| i);
        chat.context_from = next.unwrap_or(chat.turns.len()) as u32;
    }
}

fn paint(draft: &mut Draft, wish: &Wish, recipe: &Recipe, (width, height): (u16, u16), seed: u32) {
    let side = |n: u16| n.clamp(MIN_SIDE, MAX_SIDE);
    let (width, height) = (side(width), side(height));
    let steps = recipe.steps.clamp(1, MAX_STEPS);
    let model = draft.builder.name(&recipe.model);
    let mut shown = (width, height);
    let op = match wish {
        Wish::Repaint { from, len, sha256 } => {
            let image = draft.picture(*from, *len, *sha256);
            let prompt = draft.text(&recipe.prompt);
            Op::Edit(program::Edit {
                model,
                image,
                prompt,
                strength: EDIT_STRENGTH,
                steps,
            })
        }
        Wish::Enlarge { from, len, sha256 } => {
            let image = draft.picture(*from, *len, *sha256);
            shown = (
                side(width.saturating_mul(2)),
                side(height.saturating_mul(2)),
            );
            Op::Upscale(program::Upscale {
                model,
                image,
                factor: 2,
            })
        }
        Wish::Vary { from, len, sha256 } => {
            let image = draft.picture(*from, *len, *sha256);
            Op::Variation(program::Variation {
                model,
                image,
                strength: VARIATION_STRENGTH,
                steps,
                seed: Some(seed),
            })
        }
        _ => {
            let prompt = draft.text(&recipe.prompt);
            let negative = (!recipe.negative.is_empty()).then(|| draft.text(&recipe.negative));
            let style = draft.builder.name(words::style_name(recipe.style));
            Op::Generate(program::Generate {
                model,
                prompt,
                negative,
                style,
                width,
                height,
                steps,
                seed: Some(seed),
            })
        }
    };
    let painted = draft.builder.op(&op);
    let fitted = draft.builder.op(&Op::Fit(program::Fit {
        image: painted,
        width: shown.0,
        height: shown.1,
        formats: FORMATS,
    }));
    draft.builder.emit(fitted);
}

fn files_and_system(draft: &mut Draft, wish: &Wish) {
    let b = &mut draft.builder;
    let result = match wish {
        Wish::List => {
            let path = b.name("");
            b.op(&Op::List(program::List {
                path,
                skip: 0,
                limit: MAX_ENTRIES,
            }))
        }
        Wish::Get { name } => {
            let path = b.name(name);
            b.op(&Op::Get(program::Get {
                path,
                max_len: MAX_VALUE_LEN,
            }))
        }
        Wish::Delete { name } => {
            let path = b.name(name);
            b.op(&Op::Delete(program::Delete { path }))
        }
        Wish::Put { name, len, sha256 } => {
            let path = b.name(name);
            let data = draft.blob(
                Blob {
                    sha256: *sha256,
                    len: *len,
                    ty: ValueType::Bytes,
                },
                Source::File(name.clone()),
            );
            draft.builder.op(&Op::Put(program::Put {
                path,
                data,
                write: Write::Rename,
            }))
        }
        Wish::Download { url, name } => {
            let url = b.name(url);
            let data = b.op(&Op::Fetch(program::Fetch {
                url,
                max_len: MAX_DOWNLOAD,
            }));
            let path = b.name(name);
            b.op(&Op::Put(program::Put {
                path,
                data,
                write: Write::Rename,
            }))
        }
        Wish::Survey => {
            for op in [Op::Status, Op::Resources, Op::Capabilities] {
                b.op(&op);
            }
            b.op(&Op::Health)
        }
        // Chats and pictures have an origin of their own and were handled before.
        Wish::Say { .. }
        | Wish::Paint
        | Wish::Repaint { .. }
        | Wish::Enlarge { .. }
        | Wish::Vary { .. } => return,
    };
    if *wish == Wish::Survey {
        for slot in STATUS_SLOT..HEALTH_SLOT {
            draft.builder.emit(Ref::result(slot));
        }
    }
    draft.builder.emit(result);
}
