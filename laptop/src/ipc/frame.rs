//! Frames: a little-endian `u32` length, then that many bytes of postcard.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Most bytes of a request frame: a source picture of up to 16 MiB and a long conversation beside it.
pub const REQUEST_CAP: usize = 20 << 20;

/// Most bytes of an event frame: an original picture of up to 24 MiB and its fitted copy.
pub const EVENT_CAP: usize = 28 << 20;

/// Why a frame could not be read or written.
#[derive(Debug)]
pub enum FrameError {
    /// The peer closed between frames.
    Closed,
    /// The peer closed inside a frame, or the socket failed.
    Io(io::Error),
    /// The length field is above the cap; nothing was allocated for it.
    TooLong {
        /// What the length field said.
        length: usize,
        /// What is allowed.
        cap: usize,
    },
    /// The bytes are not such a message.
    Malformed,
}

impl std::fmt::Display for FrameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Closed => f.write_str("the other side closed the connection"),
            Self::Io(error) => write!(f, "the connection failed: {error}"),
            Self::TooLong { length, cap } => {
                write!(f, "a frame of {length} bytes is over the cap of {cap}")
            }
            Self::Malformed => f.write_str("a frame holds no such message"),
        }
    }
}

impl std::error::Error for FrameError {}

/// Writes `message` as one frame with one write call.
///
/// # Errors
/// [`FrameError::TooLong`] before anything is written; [`FrameError::Io`] from the socket.
pub fn write_frame<T: Serialize>(
    to: &mut impl Write,
    message: &T,
    cap: usize,
) -> Result<(), FrameError> {
    let frame = postcard::to_extend(message, vec![0u8; 4]).map_err(|_| FrameError::Malformed)?;
    let length = frame.len() - 4;
    let Some(prefix) = u32::try_from(length).ok().filter(|_| length <= cap) else {
        return Err(FrameError::TooLong { length, cap });
    };
    let mut frame = frame;
    frame[..4].copy_from_slice(&prefix.to_le_bytes());
    to.write_all(&frame).map_err(FrameError::Io)
}

/// Reads one frame. Memory grows with the bytes that really arrive, never with what the length field claims.
///
/// # Errors
/// All of [`FrameError`].
pub fn read_frame<T: DeserializeOwned>(from: &mut impl Read, cap: usize) -> Result<T, FrameError> {
    let mut prefix = [0u8; 4];
    let mut got = 0;
    while got < prefix.len() {
        match from.read(&mut prefix[got..]) {
            Ok(0) if got == 0 => return Err(FrameError::Closed),
            Ok(0) => return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into())),
            Ok(n) => got += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(FrameError::Io(error)),
        }
    }
    let length = u32::from_le_bytes(prefix) as usize;
    if length > cap {
        return Err(FrameError::TooLong { length, cap });
    }
    let mut body = Vec::with_capacity(length.min(64 << 10));
    from.take(length as u64)
        .read_to_end(&mut body)
        .map_err(FrameError::Io)?;
    if body.len() < length {
        return Err(FrameError::Io(io::ErrorKind::UnexpectedEof.into()));
    }
    match postcard::take_from_bytes(&body) {
        Ok((message, [])) => Ok(message),
        _ => Err(FrameError::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::{FailureCode, ServiceEvent, ServiceRequest, Usage};

    #[test]
    fn a_frame_has_a_little_endian_length_and_postcard_after_it() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &ServiceEvent::Text("hé".into()), EVENT_CAP).unwrap();
        assert_eq!(bytes, [5, 0, 0, 0, 1, 3, b'h', 0xc3, 0xa9]);
    }

    #[test]
    fn bytes_are_written_as_one_run() {
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &ServiceEvent::Bytes(vec![7, 8, 9]), EVENT_CAP).unwrap();
        assert_eq!(bytes, [5, 0, 0, 0, 5, 3, 7, 8, 9]);
        let back: ServiceEvent = read_frame(&mut bytes.as_slice(), EVENT_CAP).unwrap();
        assert_eq!(back, ServiceEvent::Bytes(vec![7, 8, 9]));
    }

    #[test]
    fn a_length_above_the_cap_is_refused_before_the_body_is_read() {
        let result = read_frame::<ServiceEvent>(&mut [255u8, 255, 255, 255].as_slice(), EVENT_CAP);
        assert!(matches!(
            result,
            Err(FrameError::TooLong {
                length: 0xffff_ffff,
                ..
            })
        ));
        let result = write_frame(&mut Vec::new(), &ServiceEvent::Text("long".into()), 3);
        assert!(matches!(
            result,
            Err(FrameError::TooLong { length: 6, cap: 3 })
        ));
    }

    #[test]
    fn every_truncation_and_every_trailing_byte_is_an_error() {
        let mut bytes = Vec::new();
        let event = ServiceEvent::Usage(Usage {
            prompt_tokens: 300,
            output_tokens: 9,
            ..Usage::default()
        });
        write_frame(&mut bytes, &event, EVENT_CAP).unwrap();
        for end in 0..bytes.len() {
            assert!(read_frame::<ServiceEvent>(&mut &bytes[..end], EVENT_CAP).is_err());
        }
        bytes.push(0);
        bytes[0] += 1;
        assert!(matches!(
            read_frame::<ServiceEvent>(&mut bytes.as_slice(), EVENT_CAP),
            Err(FrameError::Malformed)
        ));
    }

    #[test]
    fn an_unknown_request_is_malformed() {
        let result = read_frame::<ServiceRequest>(&mut [1u8, 0, 0, 0, 99].as_slice(), REQUEST_CAP);
        assert!(matches!(result, Err(FrameError::Malformed)));
    }

    #[test]
    fn a_request_lies_in_one_other_and_no_deeper() {
        let off = vec!["desk/parrot".to_owned()];
        let request = ServiceRequest::Models.without(off.clone());
        let mut bytes = Vec::new();
        write_frame(&mut bytes, &request, REQUEST_CAP).unwrap();
        for _ in 0..2 {
            let read = read_frame::<ServiceRequest>(&mut bytes.as_slice(), REQUEST_CAP);
            assert_eq!(read.unwrap(), request);
            // As deep as a frame may be; another one is read as ever afterwards.
            let mut deep = ServiceRequest::Models.without(off.clone());
            deep = ServiceRequest::Without(Vec::new(), Box::new(deep));
            let levels = [8u8, 0].repeat(5_000_000);
            let mut frame = u32::try_from(levels.len()).unwrap().to_le_bytes().to_vec();
            frame.extend(levels);
            let read = read_frame::<ServiceRequest>(&mut frame.as_slice(), REQUEST_CAP);
            assert!(matches!(read, Err(FrameError::Malformed)));
            let mut frame = Vec::new();
            write_frame(&mut frame, &deep, REQUEST_CAP).unwrap();
            let read = read_frame::<ServiceRequest>(&mut frame.as_slice(), REQUEST_CAP);
            assert!(matches!(read, Err(FrameError::Malformed)));
        }
    }

    #[test]
    fn failure_codes_keep_their_order() {
        let bytes = postcard::to_extend(&FailureCode::ProviderBroke, Vec::new()).unwrap();
        assert_eq!(bytes, [4]);
    }
}
