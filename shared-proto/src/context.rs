//! Heads of conversations: how both sides know, in eight octets, that they hold the same turns.
//!
//! A head starts as zeros; each turn replaces it by the first eight octets of
//! `SHA-256("officeos context v1" ‖ head ‖ role ‖ u32 little-endian length ‖ text)`.

/// Who said a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[repr(u8)]
pub enum Role {
    /// The person.
    User = 0,
    /// The model.
    Assistant = 1,
}

/// One turn. A history is these, one behind the other, as postcard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Turn<'a> {
    /// Who said it.
    pub role: Role,
    /// What was said.
    pub text: &'a str,
}

/// Head of a conversation that nobody has said anything in.
pub const EMPTY: [u8; 8] = [0; 8];

/// The head after one more turn. `sha256` hashes the concatenation of its parts.
pub fn advance(
    head: [u8; 8],
    turn: Turn<'_>,
    sha256: impl FnOnce(&[&[u8]]) -> [u8; 32],
) -> [u8; 8] {
    let len = (turn.text.len() as u32).to_le_bytes();
    let hash = sha256(&[
        b"officeos context v1",
        &head,
        &[turn.role as u8],
        &len,
        turn.text.as_bytes(),
    ]);
    let mut next = [0; 8];
    next.copy_from_slice(&hash[..8]);
    next
}

/// Writes turns as a history.
#[cfg(feature = "alloc")]
#[must_use]
pub fn encode_history<'a>(turns: impl IntoIterator<Item = Turn<'a>>) -> alloc::vec::Vec<u8> {
    let mut out = alloc::vec::Vec::new();
    for turn in turns {
        // A plain struct into a growing vector: postcard has no way to fail here.
        let pushed = crate::codec::push_postcard(&turn, &mut out);
        debug_assert_eq!(pushed, Ok(()));
    }
    out
}

/// Reads a history.
///
/// # Errors
/// [`crate::error::DecodeError`] at the first turn that does not decode.
pub fn decode_history<'a>(
    mut bytes: &'a [u8],
    mut visit: impl FnMut(Turn<'a>),
) -> Result<(), crate::error::DecodeError> {
    while !bytes.is_empty() {
        let (turn, rest) =
            postcard::take_from_bytes(bytes).map_err(|_| crate::error::DecodeError::BadPayload)?;
        visit(turn);
        bytes = rest;
    }
    Ok(())
}
