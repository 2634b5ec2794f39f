//! An answer as a handler makes it.

/// Longest reason phrase is that of 431; the table holds what this server sends.
fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        101 => "Switching Protocols",
        200 => "OK",
        204 => "No Content",
        303 => "See Other",
        304 => "Not Modified",
        400 => "Bad Request",
        401 => "Unauthorized",
        402 => "Payment Required",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        417 => "Expectation Failed",
        422 => "Unprocessable Content",
        426 => "Upgrade Required",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        505 => "HTTP Version Not Supported",
        _ => "Other",
    }
}

/// An answer: status, headers, body. `Content-Length`, `Transfer-Encoding` and `Connection` are the server's to set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Vec<u8>,
}

impl Response {
    /// An answer without headers or body.
    pub fn new(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    /// Plain text.
    pub fn text(status: u16, text: impl Into<String>) -> Self {
        let mut text = text.into();
        text.push('\n');
        Self::new(status)
            .header("Content-Type", "text/plain; charset=utf-8")
            .body(text)
    }

    /// JSON.
    pub fn json(status: u16, value: &serde_json::Value) -> Self {
        Self::new(status)
            .header("Content-Type", "application/json")
            .body(value.to_string())
    }

    /// HTML.
    pub fn html(status: u16, page: impl Into<Vec<u8>>) -> Self {
        Self::new(status)
            .header("Content-Type", "text/html; charset=utf-8")
            .body(page)
    }

    /// The head of a stream of server-sent events, for [`super::Reply::stream`].
    pub fn events() -> Self {
        Self::new(200)
            .header("Content-Type", "text/event-stream")
            .header("Cache-Control", "no-store")
    }

    /// Adds a header. Characters that would end the line are left out of `value`.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        let mut value: String = value.into();
        value.retain(|character| character == '\t' || (' '..='~').contains(&character));
        self.headers.push((name, value));
        self
    }

    /// Sets the body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The value of a header that was added.
    pub fn header_value(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// The status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The head, with `more` headers.
    pub(super) fn head(&self, more: &[(&str, &str)]) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} {}\r\n", self.status, reason(self.status));
        let own = self
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        for (name, value) in own.chain(more.iter().copied()) {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("\r\n");
        head.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_has_a_line_for_each_header() {
        let response = Response::text(404, "gone").header("X-A", "b");
        assert_eq!(
            String::from_utf8(response.head(&[("Content-Length", "5")])).expect("text"),
            "HTTP/1.1 404 Not Found\r\nContent-Type: text/plain; charset=utf-8\r\nX-A: b\r\nContent-Length: 5\r\n\r\n"
        );
    }

    #[test]
    fn no_value_ends_its_line() {
        let response = Response::new(303).header("Location", "/x\r\nSet-Cookie: a=b\u{e4}\0");
        assert_eq!(
            response.headers,
            [("Location", "/xSet-Cookie: a=b".to_owned())]
        );
    }
}
