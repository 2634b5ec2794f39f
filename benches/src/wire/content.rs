//! What is said, apart from how: the types are also those of the encodings that serde knows.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether fields are told by their place, so that an absent one has to be written.
pub static BY_PLACE: AtomicBool = AtomicBool::new(false);

/// Encodings with names leave out what is not there.
fn absent<T>(value: &Option<T>) -> bool {
    value.is_none() && !BY_PLACE.load(Ordering::Relaxed)
}

/// A message of either side, with texts of `T` and octets of `B`.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Message<T, B> {
    Submit(Submit<T, B>),
    Data(Data<T>),
    Done(Done),
}

#[derive(Serialize, Deserialize)]
pub struct Submit<T, B> {
    pub id: u64,
    pub signature: B,
    pub version: u8,
    pub ops: Vec<Step<T, B>>,
}

#[derive(Serialize, Deserialize)]
pub struct Step<T, B> {
    #[serde(skip_serializing_if = "absent")]
    pub guard: Option<u8>,
    pub op: Op<T, B>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op<T, B> {
    Chat(Chat<T, B>),
    Generate(Generate<T>),
    List(List<T>),
    Get(Get<T>),
    Emit(u8),
}

#[derive(Serialize, Deserialize)]
pub struct Chat<T, B> {
    pub model: T,
    pub conversation: u64,
    pub parent: B,
    #[serde(skip_serializing_if = "absent")]
    pub history: Option<B>,
    #[serde(skip_serializing_if = "absent")]
    pub system: Option<T>,
    pub input: T,
    pub max_tokens: u32,
    #[serde(skip_serializing_if = "absent")]
    pub temperature: Option<u8>,
}

#[derive(Serialize, Deserialize)]
pub struct Generate<T> {
    pub model: T,
    pub prompt: T,
    #[serde(skip_serializing_if = "absent")]
    pub negative: Option<T>,
    pub style: T,
    pub width: u16,
    pub height: u16,
    pub steps: u8,
    #[serde(skip_serializing_if = "absent")]
    pub seed: Option<u32>,
}

#[derive(Serialize, Deserialize)]
pub struct List<T> {
    pub path: T,
    pub skip: u32,
    pub limit: u16,
}

#[derive(Serialize, Deserialize)]
pub struct Get<T> {
    pub path: T,
    pub max_len: u64,
}

#[derive(Serialize, Deserialize)]
pub struct Data<T> {
    pub id: u64,
    pub slot: u8,
    pub offset: u64,
    pub raw_len: u32,
    pub fin: bool,
    pub body: Body<T>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body<T> {
    Text(T),
    Listing(Listing<T>),
}

#[derive(Serialize, Deserialize)]
pub struct Listing<T> {
    pub total: u32,
    pub used: u64,
    pub quota: u64,
    pub entries: Vec<Entry<T>>,
}

#[derive(Serialize, Deserialize)]
pub struct Entry<T> {
    pub name: T,
    pub len: u64,
    pub modified: u64,
    pub folder: bool,
}

#[derive(Serialize, Deserialize)]
pub struct Done {
    pub id: u64,
    pub tokens_in: u64,
    pub tokens_out: u64,
    pub pictures: u32,
    pub bytes: u64,
    pub millis: u64,
}

/// As it is written, and as it is read where a crate can borrow.
pub type Borrowed<'a> = Message<&'a str, Octets<'a>>;
/// As it is read where a crate cannot.
pub type Owned = Message<String, OwnedOctets>;

/// Octets: as they are where an encoding has them, in base64 where it is read by people.
pub struct Octets<'a>(pub Cow<'a, [u8]>);

impl Serialize for Octets<'_> {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use base64::{display::Base64Display, engine::general_purpose::STANDARD};
        if to.is_human_readable() {
            to.collect_str(&Base64Display::new(&self.0, &STANDARD))
        } else {
            to.serialize_bytes(&self.0)
        }
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Octets<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> serde::de::Visitor<'de> for Visitor {
            type Value = Octets<'de>;
            fn expecting(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                to.write_str("octets")
            }
            fn visit_borrowed_bytes<E>(self, bytes: &'de [u8]) -> Result<Self::Value, E> {
                Ok(Octets(Cow::Borrowed(bytes)))
            }
            fn visit_bytes<E>(self, bytes: &[u8]) -> Result<Self::Value, E> {
                Ok(Octets(Cow::Owned(bytes.to_vec())))
            }
            fn visit_byte_buf<E>(self, bytes: Vec<u8>) -> Result<Self::Value, E> {
                Ok(Octets(Cow::Owned(bytes)))
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
                use base64::{Engine, engine::general_purpose::STANDARD};
                STANDARD
                    .decode(text)
                    .map(|bytes| Octets(Cow::Owned(bytes)))
                    .map_err(E::custom)
            }
        }
        if from.is_human_readable() {
            from.deserialize_str(Visitor)
        } else {
            from.deserialize_bytes(Visitor)
        }
    }
}

/// The same, always copied. What is read is counted and then dropped, so nothing looks into it.
pub struct OwnedOctets(#[allow(dead_code)] pub Vec<u8>);

impl<'de> Deserialize<'de> for OwnedOctets {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        Octets::deserialize(from).map(|octets| Self(octets.0.into_owned()))
    }
}

/// The messages, by name.
pub const MESSAGES: [(&str, fn() -> Borrowed<'static>); 9] = [
    ("chat, a short question", || chat("What would that cost?")),
    ("chat, three sentences", || {
        chat(
            "Write a short letter to my neighbour about the fence. It lost two boards in the storm. I would like to repair it on Saturday and would be glad of a hand.",
        )
    }),
    ("picture, 640×480", picture),
    ("list of files", || {
        let (path, skip, limit) = ("", 0, 200);
        submit(Op::List(List { path, skip, limit }))
    }),
    ("fetch a file", || {
        submit(Op::Get(Get {
            path: "report.pdf",
            max_len: 1_400_000,
        }))
    }),
    ("answer: a word", || data(Body::Text(" lighthouse"))),
    ("answer: a kilobyte of text", || {
        let text = "The lighthouse keeper counted the ships and wrote them down. ";
        data(Body::Text(&text.repeat(17).leak()[..1024]))
    }),
    ("answer: 20 files", || data(Body::Listing(listing()))),
    ("answer: its end", || {
        Message::Done(Done {
            id: 1234,
            tokens_in: 412,
            tokens_out: 187,
            pictures: 0,
            bytes: 0,
            millis: 4_310,
        })
    }),
];

fn submit(op: Op<&'static str, Octets<'static>>) -> Borrowed<'static> {
    Message::Submit(Submit {
        id: 1234,
        // A signature has no pattern that an encoding could be lucky with.
        signature: Octets(Cow::Owned(
            (0..64u32)
                .map(|n| (n.wrapping_mul(0x9e37_79b9) >> 24) as u8)
                .collect(),
        )),
        version: 1,
        ops: vec![
            Step { guard: None, op },
            Step {
                guard: None,
                op: Op::Emit(0),
            },
        ],
    })
}

fn chat(input: &'static str) -> Borrowed<'static> {
    submit(Op::Chat(Chat {
        model: "ollama/llama3.1:8b",
        conversation: 0x1234_5678_9abc_def0,
        parent: Octets(Cow::Borrowed(b"\x36\xa6\x9b\x8a\x7d\x05\xd8\xaf")),
        history: None,
        system: None,
        input,
        max_tokens: 1024,
        temperature: None,
    }))
}

fn picture() -> Borrowed<'static> {
    submit(Op::Generate(Generate {
        model: "easel/sdxl",
        prompt: "A calm harbour at dusk, oil on canvas, boats in the foreground",
        negative: None,
        style: "oil painting",
        width: 640,
        height: 480,
        steps: 20,
        seed: None,
    }))
}

fn data(body: Body<&'static str>) -> Borrowed<'static> {
    Message::Data(Data {
        id: 1234,
        slot: 0,
        offset: 2_310,
        raw_len: 0,
        fin: false,
        body,
    })
}

fn listing() -> Listing<&'static str> {
    let names = [
        "notes.txt",
        "holiday in Brittany.jpg",
        "invoice-2026-11.pdf",
        "Kündigung Zeitung.odt",
        "receipts",
    ];
    let entries = (0..20u64).map(|n| Entry {
        name: match n / 5 {
            0 => names[n as usize % 5],
            copy => format!("{} ({copy})", names[n as usize % 5]).leak(),
        },
        len: if n % 5 == 4 {
            0
        } else {
            1_000 + n * n * 77_777
        },
        modified: 1_795_000_000 + n * 86_461,
        folder: n % 5 == 4,
    });
    Listing {
        total: 20,
        used: 210_000_000,
        quota: 1_073_741_824,
        entries: entries.collect(),
    }
}
