//! `application/x-www-form-urlencoded`, and percent signs in paths.

/// Most pairs that are taken from one form.
const MAX_PAIRS: usize = 256;

/// The pairs of a form or query in their order, decoded. What is no UTF-8 is replaced.
pub fn pairs(text: &[u8]) -> Vec<(String, String)> {
    text.split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .take(MAX_PAIRS)
        .map(|pair| {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let mut half = || decode(halves.next().unwrap_or_default(), true);
            (half(), half())
        })
        .collect()
}

/// A piece of a path, decoded. What is no UTF-8 is replaced.
pub fn piece(text: &str) -> String {
    decode(text.as_bytes(), false)
}

/// `text` with everything but letters, digits, `-`, `_`, `.` and `~` as percent signs.
pub fn encode(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(byte as char)
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decode(text: &[u8], plus_is_space: bool) -> String {
    let digit = |byte: Option<&u8>| byte.and_then(|byte| (*byte as char).to_digit(16));
    let mut bytes = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(&byte) = text.get(at) {
        at += 1;
        match (byte, digit(text.get(at)), digit(text.get(at + 1))) {
            (b'%', Some(high), Some(low)) => {
                // Two hexadecimal digits are one octet.
                bytes.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) if plus_is_space => bytes.push(b' '),
            _ => bytes.push(byte),
        }
    }
    String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_decoded_once() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            pairs(b"a=1+2&b=%C3%A4%2B&c&=d&&e=f=g&h=%zz%4"),
            [
                pair("a", "1 2"),
                pair("b", "ä+"),
                pair("c", ""),
                pair("", "d"),
                pair("e", "f=g"),
                pair("h", "%zz%4"),
            ]
        );
        assert_eq!(pairs(b"x=%2541"), [pair("x", "%41")]);
        assert_eq!(pairs(b"x=%FF"), [pair("x", "\u{FFFD}")]);
    }

    #[test]
    fn a_form_has_a_bounded_number_of_pairs() {
        assert_eq!(pairs("a=1&".repeat(10_000).as_bytes()).len(), MAX_PAIRS);
    }

    #[test]
    fn what_is_encoded_is_decoded_to_the_same() {
        let text = "Ada's <b>\"Pocket\"</b> & 100 % +ä/\u{202E}";
        assert_eq!(piece(&encode(text)), text);
        assert_eq!(encode("a b/ü"), "a%20b%2F%C3%BC");
        assert_eq!(piece("a+b"), "a+b");
    }
}
