//! Decompression of one Data chunk, bounded by what it declares.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;
use shared_proto::limits::MAX_CHUNK_LEN;
use shared_proto::message::Data;

/// The octets of a chunk; each is compressed alone, so nothing of one can influence another.
///
/// # Errors
/// A sentence, if the declared length is over the cap or not what comes out.
pub fn unpack(data: &Data<'_>) -> Result<Vec<u8>, String> {
    let wanted = data.raw_len as usize;
    if wanted == 0 {
        return Ok(data.bytes.to_vec());
    }
    if wanted > MAX_CHUNK_LEN {
        return Err(format!(
            "a chunk declares {wanted} octets, more than {MAX_CHUNK_LEN}"
        ));
    }
    let decoder =
        StreamingDecoder::new(data.bytes).map_err(|_| "a chunk is no zstd frame".to_owned())?;
    let mut out = Vec::with_capacity(wanted);
    // One octet more than declared is enough to see that there is more.
    decoder
        .take(wanted as u64 + 1)
        .read_to_end(&mut out)
        .map_err(|_| "a compressed chunk is damaged".to_owned())?;
    if out.len() == wanted {
        Ok(out)
    } else {
        Err("a chunk is not as long as it declares".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_proto::message::RequestId;

    fn packed(text: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn chunk(raw_len: u32, bytes: &[u8]) -> Data<'_> {
        Data {
            id: RequestId(1),
            slot: 0,
            offset: 0,
            raw_len,
            fin: false,
            bytes,
        }
    }

    #[test]
    fn a_chunk_comes_out_whole_or_is_refused() {
        let text = b"ab".repeat(300);
        let bytes = packed(&text);
        assert_eq!(unpack(&chunk(600, &bytes)).unwrap(), text);
        assert_eq!(unpack(&chunk(0, b"plain")).unwrap(), b"plain");
        for wrong in [1, 599, 601] {
            assert!(
                unpack(&chunk(wrong, &bytes))
                    .unwrap_err()
                    .contains("not as long"),
                "{wrong}"
            );
        }
        assert!(unpack(&chunk(600, &bytes[..bytes.len() / 2])).is_err());
        assert!(unpack(&chunk(600, b"no zstd")).is_err());
    }

    #[test]
    fn a_bomb_costs_no_more_than_it_declares() {
        let bomb = packed(&vec![0; 50_000_000]);
        assert!(
            unpack(&chunk(1000, &bomb))
                .unwrap_err()
                .contains("not as long")
        );
        assert!(
            unpack(&chunk(u32::MAX, &bomb))
                .unwrap_err()
                .contains("more than")
        );
    }
}
