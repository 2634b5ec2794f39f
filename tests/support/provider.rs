//! An OpenAI-compatible chat server that counts what it is asked and answers what the test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// How to answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Pieces, in order.
    pub pieces: Vec<String>,
    /// Pause before each.
    pub pause: Duration,
    /// Close without an end after so many pieces.
    pub die_after: Option<usize>,
}

#[derive(Default)]
struct Seen {
    prompts: Vec<String>,
    asked_at: Vec<Instant>,
    broken: usize,
}

/// See the module.
pub struct Provider {
    address: SocketAddr,
    seen: Arc<(Mutex<Seen>, Condvar)>,
}

impl Provider {
    /// Starts one; `answer` is given the last message.
    pub fn start(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        Self::stamped(answer, |_| {})
    }

    /// Starts one that calls `stamp` with each piece just before it is sent.
    pub fn stamped(
        answer: impl Fn(&str) -> Answer + Send + Sync + 'static,
        stamp: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let seen: Arc<(Mutex<Seen>, Condvar)> = Arc::default();
        let (shared, answer, stamp) = (Arc::clone(&seen), Arc::new(answer), Arc::new(stamp));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (shared, answer, stamp) =
                    (Arc::clone(&shared), Arc::clone(&answer), Arc::clone(&stamp));
                std::thread::spawn(move || serve(stream, &shared, answer.as_ref(), stamp.as_ref()));
            }
        });
        Self { address, seen }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// When chat or picture number `number` was asked for.
    pub fn asked_at(&self, number: usize) -> Option<Instant> {
        self.seen
            .0
            .lock()
            .expect("what was seen")
            .asked_at
            .get(number)
            .copied()
    }

    /// Its entry in `services.toml`.
    pub fn entry(&self) -> String {
        format!(
            "[[provider]]\nname = \"desk\"\nkind = \"openai\"\nbase_url = \"http://{}/v1\"\n",
            self.address
        )
    }

    /// Its entry in `services.toml` as a painter that speaks AUTOMATIC1111's API.
    pub fn painter_entry(&self) -> String {
        format!(
            "[[provider]]\nname = \"easel\"\nkind = \"a1111\"\nbase_url = \"http://{}\"\n",
            self.address
        )
    }

    /// Last messages of all chats it was asked for, in order.
    pub fn prompts(&self) -> Vec<String> {
        self.seen.0.lock().expect("what was seen").prompts.clone()
    }

    /// Chats that the caller broke off.
    pub fn broken(&self) -> usize {
        self.seen.0.lock().expect("what was seen").broken
    }

    /// Waits until the caller has broken off `count` chats.
    pub fn wait_broken(&self, count: usize) {
        let (seen, changed) = (&self.seen.0, &self.seen.1);
        let seen = seen.lock().expect("what was seen");
        let (seen, _) = changed
            .wait_timeout_while(seen, super::PATIENCE, |seen| seen.broken < count)
            .expect("what was seen");
        assert!(seen.broken >= count, "the provider was never told to stop");
    }
}

fn serve(
    mut stream: TcpStream,
    shared: &(Mutex<Seen>, Condvar),
    answer: &(impl Fn(&str) -> Answer + ?Sized),
    stamp: &impl Fn(&str),
) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream.try_clone().expect("the stream again"));
    let mut first = String::new();
    if reader.read_line(&mut first).unwrap_or(0) == 0 {
        return;
    }
    let mut len = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            len = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; len];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    if first.contains("/sdapi/") {
        return paint(&mut stream, &first, &body, shared);
    }
    if first.starts_with("GET ") {
        let models = r#"{"object":"list","data":[{"id":"parrot","object":"model"}]}"#;
        let _ = write!(
            stream,
            "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{models}",
            models.len()
        );
        return;
    }
    if first.contains("/embeddings") {
        return embed(&mut stream, &body, shared);
    }
    let request: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let messages = request["messages"].as_array().cloned().unwrap_or_default();
    let prompt = messages
        .last()
        .and_then(|message| message["content"].as_str())
        .unwrap_or_default()
        .to_owned();
    note(shared, &prompt);
    let answer = answer(&prompt);
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let mut ended = stream.write_all(head.as_bytes()).is_ok();
    for (number, piece) in answer.pieces.iter().enumerate() {
        if answer.die_after == Some(number) || !ended {
            break;
        }
        std::thread::park_timeout(answer.pause);
        let chunk = serde_json::json!({"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": null}]});
        stamp(piece);
        ended = stream
            .write_all(format!("data: {chunk}\n\n").as_bytes())
            .is_ok();
    }
    if answer.die_after.is_some() {
        return;
    }
    if ended {
        let chunk =
            serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]});
        let _ = write!(stream, "data: {chunk}\n\ndata: [DONE]\n\n");
    } else {
        shared.0.lock().expect("what was seen").broken += 1;
        shared.1.notify_all();
    }
}

/// Vectors of three numbers that depend on their text, or as many as are wanted; of the model called `vectors` alone.
fn embed(stream: &mut TcpStream, body: &[u8], shared: &(Mutex<Seen>, Condvar)) {
    let request: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let texts = request["input"].as_array().cloned().unwrap_or_default();
    let (status, answer) = if request["model"] == "vectors" {
        let len = request["dimensions"].as_u64().unwrap_or(3);
        let vector = |(index, text): (usize, &serde_json::Value)| {
            let text = text.as_str().unwrap_or_default();
            note(shared, text);
            let numbers: Vec<f32> = (0..len)
                .map(|place| text.len() as f32 + place as f32 / 10.0)
                .collect();
            serde_json::json!({"object": "embedding", "index": index, "embedding": numbers})
        };
        let data: Vec<_> = texts.iter().enumerate().map(vector).collect();
        let usage = serde_json::json!({"prompt_tokens": 5, "total_tokens": 5});
        let answer =
            serde_json::json!({"object": "list", "data": data, "model": "vectors", "usage": usage});
        ("200 OK", answer)
    } else {
        let words = "This server does not support embeddings. Start it with `--embeddings`";
        let error =
            serde_json::json!({"code": 501, "message": words, "type": "not_supported_error"});
        ("501 Not Implemented", serde_json::json!({ "error": error }))
    };
    let answer = answer.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
}

/// Paints noise that depends on the prompt: the least that compression can do about it.
fn paint(stream: &mut TcpStream, first: &str, body: &[u8], shared: &(Mutex<Seen>, Condvar)) {
    use base64::Engine;
    let answer = if first.contains("txt2img") {
        let request: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let prompt = request["prompt"].as_str().unwrap_or_default().to_owned();
        note(shared, &prompt);
        let mut state = prompt.bytes().fold(7u32, |sum, octet| {
            sum.wrapping_mul(31).wrapping_add(u32::from(octet))
        });
        let picture = image::RgbImage::from_fn(640, 480, |_, _| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            image::Rgb(state.to_le_bytes()[..3].try_into().expect("three octets"))
        });
        let mut png = std::io::Cursor::new(Vec::new());
        picture
            .write_to(&mut png, image::ImageFormat::Png)
            .expect("a PNG");
        let data = base64::engine::general_purpose::STANDARD.encode(png.into_inner());
        serde_json::json!({"images": [data], "parameters": {}, "info": "{}"})
    } else if first.contains("sd-models") {
        serde_json::json!([{"title": "noise", "model_name": "noise"}])
    } else if first.contains("progress") {
        serde_json::json!({"progress": 0.5, "eta_relative": 1.0, "state": {}})
    } else {
        serde_json::json!({"sd_model_checkpoint": "noise"})
    };
    let answer = answer.to_string();
    let _ = write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
}

fn note(shared: &(Mutex<Seen>, Condvar), prompt: &str) {
    let mut seen = shared.0.lock().expect("what was seen");
    seen.prompts.push(prompt.to_owned());
    seen.asked_at.push(Instant::now());
    drop(seen);
    shared.1.notify_all();
}
