//! JSON-RPC 2.0: what came in, to what goes out. Pure; whoever carries methods out and bytes around is elsewhere.
//!
//! Source: the JSON-RPC 2.0 specification of 2013-01-04, sections 4 to 7.

use super::message::{ErrorKind, Request, Response, RpcError};
use super::server::{Reply, Talk};
use serde_json::Value;
use std::sync::mpsc::Receiver;

/// Most requests in a batch.
pub const MAX_BATCH: usize = 64;

/// What is sent back.
#[derive(Debug)]
pub enum Answer {
    /// Nothing: there were only notifications.
    Nothing,
    /// One answer, or a list of them.
    Value(Value),
    /// One answer, then events.
    Events(Value, Receiver<Value>),
    /// One answer, then what a method says.
    Talk(Value, Talk),
}

/// Answers `text`, a request or a batch of them. `call` carries out one method.
pub fn answer(text: &[u8], mut call: impl FnMut(&str, Value) -> Result<Reply, RpcError>) -> Answer {
    match serde_json::from_slice(text) {
        Err(error) => failed(ErrorKind::Parse, format!("this is no JSON: {error}")),
        Ok(Value::Array(requests)) => batch(requests, &mut call),
        Ok(request) => single(request, &mut call),
    }
}

fn single(request: Value, call: &mut impl FnMut(&str, Value) -> Result<Reply, RpcError>) -> Answer {
    let request = match read(request) {
        Ok(request) => request,
        Err(error) => return Answer::Value(written(Value::Null, Err(error))),
    };
    let reply = call(&request.method, request.params);
    // Without an id it is a notification: nothing is answered, not even an error.
    let Some(id) = request.id else {
        return Answer::Nothing;
    };
    match reply {
        Ok(Reply::Value(value)) => Answer::Value(written(id, Ok(value))),
        Ok(Reply::Events(events)) => Answer::Events(written(id, Ok(empty())), events),
        Ok(Reply::Talk(talk)) => Answer::Talk(written(id, Ok(empty())), talk),
        Err(error) => Answer::Value(written(id, Err(error))),
    }
}

fn empty() -> Value {
    Value::Object(serde_json::Map::new())
}

fn batch(
    requests: Vec<Value>,
    call: &mut impl FnMut(&str, Value) -> Result<Reply, RpcError>,
) -> Answer {
    if requests.is_empty() {
        return failed(ErrorKind::Request, "an empty batch asks nothing".into());
    }
    if requests.len() > MAX_BATCH {
        let words = format!(
            "a batch has {MAX_BATCH} requests at the most, and this one {}",
            requests.len()
        );
        return failed(ErrorKind::Request, words);
    }
    let answers: Vec<Value> = requests
        .into_iter()
        .filter_map(|request| match single(request, call) {
            Answer::Nothing => None,
            Answer::Value(value) => Some(value),
            Answer::Events(value, _) | Answer::Talk(value, _) => {
                let words = "events need a connection of their own, so this stands in no batch";
                let error = RpcError::new(ErrorKind::Request, words);
                Some(written(value["id"].clone(), Err(error)))
            }
        })
        .collect();
    match answers.is_empty() {
        true => Answer::Nothing,
        false => Answer::Value(Value::Array(answers)),
    }
}

fn read(value: Value) -> Result<Request, RpcError> {
    let bad = |words: String| RpcError::new(ErrorKind::Request, words);
    // Serde would take a list for the fields in their order.
    if !value.is_object() {
        return Err(bad("this is no request: a request is an object".into()));
    }
    let request: Request = serde_json::from_value(value)
        .map_err(|error| bad(format!("this is no request: {error}")))?;
    if request.jsonrpc != "2.0" {
        return Err(bad("only JSON-RPC 2.0 is spoken here".into()));
    }
    match request.id {
        None | Some(Value::Null | Value::String(_) | Value::Number(_)) => Ok(request),
        Some(_) => Err(bad("an id is a text or a number".into())),
    }
}

fn failed(kind: ErrorKind, words: String) -> Answer {
    Answer::Value(written(Value::Null, Err(RpcError::new(kind, words))))
}

fn written(id: Value, outcome: Result<Value, RpcError>) -> Value {
    // Texts, numbers and what a method made from them: there is nothing in it that JSON could not hold.
    serde_json::to_value(Response::new(id, outcome)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::sync::mpsc::sync_channel;

    /// The methods of the specification's section 7.
    fn call(method: &str, params: Value) -> Result<Reply, RpcError> {
        let number = |name: &str, place: usize| {
            let value = params.get(name).or_else(|| params.get(place));
            value.and_then(Value::as_i64).unwrap_or_default()
        };
        match method {
            "subtract" => {
                let difference = number("minuend", 0) - number("subtrahend", 1);
                Ok(Reply::Value(json!(difference)))
            }
            "sum" => Ok(Reply::Value(json!(
                params
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_i64)
                    .sum::<i64>()
            ))),
            "get_data" => Ok(Reply::Value(json!(["hello", 5]))),
            "update" | "notify_hello" | "notify_sum" => Ok(Reply::Value(Value::Null)),
            "watch" => Ok(Reply::Events(sync_channel(1).1)),
            _ => Err(RpcError::new(ErrorKind::Method, "Method not found")),
        }
    }

    /// The answer with error messages left out: their words are ours, their numbers the specification's.
    fn sent(text: &str) -> Value {
        fn plain(value: &mut Value) {
            if let Some(error) = value.get_mut("error").and_then(Value::as_object_mut) {
                assert!(
                    error
                        .remove("message")
                        .is_some_and(|words| words.is_string())
                );
            }
        }
        match answer(text.as_bytes(), call) {
            Answer::Nothing => json!("nothing"),
            Answer::Value(mut value) => {
                match &mut value {
                    Value::Array(all) => all.iter_mut().for_each(plain),
                    one => plain(one),
                }
                value
            }
            Answer::Events(..) | Answer::Talk(..) => json!("events"),
        }
    }

    fn refused(code: i64) -> Value {
        json!({"jsonrpc": "2.0", "error": {"code": code}, "id": null})
    }

    #[test]
    fn the_examples_of_the_specification() {
        let nineteen = |id: i64| json!({"jsonrpc": "2.0", "result": 19, "id": id});
        for (text, wanted) in [
            // Positional parameters.
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": [42, 23], "id": 1}"#,
                nineteen(1),
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": [23, 42], "id": 2}"#,
                json!({"jsonrpc": "2.0", "result": -19, "id": 2}),
            ),
            // Named parameters.
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"subtrahend": 23, "minuend": 42}, "id": 3}"#,
                nineteen(3),
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "subtract", "params": {"minuend": 42, "subtrahend": 23}, "id": 4}"#,
                nineteen(4),
            ),
            // Notifications.
            (
                r#"{"jsonrpc": "2.0", "method": "update", "params": [1,2,3,4,5]}"#,
                json!("nothing"),
            ),
            (
                r#"{"jsonrpc": "2.0", "method": "foobar"}"#,
                json!("nothing"),
            ),
            // A method that is not there.
            (
                r#"{"jsonrpc": "2.0", "method": "foobar", "id": "1"}"#,
                json!({"jsonrpc": "2.0", "error": {"code": -32601}, "id": "1"}),
            ),
            // Damaged JSON, an invalid request, a damaged batch, an empty one.
            (
                r#"{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]"#,
                refused(-32700),
            ),
            (
                r#"{"jsonrpc": "2.0", "method": 1, "params": "bar"}"#,
                refused(-32600),
            ),
            (
                r#"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"}, {"jsonrpc": "2.0", "method" ]"#,
                refused(-32700),
            ),
            ("[]", refused(-32600)),
            // Batches of nothing that is a request.
            ("[1]", json!([refused(-32600)])),
            (
                "[1,2,3]",
                json!([refused(-32600), refused(-32600), refused(-32600)]),
            ),
            // A batch of all kinds.
            (
                r#"[{"jsonrpc": "2.0", "method": "sum", "params": [1,2,4], "id": "1"},
                    {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]},
                    {"jsonrpc": "2.0", "method": "subtract", "params": [42,23], "id": "2"},
                    {"foo": "boo"},
                    {"jsonrpc": "2.0", "method": "foo.get", "params": {"name": "myself"}, "id": "5"},
                    {"jsonrpc": "2.0", "method": "get_data", "id": "9"}]"#,
                json!([
                    {"jsonrpc": "2.0", "result": 7, "id": "1"},
                    {"jsonrpc": "2.0", "result": 19, "id": "2"},
                    {"jsonrpc": "2.0", "error": {"code": -32600}, "id": null},
                    {"jsonrpc": "2.0", "error": {"code": -32601}, "id": "5"},
                    {"jsonrpc": "2.0", "result": ["hello", 5], "id": "9"}
                ]),
            ),
            // A batch of notifications.
            (
                r#"[{"jsonrpc": "2.0", "method": "notify_sum", "params": [1,2,4]},
                    {"jsonrpc": "2.0", "method": "notify_hello", "params": [7]}]"#,
                json!("nothing"),
            ),
        ] {
            assert_eq!(sent(text), wanted, "{text}");
        }
    }

    #[test]
    fn an_id_of_null_is_an_id_and_a_list_is_none() {
        assert_eq!(
            sent(r#"{"jsonrpc": "2.0", "method": "get_data", "id": null}"#),
            json!({"jsonrpc": "2.0", "result": ["hello", 5], "id": null})
        );
        assert_eq!(
            sent(r#"{"jsonrpc": "2.0", "method": "get_data", "id": [1]}"#),
            refused(-32600)
        );
    }

    #[test]
    fn events_follow_a_single_request_only() {
        let watch = r#"{"jsonrpc": "2.0", "method": "watch", "id": 1}"#;
        assert_eq!(sent(watch), json!("events"));
        assert_eq!(
            sent(&format!("[{watch}]")),
            json!([{"jsonrpc": "2.0", "error": {"code": -32600}, "id": 1}])
        );
    }

    #[test]
    fn a_batch_is_bounded() {
        let batch = |len: usize| {
            let one = r#"{"jsonrpc": "2.0", "method": "update", "id": 1}"#;
            format!("[{}]", vec![one; len].join(","))
        };
        assert_eq!(
            sent(&batch(MAX_BATCH)).as_array().map(Vec::len),
            Some(MAX_BATCH)
        );
        assert_eq!(sent(&batch(MAX_BATCH + 1)), refused(-32600));
    }
}
