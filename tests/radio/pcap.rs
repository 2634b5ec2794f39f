//! Files of tcpdump: frames.

use std::path::Path;

/// Radiotap and 802.11: what goes through the air.
pub const AIR: u32 = 127;
/// Linux cooked capture, second form: what goes through a machine's interfaces.
pub const COOKED: u32 = 276;

/// One frame.
pub struct Frame {
    /// Its octets as captured.
    pub bytes: Vec<u8>,
}

/// Reads a file that was written on this machine; a frame that is not whole yet is left out.
pub fn read(file: &Path) -> (u32, Vec<Frame>) {
    let bytes = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let number = |at: usize| -> Option<u32> {
        Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
    };
    assert_eq!(number(0), Some(0xa1b2_c3d4), "{}", file.display());
    let kind = number(20).expect("a whole head of a capture");
    let mut frames = Vec::new();
    let mut at = 24;
    while let Some(len) = number(at + 8) {
        let start = at + 16;
        let Some(frame) = bytes.get(start..start + len as usize) else {
            break;
        };
        frames.push(Frame {
            bytes: frame.to_vec(),
        });
        at = start + len as usize;
    }
    (kind, frames)
}
