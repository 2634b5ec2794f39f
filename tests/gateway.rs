//! The gateway end to end: real processes, and a provider that counts what it is asked.

mod support;

use serde_json::{Value, json};
use std::time::Duration;
use support::laptop::Laptop;
use support::provider::{Answer, Provider};
use support::web::{Program, said};

/// The scripted provider's model.
const MODEL: &str = "desk/parrot";

/// A laptop with one provider and the gateway switched on.
struct House {
    laptop: Laptop,
    provider: Provider,
    gateway: std::net::SocketAddr,
}

impl House {
    fn new(name: &str, answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Self {
        let provider = Provider::start(answer);
        let laptop = Laptop::with_gateway(name, &provider.entry(), &[]);
        let gateway = laptop.gateway();
        Self {
            laptop,
            provider,
            gateway,
        }
    }

    /// A provider that repeats what it is told, word by word.
    fn parrot(name: &str) -> Self {
        Self::new(name, |prompt| Answer {
            pieces: prompt.split_inclusive(' ').map(str::to_owned).collect(),
            pause: Duration::ZERO,
            die_after: None,
        })
    }

    /// A provider that never comes to an end by itself.
    fn endless(name: &str) -> Self {
        Self::new(name, |_| Answer {
            pieces: (0..100_000).map(|number| format!("{number} ")).collect(),
            pause: Duration::from_millis(20),
            die_after: None,
        })
    }

    /// A program with a key of its own, for which each operation has its rule.
    fn program(&self, name: &str, rules: &[(&str, &str)]) -> Program {
        let ctl = self.laptop.ctl();
        let added = ctl.json(&["callers", "add", name]);
        for (operation, rule) in rules {
            ctl.json(&["callers", "permit", name, operation, rule]);
        }
        Program {
            address: self.gateway,
            key: added["key"].as_str().expect("a key").to_owned(),
        }
    }

    /// The entries of the ledger, each as `what`, with its outcome, answer or reason.
    fn ledger(&self) -> Vec<String> {
        let entries = self
            .laptop
            .ctl()
            .json(&["ledger", "show", "--last", "1000"]);
        let report = self.laptop.ctl().json(&["ledger", "verify"]);
        assert!(report["flaw"].is_null(), "{report}");
        let words = |entry: &Value| {
            let more = ["outcome", "answer", "reason", "verdict"]
                .into_iter()
                .find_map(|field| entry["event"][field].as_str());
            let what = entry["event"]["what"].as_str().unwrap_or_default();
            match more {
                Some(more) => format!("{what} {more}"),
                None => what.to_owned(),
            }
        };
        entries
            .as_array()
            .expect("entries")
            .iter()
            .map(words)
            .collect()
    }
}

fn chat(text: &str) -> Value {
    json!({"model": MODEL, "messages": [{"role": "user", "content": text}], "max_tokens": 100})
}

fn streamed(text: &str) -> Value {
    let mut body = chat(text);
    body["stream"] = true.into();
    body
}

const CHAT: &str = "/v1/chat/completions";

#[test]
fn a_permitted_program_is_answered_and_the_ledger_says_so() {
    let house = House::parrot("gw-allowed");
    let editor = house.program("editor", &[("chat", "allow"), ("complete", "allow")]);

    let models = editor.get("/v1/models");
    assert_eq!(models.status, 200, "{models:?}");
    let ids: Vec<&str> = models.body["data"]
        .as_array()
        .expect("models")
        .iter()
        .filter_map(|model| model["id"].as_str())
        .collect();
    assert!(ids.contains(&MODEL), "{ids:?}");
    let one = editor.get("/v1/models/desk%2Fparrot");
    assert_eq!((one.status, &one.body["owned_by"]), (200, &json!("desk")));

    let answer = editor.post(CHAT, &chat("polly wants a cracker"));
    assert_eq!(answer.status, 200, "{answer:?}");
    let choice = &answer.body["choices"][0];
    assert_eq!(choice["message"]["content"], "polly wants a cracker");
    assert_eq!(choice["finish_reason"], "stop");
    assert_eq!(answer.body["model"], MODEL);
    assert!(answer.body["usage"]["total_tokens"].as_u64() > Some(0));

    let (text, last) = editor.stream(CHAT, &streamed("one two three")).rest();
    assert_eq!((text.as_str(), last.as_str()), ("one two three", "[DONE]"));

    let body = json!({"model": MODEL, "prompt": "once upon a time"});
    let answer = editor.post("/v1/completions", &body);
    assert_eq!(answer.status, 200, "{answer:?}");

    let ledger = house.ledger();
    let of_requests: Vec<&str> = ledger
        .iter()
        .map(String::as_str)
        .filter(|entry| entry.starts_with("called") || entry.starts_with("ended"))
        .collect();
    let pair = ["called allow", "ended done"];
    assert_eq!(of_requests, [pair, pair, pair].concat(), "{ledger:?}");
    let shown = house.laptop.ctl().json(&["callers", "show", "editor"]);
    assert!(shown["tokens"][0].as_u64() > Some(0), "{shown}");
    let devices = house.laptop.ctl().json(&["devices"]);
    assert_eq!(devices, json!([]), "a caller is no device");
}

const EMBED: &str = "/v1/embeddings";

/// A laptop whose provider has a model that makes vectors.
fn librarian(name: &str) -> House {
    let provider = Provider::start(|_| Answer {
        pieces: Vec::new(),
        pause: Duration::ZERO,
        die_after: None,
    });
    let entry = format!("{}models = [\"parrot\", \"vectors\"]\n", provider.entry());
    let laptop = Laptop::with_gateway(name, &entry, &[]);
    let gateway = laptop.gateway();
    House {
        laptop,
        provider,
        gateway,
    }
}

#[test]
fn texts_become_vectors_where_a_model_makes_them() {
    let house = librarian("gw-vectors");
    let index = house.program("index", &[("embed", "allow")]);
    let body = json!({"model": "desk/vectors", "input": "hello"});
    let answer = index.post(EMBED, &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.body["data"][0]["embedding"], json!([5.0, 5.1, 5.2]));
    assert_eq!(answer.body["usage"]["total_tokens"], 5);
    assert_eq!(answer.body["model"], "desk/vectors");

    let body = json!({
        "model": "desk/vectors", "input": ["one", "three"], "encoding_format": "base64", "dimensions": 1,
    });
    let answer = index.post(EMBED, &body);
    let of = |number: f32| {
        use base64::Engine;
        base64::engine::general_purpose::STANDARD.encode(number.to_le_bytes())
    };
    let vectors: Vec<&Value> = answer.body["data"]
        .as_array()
        .expect("vectors")
        .iter()
        .map(|one| &one["embedding"])
        .collect();
    assert_eq!(vectors, [&json!(of(3.0)), &json!(of(5.0))], "{answer:?}");
    // More than a provider is asked about at a time.
    let many: Vec<String> = (0..150).map(|number| "x".repeat(number + 1)).collect();
    let answer = index.post(EMBED, &json!({"model": "desk/vectors", "input": many}));
    let data = answer.body["data"].as_array().expect("vectors");
    assert_eq!(
        (data.len(), &data[149]["embedding"][0]),
        (150, &json!(150.0))
    );

    let ledger = house.ledger();
    let done = ledger.iter().filter(|one| *one == "ended done").count();
    assert_eq!(done, 3, "{ledger:?}");
    let shown = house.laptop.ctl().json(&["callers", "show", "index"]);
    assert_eq!(
        shown["tokens"][0], 25,
        "three batches of five each, and two more"
    );
}

#[test]
fn vectors_that_nobody_makes_or_that_are_denied_are_refused_by_name() {
    let house = librarian("gw-no-vectors");
    let index = house.program("index", &[("embed", "allow")]);
    let ask =
        |model: &str, input: Value| index.post(EMBED, &json!({"model": model, "input": input}));
    for (model, words) in [
        ("desk/parrot", "desk makes no embeddings: HTTP status 501"),
        ("built-in/partner", "writes text, and makes no embeddings"),
    ] {
        let answer = ask(model, json!("hello"));
        assert_eq!(answer.status, 400, "{answer:?}");
        assert!(answer.body.to_string().contains(words), "{answer:?}");
    }
    for input in [json!([1, 2]), json!([[1], [2]]), json!(""), json!([])] {
        let answer = ask("desk/vectors", input);
        assert_eq!(answer.status, 400, "{answer:?}");
        assert_eq!(answer.body["error"]["param"], "input");
    }
    assert_eq!(ask("desk/none", json!("x")).status, 404);
    house
        .laptop
        .ctl()
        .json(&["callers", "permit", "index", "embed", "deny"]);
    let answer = ask("desk/vectors", json!("hello"));
    assert_eq!(answer.status, 403, "{answer:?}");
    assert_eq!(house.provider.prompts(), [""; 0]);
}

#[test]
fn a_model_that_is_off_is_neither_shown_nor_asked_until_it_is_on_again() {
    let house = House::parrot("gw-model-off");
    let editor = house.program("editor", &[("chat", "allow")]);
    let ctl = house.laptop.ctl();
    ctl.json(&["models", "disable", MODEL]);
    let models = editor.get("/v1/models").body;
    assert!(!models.to_string().contains(MODEL), "{models}");
    let refused = editor.post(CHAT, &chat("hello"));
    assert_eq!(refused.status, 404, "{refused:?}");
    let words = refused.body["error"]["message"].as_str().expect("words");
    assert!(words.contains("desk/parrot off"), "{words}");
    assert_eq!(house.provider.prompts(), [""; 0]);
    ctl.json(&["models", "enable", MODEL]);
    let answer = editor.post(CHAT, &chat("hello"));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(house.provider.prompts(), ["hello"]);
}

#[test]
fn a_new_program_asks_and_a_person_decides() {
    let house = House::parrot("gw-asked");
    let editor = house.program("editor", &[]);
    let (yes, no) = std::thread::scope(|scope| {
        let ask = |text: &'static str| {
            let editor = &editor;
            scope.spawn(move || editor.post(CHAT, &chat(text)))
        };
        let first = ask("may I?");
        let asked = house.laptop.ctl().answer("approve");
        assert_eq!(asked["name"], "editor", "{asked}");
        let yes = first.join().expect("answered");
        let second = ask("and now?");
        house.laptop.ctl().answer("deny");
        (yes, second.join().expect("answered"))
    });
    assert_eq!(yes.body["choices"][0]["message"]["content"], "may I?");
    assert_eq!(
        (no.status, &no.body["error"]["code"]),
        (403, &json!("permission_denied"))
    );
    assert_eq!(house.provider.prompts(), ["may I?"]);
    let ledger = house.ledger();
    for entry in ["called ask", "answered yes", "answered no", "ended done"] {
        assert!(ledger.iter().any(|one| one == entry), "{entry}: {ledger:?}");
    }
}

#[test]
fn what_is_denied_or_hidden_or_used_up_reaches_no_provider() {
    let house = House::parrot("gw-denied");
    let ctl = house.laptop.ctl();
    let editor = house.program("editor", &[("chat", "deny")]);
    let denied = editor.post(CHAT, &chat("x"));
    assert_eq!(denied.status, 403, "{denied:?}");

    ctl.json(&["callers", "permit", "editor", "chat", "allow"]);
    ctl.json(&["callers", "limit", "editor", "--language-model", "ollama/*"]);
    let models = editor.get("/v1/models").body;
    assert!(!models.to_string().contains(MODEL), "{models}");
    let hidden = editor.post(CHAT, &chat("x"));
    let mut body = chat("x");
    body["model"] = "desk/none".into();
    let missing = editor.post(CHAT, &body);
    for answer in [&hidden, &missing] {
        assert_eq!(answer.status, 404, "{answer:?}");
        assert_eq!(answer.body["error"]["code"], "model_not_found");
    }
    ctl.json(&[
        "callers",
        "limit",
        "editor",
        "--language-model",
        "*",
        "--tokens",
        "50",
    ]);
    let over = editor.post(CHAT, &chat("x"));
    assert_eq!(
        (over.status, over.header("x-should-retry")),
        (429, Some("false")),
        "{over:?}"
    );
    assert_eq!(over.body["error"]["code"], "insufficient_quota");

    ctl.json(&[
        "callers",
        "limit",
        "editor",
        "--tokens",
        "5000",
        "--requests-per-minute",
        "1",
    ]);
    let fast = editor.post(CHAT, &chat("x"));
    assert_eq!(fast.status, 429, "{fast:?}");
    assert_eq!(fast.body["error"]["code"], "rate_limit_exceeded");
    let wait: u64 = fast
        .header("retry-after")
        .and_then(|text| text.parse().ok())
        .expect("seconds");
    assert!((1..=60).contains(&wait), "{wait}");
    assert_eq!(house.provider.prompts(), [""; 0]);
}

#[test]
fn without_a_key_of_this_laptop_nothing_is_told() {
    let house = House::parrot("gw-keys");
    let editor = house.program("editor", &[("chat", "allow")]);
    for key in ["", "sk-officeos-wrong", &editor.key[..editor.key.len() - 1]] {
        let stranger = Program {
            address: editor.address,
            key: key.to_owned(),
        };
        let answer = stranger.get("/v1/models");
        assert_eq!(answer.status, 401, "{answer:?}");
        assert_eq!(stranger.post(CHAT, &chat("x")).status, 401);
    }
    let body = chat("x").to_string();
    for headers in ["Origin: http://evil.example\r\n", "Host: evil.example\r\n"] {
        let answer = editor.ask("POST", CHAT, headers, &body);
        assert_eq!(answer.status, 403, "{answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(house.provider.prompts(), [""; 0]);
    let state = std::fs::read(house.laptop.home().join("state/officeos.db")).expect("the store");
    let key = editor.key.as_bytes();
    assert!(
        !state.windows(key.len()).any(|part| part == key),
        "the key is kept"
    );
    assert!(
        !house.laptop.log().contains(&editor.key),
        "the key is logged"
    );
}

/// Takes something away from `editor` in the middle of an answer.
fn taken_away(name: &str, act: &[&str], code: &str, entries: [&str; 2]) {
    let house = House::endless(name);
    let editor = house.program("editor", &[("chat", "allow")]);
    let mut events = editor.stream(CHAT, &streamed("count"));
    while said(&events.json().expect("a chunk")).is_empty() {}
    house.laptop.ctl().json(act);
    // What was on its way before is told; the error is the last of it.
    let (mut error, mut after) = (Value::Null, 0);
    while let Some(data) = events.data() {
        let event: Value = serde_json::from_str(&data).expect("JSON, and no [DONE]");
        match event["error"].is_null() {
            true if error.is_null() => {}
            true => after += 1,
            false => error = event["error"].clone(),
        }
    }
    assert_eq!((&error["code"], after), (&json!(code), 0), "{error}");
    house.provider.wait_broken(1);
    let ledger = house.ledger();
    let place = |entry: &str| ledger.iter().position(|one| one == entry);
    let [first, second] = entries
        .map(|entry| place(entry).unwrap_or_else(|| panic!("{entry} is missing: {ledger:?}")));
    assert!(first < second, "{ledger:?}");
    assert_eq!(ledger.iter().filter(|one| *one == "ended done").count(), 0);
}

#[test]
fn a_key_that_is_revoked_stops_its_answer() {
    taken_away(
        "gw-revoked",
        &["callers", "revoke", "editor"],
        "invalid_api_key",
        ["revoked", "ended Revoked"],
    );
}

#[test]
fn a_permission_that_is_withdrawn_stops_its_answer() {
    taken_away(
        "gw-withdrawn",
        &["callers", "permit", "editor", "chat", "deny"],
        "permission_denied",
        ["called allow", "ended Denied"],
    );
}

#[test]
fn a_program_that_leaves_stops_its_provider() {
    let house = House::endless("gw-leaves");
    let editor = house.program("editor", &[("chat", "allow")]);
    let mut events = editor.stream(CHAT, &streamed("count"));
    while said(&events.json().expect("a chunk")).is_empty() {}
    drop(events);
    house.provider.wait_broken(1);
    support::eventually("the end in the ledger", || {
        house
            .ledger()
            .contains(&"ended Cancelled".to_owned())
            .then_some(())
    });
}

#[test]
fn an_answer_ends_before_its_stop_word_and_counts_as_done() {
    let house = House::endless("gw-stop");
    let editor = house.program("editor", &[("chat", "allow")]);
    let mut body = chat("count");
    body["stop"] = json!(["7"]);
    let answer = editor.post(CHAT, &body);
    let choice = &answer.body["choices"][0];
    assert_eq!(choice["message"]["content"], "0 1 2 3 4 5 6 ", "{answer:?}");
    assert_eq!(choice["finish_reason"], "stop");
    assert!(answer.body["usage"]["completion_tokens"].as_u64() > Some(0));
    house.provider.wait_broken(1);
    assert!(house.ledger().contains(&"ended done".to_owned()));
}

#[test]
fn long_conversations_pass_and_too_long_ones_are_refused() {
    let house = House::parrot("gw-long");
    let editor = house.program("editor", &[("chat", "allow")]);
    let turns = |len: usize| {
        json!({"model": MODEL, "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "\"".repeat(len)},
            {"role": "assistant", "content": "yes"},
            {"role": "user", "content": "the end"},
        ]})
    };
    let answer = editor.post(CHAT, &turns(200_000));
    assert_eq!(
        answer.body["choices"][0]["message"]["content"], "the end",
        "{answer:?}"
    );
    let answer = editor.post(CHAT, &turns(300_000));
    assert_eq!(answer.status, 400, "{answer:?}");
    assert_eq!(answer.body["error"]["code"], "context_length_exceeded");
}

#[test]
fn pictures_come_whole_in_the_size_asked_for() {
    use base64::Engine;
    let house = House::parrot("gw-pictures");
    let editor = house.program("editor", &[("generate", "allow")]);
    let body = json!({"model": "built-in/painter", "prompt": "a boat at sunset", "size": "320x192", "n": 2});
    let models = editor.get("/v1/models").body.to_string();
    assert!(models.contains("built-in/painter"), "{models}");
    let answer = editor.post("/v1/images/generations", &body);
    assert_eq!(answer.status, 200, "{:?}", answer.body["error"]);
    let pictures = answer.body["data"].as_array().expect("pictures");
    assert_eq!(pictures.len(), 2);
    for picture in pictures {
        let png = base64::engine::general_purpose::STANDARD
            .decode(picture["b64_json"].as_str().expect("base64"))
            .expect("base64");
        let picture = image::load_from_memory_with_format(&png, image::ImageFormat::Png);
        let picture = picture.expect("a PNG");
        assert_eq!((picture.width(), picture.height()), (320, 192));
    }
    let files = house.laptop.home().join("files");
    let folders = std::fs::read_dir(files).map_or(0, Iterator::count);
    assert_eq!(folders, 0, "a caller has no drop folder");
}
