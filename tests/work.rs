//! Work to be counted by `valgrind --tool=callgrind`: `work WHAT TIMES`. The difference between two runs with different numbers of times is
//! what it costs once: what has to be there before is made in both. `scripts/bench compare` holds it against the commit before.

use laptop::daemon::packing::{deflate, inflate};
use laptop::ledger::{Event, Head, Verifier, append};
use laptop::llm::sse::Sse;
use laptop::policy::{Profile, Usage};
use laptop::store::{Author, Claim, NewRelationship, NewRequest, Store};
use laptop::web::http::reader::Reader;
use shared_proto::channel::{Acceptor, Channel, TlsChannel, connect};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{
    Crypto, PublicKey, RelationshipKey, Signature, Signer, TokenSecret, sign_submit, verify_submit,
};
use shared_proto::frame::Deframer;
use shared_proto::limits::{MAX_CHUNK_LEN, PROTOCOL_VERSION};
use shared_proto::message::{
    Data, Hello, LedgerHead, Link, Message, RequestId, Screen, Standing, Welcome,
};
use shared_proto::program::{Builder, Chat, Op, decode, verify};
use shared_proto::renewal::Credentials;
use shared_proto::session::{ClientEvent, ClientSession, ServerSession};
use shared_proto::time::Millis;
use shared_proto::token::{TokenNonce, find, mint};
use std::hint::black_box;

/// Its name, and what does it so many times.
type Work = (&'static str, fn(usize));

/// Everything that can be counted.
const WORKS: [Work; 13] = [
    ("frame", frames),
    ("program", programs),
    ("session", session),
    ("token", tokens),
    ("handshake", handshakes),
    ("channel", channel),
    ("signature", signatures),
    ("ledger", ledger),
    ("admission", admissions),
    ("pack", pack),
    ("unpack", unpack),
    ("http", http),
    ("events", events),
];

const NOW: Millis = Millis(1_000);

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let times = arguments.next().and_then(|n| n.parse().ok()).unwrap_or(1);
    match WORKS.iter().find(|(name, _)| *name == wanted) {
        Some((_, work)) => work(times),
        None => WORKS.iter().for_each(|(name, _)| println!("{name}")),
    }
}

fn text(len: usize) -> Vec<u8> {
    b"The lighthouse keeper counted the ships and wrote them down. "
        .iter()
        .copied()
        .cycle()
        .take(len)
        .collect()
}

fn piece(offset: u64, bytes: &[u8]) -> Data<'_> {
    Data {
        id: RequestId(1),
        slot: 0,
        offset,
        raw_len: 0,
        fin: false,
        bytes,
    }
}

/// One kilobyte of a result as a message, written and read.
fn frames(times: usize) {
    let bytes = text(1024);
    let mut deframer = Deframer::new();
    for _ in 0..times {
        let mut out = Vec::new();
        let message = Message::Data(piece(7, &bytes));
        message.encode(&mut out).expect("it fits");
        deframer.push(&out);
        while let Some((kind, payload)) = deframer.next_frame().expect("ours") {
            black_box(Message::decode(kind, payload).expect("ours"));
        }
    }
}

/// A chat as a program, read and verified.
fn programs(times: usize) {
    let mut builder = Builder::new();
    let model = builder.name("ollama/llama3.1:8b");
    let input = builder.text("What is the shortest way from here to the sea?");
    let answer = builder.op(&Op::Chat(Chat {
        model,
        conversation: 1,
        parent: [0; 8],
        history: None,
        system: None,
        input,
        max_tokens: 1024,
        temperature: Some(70),
    }));
    builder.emit(answer);
    let bytes = builder.finish().expect("a program");
    for _ in 0..times {
        let program = decode(black_box(&bytes)).expect("ours");
        black_box(verify(program).expect("ours"));
    }
}

/// A request whose result has 48 KB, from submit to its last piece, on both machines.
fn session(times: usize) {
    let bytes = text(MAX_CHUNK_LEN);
    for _ in 0..times {
        let (mut client, mut server) = open();
        let id = RequestId(1);
        client
            .submit(id, b"program", &[0; 64], NOW)
            .expect("submitted");
        server
            .receive(&client.take_transmit(), NOW, |_| {})
            .expect("honest");
        server.accepted(id).expect("alive");
        for round in 0..3 {
            let offset = round * MAX_CHUNK_LEN as u64;
            server.data(&piece(offset, &bytes)).expect("within credit");
            let mut stored = 0;
            client
                .receive(&server.take_transmit(), NOW, |event| {
                    if let ClientEvent::Data(data) = event {
                        stored = data.offset + data.len();
                    }
                })
                .expect("honest");
            client.stored(id, 0, stored, NOW).expect("open");
            server
                .receive(&client.take_transmit(), NOW, |_| {})
                .expect("honest");
        }
    }
}

fn open() -> (ClientSession, ServerSession) {
    let hello = Hello {
        version: PROTOCOL_VERSION,
        name: "Pocket",
        app: "0.1.0",
        screen: Screen {
            width: 640,
            height: 480,
        },
        formats: 7,
        last_id: 0,
        ledger: LedgerHead::default(),
    };
    let welcome = Welcome {
        version: PROTOCOL_VERSION,
        name: "Ada's ThinkPad",
        time_ms: 1,
        utc_offset_min: 60,
        floor: 1,
        standing: Standing::default(),
        link: Link::default(),
        ledger: LedgerHead::default(),
    };
    let mut client = ClientSession::new(&hello, NOW).expect("it fits");
    let mut server = ServerSession::new(NOW);
    server
        .receive(&client.take_transmit(), NOW, |_| {})
        .expect("honest");
    server.welcome(&welcome).expect("greeted");
    client
        .receive(&server.take_transmit(), NOW, |_| {})
        .expect("honest");
    (client, server)
}

/// A server name, made and found among eight relationships.
fn tokens(times: usize) {
    let secrets: Vec<_> = (0..8)
        .map(|seed| TokenSecret::from_bytes([seed; 32]))
        .collect();
    for _ in 0..times {
        let name = mint(&RingCrypto, &secrets[5], TokenNonce([7; 16]));
        black_box(find(&RingCrypto, name.as_str(), &secrets).expect("ours"));
    }
}

fn keys() -> (RelationshipKey, RelationshipKey) {
    (
        RelationshipKey::from_bytes([1; 32]),
        RelationshipKey::from_bytes([2; 32]),
    )
}

fn public(key: &RelationshipKey) -> PublicKey {
    RingSigner::new(key).public_key()
}

/// Both ends of a channel, once its handshake is through.
fn shaken() -> (TlsChannel, TlsChannel) {
    let (here, there) = keys();
    let secret = TokenSecret::from_bytes([3; 32]);
    let name = mint(&RingCrypto, &secret, TokenNonce([7; 16]));
    let mut client = connect(&here, public(&there), &name).expect("a channel");
    let mut wire = Vec::new();
    client.transmit(&mut wire);
    let hello = Acceptor::new().receive(&wire).expect("ours");
    let mut server = hello
        .expect("it is whole")
        .accept(&there, public(&here))
        .expect("accepted");
    while client.is_handshaking() || server.is_handshaking() {
        pass(&mut server, &mut client);
        pass(&mut client, &mut server);
    }
    (client, server)
}

fn pass(from: &mut TlsChannel, to: &mut TlsChannel) {
    let mut wire = Vec::new();
    from.transmit(&mut wire);
    to.receive(&wire).expect("honest");
}

fn handshakes(times: usize) {
    for _ in 0..times {
        black_box(shaken());
    }
}

/// Sixteen kilobytes through a channel.
fn channel(times: usize) {
    let (mut client, mut server) = shaken();
    let bytes = text(MAX_CHUNK_LEN);
    let mut read = vec![0; MAX_CHUNK_LEN];
    for _ in 0..times {
        let mut sent = 0;
        while sent < bytes.len() {
            sent += client.write(&bytes[sent..]).expect("open");
            pass(&mut client, &mut server);
            while server.read(&mut read).expect("open") > 0 {}
        }
    }
}

/// A request signed and its signature checked.
fn signatures(times: usize) {
    let signer = RingSigner::new(&keys().0);
    let key = signer.public_key();
    for id in 0..times as u64 {
        let signature = sign_submit(&signer, [1; 32], id, [2; 32]);
        verify_submit(&RingCrypto, &key, [1; 32], id, [2; 32], &signature).expect("ours");
    }
}

/// An entry written and verified.
fn ledger(times: usize) {
    let mut head = Head::START;
    let mut verifier = Verifier::new(None);
    for at in 0..times as i64 {
        let (next, line) = append(head, at, Event::Confirmed { device: 1 }).expect("it fits");
        verifier.line(line.as_bytes()).expect("ours");
        head = next;
    }
}

/// A request taken in by the store: the work before the disk's.
fn admissions(times: usize) {
    let folder = std::env::temp_dir().join(format!("officeos-work-{}", std::process::id()));
    let store = Store::open(&folder).expect("a store");
    let (here, there) = keys();
    let new = NewRelationship {
        name: "Pocket".to_owned(),
        keys: Credentials {
            own: there,
            peer: public(&here),
            token: TokenSecret::from_bytes([3; 32]),
        },
        screen: (640, 480),
        created_at: 1_000,
        expires_at: 2_000_000,
        provisional_until: 1_000_000,
    };
    let device = store
        .add_relationship(&new, &Profile::of_new_device())
        .expect("added");
    for id in 1..=times as u64 {
        let request = NewRequest {
            relationship: device.id,
            id,
            digest: RingCrypto.sha256(&[&id.to_be_bytes()]),
            author: Author::Device {
                key: public(&here),
                signature: Signature([4; 64]),
                exporter: [5; 32],
            },
            claim: Claim {
                wants: Vec::new(),
                asks: false,
            },
            reserved: Usage::default(),
            now: 1_000,
            day: 20_000,
        };
        store.admit(&request).expect("taken in");
    }
    drop(store);
    let _ = std::fs::remove_dir_all(folder);
}

fn pack(times: usize) {
    let bytes = text(MAX_CHUNK_LEN);
    for _ in 0..times {
        black_box(deflate(black_box(&bytes)).expect("words become shorter"));
    }
}

fn unpack(times: usize) {
    let bytes = text(MAX_CHUNK_LEN);
    let packed = deflate(&bytes).expect("words become shorter");
    for _ in 0..times {
        black_box(inflate(black_box(&packed), bytes.len() as u32).expect("ours"));
    }
}

fn http(times: usize) {
    let request = b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1:8145\r\nAuthorization: Bearer oos-0123456789\r\n\
        Content-Type: application/json\r\nContent-Length: 12\r\nAccept: */*\r\n\r\n{\"model\":\"\"}";
    for _ in 0..times {
        let mut reader = Reader::new(4096);
        reader.push(black_box(request));
        black_box(reader.step().expect("ours"));
    }
}

fn events(times: usize) {
    let stream = b"data: {\"choices\":[{\"delta\":{\"content\":\" lighthouse\"}}]}\n\n".repeat(50);
    for _ in 0..times {
        let (mut sse, mut events) = (Sse::new(1 << 20), Vec::new());
        sse.feed(black_box(&stream), &mut events)
            .expect("short lines");
        black_box((sse.finish(), events));
    }
}
