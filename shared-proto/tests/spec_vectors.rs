//! SPEC.md says what the code does: its vectors, its worked example and its number tables are read and compared.
#![allow(clippy::unwrap_used)]

use serde::Serialize;
use shared_proto::codec::push_varint;
use shared_proto::context::{self, Role, Turn};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, Signer, sign_submit};
use shared_proto::error::ErrorCode;
use shared_proto::limits;
use shared_proto::message::{
    Accepted, Ack, Allowance, Awaiting, Cancel, Credit, Data, Done, Echo, Failed, Hello, Link,
    Message, Model, Notice, Offset, Offsets, Progress, Renewal, RequestId, Resume, Screen,
    Standing, Started, Submit, UPLOAD_SLOT, Usage, Verdict, Welcome, push_model,
};
use shared_proto::opcode::{Opcode, Operation, Service};
use shared_proto::program::{
    Blob, Builder, Chat, Complete, Delete, Edit, Fetch, Fit, Generate, Get, List, Metadata, Op,
    Parts, Put, Upscale, ValueType, Variation, Write, decode, verify,
};
use shared_proto::report::{
    Capability, Entry, FileInfo, HealthState, ListingHead, ProviderHealth, Resources, Status,
};

const SPEC: &str = include_str!("../SPEC.md");

/// Exporter value of the channel in the examples.
const EXPORTER: [u8; 32] = [0x07; 32];

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The text between the heading and the next one of its level or above.
fn section(heading: &str) -> &'static str {
    let level = heading.chars().take_while(|c| *c == '#').count();
    let start = SPEC
        .find(&format!("\n{heading}\n"))
        .unwrap_or_else(|| panic!("SPEC.md has no section {heading}"));
    let body = &SPEC[start + heading.len() + 2..];
    let end = (1..=level)
        .filter_map(|level| body.find(&format!("\n{} ", "#".repeat(level))))
        .min();
    &body[..end.unwrap_or(body.len())]
}

/// Lines of the fenced blocks of a section.
fn fenced(heading: &str) -> Vec<&'static str> {
    let parts = section(heading).split("```");
    parts
        .skip(1)
        .step_by(2)
        .flat_map(|block| block.lines().skip(1))
        .filter(|line| !line.is_empty())
        .collect()
}

/// Cells of the rows of the tables of a section, without their heads.
fn rows(heading: &str) -> Vec<Vec<&'static str>> {
    let mut rows = Vec::new();
    let mut in_body = false;
    for line in section(heading).lines() {
        if line.starts_with("|---") {
            in_body = true;
        } else if !line.starts_with('|') {
            in_body = false;
        } else if in_body {
            rows.push(line.trim_matches('|').split('|').map(str::trim).collect());
        }
    }
    rows
}

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

fn record(values: &[Vec<u8>]) -> Vec<u8> {
    values.concat()
}

fn postcard<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap()
}

fn chat_program() -> Vec<u8> {
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
fn chain_program() -> Vec<u8> {
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
fn every_operation() -> Vec<u8> {
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

fn head(turns: &[Turn<'_>]) -> [u8; 8] {
    turns.iter().fold(context::EMPTY, |head, turn| {
        context::advance(head, *turn, |parts| RingCrypto.sha256(parts))
    })
}

fn submit_frame() -> Vec<u8> {
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

fn messages() -> Vec<(&'static str, Vec<u8>)> {
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
    ]
    .into_iter()
    .map(|(name, message)| (name, frame(&message)))
    .collect::<Vec<_>>();
    data.insert(1, ("Submit", submit_frame()));
    assert_eq!(payload(&data[1].1)[2..2 + program.len()], program);
    data
}

fn vectors() -> Vec<(&'static str, Vec<u8>)> {
    let mut all = Vec::new();
    for (name, value) in [
        ("varint 0", 0),
        ("varint 127", 127),
        ("varint 128", 128),
        ("varint 300", 300),
        ("varint 16384", 16_384),
        ("varint 18446744073709551615", u64::MAX),
    ] {
        let mut out = Vec::new();
        push_varint(value, &mut out);
        all.push((name, out));
    }
    all.push(("i16 -210", postcard(&-210i16)));
    all.push(("i16 330", postcard(&330i16)));
    all.push(("option none", postcard(&None::<u32>)));
    all.push(("option 300", postcard(&Some(300u32))));
    all.extend(messages());
    let signer = RingSigner::new(&RelationshipKey::from_bytes([1; 32]));
    all.push(("submit key", signer.public_key().0.to_vec()));
    all.push((
        "submit digest",
        RingCrypto.sha256(&[&chat_program()]).to_vec(),
    ));
    for (name, program) in [
        ("program chat", chat_program()),
        ("program chain", chain_program()),
        ("program every operation", every_operation()),
    ] {
        verify(decode(&program).unwrap()).unwrap();
        all.push((name, program));
    }
    let said = [
        Turn {
            role: Role::User,
            text: "Hi",
        },
        Turn {
            role: Role::Assistant,
            text: "Hello.",
        },
    ];
    all.push(("head of Hi", head(&said[..1]).to_vec()));
    all.push(("head of Hi, Hello.", head(&said).to_vec()));
    all.push(("history Hi, Hello.", context::encode_history(said)));
    let listing = record(&[
        postcard(&ListingHead {
            total: 2,
            used: 1234,
            quota: 536_870_912,
            count: 2,
        }),
        postcard(&Entry {
            name: "notes.txt",
            len: 1234,
            modified: 1_760_000_000,
            folder: false,
        }),
        postcard(&Entry {
            name: "maps",
            len: 0,
            modified: 1_760_000_060,
            folder: true,
        }),
    ]);
    all.push(("record of list", listing));
    all.push((
        "record of metadata",
        postcard(&FileInfo {
            len: 1234,
            modified: 1_760_000_000,
            sha256: [0xcd; 32],
        }),
    ));
    all.push((
        "record of status",
        postcard(&Status {
            name: "Ada's ThinkPad",
            version: "0.1.0",
            uptime_s: 3600,
            running: 1,
            expires_in_s: 2_592_000,
        }),
    ));
    all.push((
        "record of capabilities",
        record(&[
            postcard(&2u16),
            postcard(&Capability {
                operation: Operation::Chat,
                available: true,
            }),
            postcard(&Capability {
                operation: Operation::Generate,
                available: false,
            }),
        ]),
    ));
    all.push((
        "record of resources",
        postcard(&Resources {
            cpus: 8,
            load_hundredths: 125,
            memory: 16 << 30,
            memory_free: 9 << 30,
            disk_free: 100 << 30,
        }),
    ));
    all.push((
        "record of health",
        record(&[
            postcard(&1u16),
            postcard(&ProviderHealth {
                service: Service::Language,
                name: "ollama",
                state: HealthState::Degraded,
                reason: "slow",
            }),
        ]),
    ));
    all
}

#[test]
fn the_published_vectors_are_what_the_code_writes() {
    let printed: String = vectors()
        .iter()
        .map(|(name, bytes)| format!("{name:<28}  {}\n", hex(bytes)))
        .collect();
    let published: Vec<(&str, &str)> = fenced("## Vectors")
        .into_iter()
        .map(|line| line.rsplit_once("  ").unwrap_or((line, "")))
        .collect();
    let wanted: Vec<(&str, String)> = vectors()
        .into_iter()
        .map(|(name, bytes)| (name, hex(&bytes)))
        .collect();
    let agree = published.len() == wanted.len()
        && published
            .iter()
            .zip(&wanted)
            .all(|((name, bytes), want)| (name.trim(), *bytes) == (want.0, want.1.as_str()));
    assert!(agree, "SPEC.md, \"Vectors\", should have:\n{printed}");
}

#[test]
fn the_worked_example_is_the_submit_of_the_vectors() {
    let bytes: String = fenced("## Worked example")
        .into_iter()
        .map(|line| line.split("  ").next().unwrap().replace(' ', ""))
        .collect();
    assert_eq!(bytes, hex(&submit_frame()));
}

#[test]
fn the_table_of_error_codes_is_complete() {
    let rows = rows("## Error codes");
    let published: Vec<(u16, &str)> = rows
        .iter()
        .map(|row| (row[0].parse().unwrap(), row[1]))
        .collect();
    let wanted: Vec<(u16, &str)> = ErrorCode::ALL
        .iter()
        .map(|code| (*code as u16, code.name()))
        .collect();
    assert_eq!(published, wanted);
    assert!(rows.iter().all(|row| !row[2].is_empty()));
}

#[test]
fn the_table_of_operations_is_complete() {
    let published: Vec<(u8, String)> = rows("### Operations")
        .iter()
        .map(|row| {
            let number = u8::from_str_radix(row[0].trim_start_matches("0x"), 16).unwrap();
            (number, row[1].to_owned())
        })
        .collect();
    let wanted: Vec<(u8, String)> = Opcode::ALL
        .iter()
        .map(|op| (*op as u8, op.name().to_owned()))
        .collect();
    assert_eq!(published, wanted);
}

#[test]
fn the_table_of_messages_is_complete() {
    let published: Vec<(u8, String)> = rows("## Messages")
        .iter()
        .filter(|row| row[0].starts_with("0x"))
        .map(|row| {
            let number = u8::from_str_radix(row[0].trim_start_matches("0x"), 16).unwrap();
            (number, row[1].to_owned())
        })
        .collect();
    let wanted: Vec<(u8, String)> = messages()
        .iter()
        .filter(|(name, _)| !name.contains(' '))
        .map(|(name, bytes)| (bytes[0], (*name).to_owned()))
        .collect();
    assert_eq!(published, wanted);
}

#[test]
fn the_table_of_limits_is_what_the_code_enforces() {
    let wanted: &[(&str, u64)] = &[
        ("PROTOCOL_VERSION", limits::PROTOCOL_VERSION.into()),
        ("MAX_FRAME_LEN", limits::MAX_FRAME_LEN as u64),
        ("MAX_PROGRAM_LEN", limits::MAX_PROGRAM_LEN as u64),
        ("MAX_CONSTS", limits::MAX_CONSTS as u64),
        ("MAX_OPS", limits::MAX_OPS as u64),
        ("MAX_PARTS", limits::MAX_PARTS as u64),
        ("MAX_TEXT_LEN", limits::MAX_TEXT_LEN),
        ("MAX_VALUE_LEN", limits::MAX_VALUE_LEN),
        ("MAX_MODEL_LEN", limits::MAX_MODEL_LEN as u64),
        ("MAX_PATH_LEN", limits::MAX_PATH_LEN as u64),
        ("MAX_URL_LEN", limits::MAX_URL_LEN as u64),
        ("MAX_TOKENS", limits::MAX_TOKENS.into()),
        ("MAX_SIDE", limits::MAX_SIDE.into()),
        ("MIN_SIDE", limits::MIN_SIDE.into()),
        ("MAX_STEPS", limits::MAX_STEPS.into()),
        ("MAX_TOKEN_LEN", limits::MAX_TOKEN_LEN),
        ("MAX_NAME_LEN", limits::MAX_NAME_LEN as u64),
        ("MAX_DETAIL_LEN", limits::MAX_DETAIL_LEN as u64),
        ("MAX_LIVE_REQUESTS", limits::MAX_LIVE_REQUESTS as u64),
        ("MAX_MODELS", limits::MAX_MODELS as u64),
        ("MAX_ENTRIES", shared_proto::report::MAX_ENTRIES.into()),
        ("MAX_CHUNK_LEN", limits::MAX_CHUNK_LEN as u64),
        ("INITIAL_WINDOW", limits::INITIAL_WINDOW),
        ("WINDOW", limits::WINDOW),
        ("PING_AFTER_MS", limits::PING_AFTER_MS),
        ("DEAD_AFTER_MS", limits::DEAD_AFTER_MS),
        ("GREETING_TIMEOUT_MS", limits::GREETING_TIMEOUT_MS),
    ];
    let published: Vec<(&str, u64)> = rows("## Limits")
        .iter()
        .map(|row| (row[0], row[1].replace(',', "").parse().unwrap()))
        .collect();
    assert_eq!(published, wanted);
}
