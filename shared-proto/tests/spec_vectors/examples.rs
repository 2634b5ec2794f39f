//! Messages and programs whose bytes SPEC.md prints.

use shared_proto::context;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, sign_submit};
use shared_proto::error::ErrorCode;
use shared_proto::message::{
    Accepted, Ack, Allowance, Awaiting, Cancel, Credit, Data, Done, Echo, Failed, Hello,
    LedgerHead, Link, Message, Model, Notice, Offset, Offsets, Progress, Queued, Renewal,
    RequestId, Resume, Screen, Standing, Started, Submit, UPLOAD_SLOT, Usage, Verdict, Welcome,
    push_model,
};
use shared_proto::opcode::{Operation, Service};
use shared_proto::program::{
    Blob, Builder, Chat, Complete, Delete, Edit, Embed, Fetch, Fit, Generate, Get, List, Metadata,
    Op, Parts, Put, Upscale, ValueType, Variation, Write,
};

/// Exporter value of the channel in the examples.
const EXPORTER: [u8; 32] = [0x07; 32];

fn frame(message: &Message<'_>) -> Vec<u8> {
    let mut out = Vec::new();
    message.encode(&mut out).unwrap();
    assert_eq!(Message::decode(out[0], payload(&out)), Ok(message.clone()));
    out
}

fn payload(frame: &[u8]) -> &[u8] {
    let (found, _) = shared_proto::frame::decode(frame).unwrap().unwrap();
    found.payload
}

/// A greeting, answered.
pub fn chat_program() -> Vec<u8> {
    let mut builder = Builder::new();
    let model = builder.name("ollama/llama3.1:8b");
    let input = builder.text("Hi");
    let answer = builder.op(&Op::Chat(Chat {
        model,
        conversation: 7,
        parent: context::EMPTY,
        history: None,
        system: None,
        input,
        max_tokens: 512,
        temperature: None,
    }));
    builder.emit(answer);
    builder.finish().unwrap()
}

/// Describe, paint, fit; a second choice where the first model fails.
pub fn chain_program() -> Vec<u8> {
    let mut builder = Builder::new();
    let model = builder.name("");
    let input = builder.text("A harbour at dusk.");
    let ask = Complete {
        model,
        input,
        max_tokens: 300,
        temperature: Some(70),
    };
    let scene = builder.op(&Op::Complete(ask));
    let second = builder.name("built-in/partner");
    let other = builder.op_if_failed(
        scene,
        &Op::Complete(Complete {
            model: second,
            ..ask
        }),
    );
    let generate = |prompt| {
        Op::Generate(Generate {
            model,
            prompt,
            negative: None,
            style: model,
            width: 640,
            height: 480,
            steps: 20,
            seed: Some(1),
        })
    };
    let painting = builder.op(&generate(scene));
    let fitted = builder.op(&Op::Fit(Fit {
        image: painting,
        width: 640,
        height: 480,
        formats: 7,
    }));
    builder.emit(scene);
    builder.emit(other);
    builder.emit(fitted);
    builder.finish().unwrap()
}

/// Every operation once, every optional operand present.
pub fn every_operation() -> Vec<u8> {
    let mut b = Builder::new();
    let model = b.name("m");
    let word = b.text("w");
    let octets = b.bytes(&[1, 2]);
    let number = b.int(300);
    let blob = b.blob(Blob {
        sha256: [0xab; 32],
        len: 70_000,
        ty: ValueType::Image,
    });
    let (max_tokens, temperature) = (16, Some(200));
    let text = b.op(&Op::Text(octets));
    b.op(&Op::Bytes(word));
    b.op(&Op::Integer(word));
    b.op(&Op::Concat(
        Parts::from_slice(&[text, number, word]).unwrap(),
    ));
    b.op(&Op::Chat(Chat {
        model,
        conversation: 1 << 40,
        parent: [1, 2, 3, 4, 5, 6, 7, 8],
        history: Some(octets),
        system: Some(word),
        input: text,
        max_tokens,
        temperature,
    }));
    let operands = Complete {
        model,
        input: word,
        max_tokens,
        temperature,
    };
    b.op(&Op::Complete(operands));
    b.op(&Op::Code(operands));
    b.op(&Op::Summarize(operands));
    b.op(&Op::Embed(Embed {
        model,
        input: octets,
        count: 512,
        dimensions: Some(256),
    }));
    b.op(&Op::Generate(Generate {
        model,
        prompt: word,
        negative: Some(text),
        style: model,
        width: 2048,
        height: 16,
        steps: 100,
        seed: Some(u32::MAX),
    }));
    b.op(&Op::Edit(Edit {
        model,
        image: blob,
        prompt: word,
        strength: 60,
        steps: 20,
    }));
    b.op(&Op::Upscale(Upscale {
        model,
        image: blob,
        factor: 2,
    }));
    let varied = b.op(&Op::Variation(Variation {
        model,
        image: blob,
        strength: 30,
        steps: 10,
        seed: None,
    }));
    let fitted = b.op(&Op::Fit(Fit {
        image: varied,
        width: 720,
        height: 720,
        formats: 3,
    }));
    b.op(&Op::List(List {
        path: model,
        skip: 0,
        limit: 256,
    }));
    b.op(&Op::Metadata(Metadata { path: model }));
    b.op(&Op::Get(Get {
        path: model,
        max_len: 1 << 20,
    }));
    b.op(&Op::Put(Put {
        path: model,
        data: fitted,
        write: Write::Rename,
    }));
    b.op(&Op::Delete(Delete { path: model }));
    b.op(&Op::Fetch(Fetch {
        url: model,
        max_len: 5,
    }));
    b.op(&Op::Status);
    b.op(&Op::Capabilities);
    b.op(&Op::Resources);
    b.op(&Op::Health);
    b.emit(fitted);
    b.finish().unwrap()
}

/// That program on its way.
pub fn submit_frame() -> Vec<u8> {
    let program = chat_program();
    let signer = RingSigner::new(&RelationshipKey::from_bytes([1; 32]));
    let digest = RingCrypto.sha256(&[&program]);
    let signature = sign_submit(&signer, EXPORTER, 41, digest);
    frame(&Message::Submit(Submit {
        id: RequestId(41),
        program: &program,
        signature: &signature.0,
    }))
}

/// One of each, as frames.
pub fn messages() -> Vec<(&'static str, Vec<u8>)> {
    let id = RequestId(41);
    let mut models = Vec::new();
    push_model(
        &Model {
            service: Service::Language,
            id: "ollama/llama3.1:8b",
            label: "Llama 3.1",
            loaded: Some(true),
        },
        &mut models,
    );
    push_model(
        &Model {
            service: Service::Image,
            id: "built-in/painter",
            label: "Built-in painter",
            loaded: None,
        },
        &mut models,
    );
    let allowance = |operation, verdict, left| Allowance {
        operation,
        verdict,
        left,
    };
    let standing = Standing {
        expires_in_s: 2_592_000,
        permissions: [
            allowance(Operation::Chat, Verdict::Allow, Some(100_000)),
            allowance(Operation::Generate, Verdict::Ask, Some(25)),
            allowance(Operation::Delete, Verdict::Deny, None),
        ]
        .into_iter()
        .collect(),
        models: &models,
        ask_timeout_s: 120,
        quota: 536_870_912,
    };
    let program = chat_program();
    let offsets = Offsets::from_slice(&[
        Offset { slot: 0, offset: 3 },
        Offset {
            slot: 3,
            offset: 65_536,
        },
    ])
    .unwrap();
    let mut data = vec![
        (
            "Hello",
            Message::Hello(Hello {
                version: 1,
                name: "Ada's RG35XX",
                app: "0.1.0",
                screen: Screen {
                    width: 640,
                    height: 480,
                },
                formats: 7,
                last_id: 40,
                ledger: LedgerHead {
                    number: 811,
                    hash: [0xc1; 32],
                },
            }),
        ),
        ("Cancel", Message::Cancel(Cancel { id })),
        ("Resume", Message::Resume(Resume { id, offsets })),
        ("Ack", Message::Ack(Ack { id })),
        ("Ping", Message::Ping(Echo { nonce: 5 })),
        (
            "Renew",
            Message::Renew(Renewal {
                step: &[0, 0x66, 0xbe],
            }),
        ),
        ("Farewell", Message::Farewell(())),
        (
            "Data",
            Message::Data(Data {
                id,
                slot: 0,
                offset: 0,
                raw_len: 0,
                fin: true,
                bytes: b"Hello.",
            }),
        ),
        (
            "Data of an upload",
            Message::Data(Data {
                id,
                slot: UPLOAD_SLOT + 4,
                offset: 16_384,
                raw_len: 0,
                fin: false,
                bytes: &[0xff, 0xd8],
            }),
        ),
        (
            "Credit",
            Message::Credit(Credit {
                id,
                slot: 0,
                from: 262_144,
                limit: 524_288,
            }),
        ),
        (
            "Welcome",
            Message::Welcome(Welcome {
                version: 1,
                name: "Ada's ThinkPad",
                time_ms: 1_760_000_000_000,
                utc_offset_min: -210,
                floor: 41,
                standing: standing.clone(),
                link: Link {
                    carrier: "wifi-direct",
                    ssid: b"DIRECT-OO-ada",
                    passphrase: "correct horse battery",
                    frequency: 2437,
                    port: 8144,
                },
                ledger: LedgerHead {
                    number: 812,
                    hash: [0xc2; 32],
                },
            }),
        ),
        ("Accepted", Message::Accepted(Accepted { id })),
        (
            "Awaiting",
            Message::Awaiting(Awaiting {
                id,
                expires_in_ms: 120_000,
            }),
        ),
        (
            "Started",
            Message::Started(Started {
                id,
                op: 0,
                model: "ollama/llama3.1:8b",
            }),
        ),
        (
            "Progress",
            Message::Progress(Progress {
                id,
                op: 2,
                permille: 450,
                step: 9,
                steps: 20,
                eta_ms: Some(11_000),
            }),
        ),
        (
            "Done",
            Message::Done(Done {
                id,
                usage: Usage {
                    tokens_in: 12,
                    tokens_out: 3,
                    pictures: 0,
                    bytes: 0,
                    millis: 850,
                },
            }),
        ),
        (
            "Failed",
            Message::Failed(Failed {
                id,
                op: 0,
                code: ErrorCode::ProviderUnreachable as u16,
                detail: "ollama",
            }),
        ),
        ("Notice", Message::Notice(Notice { standing })),
        ("Pong", Message::Pong(Echo { nonce: 5 })),
        (
            "Renewed",
            Message::Renewed(Renewal {
                step: &[1, 0x0b, 0x51],
            }),
        ),
        (
            "Queued",
            Message::Queued(Queued {
                id,
                ahead: 3,
                busy: 92,
            }),
        ),
    ]
    .into_iter()
    .map(|(name, message)| (name, frame(&message)))
    .collect::<Vec<_>>();
    data.insert(1, ("Submit", submit_frame()));
    assert_eq!(payload(&data[1].1)[2..2 + program.len()], program);
    data
}
