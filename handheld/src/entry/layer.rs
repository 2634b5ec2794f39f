//! Capitals and symbols: which layer a keyboard shows, what a character becomes on it, and how long a layer lasts.

/// How capitals stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caps {
    /// Small letters.
    #[default]
    Off,
    /// A sentence starts: the next letter is a capital by itself. Marks stay as they are.
    Auto,
    /// The next character is a capital, or its capital mark.
    One,
    /// Capitals until white space.
    Lock,
}

/// How the symbol layer stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Symbols {
    /// Letters.
    #[default]
    Off,
    /// Symbols for one character; a digit keeps them.
    One,
    /// Symbols until white space, or until the symbol button is pressed again.
    Lock,
}

impl Symbols {
    /// Whether symbols are shown.
    #[must_use]
    pub const fn shown(self) -> bool {
        !matches!(self, Self::Off)
    }
}

/// Both layers, without the automatic capital, which follows from the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Layer {
    /// Capitals as chosen by button; never [`Caps::Auto`].
    pub caps: Caps,
    /// Symbols as chosen by button.
    pub symbols: Symbols,
    /// The person has turned the automatic capital of this place off.
    pub auto_off: bool,
}

impl Layer {
    /// The capital button: one, then until a space, then none. Where a sentence starts, it first turns that capital off.
    pub fn press_caps(&mut self, sentence_start: bool) {
        match self.caps {
            Caps::Off | Caps::Auto if sentence_start && !self.auto_off => self.auto_off = true,
            Caps::Off | Caps::Auto => self.caps = Caps::One,
            Caps::One => self.caps = Caps::Lock,
            Caps::Lock => self.caps = Caps::Off,
        }
    }

    /// The symbol button: one symbol; twice, or after a digit, until a space; then back to letters.
    pub fn press_symbols(&mut self) {
        self.symbols = match self.symbols {
            Symbols::Off => Symbols::One,
            Symbols::One => Symbols::Lock,
            Symbols::Lock => Symbols::Off,
        };
    }

    /// Capitals as they count now, given whether a sentence starts here.
    #[must_use]
    pub fn effective(self, sentence_start: bool) -> Caps {
        match self.caps {
            Caps::Off if sentence_start && !self.auto_off => Caps::Auto,
            caps => caps,
        }
    }

    /// A character was typed: one-shot layers end, locks end at white space, a digit among symbols locks them.
    pub fn typed(&mut self, c: char) {
        self.auto_off = false;
        self.caps = match self.caps {
            Caps::One if !c.is_whitespace() => Caps::Off,
            Caps::Lock if c.is_whitespace() => Caps::Off,
            caps => caps,
        };
        self.symbols = match self.symbols {
            Symbols::Off => Symbols::Off,
            _ if c.is_whitespace() => Symbols::Off,
            Symbols::One if c.is_ascii_digit() => Symbols::Lock,
            Symbols::One => Symbols::Off,
            Symbols::Lock => Symbols::Lock,
        };
    }
}

/// What `c` becomes under `caps`: letters their capital; with `marks`, a chosen capital also turns marks.
#[must_use]
pub fn capital(c: char, caps: Caps, marks: bool) -> char {
    if caps == Caps::Off {
        return c;
    }
    if c.is_alphabetic() {
        let mut upper = c.to_uppercase();
        return match (upper.next(), upper.next()) {
            (Some(one), None) => one,
            _ => c,
        };
    }
    if !marks || caps == Caps::Auto {
        return c;
    }
    match c {
        '.' => ':',
        ',' => ';',
        '-' => '_',
        '?' => '/',
        '!' => '@',
        '\'' => '`',
        other => other,
    }
}

/// Whether a sentence starts after `before`: at the start, after a line break, after `.`, `?` or `!` and a space.
#[must_use]
pub fn starts_sentence(before: &str) -> bool {
    let text = before.trim_end_matches(' ');
    if text.is_empty() || text.ends_with('\n') {
        return true;
    }
    text.len() < before.len()
        && text
            .trim_end_matches(['"', '\'', ')', '”', '’'])
            .ends_with(['.', '?', '!'])
}

/// Whether typing `next` ends a lone small "i" (or i'm, i'll, …) at the end of `before`; gives the byte where it stands.
///
/// A full stop does not end it, so that "i.e." stays as it is.
#[must_use]
pub fn lone_i(before: &str, next: char) -> Option<usize> {
    if !next.is_whitespace() && !matches!(next, ',' | '?' | '!' | ';' | ':' | ')') {
        return None;
    }
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || *c == '\'')
        .last()
        .map_or(before.len(), |(index, _)| index);
    let word = &before[start..];
    let opens = before[..start]
        .chars()
        .next_back()
        .is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '('));
    let is_i = matches!(word, "i" | "i'm" | "i'll" | "i've" | "i'd");
    (opens && is_i).then_some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_capital_then_a_lock_then_none() {
        let mut layer = Layer::default();
        layer.press_caps(false);
        assert_eq!(layer.caps, Caps::One);
        layer.press_caps(false);
        assert_eq!(layer.caps, Caps::Lock);
        layer.typed('x');
        assert_eq!(layer.caps, Caps::Lock);
        layer.typed(' ');
        assert_eq!(layer.caps, Caps::Off);
        layer.press_caps(false);
        layer.typed('x');
        assert_eq!(layer.caps, Caps::Off);
    }

    #[test]
    fn at_a_sentence_start_the_capital_button_first_turns_the_automatic_one_off() {
        let mut layer = Layer::default();
        assert_eq!(layer.effective(true), Caps::Auto);
        layer.press_caps(true);
        assert_eq!(layer.effective(true), Caps::Off);
        layer.press_caps(true);
        assert_eq!(layer.effective(true), Caps::One);
        layer.typed('@');
        assert_eq!(layer.effective(true), Caps::Auto);
    }

    #[test]
    fn symbols_last_for_one_character_unless_locked_or_a_digit() {
        let mut layer = Layer::default();
        layer.press_symbols();
        layer.typed('+');
        assert_eq!(layer.symbols, Symbols::Off);
        layer.press_symbols();
        layer.typed('7');
        assert_eq!(layer.symbols, Symbols::Lock);
        layer.typed('8');
        layer.typed(' ');
        assert_eq!(layer.symbols, Symbols::Off);
        layer.press_symbols();
        layer.press_symbols();
        assert_eq!(layer.symbols, Symbols::Lock);
        layer.press_symbols();
        assert_eq!(layer.symbols, Symbols::Off);
    }

    #[test]
    fn capital_marks_need_a_chosen_capital() {
        assert_eq!(capital('!', Caps::One, true), '@');
        assert_eq!(capital('!', Caps::Auto, true), '!');
        assert_eq!(capital('!', Caps::One, false), '!');
        assert_eq!(capital('h', Caps::Auto, true), 'H');
        assert_eq!(capital('ß', Caps::Lock, true), 'ß');
    }

    #[test]
    fn sentences_start_after_an_end_mark_and_a_space() {
        for before in ["", "  ", "Yes. ", "Why?  ", "He said \"no.\" ", "line\n"] {
            assert!(starts_sentence(before), "{before:?}");
        }
        for before in ["a", "Yes.", "one, ", "3.5", "x "] {
            assert!(!starts_sentence(before), "{before:?}");
        }
    }

    #[test]
    fn a_lone_i_is_found_and_abbreviations_are_not() {
        assert_eq!(lone_i("so i", ' '), Some(3));
        assert_eq!(lone_i("i'm", ' '), Some(0));
        assert_eq!(lone_i("(i", ','), Some(1));
        for (before, next) in [
            ("so i", '.'),
            ("hi", ' '),
            ("x.i", ' '),
            ("i", 'f'),
            ("I", ' '),
            ("-i", ' '),
        ] {
            assert_eq!(lone_i(before, next), None, "{before:?} {next:?}");
        }
    }
}
