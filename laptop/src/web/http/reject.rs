//! Why a request is not taken.

use std::fmt;

/// Why a request is not taken. The connection ends with it: where the next request would begin is not certain any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reject {
    /// The head is not HTTP.
    Syntax(&'static str),
    /// Another version than HTTP/1.1.
    Version,
    /// The head is longer than [`super::MAX_HEAD_LEN`], or has more than [`super::MAX_HEADERS`] headers.
    HeadTooLarge,
    /// None or several `Host` headers.
    Host,
    /// `Content-Length` beside `Transfer-Encoding`: two readers would not agree where the body ends.
    TwoLengths,
    /// `Content-Length` more than once, or not digits only.
    Length,
    /// A `Transfer-Encoding` other than `chunked`.
    Encoding,
    /// Chunks that do not follow the format.
    Chunk,
    /// The body is longer than this server takes.
    BodyTooLarge,
    /// An expectation other than `100-continue`.
    Expectation,
    /// The request took too long to arrive.
    Timeout,
}

impl Reject {
    /// The status to answer with.
    pub fn status(self) -> u16 {
        match self {
            Self::Syntax(_) | Self::Host | Self::TwoLengths | Self::Length | Self::Chunk => 400,
            Self::Timeout => 408,
            Self::BodyTooLarge => 413,
            Self::Expectation => 417,
            Self::HeadTooLarge => 431,
            Self::Encoding => 501,
            Self::Version => 505,
        }
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Syntax(what) => what,
            Self::Version => "only HTTP/1.1 is spoken here",
            Self::HeadTooLarge => "the head of the request is too long",
            Self::Host => "a request has exactly one Host header",
            Self::TwoLengths => {
                "a request has a Content-Length or a Transfer-Encoding, and never both"
            }
            Self::Length => "a Content-Length is one header of decimal digits",
            Self::Encoding => "the only Transfer-Encoding that is taken is chunked",
            Self::Chunk => "the chunks of the body do not follow the format",
            Self::BodyTooLarge => "the body of the request is too long",
            Self::Expectation => "the only expectation that is met is 100-continue",
            Self::Timeout => "the request did not arrive in time",
        })
    }
}

impl std::error::Error for Reject {}
