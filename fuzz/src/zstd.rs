//! One compressed piece of a stream: it comes out with the length that it declares, within the cap, or is refused.

use crate::octets::Octets;
use shared_proto::limits::MAX_CHUNK_LEN;

/// Length and octets of the piece. The first octet chooses how the length is told.
pub fn piece(bytes: &[u8]) -> (u32, &[u8]) {
    let mut octets = Octets(bytes);
    let len = match octets.byte() {
        0 => u32::from_be_bytes([octets.byte(), octets.byte(), octets.byte(), octets.byte()]),
        _ => octets.below(MAX_CHUNK_LEN + 2) as u32,
    };
    (len, octets.0)
}

/// Checks what one side made of it.
pub fn check(len: u32, packed: &[u8], plain: Option<&[u8]>) {
    let Some(plain) = plain else { return };
    if len == 0 {
        assert!(plain == packed, "as it came");
    } else {
        assert!(plain.len() == len as usize && plain.len() <= MAX_CHUNK_LEN);
    }
}
