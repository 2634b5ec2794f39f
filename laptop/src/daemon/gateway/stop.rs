//! Ends a text before one of the words that it is to stop at, however the text is cut into pieces. Pure.

/// Watches a text for the words that end it.
#[derive(Debug, Default)]
pub(super) struct Stops {
    words: Vec<String>,
    /// What has come and may be the beginning of such a word.
    held: String,
}

impl Stops {
    /// Watches for `words`; an empty one is none.
    pub(super) fn new(mut words: Vec<String>) -> Self {
        words.retain(|word| !word.is_empty());
        Self {
            words,
            held: String::new(),
        }
    }

    /// Takes `piece` in. Returns what may be told, and whether the text ends there.
    pub(super) fn push(&mut self, piece: &str) -> (String, bool) {
        self.held.push_str(piece);
        let first = self.words.iter().filter_map(|word| self.held.find(word));
        if let Some(at) = first.min() {
            self.held.truncate(at);
            return (std::mem::take(&mut self.held), true);
        }
        let kept = self.words.iter().map(|word| overlap(&self.held, word));
        let tell = self.held.len() - kept.max().unwrap_or(0);
        let rest = self.held.split_off(tell);
        (std::mem::replace(&mut self.held, rest), false)
    }

    /// The text has ended by itself: what was held back belongs to it.
    pub(super) fn finish(&mut self) -> String {
        std::mem::take(&mut self.held)
    }
}

/// Octets at the end of `text` that are a beginning of `word`.
fn overlap(text: &str, word: &str) -> usize {
    let mut ends: Vec<usize> = word.char_indices().map(|(at, _)| at).skip(1).collect();
    ends.reverse();
    ends.into_iter()
        .find(|len| text.ends_with(&word[..*len]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str], pieces: &[&str]) -> (String, bool) {
        let mut stops = Stops::new(words.iter().map(|word| (*word).to_owned()).collect());
        let mut told = String::new();
        for piece in pieces {
            let (more, ends) = stops.push(piece);
            told.push_str(&more);
            if ends {
                return (told, true);
            }
        }
        told.push_str(&stops.finish());
        (told, false)
    }

    #[test]
    fn a_text_ends_before_the_word_however_it_is_cut() {
        let text = "one two three";
        for cut in 0..=text.len() {
            let (first, second) = text.split_at(cut);
            assert_eq!(
                run(&["two"], &[first, second]),
                ("one ".into(), true),
                "{cut}"
            );
        }
        let single: Vec<String> = text.chars().map(String::from).collect();
        let single: Vec<&str> = single.iter().map(String::as_str).collect();
        assert_eq!(run(&["two"], &single), ("one ".into(), true));
    }

    #[test]
    fn the_earliest_of_several_words_counts() {
        assert_eq!(run(&["c", "b"], &["abc"]), ("a".into(), true));
    }

    #[test]
    fn nothing_is_lost_of_a_text_that_only_begins_such_a_word() {
        assert_eq!(
            run(&["STOP"], &["a ST", "OR", "ST"]),
            ("a STORST".into(), false)
        );
        assert_eq!(run(&["ää"], &["xä"]), ("xä".into(), false));
        assert_eq!(run(&[""], &["x"]), ("x".into(), false));
        assert_eq!(run(&[], &["x", ""]), ("x".into(), false));
    }

    #[test]
    fn what_cannot_be_such_a_word_is_told_at_once() {
        let mut stops = Stops::new(vec!["\n\n".into()]);
        assert_eq!(stops.push("a\nb"), ("a\nb".into(), false));
        assert_eq!(stops.push("c\n"), ("c".into(), false));
        assert_eq!(stops.push("\nd"), (String::new(), true));
    }
}
