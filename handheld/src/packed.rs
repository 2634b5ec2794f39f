//! Files of the program that it has within compressed, since on a handheld it is to be small. `handheld/data/pack` makes them.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

/// A file within, as it was before `handheld/data/pack`.
///
/// # Panics
/// If the octets are no whole zstd frame: they are part of the program, and a test unpacks each.
#[must_use]
pub fn unpack(packed: &'static [u8]) -> Vec<u8> {
    let mut decoder = StreamingDecoder::new(packed).expect("a packed file has its head");
    let mut out = Vec::with_capacity(decoder.decoder.content_size() as usize);
    decoder
        .read_to_end(&mut out)
        .expect("a packed file is whole");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_packed_file_is_the_one_that_it_was_made_from() {
        let data = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        let script = std::fs::read_to_string(data.join("pack")).unwrap();
        let list = script.split_once("for file in ").unwrap().1;
        let files = list.split(';').next().unwrap().split_whitespace();
        let mut count = 0;
        for file in files {
            let name = file.rsplit('/').next().unwrap();
            let packed = std::fs::read(data.join("packed").join(format!("{name}.zst"))).unwrap();
            let plain = std::fs::read(data.join(file)).unwrap();
            assert!(
                unpack(packed.leak()) == plain,
                "{file}: run handheld/data/pack"
            );
            count += 1;
        }
        assert_eq!(
            std::fs::read_dir(data.join("packed")).unwrap().count(),
            count
        );
    }
}
