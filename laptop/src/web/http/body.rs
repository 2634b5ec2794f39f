//! The body of a request: bytes in, body out. Pure.
//!
//! Source: RFC 9112, section 7.1. Memory is taken as octets arrive and never for what is only announced.

use super::head::Framing;
use super::reject::Reject;

/// Longest line with a chunk's size, extensions included.
const MAX_SIZE_LINE_LEN: usize = 256;
/// Longest trailer section. It is read over.
const MAX_TRAILERS_LEN: usize = 1024;
/// Most digits of a chunk's size.
const MAX_SIZE_DIGITS: usize = 8;

/// Puts a body together.
#[derive(Debug)]
pub(super) struct Body {
    state: State,
    max_len: usize,
    body: Vec<u8>,
    /// The line that is being read.
    line: Vec<u8>,
    trailers_len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many octets follow, and then it is whole.
    Rest(usize),
    Size,
    /// So many octets of this chunk follow.
    Chunk(usize),
    /// The line end behind a chunk.
    After,
    Trailers,
    Whole,
}

impl Body {
    /// A body that ends as `framing` says.
    ///
    /// # Errors
    /// [`Reject::BodyTooLarge`] where it is announced to be longer than `max_len`.
    pub(super) fn new(framing: Framing, max_len: usize) -> Result<Self, Reject> {
        let state = match framing {
            Framing::Length(0) => State::Whole,
            Framing::Length(len) => match usize::try_from(len) {
                Ok(len) if len <= max_len => State::Rest(len),
                _ => return Err(Reject::BodyTooLarge),
            },
            Framing::Chunked => State::Size,
        };
        Ok(Self {
            state,
            max_len,
            body: Vec::new(),
            line: Vec::new(),
            trailers_len: 0,
        })
    }

    /// Takes octets and says how many of them belonged to the body.
    ///
    /// # Errors
    /// A [`Reject`]; nothing may be pushed after one.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<usize, Reject> {
        let mut at = 0;
        while at < bytes.len() && self.state != State::Whole {
            let rest = &bytes[at..];
            at += match self.state {
                State::Rest(left) => {
                    let taken = self.take(rest, left);
                    self.state = match left - taken {
                        0 => State::Whole,
                        left => State::Rest(left),
                    };
                    taken
                }
                State::Chunk(left) => {
                    let taken = self.take(rest, left);
                    self.state = match left - taken {
                        0 => State::After,
                        left => State::Chunk(left),
                    };
                    taken
                }
                State::Size | State::After | State::Trailers => {
                    self.octet_of_line(rest[0])?;
                    1
                }
                State::Whole => 0,
            };
        }
        Ok(at)
    }

    /// Whether nothing is missing.
    pub(super) fn is_whole(&self) -> bool {
        self.state == State::Whole
    }

    /// What came.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.body
    }

    fn take(&mut self, rest: &[u8], left: usize) -> usize {
        let taken = rest.len().min(left);
        self.body.extend_from_slice(&rest[..taken]);
        taken
    }

    fn octet_of_line(&mut self, byte: u8) -> Result<(), Reject> {
        if byte != b'\n' {
            if self.line.len() == MAX_SIZE_LINE_LEN {
                return Err(Reject::Chunk);
            }
            self.line.push(byte);
            return Ok(());
        }
        if self.line.pop() != Some(b'\r') || self.line.contains(&b'\r') {
            return Err(Reject::Chunk);
        }
        let line = std::mem::take(&mut self.line);
        self.state = match self.state {
            State::After if line.is_empty() => State::Size,
            State::Size => match chunk_len(&line)? {
                0 => State::Trailers,
                // Both are at most 32 bits long, so that the sum cannot overflow.
                len if self.body.len() + len > self.max_len => return Err(Reject::BodyTooLarge),
                len => State::Chunk(len),
            },
            State::Trailers if line.is_empty() => State::Whole,
            State::Trailers => {
                self.trailers_len += line.len();
                if self.trailers_len > MAX_TRAILERS_LEN {
                    return Err(Reject::Chunk);
                }
                State::Trailers
            }
            _ => return Err(Reject::Chunk),
        };
        Ok(())
    }
}

/// The size that a line announces; extensions behind it are read over.
fn chunk_len(line: &[u8]) -> Result<usize, Reject> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default();
    if digits.is_empty()
        || digits.len() > MAX_SIZE_DIGITS
        || !digits.iter().all(u8::is_ascii_hexdigit)
    {
        return Err(Reject::Chunk);
    }
    std::str::from_utf8(digits)
        .ok()
        .and_then(|digits| usize::from_str_radix(digits, 16).ok())
        .ok_or(Reject::Chunk)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body and how much of `bytes` it took, read in pieces of `step` octets; `None` if it is not whole.
    fn read(
        framing: Framing,
        bytes: &[u8],
        step: usize,
    ) -> Result<Option<(Vec<u8>, usize)>, Reject> {
        let mut body = Body::new(framing, 16)?;
        let mut taken = 0;
        for piece in bytes.chunks(step) {
            taken += body.push(piece)?;
        }
        Ok(body.is_whole().then(|| (body.into_bytes(), taken)))
    }

    fn chunked(text: &str) -> Result<Option<(Vec<u8>, usize)>, Reject> {
        let whole = read(Framing::Chunked, text.as_bytes(), usize::MAX);
        let apart = read(Framing::Chunked, text.as_bytes(), 1);
        assert_eq!(whole, apart, "{text:?}");
        whole
    }

    #[test]
    fn a_length_takes_so_many_octets_and_no_more() {
        let body = |bytes: &[u8]| read(Framing::Length(3), bytes, 2);
        assert_eq!(body(b"ab"), Ok(None));
        assert_eq!(body(b"abc"), Ok(Some((b"abc".to_vec(), 3))));
        assert_eq!(body(b"abcGET"), Ok(Some((b"abc".to_vec(), 3))));
    }

    #[test]
    fn a_length_beyond_the_cap_is_refused_before_an_octet_comes() {
        for len in [17, 1_000_000_000_000, u64::MAX] {
            assert_eq!(
                Body::new(Framing::Length(len), 16).err(),
                Some(Reject::BodyTooLarge)
            );
        }
        assert!(Body::new(Framing::Length(16), 16).is_ok());
    }

    #[test]
    fn chunks_are_put_together() {
        let whole = |text: &str| Ok(Some((b"abcde".to_vec(), text.len())));
        for text in [
            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
            "5;name=value\r\nabcde\r\n0\r\nTrailer: x\r\nB: y\r\n\r\n",
            "0005\r\nabcde\r\n000\r\n\r\n",
        ] {
            assert_eq!(chunked(text), whole(text), "{text:?}");
        }
        assert_eq!(
            chunked("1\r\na\r\n0\r\n\r\nGET"),
            Ok(Some((b"a".to_vec(), 11)))
        );
        assert_eq!(chunked("3\r\nab"), Ok(None));
    }

    #[test]
    fn chunks_out_of_shape_are_refused() {
        for text in [
            "\r\n",
            "x\r\n",
            "+5\r\nabcde\r\n",
            "-1\r\n",
            "0x5\r\nabcde\r\n",
            " 5\r\nabcde\r\n",
            "5 \r\nabcde\r\n",
            "5\nabcde\r\n",
            "5\r\nabcdeX\r\n",
            "5\r\nabcde\n0\r\n\r\n",
            "ffffffffff\r\n",
            "3\rx\r\nabc\r\n",
        ] {
            assert_eq!(chunked(text), Err(Reject::Chunk), "{text:?}");
        }
        assert_eq!(
            chunked(&format!("5;{}", "x".repeat(300))),
            Err(Reject::Chunk)
        );
        let trailers = "A: xxxxxxxxxxxxxxxx\r\n".repeat(100);
        assert_eq!(chunked(&format!("0\r\n{trailers}")), Err(Reject::Chunk));
    }

    #[test]
    fn chunks_beyond_the_cap_are_refused_when_they_are_announced() {
        assert_eq!(chunked("11\r\n"), Err(Reject::BodyTooLarge));
        assert_eq!(chunked("ffffffff\r\n"), Err(Reject::BodyTooLarge));
        assert_eq!(
            chunked("9\r\nabcdefghi\r\n8\r\n"),
            Err(Reject::BodyTooLarge)
        );
    }
}
