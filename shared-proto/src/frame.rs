//! Frames: one octet of kind, a varint of length, the payload. They follow one another on the channel.

use crate::codec::Reader;
use crate::error::DecodeError;
#[cfg(feature = "alloc")]
use crate::limits::MAX_FRAME_HEADER_LEN;
use crate::limits::MAX_FRAME_LEN;

/// One frame, borrowed from the bytes it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'a> {
    /// Number of the message; see [`crate::message`].
    pub kind: u8,
    /// Its payload.
    pub payload: &'a [u8],
}

/// Reads the first frame of `bytes` and returns it with its length. `None` asks for more bytes.
///
/// # Errors
/// [`DecodeError`] as soon as the header is wrong, whether or not the payload is there.
pub fn decode(bytes: &[u8]) -> Result<Option<(Frame<'_>, usize)>, DecodeError> {
    let mut reader = Reader::new(bytes);
    let Ok(kind) = reader.octet() else {
        return Ok(None);
    };
    let len = match reader.count(MAX_FRAME_LEN) {
        Ok(len) => len,
        Err(DecodeError::Truncated) => return Ok(None),
        Err(error) => return Err(error),
    };
    match reader.take(len) {
        Ok(payload) => Ok(Some((
            Frame { kind, payload },
            bytes.len() - reader.rest().len(),
        ))),
        Err(_) => Ok(None),
    }
}

/// Collects bytes in any pieces and yields whole frames. Holds one frame and one piece at the most.
#[cfg(feature = "alloc")]
#[derive(Clone, Debug, Default)]
pub struct Deframer {
    buffer: alloc::vec::Vec<u8>,
    start: usize,
}

#[cfg(feature = "alloc")]
impl Deframer {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds bytes. Take all frames out before the next piece: that is what bounds the memory.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.start > 0 {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// [`DecodeError`] from [`decode`]; nothing behind it can be read.
    pub fn next_frame(&mut self) -> Result<Option<(u8, &[u8])>, DecodeError> {
        let rest = &self.buffer[self.start..];
        match decode(rest)? {
            None => Ok(None),
            Some((frame, len)) => {
                let (kind, payload_len) = (frame.kind, frame.payload.len());
                self.start += len;
                Ok(Some((
                    kind,
                    &self.buffer[self.start - payload_len..self.start],
                )))
            }
        }
    }
}

/// Appends a frame.
///
/// # Errors
/// [`crate::error::Misuse::TooLong`] above the cap.
#[cfg(feature = "alloc")]
pub fn encode(
    kind: u8,
    payload: &[u8],
    out: &mut alloc::vec::Vec<u8>,
) -> Result<(), crate::error::Misuse> {
    encode_with(kind, payload.len(), out, |out| {
        out.extend_from_slice(payload);
        Ok(())
    })
}

/// Appends a frame whose payload `write` appends, some `expected` octets: where that is right or nearly so, nothing is moved or grows twice.
///
/// # Errors
/// That of `write`, and [`crate::error::Misuse::TooLong`] above the cap; `out` is as it was then.
#[cfg(feature = "alloc")]
pub(crate) fn encode_with(
    kind: u8,
    expected: usize,
    out: &mut alloc::vec::Vec<u8>,
    write: impl FnOnce(&mut alloc::vec::Vec<u8>) -> Result<(), crate::error::Misuse>,
) -> Result<(), crate::error::Misuse> {
    let start = out.len();
    let mut header = [0; 10];
    let room = crate::codec::write_varint(expected as u64, &mut header);
    out.reserve(expected + MAX_FRAME_HEADER_LEN);
    out.push(kind);
    out.extend_from_slice(&header[..room]);
    let payload = out.len();
    let written = write(out);
    let len = out.len() - payload;
    let fits = match written {
        Ok(()) if len <= MAX_FRAME_LEN => Ok(()),
        Ok(()) => Err(crate::error::Misuse::TooLong),
        Err(error) => Err(error),
    };
    if fits.is_err() {
        out.truncate(start);
        return fits;
    }
    let taken = crate::codec::write_varint(len as u64, &mut header);
    if taken != room {
        let to = start + 1 + taken;
        out.resize(out.len().max(to + len), 0);
        out.copy_within(payload..payload + len, to);
        out.truncate(to + len);
    }
    out[start + 1..start + 1 + taken].copy_from_slice(&header[..taken]);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_frame_has_these_bytes() {
        let mut out = Vec::new();
        encode(0x06, &[1, 2, 3], &mut out).unwrap();
        assert_eq!(out, [0x06, 3, 1, 2, 3]);
        assert_eq!(
            decode(&out),
            Ok(Some((
                Frame {
                    kind: 0x06,
                    payload: &[1, 2, 3]
                },
                5
            )))
        );
    }

    #[test]
    fn a_giant_length_is_refused_from_its_header_alone() {
        assert_eq!(
            decode(&[0x06, 0xff, 0xff, 0xff, 0x7f]),
            Err(DecodeError::TooLong)
        );
        assert_eq!(decode(&[0x06, 0x80, 0x00]), Err(DecodeError::BadVarint));
        assert_eq!(decode(&[0x06, 0xff]), Ok(None));
    }

    #[test]
    fn a_payload_stands_behind_the_shortest_form_of_its_length() {
        for len in [0, 1, 127, 128, 16_383, 16_384, MAX_FRAME_LEN] {
            let payload: Vec<u8> = (0..len).map(|n| n as u8).collect();
            let mut expected = alloc::vec![9, 0x06];
            crate::codec::push_varint(len as u64, &mut expected);
            expected.extend_from_slice(&payload);
            let mut out = alloc::vec![9];
            encode(0x06, &payload, &mut out).unwrap();
            assert_eq!(out, expected);
            // Also where another length was expected.
            for guess in [0, 127, 128, 16_384, 1 << 21] {
                let mut out = alloc::vec![9];
                let append = |out: &mut Vec<u8>| {
                    out.extend_from_slice(&payload);
                    Ok(())
                };
                encode_with(0x06, guess, &mut out, append).unwrap();
                assert_eq!(out, expected, "{guess} expected, {len} come");
            }
        }
    }

    #[test]
    fn a_frame_that_is_too_long_leaves_nothing_behind() {
        let mut out = alloc::vec![9];
        let payload = alloc::vec![0; MAX_FRAME_LEN + 1];
        assert_eq!(
            encode(0x06, &payload, &mut out),
            Err(crate::error::Misuse::TooLong)
        );
        assert_eq!(out, [9]);
    }

    proptest! {
        #[test]
        fn any_chunking_yields_the_same_frames(
            frames in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..300)), 0..8),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let mut bytes = Vec::new();
            for (kind, payload) in &frames {
                encode(*kind, payload, &mut bytes).unwrap();
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let mut deframer = Deframer::new();
            let mut found = Vec::new();
            for pair in cuts.windows(2) {
                deframer.push(&bytes[pair[0]..pair[1]]);
                while let Some((kind, payload)) = deframer.next_frame().unwrap() {
                    found.push((kind, payload.to_vec()));
                }
            }
            prop_assert_eq!(found, frames);
        }
    }
}
