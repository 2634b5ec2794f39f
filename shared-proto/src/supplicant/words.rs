//! Reason and status codes of IEEE 802.11 in words (IEEE 802.11-2020, tables 9-49 and 9-50), those that a direct link meets.

/// Why a connection ended.
#[must_use]
pub const fn reason(code: u16) -> &'static str {
    match code {
        2 => "the other side no longer accepts the key",
        3 => "the other side is leaving",
        4 => "nothing was heard for too long",
        5 => "the other side has no room for more stations",
        6 | 7 => "the other side had forgotten this station",
        8 => "the station left",
        12 => "the network sends its stations elsewhere",
        14 => "frames were tampered with or damaged",
        // The four-way handshake did not end: by far the most often a wrong passphrase.
        15 => "the keys do not match; the passphrase may be wrong",
        16 => "the keys were not renewed in time",
        18..=22 | 24 | 29 => "the two sides have no encryption in common",
        23 => "access was refused",
        34 => "too many frames were lost",
        39 => "the other side did not answer in time",
        46 => "the other side has no room for more stations",
        _ => "the connection ended",
    }
}

/// Why a connection was refused.
#[must_use]
pub const fn status(code: u16) -> &'static str {
    match code {
        13 => "the two sides want different ways to authenticate",
        15 => "the keys do not match; the passphrase may be wrong",
        16 => "the other side did not answer in time",
        17 => "the other side has no room for more stations",
        18 | 27 => "the other side wants rates that this radio lacks",
        30 => "the other side asks to try again later",
        37 => "the other side refused",
        33 | 34 => "the radio link is too poor",
        40..=46 | 53 | 72 | 77 => "the other side wants another kind of encryption",
        _ => "the other side refused",
    }
}
