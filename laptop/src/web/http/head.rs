//! The head of a request: bytes in, fields out. Pure.
//!
//! Source: RFC 9112, sections 2 to 6; where it leaves a choice, the stricter one is taken, because whoever talks to a
//! loopback port is a program of this machine or somebody who wants to be taken for one.

use super::reject::Reject;
use super::request::Headers;

/// Longest head that is read, in octets.
pub const MAX_HEAD_LEN: usize = 16 * 1024;
/// Most headers of a request.
pub const MAX_HEADERS: usize = 64;

/// How the body's end is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many octets; 0 where there is no body.
    Length(u64),
    /// In chunks.
    Chunked,
}

/// A head that was understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) headers: Headers,
    pub(super) framing: Framing,
    /// Whether the client waits to be told to send the body.
    pub(super) expects: bool,
}

/// Reads a head from the start of `bytes`, with its length; `None` until it is whole. The first `looked` octets were
/// given before, and were none.
///
/// # Errors
/// A [`Reject`].
pub(super) fn parse(bytes: &[u8], looked: usize) -> Result<Option<(Head, usize)>, Reject> {
    let window = &bytes[..bytes.len().min(MAX_HEAD_LEN)];
    // Empty lines before a request are left over from a body of some clients (RFC 9112, section 2.2).
    let skipped = 2 * window.chunks(2).take_while(|pair| *pair == b"\r\n").count();
    let window = &window[skipped..];
    if window.is_empty() || window == b"\r" {
        return partial(bytes);
    }
    if !window[0].is_ascii_alphabetic() {
        return Err(Reject::Syntax("this is no HTTP request"));
    }
    // The last three of the octets before may be the beginning of the end.
    let fresh = looked.saturating_sub(skipped + 3).min(window.len());
    let end = window[fresh..]
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .map(|end| fresh + end + 4);
    let text = &window[..end.unwrap_or(window.len())];
    // A lone line feed ends a line for some readers and not for others.
    let lone = |pair: &[u8]| pair[1] == b'\n' && pair[0] != b'\r';
    if text[fresh..].windows(2).any(lone) {
        let words = "a line of the head ends without a carriage return";
        return Err(Reject::Syntax(words));
    }
    if end.is_none() {
        return partial(bytes);
    }
    let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut fields);
    match request.parse(text) {
        Ok(httparse::Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Reject::HeadTooLarge),
        Err(httparse::Error::Version) => return Err(Reject::Version),
        Err(httparse::Error::HeaderName) => {
            return Err(Reject::Syntax("a header has no proper name"));
        }
        Ok(httparse::Status::Partial) | Err(_) => {
            return Err(Reject::Syntax("this is no HTTP request"));
        }
    }
    if request.version != Some(1) {
        return Err(Reject::Version);
    }
    let target = request.path.unwrap_or_default();
    if !target.starts_with('/') || !target.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Reject::Syntax("a target is a path that begins with /"));
    }
    let mut headers = Vec::with_capacity(request.headers.len());
    for field in request.headers.iter() {
        let plain = |byte: &u8| *byte == b'\t' || (b' '..=b'~').contains(byte);
        if !field.value.iter().all(plain) {
            return Err(Reject::Syntax(
                "a header has a value that is not plain ASCII",
            ));
        }
        let value = String::from_utf8_lossy(field.value).trim().to_owned();
        headers.push((field.name.to_owned(), value));
    }
    let headers = Headers(headers);
    check_host(&headers)?;
    let expects = expectation(&headers)?;
    let head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        target: target.to_owned(),
        framing: framing(&headers)?,
        headers,
        expects,
    };
    Ok(Some((head, skipped + text.len())))
}

fn partial(bytes: &[u8]) -> Result<Option<(Head, usize)>, Reject> {
    match bytes.len() >= MAX_HEAD_LEN {
        true => Err(Reject::HeadTooLarge),
        false => Ok(None),
    }
}

fn check_host(headers: &Headers) -> Result<(), Reject> {
    match headers.only("host") {
        Some(host) if !host.is_empty() && !host.contains([' ', '\t', ',', '/', '@']) => Ok(()),
        _ => Err(Reject::Host),
    }
}

fn expectation(headers: &Headers) -> Result<bool, Reject> {
    let mut all = headers.all("expect");
    match (all.next(), all.next()) {
        (None, _) => Ok(false),
        (Some(value), None) if value.eq_ignore_ascii_case("100-continue") => Ok(true),
        _ => Err(Reject::Expectation),
    }
}

fn framing(headers: &Headers) -> Result<Framing, Reject> {
    let lengths: Vec<&str> = headers.all("content-length").collect();
    let encodings: Vec<&str> = headers.all("transfer-encoding").collect();
    match (lengths.as_slice(), encodings.as_slice()) {
        ([], []) => Ok(Framing::Length(0)),
        ([_, ..], [_, ..]) => Err(Reject::TwoLengths),
        ([], [encoding]) if encoding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
        ([], _) => Err(Reject::Encoding),
        ([length], []) if !length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()) => {
            // Digits that are no number are too many of them.
            length
                .parse()
                .map(Framing::Length)
                .map_err(|_| Reject::BodyTooLarge)
        }
        _ => Err(Reject::Length),
    }
}
