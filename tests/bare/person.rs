//! What a person does with both devices, and the programs they run.

use super::pocket::Paired;
use super::{Card, End, Laptop};
use shared_proto::error::ErrorCode;
use shared_proto::program::{Builder, Chat, Generate, Get, Op, Put, Write};
use std::net::SocketAddr;
use std::sync::mpsc::channel;

/// Pairs as a person does: the window, the digits from one device typed on the other.
pub fn pair(laptop: &Laptop, address: SocketAddr) -> Card {
    meet(laptop, address).card
}

/// Same, and keeps all that the pocket was told.
pub fn meet(laptop: &Laptop, address: SocketAddr) -> Paired {
    laptop.ask(&["pair", "--open"]);
    let (sender, digits) = channel();
    let pocket = std::thread::spawn(move || Card::pair(address, "pocket", &sender));
    let digits = digits.recv().expect("the pocket shows digits");
    let status = laptop.ask(&["pair", "--digits", &digits]);
    assert_eq!(
        (status["state"].as_str(), status["name"].as_str()),
        (Some("paired"), Some("pocket"))
    );
    let paired = pocket.join().expect("no panic").expect("paired");
    assert_eq!(paired.laptop, "Laptop Daemon");
    paired
}

pub fn paired(name: &str) -> (Laptop, SocketAddr, Card) {
    let laptop = Laptop::start(name);
    let address = laptop.address();
    let card = pair(&laptop, address);
    (laptop, address, card)
}

pub fn allow(laptop: &Laptop, operations: &[&str]) {
    for operation in operations {
        laptop.ask(&["permit", "pocket", operation, "allow"]);
    }
}

pub fn chat(text: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let (model, input) = (builder.name("built-in/partner"), builder.text(text));
    let answer = builder.op(&Op::Chat(Chat {
        model,
        conversation: 1,
        parent: [0; 8],
        history: None,
        system: None,
        input,
        max_tokens: 400,
        temperature: None,
    }));
    builder.emit(answer);
    builder.finish().expect("a program")
}

pub fn paint(prompt: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let (model, style) = (builder.name("built-in/painter"), builder.name(""));
    let prompt = builder.text(prompt);
    let picture = builder.op(&Op::Generate(Generate {
        model,
        prompt,
        negative: None,
        style,
        width: 256,
        height: 256,
        steps: 4,
        seed: Some(7),
    }));
    builder.emit(picture);
    builder.finish().expect("a program")
}

pub fn put_and_get(name: &str, body: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let (path, data) = (builder.name(name), builder.text(body));
    builder.op(&Op::Put(Put {
        path,
        data,
        write: Write::New,
    }));
    let read = builder.op(&Op::Get(Get {
        path,
        max_len: 1 << 20,
    }));
    builder.emit(read);
    builder.finish().expect("a program")
}

pub fn code(told: &super::pocket::Told) -> Option<ErrorCode> {
    match told.end {
        Some(End::Failed(_, code, _)) => Some(code),
        _ => None,
    }
}

/// A question to this model.
pub fn model_named(name: &str) -> Vec<u8> {
    let mut builder = Builder::new();
    let (model, input) = (builder.name(name), builder.text("Hello"));
    let answer = builder.op(&Op::Chat(Chat {
        model,
        conversation: 1,
        parent: [0; 8],
        history: None,
        system: None,
        input,
        max_tokens: 64,
        temperature: None,
    }));
    builder.emit(answer);
    builder.finish().expect("a program")
}
