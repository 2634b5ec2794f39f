//! Our encoding, by the calls that the programs make.

use super::content::{self, Body, Listing};
use shared_proto::codec::push_postcard;
use shared_proto::frame;
use shared_proto::message::{Data, Done, Message, RequestId, Submit, Usage};
use shared_proto::program::{Builder, Chat, Generate, Get, List, Op, Ref, decode};
use shared_proto::report::{Entry, ListingHead, items, split_head};
use std::hint::black_box;

pub fn write(message: &content::Borrowed<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    match message {
        content::Message::Submit(submit) => {
            let program = program(submit);
            Message::Submit(Submit {
                id: RequestId(submit.id),
                program: &program,
                signature: &submit.signature.0,
            })
            .encode(&mut out)
        }
        content::Message::Data(data) => {
            let record;
            let bytes = match &data.body {
                Body::Text(text) => text.as_bytes(),
                Body::Listing(listing) => {
                    record = self::record(listing);
                    &record
                }
            };
            Message::Data(Data {
                id: RequestId(data.id),
                slot: data.slot,
                offset: data.offset,
                raw_len: data.raw_len,
                fin: data.fin,
                bytes,
            })
            .encode(&mut out)
        }
        content::Message::Done(done) => Message::Done(Done {
            id: RequestId(done.id),
            usage: Usage {
                tokens_in: done.tokens_in,
                tokens_out: done.tokens_out,
                pictures: done.pictures,
                bytes: done.bytes,
                millis: done.millis,
            },
        })
        .encode(&mut out),
    }
    .expect("it fits");
    out
}

fn program(submit: &content::Submit<&str, content::Octets<'_>>) -> Vec<u8> {
    let mut builder = Builder::new();
    for step in &submit.ops {
        match &step.op {
            content::Op::Chat(chat) => {
                let op = Op::Chat(Chat {
                    model: builder.name(chat.model),
                    conversation: chat.conversation,
                    parent: chat.parent.0[..].try_into().expect("eight octets"),
                    history: chat.history.as_ref().map(|turns| builder.bytes(&turns.0)),
                    system: chat.system.as_ref().map(|text| builder.text(text)),
                    input: builder.text(chat.input),
                    max_tokens: chat.max_tokens,
                    temperature: chat.temperature,
                });
                builder.op(&op);
            }
            content::Op::Generate(paint) => {
                let op = Op::Generate(Generate {
                    model: builder.name(paint.model),
                    prompt: builder.text(paint.prompt),
                    negative: paint.negative.as_ref().map(|text| builder.text(text)),
                    style: builder.name(paint.style),
                    width: paint.width,
                    height: paint.height,
                    steps: paint.steps,
                    seed: paint.seed,
                });
                builder.op(&op);
            }
            content::Op::List(list) => {
                let op = Op::List(List {
                    path: builder.name(list.path),
                    skip: list.skip,
                    limit: list.limit,
                });
                builder.op(&op);
            }
            content::Op::Get(get) => {
                let op = Op::Get(Get {
                    path: builder.name(get.path),
                    max_len: get.max_len,
                });
                builder.op(&op);
            }
            content::Op::Emit(op) => builder.emit(Ref::result(*op)),
        }
    }
    builder.finish().expect("a program")
}

fn record(listing: &Listing<&str>) -> Vec<u8> {
    let head = ListingHead {
        total: listing.total,
        used: listing.used,
        quota: listing.quota,
        count: listing.entries.len() as u16,
    };
    let mut record = Vec::with_capacity(32 + listing.entries.len() * 48);
    push_postcard(&head, &mut record).expect("it fits");
    for file in &listing.entries {
        let entry = Entry {
            name: file.name,
            len: file.len,
            modified: file.modified,
            folder: file.folder,
        };
        push_postcard(&entry, &mut record).expect("it fits");
    }
    record
}

pub fn read(bytes: &[u8]) {
    let (frame, _) = frame::decode(bytes).expect("ours").expect("it is whole");
    let message = Message::decode(frame.kind, frame.payload).expect("ours");
    match &message {
        Message::Submit(submit) => {
            black_box(decode(submit.program).expect("ours"));
        }
        // The request says which of the two it is.
        Message::Data(data) => match std::str::from_utf8(data.bytes) {
            Ok(text) if data.bytes.first().is_some_and(|octet| *octet >= b' ') => {
                black_box(text);
            }
            _ => {
                let (head, rest) = split_head::<ListingHead>(data.bytes).expect("ours");
                black_box(head);
                black_box(items::<Entry<'_>>(rest).collect::<Vec<_>>());
            }
        },
        _ => {}
    }
    black_box(&message);
}
