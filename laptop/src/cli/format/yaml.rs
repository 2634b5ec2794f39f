//! JSON values as YAML 1.2: block style, texts quoted wherever a reader could take them for something else.

use serde_json::Value;

/// `value` as a YAML document.
pub(crate) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => block(value, 0, &mut text),
        Value::Array(list) if !list.is_empty() => block(value, 0, &mut text),
        other => text.push_str(&format!("{}\n", scalar(other))),
    }
    text
}

fn block(value: &Value, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                text.push_str(&format!("{indent}{}:", quoted(key)));
                below(value, depth + 1, text);
            }
        }
        Value::Array(list) => {
            for value in list {
                text.push_str(&format!("{indent}-"));
                match value {
                    // The first key of an entry stands behind its dash.
                    Value::Object(map) if !map.is_empty() => {
                        let mut inner = String::new();
                        block(value, depth + 1, &mut inner);
                        text.push(' ');
                        text.push_str(inner.trim_start_matches(' '));
                    }
                    _ => below(value, depth + 1, text),
                }
            }
        }
        other => text.push_str(&scalar(other)),
    }
}

fn below(value: &Value, depth: usize, text: &mut String) {
    let is_nested = match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    };
    if is_nested {
        text.push('\n');
        block(value, depth, text);
    } else {
        text.push_str(&format!(" {}\n", scalar(value)));
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(text) => quoted(text),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
        other => other.to_string(),
    }
}

/// Plain where that is a text for every reader, else as JSON, which YAML 1.2 reads the same.
fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ' ');
    // Words that some reader takes for a truth, a number or nothing.
    let words = ["true", "false", "yes", "no", "on", "off", "null", "y", "n"];
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(' ')
        && text.chars().all(plain)
        && !words.contains(&text.to_ascii_lowercase().as_str());
    match is_plain {
        true => text.to_owned(),
        // Control characters and whatever else a terminal could take for an order are spelled out.
        false => {
            let mut shown = String::from("\"");
            for c in text.chars() {
                match c {
                    '"' => shown.push_str("\\\""),
                    '\\' => shown.push_str("\\\\"),
                    '\n' => shown.push_str("\\n"),
                    c if crate::sanitize::is_hostile(c) && u32::from(c) <= 0xffff => {
                        shown.push_str(&format!("\\u{:04x}", u32::from(c)));
                    }
                    c if crate::sanitize::is_hostile(c) => {
                        shown.push_str(&format!("\\U{:08x}", u32::from(c)));
                    }
                    c => shown.push(c),
                }
            }
            shown.push('"');
            shown
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nested_values_stand_below_their_keys() {
        let value = json!({"name": "Ada's", "list": [1, {"a": true, "b": [2]}, []], "none": null, "empty": {}});
        assert_eq!(
            yaml(&value),
            "empty: {}\nlist:\n  - 1\n  - a: true\n    b:\n      - 2\n  - []\nname: \"Ada's\"\nnone: null\n"
        );
        assert_eq!(yaml(&json!([])), "[]\n");
        assert_eq!(yaml(&json!("no")), "\"no\"\n");
    }

    #[test]
    fn texts_stay_texts_and_say_nothing_to_a_terminal() {
        for (text, shown) in [
            ("chat", "chat"),
            ("Yes", "\"Yes\""),
            ("1.5", "\"1.5\""),
            ("a: b", "\"a: b\""),
            ("- x", "\"- x\""),
            ("", "\"\""),
            (
                "\x1b[2J\u{202e}\u{e0041}",
                "\"\\u001b[2J\\u202e\\U000e0041\"",
            ),
            ("two\nlines\\", "\"two\\nlines\\\\\""),
        ] {
            assert_eq!(quoted(text), shown);
        }
    }
}
