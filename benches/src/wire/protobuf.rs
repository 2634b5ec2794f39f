//! Protobuf (proto3), as a schema for the same fields would have it: `fixed64` where a number is random, `optional` where a field may
//! be absent. prost reads into texts of its own; it cannot borrow.

use super::content::{self, Body};
use prost::Message as _;
use std::hint::black_box;

#[derive(prost::Message)]
struct Message {
    #[prost(oneof = "Kind", tags = "1, 2, 3")]
    kind: Option<Kind>,
}

#[derive(prost::Oneof)]
enum Kind {
    #[prost(message, tag = "1")]
    Submit(Submit),
    #[prost(message, tag = "2")]
    Data(Data),
    #[prost(message, tag = "3")]
    Done(Done),
}

#[derive(prost::Message)]
struct Submit {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
    #[prost(uint32, tag = "3")]
    version: u32,
    #[prost(message, repeated, tag = "4")]
    ops: Vec<Step>,
}

#[derive(prost::Message)]
struct Step {
    #[prost(uint32, optional, tag = "1")]
    guard: Option<u32>,
    #[prost(oneof = "Op", tags = "2, 3, 4, 5, 6")]
    op: Option<Op>,
}

#[derive(prost::Oneof)]
enum Op {
    #[prost(message, tag = "2")]
    Chat(Chat),
    #[prost(message, tag = "3")]
    Generate(Generate),
    #[prost(message, tag = "4")]
    List(List),
    #[prost(message, tag = "5")]
    Get(Get),
    #[prost(uint32, tag = "6")]
    Emit(u32),
}

#[derive(prost::Message)]
struct Chat {
    #[prost(string, tag = "1")]
    model: String,
    #[prost(fixed64, tag = "2")]
    conversation: u64,
    #[prost(bytes = "vec", tag = "3")]
    parent: Vec<u8>,
    #[prost(bytes = "vec", optional, tag = "4")]
    history: Option<Vec<u8>>,
    #[prost(string, optional, tag = "5")]
    system: Option<String>,
    #[prost(string, tag = "6")]
    input: String,
    #[prost(uint32, tag = "7")]
    max_tokens: u32,
    #[prost(uint32, optional, tag = "8")]
    temperature: Option<u32>,
}

#[derive(prost::Message)]
struct Generate {
    #[prost(string, tag = "1")]
    model: String,
    #[prost(string, tag = "2")]
    prompt: String,
    #[prost(string, optional, tag = "3")]
    negative: Option<String>,
    #[prost(string, tag = "4")]
    style: String,
    #[prost(uint32, tag = "5")]
    width: u32,
    #[prost(uint32, tag = "6")]
    height: u32,
    #[prost(uint32, tag = "7")]
    steps: u32,
    #[prost(uint32, optional, tag = "8")]
    seed: Option<u32>,
}

#[derive(prost::Message)]
struct List {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(uint32, tag = "2")]
    skip: u32,
    #[prost(uint32, tag = "3")]
    limit: u32,
}

#[derive(prost::Message)]
struct Get {
    #[prost(string, tag = "1")]
    path: String,
    #[prost(uint64, tag = "2")]
    max_len: u64,
}

#[derive(prost::Message)]
struct Data {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint32, tag = "2")]
    slot: u32,
    #[prost(uint64, tag = "3")]
    offset: u64,
    #[prost(uint32, tag = "4")]
    raw_len: u32,
    #[prost(bool, tag = "5")]
    fin: bool,
    #[prost(oneof = "Inside", tags = "6, 7")]
    body: Option<Inside>,
}

#[derive(prost::Oneof)]
enum Inside {
    #[prost(string, tag = "6")]
    Text(String),
    #[prost(message, tag = "7")]
    Listing(Listing),
}

#[derive(prost::Message)]
struct Listing {
    #[prost(uint32, tag = "1")]
    total: u32,
    #[prost(uint64, tag = "2")]
    used: u64,
    #[prost(uint64, tag = "3")]
    quota: u64,
    #[prost(message, repeated, tag = "4")]
    entries: Vec<Entry>,
}

#[derive(prost::Message)]
struct Entry {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(uint64, tag = "2")]
    len: u64,
    #[prost(uint64, tag = "3")]
    modified: u64,
    #[prost(bool, tag = "4")]
    folder: bool,
}

#[derive(prost::Message)]
struct Done {
    #[prost(uint64, tag = "1")]
    id: u64,
    #[prost(uint64, tag = "2")]
    tokens_in: u64,
    #[prost(uint64, tag = "3")]
    tokens_out: u64,
    #[prost(uint32, tag = "4")]
    pictures: u32,
    #[prost(uint64, tag = "5")]
    bytes: u64,
    #[prost(uint64, tag = "6")]
    millis: u64,
}

/// Texts are copied into prost's own types: a caller of prost has to.
pub fn write(message: &content::Borrowed<'_>) -> Vec<u8> {
    let kind = match message {
        content::Message::Submit(submit) => Kind::Submit(Submit {
            id: submit.id,
            signature: submit.signature.0.to_vec(),
            version: u32::from(submit.version),
            ops: submit.ops.iter().map(step).collect(),
        }),
        content::Message::Data(data) => Kind::Data(Data {
            id: data.id,
            slot: u32::from(data.slot),
            offset: data.offset,
            raw_len: data.raw_len,
            fin: data.fin,
            body: Some(match &data.body {
                Body::Text(text) => Inside::Text(text.to_string()),
                Body::Listing(listing) => Inside::Listing(Listing {
                    total: listing.total,
                    used: listing.used,
                    quota: listing.quota,
                    entries: listing.entries.iter().map(entry).collect(),
                }),
            }),
        }),
        content::Message::Done(done) => Kind::Done(Done {
            id: done.id,
            tokens_in: done.tokens_in,
            tokens_out: done.tokens_out,
            pictures: done.pictures,
            bytes: done.bytes,
            millis: done.millis,
        }),
    };
    Message { kind: Some(kind) }.encode_to_vec()
}

fn entry(file: &content::Entry<&str>) -> Entry {
    Entry {
        name: file.name.to_string(),
        len: file.len,
        modified: file.modified,
        folder: file.folder,
    }
}

fn step(step: &content::Step<&str, content::Octets<'_>>) -> Step {
    let op = match &step.op {
        content::Op::Chat(chat) => Op::Chat(Chat {
            model: chat.model.to_string(),
            conversation: chat.conversation,
            parent: chat.parent.0.to_vec(),
            history: chat.history.as_ref().map(|turns| turns.0.to_vec()),
            system: chat.system.as_ref().map(ToString::to_string),
            input: chat.input.to_string(),
            max_tokens: chat.max_tokens,
            temperature: chat.temperature.map(u32::from),
        }),
        content::Op::Generate(paint) => Op::Generate(Generate {
            model: paint.model.to_string(),
            prompt: paint.prompt.to_string(),
            negative: paint.negative.as_ref().map(ToString::to_string),
            style: paint.style.to_string(),
            width: u32::from(paint.width),
            height: u32::from(paint.height),
            steps: u32::from(paint.steps),
            seed: paint.seed,
        }),
        content::Op::List(list) => Op::List(List {
            path: list.path.to_string(),
            skip: list.skip,
            limit: u32::from(list.limit),
        }),
        content::Op::Get(get) => Op::Get(Get {
            path: get.path.to_string(),
            max_len: get.max_len,
        }),
        content::Op::Emit(op) => Op::Emit(u32::from(*op)),
    };
    Step {
        guard: step.guard.map(u32::from),
        op: Some(op),
    }
}

pub fn read(bytes: &[u8]) {
    black_box(Message::decode(bytes).expect("ours"));
}
