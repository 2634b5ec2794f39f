//! Octets of a connection in, requests out. Pure.

use super::body::Body;
use super::head::{self, Head};
use super::reject::Reject;
use super::request::Request;

/// What the octets so far amount to.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing has come since the last request: the client may be silent for a while.
    Silent,
    /// The head is not whole.
    Head,
    /// The body is not whole. Once for each request that asked for it, `proceed` is true: tell the client to go on.
    Body {
        /// Whether `100 Continue` is due.
        proceed: bool,
    },
    /// A request; there may be more behind it, so ask again.
    Request(Box<Request>),
}

/// Reads the requests of one connection.
#[derive(Debug)]
pub struct Reader {
    max_body_len: usize,
    /// What came and belongs to no request yet: at most a head, or what follows a request.
    waiting: Vec<u8>,
    /// How many of these are known to hold no whole head.
    looked: usize,
    begun: Option<(Head, Body)>,
    proceed: bool,
}

impl Reader {
    /// A reader of requests with bodies of at most `max_body_len` octets.
    pub fn new(max_body_len: usize) -> Self {
        Self {
            max_body_len,
            waiting: Vec::new(),
            looked: 0,
            begun: None,
            proceed: false,
        }
    }

    /// Takes what came. Call [`Reader::step`] until it has no request before pushing again: that bounds what is held.
    pub fn push(&mut self, bytes: &[u8]) {
        self.waiting.extend_from_slice(bytes);
    }

    /// The next request, or what is missing.
    ///
    /// # Errors
    /// A [`Reject`]; the connection is over then.
    pub fn step(&mut self) -> Result<Step, Reject> {
        if self.begun.is_none() {
            let Some((head, len)) = head::parse(&self.waiting, self.looked)? else {
                self.looked = self.waiting.len();
                return Ok(match self.waiting.is_empty() {
                    true => Step::Silent,
                    false => Step::Head,
                });
            };
            let body = Body::new(head.framing, self.max_body_len)?;
            self.waiting.drain(..len);
            self.looked = 0;
            self.proceed = head.expects && self.waiting.is_empty();
            self.begun = Some((head, body));
        }
        let Some((head, mut body)) = self.begun.take() else {
            return Ok(Step::Silent);
        };
        let taken = body.push(&self.waiting)?;
        self.waiting.drain(..taken);
        if !body.is_whole() {
            self.begun = Some((head, body));
            let proceed = std::mem::take(&mut self.proceed);
            return Ok(Step::Body { proceed });
        }
        Ok(Step::Request(Box::new(Request {
            method: head.method,
            target: head.target,
            headers: head.headers,
            body: body.into_bytes(),
        })))
    }

    /// What came behind the last request: the first octets of another protocol, where the connection is handed over.
    pub fn into_rest(self) -> Vec<u8> {
        self.waiting
    }
}

#[cfg(test)]
mod tests {
    use super::super::{MAX_HEAD_LEN, MAX_HEADERS};
    use super::*;
    use proptest::prelude::*;

    /// Every request in `bytes`, then how it ends: with a step that waits or a refusal.
    fn read(bytes: &[u8], step: usize) -> (Vec<Request>, Result<Step, Reject>) {
        let mut reader = Reader::new(64);
        let mut requests = Vec::new();
        let mut last = Ok(Step::Silent);
        let mut proceed = false;
        for piece in bytes.chunks(step) {
            reader.push(piece);
            loop {
                last = reader.step();
                match last {
                    Ok(Step::Request(request)) => requests.push(*request),
                    Err(_) => return (requests, last),
                    Ok(Step::Body { proceed: now }) => {
                        proceed |= now;
                        last = Ok(Step::Body { proceed });
                        break;
                    }
                    Ok(Step::Silent | Step::Head) => break,
                }
            }
        }
        (requests, last)
    }

    /// As [`read`], the same however the octets are cut.
    fn any_cut(text: &str) -> (Vec<Request>, Result<Step, Reject>) {
        let whole = read(text.as_bytes(), usize::MAX);
        for step in [1, 7] {
            let (requests, last) = read(text.as_bytes(), step);
            assert_eq!(requests, whole.0, "{text:?} in pieces of {step}");
            if whole.1.is_err() {
                assert_eq!(last, whole.1, "{text:?} in pieces of {step}");
            }
        }
        whole
    }

    fn refusal(text: &str) -> Reject {
        let (requests, last) = any_cut(text);
        assert_eq!(requests, [], "{text:?} was taken");
        last.expect_err(text)
    }

    fn get(headers: &str) -> String {
        format!("GET / HTTP/1.1\r\nHost: a\r\n{headers}\r\n")
    }

    #[test]
    fn a_plain_request_is_taken() {
        let text = "GET /a/b?c=d HTTP/1.1\r\nHost: 127.0.0.1:8145\r\nX-A:  b c \r\n\r\n";
        let (requests, last) = any_cut(text);
        assert_eq!(last, Ok(Step::Silent));
        let [one] = requests.as_slice() else {
            panic!("{requests:?}")
        };
        assert_eq!((one.method.as_str(), one.path()), ("GET", "/a/b"));
        assert_eq!(one.headers.only("x-a"), Some("b c"));
        assert_eq!(one.host(), "127.0.0.1:8145");
        assert_eq!(one.body, b"");
    }

    #[test]
    fn requests_in_a_row_are_taken_one_by_one() {
        let post = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc";
        let chunked = "POST /y HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n\
                       2\r\nde\r\n0\r\n\r\n";
        let text = format!("{post}\r\n\r\n{chunked}{}GET /un", get(""));
        let (requests, last) = any_cut(&text);
        let seen: Vec<_> = requests
            .iter()
            .map(|one| (one.path(), one.body.as_slice()))
            .collect();
        assert_eq!(
            seen,
            [("/x", &b"abc"[..]), ("/y", &b"de"[..]), ("/", &b""[..])]
        );
        assert_eq!(last, Ok(Step::Head));
    }

    #[test]
    fn two_lengths_are_refused() {
        for headers in [
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
            "Content-Length: 0\r\nTransfer-Encoding: identity\r\n",
        ] {
            assert_eq!(refusal(&get(headers)), Reject::TwoLengths, "{headers}");
        }
    }

    #[test]
    fn a_length_is_one_header_of_digits() {
        for headers in [
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "Content-Length: 3\r\nContent-Length: 4\r\n",
            "Content-Length: 3, 3\r\n",
            "Content-Length: +3\r\n",
            "Content-Length: -3\r\n",
            "Content-Length: 0x3\r\n",
            "Content-Length: 3.0\r\n",
            "Content-Length: 3 3\r\n",
            "Content-Length:\r\n",
        ] {
            assert_eq!(refusal(&get(headers)), Reject::Length, "{headers}");
        }
    }

    #[test]
    fn a_huge_length_is_refused_and_takes_no_memory() {
        for length in [
            "65",
            "1000000000000",
            "18446744073709551615",
            "99999999999999999999999",
        ] {
            let headers = format!("Content-Length: {length}\r\n");
            assert_eq!(refusal(&get(&headers)), Reject::BodyTooLarge);
        }
    }

    #[test]
    fn only_chunked_is_taken() {
        for encoding in [
            "gzip",
            "xchunked",
            "chunked, chunked",
            "gzip, chunked",
            "identity",
            "",
        ] {
            let headers = format!("Transfer-Encoding: {encoding}\r\n");
            assert_eq!(refusal(&get(&headers)), Reject::Encoding, "{encoding}");
        }
        let twice = "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n";
        assert_eq!(refusal(&get(twice)), Reject::Encoding);
    }

    #[test]
    fn there_is_exactly_one_host() {
        for head in [
            "GET / HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost:\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n",
        ] {
            assert_eq!(refusal(head), Reject::Host, "{head}");
        }
    }

    #[test]
    fn a_head_is_bounded() {
        let long = format!("X: {}\r\n", "x".repeat(MAX_HEAD_LEN));
        assert_eq!(refusal(&get(&long)), Reject::HeadTooLarge);
        assert_eq!(
            refusal(&format!("GET /{}", "x".repeat(MAX_HEAD_LEN))),
            Reject::HeadTooLarge
        );
        let many = |count: usize| get(&"X: y\r\n".repeat(count));
        assert_eq!(refusal(&many(MAX_HEADERS)), Reject::HeadTooLarge);
        assert_eq!(any_cut(&many(MAX_HEADERS - 1)).0.len(), 1);
    }

    #[test]
    fn what_is_no_http_is_refused() {
        for text in [
            "\x16\x03\x01\x02\x00\x01\x00\x01",
            "GET / HTTP/1.1\nHost: a\n\n",
            "GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n",
            "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost : a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: \u{e4}\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX\u{e4}: y\r\n\r\n",
            "GET /\u{e4} HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n",
            "GE(T / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        ] {
            assert!(
                matches!(refusal(text), Reject::Syntax(_)),
                "{text:?}: {:?}",
                refusal(text)
            );
        }
    }

    #[test]
    fn only_version_1_1_is_spoken() {
        for version in ["HTTP/1.0", "HTTP/2.0", "HTTP/0.9"] {
            let text = format!("GET / {version}\r\nHost: a\r\n\r\n");
            assert_eq!(refusal(&text), Reject::Version, "{version}");
        }
        assert!(matches!(
            refusal("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            Reject::Version | Reject::Syntax(_)
        ));
    }

    #[test]
    fn a_client_that_waits_is_told_to_go_on_once() {
        let head =
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n";
        let mut reader = Reader::new(64);
        reader.push(head.as_bytes());
        assert_eq!(reader.step(), Ok(Step::Body { proceed: true }));
        assert_eq!(reader.step(), Ok(Step::Body { proceed: false }));
        reader.push(b"ok");
        assert!(matches!(reader.step(), Ok(Step::Request(_))));
        assert_eq!(refusal(&get("Expect: something\r\n")), Reject::Expectation);
    }

    #[test]
    fn what_follows_a_handover_is_kept() {
        let mut reader = Reader::new(64);
        reader.push(format!("{}frame", get("")).as_bytes());
        assert!(matches!(reader.step(), Ok(Step::Request(_))));
        assert_eq!(reader.into_rest(), b"frame");
    }

    proptest! {
        /// Whatever comes, however it is cut: the same requests or a refusal, nothing that panics, nothing that grows.
        #[test]
        fn any_octets_in_any_pieces(
            bytes in proptest::collection::vec(prop_oneof![
                Just(b"GET / HTTP/1.1\r\nHost: a\r\n".to_vec()),
                Just(b"Content-Length: 3\r\n".to_vec()),
                Just(b"Transfer-Encoding: chunked\r\n".to_vec()),
                Just(b"\r\n".to_vec()),
                Just(b"3\r\nabc\r\n0\r\n\r\n".to_vec()),
                proptest::collection::vec(any::<u8>(), 0..8),
            ], 0..12),
            step in 1usize..40,
        ) {
            let bytes = bytes.concat();
            let whole = read(&bytes, usize::MAX);
            let apart = read(&bytes, step);
            prop_assert_eq!(whole.0, apart.0);
            prop_assert_eq!(whole.1.is_err(), apart.1.is_err());
        }
    }
}
