//! Messages: what the payload of a frame says. SPEC.md, "Messages", has the numbers and fields; field order
//! is the order on the wire (postcard).

mod greeting;
mod request;
mod stream;

#[cfg(feature = "alloc")]
pub use greeting::push_model;
pub use greeting::{
    Allowance, Hello, LedgerHead, Link, Model, Notice, Screen, Standing, Verdict, Welcome, models,
};
pub use request::{
    Accepted, Ack, Awaiting, Cancel, Done, Failed, Offset, Offsets, Progress, Queued, Resume,
    Started, Submit, Usage,
};
pub use stream::{Credit, Data, UPLOAD_SLOT};

use crate::codec::{from_postcard, octets};
use crate::error::DecodeError;
use serde::{Deserialize, Serialize};

/// Number of a request. It rises by one within a relationship and is the idempotency key.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct RequestId(pub u64);

/// One step of the renewal of keys; see [`crate::renewal`] for what `step` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal<'a> {
    /// An encoded step.
    #[serde(borrow, serialize_with = "octets")]
    pub step: &'a [u8],
}

/// Asks whether the peer is there, or answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Echo {
    /// Comes back unchanged.
    pub nonce: u32,
}

/// The longest start of `text` of at most `cap` octets that ends between characters.
#[must_use]
pub fn clip(text: &str, cap: usize) -> &str {
    let mut end = cap.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

macro_rules! messages {
    ($($(#[$doc:meta])* $name:ident($payload:ty) = $number:literal,)+) => {
        /// Every message of both roles.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Message<'a> { $($(#[$doc])* $name($payload),)+ }

        impl<'a> Message<'a> {
            /// Number of the frame.
            #[must_use]
            pub const fn kind(&self) -> u8 {
                match self { $(Self::$name(_) => $number,)+ }
            }

            /// Reads the payload of a frame.
            ///
            /// # Errors
            /// [`DecodeError`] for an unknown kind or a payload that does not decode.
            pub fn decode(kind: u8, payload: &'a [u8]) -> Result<Self, DecodeError> {
                match kind {
                    $($number => from_postcard(payload).map(Self::$name),)+
                    other => Err(DecodeError::UnknownKind(other)),
                }
            }

            /// Appends the message as a frame.
            ///
            /// # Errors
            /// [`crate::error::Misuse::TooLong`] above the cap of a frame.
            #[cfg(feature = "alloc")]
            pub fn encode(&self, out: &mut alloc::vec::Vec<u8>) -> Result<(), crate::error::Misuse> {
                crate::frame::encode_with(self.kind(), self.expected_len(), out, |out| match self {
                    $(Self::$name(value) => crate::codec::push_postcard(value, out),)+
                })
            }
        }

        #[cfg(test)]
        const KINDS: &[(&str, u8)] = &[$((stringify!($name), $number),)+];
    };
}

messages! {
    /// Handheld: who it is and what it can show. First on every session.
    Hello(Hello<'a>) = 0x01,
    /// Handheld: run this program under this number.
    Submit(Submit<'a>) = 0x02,
    /// Handheld: stop it.
    Cancel(Cancel) = 0x03,
    /// Handheld: go on with it from here.
    Resume(Resume) = 0x04,
    /// Handheld: the result is put away.
    Ack(Ack) = 0x05,
    /// Handheld: are you there?
    Ping(Echo) = 0x06,
    /// Handheld: a step of renewal.
    Renew(Renewal<'a>) = 0x07,
    /// Handheld: this session ends on purpose.
    Farewell(()) = 0x08,
    /// Both: a piece of a stream.
    Data(Data<'a>) = 0x10,
    /// Both: how far a stream may go.
    Credit(Credit) = 0x11,
    /// Laptop: the session is open.
    Welcome(Welcome<'a>) = 0x20,
    /// Laptop: the request is stored and will run at most once.
    Accepted(Accepted) = 0x21,
    /// Laptop: a person is being asked.
    Awaiting(Awaiting) = 0x22,
    /// Laptop: who works on an operation.
    Started(Started<'a>) = 0x23,
    /// Laptop: how far an operation has come.
    Progress(Progress) = 0x24,
    /// Laptop: all streams ended well.
    Done(Done) = 0x25,
    /// Laptop: the request ended badly.
    Failed(Failed<'a>) = 0x26,
    /// Laptop: permissions or models changed.
    Notice(Notice<'a>) = 0x27,
    /// Laptop: I am here.
    Pong(Echo) = 0x28,
    /// Laptop: a step of renewal.
    Renewed(Renewal<'a>) = 0x29,
    /// Laptop: the request waits for its turn.
    Queued(Queued) = 0x2a,
}

#[cfg(feature = "alloc")]
impl Message<'_> {
    /// What its payload takes, nearly: right to an octet or two where that is a lot.
    fn expected_len(&self) -> usize {
        // Numbers of requests and offsets of streams are mostly two or three octets.
        match self {
            Self::Data(data) => data.bytes.len() + 10,
            Self::Submit(submit) => submit.program.len() + submit.signature.len() + 5,
            _ => 32,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_pinned() {
        let numbers: Vec<u8> = KINDS.iter().map(|(_, number)| *number).collect();
        let expected = [
            0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x10, 0x11, 0x20, 0x21, 0x22, 0x23,
            0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a,
        ];
        assert_eq!(numbers, expected);
    }

    #[test]
    fn literal_bytes_of_small_messages() {
        for (message, bytes) in [
            (
                Message::Cancel(Cancel { id: RequestId(300) }),
                &[0x03, 2, 0xac, 0x02][..],
            ),
            (Message::Farewell(()), &[0x08, 0]),
            (
                Message::Credit(Credit {
                    id: RequestId(1),
                    slot: 0x41,
                    from: 5,
                    limit: 128,
                }),
                &[0x11, 5, 1, 0x41, 5, 0x80, 1],
            ),
            (
                Message::Data(Data {
                    id: RequestId(1),
                    slot: 2,
                    offset: 3,
                    raw_len: 0,
                    fin: true,
                    bytes: b"ab",
                }),
                &[0x10, 8, 1, 2, 3, 0, 1, 2, b'a', b'b'],
            ),
        ] {
            let mut out = Vec::new();
            message.encode(&mut out).unwrap();
            assert_eq!(out, bytes);
            assert_eq!(Message::decode(bytes[0], &bytes[2..]), Ok(message));
        }
    }

    #[test]
    fn left_over_octets_and_unknown_kinds_are_refused() {
        assert_eq!(Message::decode(0x08, &[0]), Err(DecodeError::Trailing));
        assert_eq!(
            Message::decode(0x7f, &[]),
            Err(DecodeError::UnknownKind(0x7f))
        );
    }

    proptest! {
        #[test]
        fn no_payload_panics(kind: u8, payload in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::decode(kind, &payload);
        }
    }
}
