//! Texts that would do something where they are shown.

/// Whether a text moves a cursor, hides or turns words around.
pub fn is_calm(text: &str) -> bool {
    !text.contains(|c: char| {
        (c.is_control() && c != '\n')
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2066}'..='\u{2069}').contains(&c)
            || c == '\u{200b}'
    })
}

/// A name with escapes of terminals, a reversal, a line end and markup.
pub const POISON: &str = "evil\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}gpj\r<b>&amp;";
