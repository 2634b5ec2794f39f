//! Foreign text made fit for a log, a terminal and a small screen.

use serde_json::Value;

/// Most characters of foreign text in an error.
pub const MAX_CHARS: usize = 300;

/// One line of at most [`MAX_CHARS`] characters: control and direction-changing characters replaced, white space joined.
pub fn one_line(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut gap = false;
    for c in text.chars() {
        if c.is_whitespace() {
            gap = !line.is_empty();
            continue;
        }
        if count >= MAX_CHARS {
            line.push('…');
            break;
        }
        if gap {
            line.push(' ');
            count += 1;
            gap = false;
        }
        line.push(if is_unsafe(c) { '\u{fffd}' } else { c });
        count += 1;
    }
    line
}

/// Characters that could rewrite a terminal or disguise what is said.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What an unsuccessful HTTP answer says, in a sentence: the message in its JSON, the title of its page, or its text.
pub fn explain(status: u16, body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(value) => error_message(&value).unwrap_or_default(),
        Err(_) if looks_like_html(&text) => match html_title(&text) {
            Some(title) => format!("a web page titled “{}”", one_line(title)),
            None => "a web page".to_owned(),
        },
        Err(_) => one_line(&text),
    };
    if said.is_empty() {
        format!("HTTP status {status}")
    } else {
        format!("HTTP status {status}: {said}")
    }
}

/// The human sentence in the usual JSON error shapes.
pub fn error_message(value: &Value) -> Option<String> {
    let error = value.get("error").unwrap_or(value);
    let found = error
        .as_str()
        .or_else(|| error.get("message")?.as_str())
        .or_else(|| value.get("message")?.as_str())
        .or_else(|| value.get("detail")?.as_str())
        .or_else(|| value.get("errors")?.as_array()?.first()?.as_str())
        .or_else(|| value.get("errors")?.as_str());
    match found {
        Some(text) if !text.is_empty() => Some(one_line(text)),
        _ => value
            .get("error")
            .filter(|e| !e.is_null())
            .map(|e| one_line(&e.to_string())),
    }
}

/// Whether `text` begins like HTML.
pub fn looks_like_html(text: &str) -> bool {
    let start = text
        .trim_start()
        .get(..15)
        .unwrap_or_else(|| text.trim_start())
        .to_ascii_lowercase();
    start.starts_with("<!doctype html") || start.starts_with("<html") || start.starts_with("<head")
}

fn html_title(text: &str) -> Option<&str> {
    let start = text.find("<title>")? + "<title>".len();
    let end = start + text[start..].find("</title>")?;
    Some(&text[start..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_json_error_shapes_are_understood() {
        for (body, said) in [
            (
                r#"{"error":{"message":"no such model","type":"x"}}"#,
                "no such model",
            ),
            (r#"{"error":"model 'x' not found"}"#, "model 'x' not found"),
            (r#"{"message":"slow down"}"#, "slow down"),
            (r#"{"detail":"Not Found"}"#, "Not Found"),
            (
                r#"{"id":"1","name":"bad_request","errors":["prompt: cannot be blank"]}"#,
                "prompt: cannot be blank",
            ),
            (r#"{"error":{"code":7}}"#, r#"{"code":7}"#),
        ] {
            assert_eq!(
                explain(400, body.as_bytes()),
                format!("HTTP status 400: {said}")
            );
        }
        assert_eq!(explain(500, b"{}"), "HTTP status 500");
        assert_eq!(explain(502, b""), "HTTP status 502");
    }

    #[test]
    fn a_page_is_named_by_its_title() {
        let page = b"<!DOCTYPE html><html><head><title>Bad\n gateway</title></head>...";
        assert_eq!(
            explain(502, page),
            "HTTP status 502: a web page titled “Bad gateway”"
        );
        assert_eq!(explain(404, b"<html>x"), "HTTP status 404: a web page");
    }

    #[test]
    fn terminal_and_direction_tricks_are_defused_and_length_is_bounded() {
        assert_eq!(
            one_line("a\x1b[2Jb\u{202e}c\r\n d"),
            "a\u{fffd}[2Jb\u{fffd}c d"
        );
        assert_eq!(one_line(&"x".repeat(10_000)).chars().count(), MAX_CHARS + 1);
    }
}
