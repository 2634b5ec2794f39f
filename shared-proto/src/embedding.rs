//! Embeddings: several texts as the input of one `language.embed`.
//!
//! A list is its texts one behind the other, each a postcard `str`. The result is one vector for each text in their order, all
//! of one length, each number a little-endian `f32`.

/// Octets of one number of a vector.
pub const NUMBER_LEN: u64 = 4;

/// Writes a list of texts.
#[cfg(feature = "alloc")]
#[must_use]
pub fn encode_texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> alloc::vec::Vec<u8> {
    let mut out = alloc::vec::Vec::new();
    for text in texts {
        // A text into a growing vector: postcard has no way to fail here.
        let pushed = crate::codec::push_postcard(text, &mut out);
        debug_assert_eq!(pushed, Ok(()));
    }
    out
}

/// Reads a list of texts.
///
/// # Errors
/// [`crate::error::DecodeError`] at the first text that does not decode.
pub fn decode_texts<'a>(
    mut bytes: &'a [u8],
    mut visit: impl FnMut(&'a str),
) -> Result<(), crate::error::DecodeError> {
    while !bytes.is_empty() {
        let (text, rest) =
            postcard::take_from_bytes(bytes).map_err(|_| crate::error::DecodeError::BadPayload)?;
        visit(text);
        bytes = rest;
    }
    Ok(())
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    #[test]
    fn a_list_comes_back_and_a_cut_one_does_not() {
        let list = encode_texts(["Hi", "", "Grüße"]);
        assert_eq!(list, b"\x02Hi\x00\x07Gr\xc3\xbc\xc3\x9fe");
        let mut texts = alloc::vec::Vec::new();
        decode_texts(&list, |text| texts.push(text)).expect("decodes");
        assert_eq!(texts, ["Hi", "", "Grüße"]);
        assert!(decode_texts(&list[..list.len() - 1], |_| ()).is_err());
        assert!(decode_texts(b"\x01\xff", |_| ()).is_err());
    }
}
