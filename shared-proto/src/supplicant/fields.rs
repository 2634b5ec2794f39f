//! The rest of an event: bare words, `name=value`, and values in quotes.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::text::{Mac, decode};

/// Words and values of one message.
#[derive(Debug, Default)]
pub(super) struct Fields {
    words: Vec<String>,
    values: Vec<(String, Vec<u8>)>,
}

impl Fields {
    /// Splits at spaces, except in quotes.
    ///
    /// `ssid="…"` is `printf_encode`d, so that a quote in it is escaped. `name='…'` and `passphrase="…"` are not: their end is the last
    /// quote in front of what the supplicant writes behind them, so that a name cannot add a field.
    pub(super) fn read(text: &[u8]) -> Self {
        let mut fields = Self::default();
        let mut rest = text;
        loop {
            rest = rest.trim_ascii_start();
            if rest.is_empty() {
                return fields;
            }
            let end = rest.iter().position(|b| *b == b' ').unwrap_or(rest.len());
            let equals = rest[..end].iter().position(|b| *b == b'=');
            let Some(equals) = equals else {
                fields.words.push(lossy(&rest[..end]));
                rest = &rest[end..];
                continue;
            };
            // "[id=0" belongs to "completed [id=0 id_str=]".
            let name = lossy(rest[..equals].strip_prefix(b"[").unwrap_or(&rest[..equals]));
            let after = &rest[equals + 1..];
            let (value, len) = match after.first() {
                Some(b'"') if name == "passphrase" => plain(after, b"\" go_dev_addr="),
                Some(b'"') => quoted(after),
                Some(b'\'') if name == "name" => plain(after, b"' config_methods="),
                _ => {
                    let len = after.iter().position(|b| *b == b' ').unwrap_or(after.len());
                    (after[..len].to_owned(), len)
                }
            };
            fields.values.push((name, value));
            rest = &after[len..];
        }
    }

    pub(super) fn word(&self, index: usize) -> Option<&str> {
        self.words.get(index).map(String::as_str)
    }

    pub(super) fn has_value(&self, name: &str) -> bool {
        self.value(name).is_some()
    }

    pub(super) fn has_word(&self, word: &str) -> bool {
        self.words.iter().any(|w| w == word)
    }

    pub(super) fn word_mac(&self, index: usize) -> Option<Mac> {
        Mac::parse(self.word(index)?)
    }

    /// The first value of that name: what a peer can put into a later one never replaces it.
    fn value(&self, name: &str) -> Option<&[u8]> {
        let found = self.values.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_slice())
    }

    pub(super) fn octets(&self, name: &str) -> Option<Vec<u8>> {
        self.value(name).map(<[u8]>::to_vec)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(lossy)
    }

    pub(super) fn mac(&self, name: &str) -> Option<Mac> {
        Mac::parse(core::str::from_utf8(self.value(name)?).ok()?)
    }

    pub(super) fn number(&self, name: &str) -> Option<i64> {
        core::str::from_utf8(self.value(name)?)
            .ok()?
            .trim_end_matches(']')
            .parse()
            .ok()
    }

    pub(super) fn u16(&self, name: &str) -> Option<u16> {
        self.number(name)?.try_into().ok()
    }

    pub(super) fn u32(&self, name: &str) -> Option<u32> {
        self.number(name)?.try_into().ok()
    }

    pub(super) fn hex(&self, name: &str) -> Option<u32> {
        let text = core::str::from_utf8(self.value(name)?).ok()?;
        u32::from_str_radix(text.strip_prefix("0x").unwrap_or(text), 16).ok()
    }
}

fn lossy(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

/// Up to the closing quote that is not escaped; where there is none, all of it.
fn quoted(text: &[u8]) -> (Vec<u8>, usize) {
    let mut index = 1;
    while index < text.len() {
        match text[index] {
            b'\\' => index += 2,
            b'"' => return (decode(&text[1..index]), index + 1),
            _ => index += 1,
        }
    }
    (decode(&text[1..]), text.len())
}

/// Up to the last quote that is followed by what else `end` has; where there is none, up to the last quote or all of it.
fn plain(text: &[u8], end: &[u8]) -> (Vec<u8>, usize) {
    let last = |end: &[u8]| {
        let mut found = text.windows(end.len()).enumerate().skip(1);
        found.rfind(|(_, part)| *part == end).map(|(at, _)| at)
    };
    match last(end).or_else(|| last(&end[..1])) {
        Some(at) => (text[1..at].to_owned(), at + 1),
        None => (text[1..].to_owned(), text.len()),
    }
}
