//! The commonest words of English prose, most common first, and what tends to follow them.
//!
//! SCOWL's first tier holds thousands and does not order them, and it knows nothing of what follows what. Both tables
//! are this project's own: written from general knowledge of the language, counted from nobody's text.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Words parted by white space, most common first.
static ORDER: &str = include_str!("../../data/common.txt");

/// A line for each word: the word in small letters, then what follows it, most likely first.
static FOLLOWERS: &str = include_str!("../../data/follow.txt");

/// Stands for the start of a sentence among the words that others follow.
pub const START: &str = "^";

/// The commonest words, in the case that they have inside a sentence.
pub fn in_order() -> impl Iterator<Item = &'static str> {
    ORDER.split_whitespace()
}

/// What tends to follow `previous`, a word in small letters or [`START`]; nothing for most words.
pub fn followers(previous: &str) -> impl Iterator<Item = &'static str> {
    static LINES: OnceLock<BTreeMap<&'static str, &'static str>> = OnceLock::new();
    LINES
        .get_or_init(|| {
            FOLLOWERS
                .lines()
                .filter_map(|line| line.split_once(' '))
                .collect()
        })
        .get(previous)
        .copied()
        .unwrap_or_default()
        .split(' ')
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::words::WordList;
    use std::collections::BTreeSet;

    /// Words that SCOWL's tiers do not hold and that people write all the same.
    const OWN: [&str; 6] = ["laptop", "you'll", "you've", "I'll", "I've", "I'd"];

    #[test]
    fn the_commonest_words_are_words_and_none_is_ranked_twice() {
        let mut seen = BTreeSet::new();
        for word in in_order() {
            assert!(seen.insert(word), "{word}");
            assert!(word.len() > 1 || matches!(word, "a" | "I"), "{word}");
        }
        assert!((500..1000).contains(&seen.len()));
        for word in OWN {
            assert!(seen.contains(word), "{word}");
        }
    }

    #[test]
    fn what_follows_is_in_the_list_and_at_most_sixteen_words() {
        let mut heads = BTreeSet::new();
        for line in FOLLOWERS.lines() {
            let (head, rest) = line.split_once(' ').unwrap();
            assert!(heads.insert(head), "{head}");
            assert_eq!(head, head.to_lowercase());
            let rest: Vec<_> = rest.split(' ').collect();
            assert!(rest.len() <= 16, "{head}");
            assert_eq!(
                rest.iter().collect::<BTreeSet<_>>().len(),
                rest.len(),
                "{head}"
            );
            for word in rest {
                assert!(WordList::bundled().contains(word), "{head} {word}");
            }
        }
    }

    #[test]
    fn a_sentence_starts_with_its_own_words() {
        assert_eq!(followers(START).next(), Some("I"));
        assert_eq!(followers("going").collect::<Vec<_>>(), ["to", "on"]);
        assert_eq!(followers("zyzzyva").count(), 0);
    }
}
