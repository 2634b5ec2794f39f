//! Pieces of results on their way through compression.

use shared_proto::limits::MAX_CHUNK_LEN;

/// Pieces shorter than this are sent as they are: a compressed frame has 13 octets of its own.
const MIN_COMPRESSED_LEN: usize = 128;

/// Level of compression: the fastest that text is still halved with.
const COMPRESSION: i32 = 3;

/// Whether a stream starts like a picture that is compressed already, on its own or behind its format octet.
pub fn is_packed(bytes: &[u8]) -> bool {
    const SIGNS: [&[u8]; 4] = [b"\xff\xd8\xff", b"\x89PNG", b"RIFF", b"\x28\xb5\x2f\xfd"];
    let starts = |bytes: &[u8]| SIGNS.iter().any(|sign| bytes.starts_with(sign));
    starts(bytes) || bytes.get(1..).is_some_and(starts) || bytes.get(5..).is_some_and(starts)
}

/// Compresses a piece where that makes it smaller.
pub fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    if bytes.len() < MIN_COMPRESSED_LEN {
        return None;
    }
    zstd::bulk::compress(bytes, COMPRESSION)
        .ok()
        .filter(|packed| packed.len() < bytes.len())
}

/// Expands a piece to exactly `raw_len` octets.
pub fn inflate(bytes: &[u8], raw_len: u32) -> Option<Vec<u8>> {
    let raw_len = usize::try_from(raw_len)
        .ok()
        .filter(|len| *len <= MAX_CHUNK_LEN)?;
    zstd::bulk::decompress(bytes, raw_len)
        .ok()
        .filter(|plain| plain.len() == raw_len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_compressed_only_where_that_helps_and_expand_only_to_what_they_claim() {
        let text = b"the same words again, ".repeat(20);
        let packed = deflate(&text).unwrap();
        assert!(packed.len() < text.len() / 2);
        assert_eq!(
            inflate(&packed, text.len() as u32).as_deref(),
            Some(&text[..])
        );
        assert_eq!(inflate(&packed, text.len() as u32 - 1), None);
        assert_eq!(inflate(&packed, u32::MAX), None);
        assert_eq!(inflate(b"garbage", 10), None);
        assert_eq!(deflate(b"short"), None);
    }

    #[test]
    fn a_decompression_bomb_stays_within_a_piece() {
        let bomb = zstd::bulk::compress(&vec![0; 64 << 20], 19).unwrap();
        assert!(bomb.len() < 64 * 1024);
        assert_eq!(inflate(&bomb, MAX_CHUNK_LEN as u32), None);
    }

    #[test]
    fn pictures_are_never_compressed_again() {
        assert!(is_packed(b"\x00\xff\xd8\xff\xe0"));
        assert!(is_packed(b"\x89PNG\r\n"));
        assert!(is_packed(b"\x02\x80\x02\xe0\x01\x28\xb5\x2f\xfd"));
        assert!(!is_packed(b"Dear neighbour"));
    }
}
