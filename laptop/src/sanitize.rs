//! Makes peer-supplied text safe to show on a terminal, in a log, on a page or on a screen.
//!
//! Not an encoder: the result is for eyes only and is never parsed back.

/// Longest piece of peer text shown anywhere on the laptop, in characters.
pub const MAX_SHOWN_CHARS: usize = 120;

/// Returns `text` with every character that could move a cursor, reverse reading order or hide itself written as
/// `\u{..}`, cut to [`MAX_SHOWN_CHARS`].
pub fn visible(text: &str) -> String {
    visible_within(text, MAX_SHOWN_CHARS)
}

/// Same as [`visible`], cut to `max_chars` characters of the original text.
pub fn visible_within(text: &str, max_chars: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max_chars * 4));
    for (index, character) in text.chars().enumerate() {
        if index == max_chars {
            shown.push('…');
            break;
        }
        if is_hostile(character) {
            shown.extend(character.escape_unicode());
        } else {
            shown.push(character);
        }
    }
    shown
}

/// True for characters that must not reach a terminal as they are.
///
/// Covers C0 and C1 controls, line separators, zero-width and bidirectional formatting (Unicode TR36 section 2.10),
/// tags and the private and replacement ranges nobody can read.
pub fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}'..='\u{1160}' | '\u{17B4}'..='\u{17B5}'
            | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{E000}'..='\u{F8FF}' | '\u{FEFF}' | '\u{FFA0}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E0FFF}' | '\u{F0000}'..='\u{10FFFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_stays_as_it_is() {
        assert_eq!(visible("Ada's 掌机 é ✓"), "Ada's 掌机 é ✓");
    }

    #[test]
    fn escape_sequences_are_spelled_out() {
        assert_eq!(visible("a\x1b[2Jb\n"), "a\\u{1b}[2Jb\\u{a}");
        assert_eq!(visible("\u{9b}31m"), "\\u{9b}31m");
    }

    #[test]
    fn reading_order_cannot_be_reversed() {
        assert_eq!(visible("exe\u{202e}gpj"), "exe\\u{202e}gpj");
        assert_eq!(visible("a\u{2066}b\u{200b}"), "a\\u{2066}b\\u{200b}");
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let shown = visible_within("abcdef", 3);
        assert_eq!(shown, "abc…");
    }
}
