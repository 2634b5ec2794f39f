//! Frames and messages of a peer: whatever the pieces they come in, the same frames; what is read is written down alike.

use shared_proto::error::DecodeError;
use shared_proto::frame::{self, Deframer};
use shared_proto::limits::MAX_FRAME_LEN;
use shared_proto::message::Message;

/// The first octet says how the rest is cut up.
pub fn drive(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else {
        return;
    };
    let (whole, end) = all_at_once(stream);
    let mut deframer = Deframer::new();
    let mut found = Vec::new();
    let mut outcome = Ok(());
    // One octet at a time, or up to 256 of them.
    'pieces: for piece in stream.chunks(usize::from(*cut) + 1) {
        deframer.push(piece);
        loop {
            match deframer.next_frame() {
                Ok(Some((kind, payload))) => found.push((kind, payload.to_vec())),
                Ok(None) => break,
                Err(error) => {
                    outcome = Err(error);
                    break 'pieces;
                }
            }
        }
    }
    assert_eq!(found, whole);
    assert_eq!(outcome, end);
    for (kind, payload) in &whole {
        message(*kind, payload);
    }
}

/// Frames by kind and payload.
type Frames = Vec<(u8, Vec<u8>)>;

/// Every frame of the stream by the plain reader, and how it ends.
fn all_at_once(mut stream: &[u8]) -> (Frames, Result<(), DecodeError>) {
    let mut whole = Vec::new();
    loop {
        match frame::decode(stream) {
            Ok(Some((frame, len))) => {
                assert!(frame.payload.len() <= MAX_FRAME_LEN && len > frame.payload.len());
                let mut again = Vec::new();
                frame::encode(frame.kind, frame.payload, &mut again).expect("it fits");
                assert_eq!(again, stream[..len], "a frame has one spelling");
                whole.push((frame.kind, frame.payload.to_vec()));
                stream = &stream[len..];
            }
            Ok(None) => return (whole, Ok(())),
            Err(error) => return (whole, Err(error)),
        }
    }
}

fn message(kind: u8, payload: &[u8]) {
    let Ok(message) = Message::decode(kind, payload) else {
        return;
    };
    assert_eq!(message.kind(), kind);
    let mut out = Vec::new();
    message
        .encode(&mut out)
        .expect("what came in a frame fits one");
    let (frame, _) = frame::decode(&out)
        .expect("our own frame")
        .expect("it is whole");
    assert_eq!(Message::decode(kind, frame.payload), Ok(message));
}
