//! The end of a text on so many lines: what stands above a field says what is answered there, and stays the same while one writes.

use super::typeset::Typesetter;
use super::wrap::{Line, Span, wrap};
use std::rc::Rc;

/// The last ending that was set.
#[derive(Debug, Default)]
pub struct Ending {
    known: Option<(Wanted, Rc<[Line]>)>,
}

/// Everything that the lines hang on.
#[derive(Debug, PartialEq)]
struct Wanted {
    span: Span,
    width: i32,
    lines: usize,
}

impl Ending {
    /// The end of `span` on at most `lines` lines of `width` pixels, whole words after an ellipsis; or its last word, where that alone
    /// needs more of them. Wrapped only if it is another than the last time.
    pub fn set(&mut self, t: &mut Typesetter, span: Span, width: i32, lines: usize) -> Rc<[Line]> {
        let wanted = Wanted { span, width, lines };
        match &self.known {
            Some((known, set)) if *known == wanted => set.clone(),
            _ => {
                let set: Rc<[Line]> = end(t, &wanted).into();
                self.known = Some((wanted, set.clone()));
                set
            }
        }
    }
}

fn end(t: &mut Typesetter, wanted: &Wanted) -> Vec<Line> {
    let mut set = |text: String| {
        let span = Span {
            text,
            ..wanted.span.clone()
        };
        wrap(t, &[span], wanted.width)
    };
    let text = &wanted.span.text;
    let whole = set(text.clone());
    let words: Vec<&str> = text.trim_start_matches('…').split_whitespace().collect();
    if whole.len() <= wanted.lines || words.len() < 2 {
        return whole;
    }
    let mut from = |word: usize| set(format!("… {}", words[word..].join(" ")));
    // A text that begins later never takes more lines, so that the first word that fits is found by halving.
    let (mut low, mut high) = (1, words.len() - 1);
    while low < high {
        let middle = low.midpoint(high);
        match from(middle).len() <= wanted.lines {
            true => high = middle,
            false => low = middle + 1,
        }
    }
    from(low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text::{Face, Ink};
    use crate::ui::theme::Tone;
    use proptest::prelude::*;

    fn span(text: &str) -> Span {
        Span {
            text: text.into(),
            face: Face::Sans,
            size: 24,
            ink: Ink::of(Tone::Muted),
        }
    }

    fn shown(lines: &[Line]) -> Vec<String> {
        let text = |line: &Line| line.runs.iter().map(|run| run.text.as_str()).collect();
        lines.iter().map(text).collect()
    }

    #[test]
    fn the_same_ending_is_wrapped_once_and_another_anew() {
        let (mut t, mut ending) = (Typesetter::default(), Ending::default());
        let first = ending.set(&mut t, span("one two three four five"), 130, 1);
        assert_eq!(shown(&first), ["… four five"]);
        let again = ending.set(&mut t, span("one two three four five"), 130, 1);
        assert!(Rc::ptr_eq(&first, &again));
        let wider = ending.set(&mut t, span("one two three four five"), 130, 9);
        assert_eq!(shown(&wider), ["one two", "three four", "five"]);
        let other = ending.set(&mut t, span("one two three four six"), 130, 1);
        assert_eq!(shown(&other), ["… four six"]);
    }

    #[test]
    fn one_word_that_is_longer_than_the_lines_stays() {
        let (mut t, mut ending) = (Typesetter::default(), Ending::default());
        let lines = ending.set(&mut t, span("Donaudampfschifffahrt"), 100, 1);
        assert!(lines.len() > 1);
        assert_eq!(shown(&lines).concat(), "Donaudampfschifffahrt");
    }

    proptest! {
        #[test]
        fn no_more_words_go_than_have_to(text in "[a-zß漢…]{1,9}( [a-z,漢🚀]{1,12}){0,30}", width in 60..400i32, lines in 1..4usize) {
            let mut t = Typesetter::default();
            let set = Ending::default().set(&mut t, span(&text), width, lines);
            // Word by word, from the front.
            let mut words: Vec<&str> = text.trim_start_matches('…').split_whitespace().collect();
            let mut expected = wrap(&mut t, &[span(&text)], width);
            while expected.len() > lines && words.len() > 1 {
                words.remove(0);
                expected = wrap(&mut t, &[span(&format!("… {}", words.join(" ")))], width);
            }
            prop_assert_eq!(&*set, &*expected);
        }
    }
}
