//! SPEC.md says what the code does: its vectors, its worked example and its number tables are read and compared.
#![allow(clippy::unwrap_used)]

mod examples;

use examples::{chain_program, chat_program, every_operation, messages, submit_frame};
use serde::Serialize;
use shared_proto::beacon::{Answer, Query};
use shared_proto::codec::push_varint;
use shared_proto::context::{self, Role, Turn};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, RelationshipKey, Signer};
use shared_proto::embedding::encode_texts;
use shared_proto::error::ErrorCode;
use shared_proto::limits;
use shared_proto::opcode::{Opcode, Operation, Service};
use shared_proto::program::{decode, verify};
use shared_proto::report::{
    Capability, Entry, FileInfo, HealthState, ListingHead, ProviderHealth, Resources, Status,
};

const SPEC: &str = include_str!("../../SPEC.md");

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

fn record(values: &[Vec<u8>]) -> Vec<u8> {
    values.concat()
}

fn postcard<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_allocvec(value).unwrap()
}

fn head(turns: &[Turn<'_>]) -> [u8; 8] {
    turns.iter().fold(context::EMPTY, |head, turn| {
        context::advance(head, *turn, |parts| RingCrypto.sha256(parts))
    })
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
    all.push(("texts Hi, Hello.", encode_texts(said.map(|turn| turn.text))));
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
fn the_vectors_of_the_beacon_are_what_the_code_writes() {
    let nonce: [u8; 16] = core::array::from_fn(|index| index as u8);
    let lines = [
        format!("nonce         {}", hex(&nonce)),
        format!("query         {}", hex(&Query(nonce).encode())),
        format!(
            "answer 8144   {}",
            hex(&Answer { nonce, port: 8144 }.encode())
        ),
    ];
    assert_eq!(fenced("### Vectors of the beacon"), lines);
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
        ("MAX_EMBED_TEXTS", limits::MAX_EMBED_TEXTS.into()),
        ("MAX_DIMENSIONS", limits::MAX_DIMENSIONS.into()),
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
