//! The word list: 20,000 English words in a checked-in, front-coded file, unpacked once into one block of memory.

use std::sync::OnceLock;

/// The file; `handheld/data/WORDS.md` says where it comes from and under which terms.
static FILE: &str = include_str!("../../data/words.txt");

/// One word of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written inside a sentence.
    pub text: &'a str,
    /// How common: 1 is the most common of the list's tiers.
    pub tier: u8,
}

/// Words sorted by their octets.
#[derive(Debug)]
pub struct WordList {
    letters: String,
    /// End of each word in `letters`, and its tier.
    ends: Vec<(u32, u8)>,
}

impl WordList {
    /// The list that is compiled in. The first call unpacks it, in about a millisecond; the rest are free.
    pub fn bundled() -> &'static Self {
        static LIST: OnceLock<WordList> = OnceLock::new();
        LIST.get_or_init(|| Self::unpack(FILE))
    }

    /// Unpacks lines of `<shared><tier><rest>`: letters shared with the word before in base 36, a digit, the rest.
    /// A line that breaks this form is passed over: the file is part of the program, and its test reads every line.
    fn unpack(file: &str) -> Self {
        let mut list = Self {
            letters: String::new(),
            ends: Vec::new(),
        };
        for line in file.lines() {
            let mut chars = line.chars();
            let shared = chars.next().and_then(|c| c.to_digit(36));
            let tier = chars.next().and_then(|c| c.to_digit(10));
            let (Some(shared), Some(tier)) = (shared, tier) else {
                continue;
            };
            let last = list
                .get(list.len().wrapping_sub(1))
                .map_or("", |word| word.text);
            let Some(head) = last.get(..shared as usize) else {
                continue;
            };
            let word = format!("{head}{}", chars.as_str());
            list.letters.push_str(&word);
            list.ends.push((list.letters.len() as u32, tier as u8));
        }
        list
    }

    /// How many words.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    fn get(&self, index: usize) -> Option<Word<'_>> {
        let &(end, tier) = self.ends.get(index)?;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before].0);
        Some(Word {
            text: &self.letters[start as usize..end as usize],
            tier,
        })
    }

    /// Every word that begins exactly with `prefix`, in order; nothing is allocated.
    pub fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = Word<'a>> {
        // Binary search over indices: the words lie sorted, but not as a slice of strings.
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = (low + high) / 2;
            if self.get(middle).is_some_and(|word| word.text < prefix) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        (low..self.len())
            .map_while(|index| self.get(index))
            .take_while(move |word| word.text.starts_with(prefix))
    }

    /// Whether `word` is in the list, in exactly this case.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.starting_with(word)
            .next()
            .is_some_and(|found| found.text == word)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bundled_file_unpacks_whole_and_sorted() {
        let list = WordList::bundled();
        assert_eq!(list.len(), FILE.lines().count());
        assert_eq!(list.len(), 20_000);
        let words: Vec<_> = (0..list.len())
            .map(|index| list.get(index).unwrap())
            .collect();
        assert!(words.windows(2).all(|pair| pair[0].text < pair[1].text));
        assert!(words.iter().all(|word| (1..=5).contains(&word.tier)));
        assert!(words.iter().all(|word| {
            word.text
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b == b'\'')
        }));
    }

    #[test]
    fn a_prefix_finds_exactly_its_words() {
        let list = WordList::unpack("01the\n32n\n31re\n01to\n");
        let found: Vec<_> = list
            .starting_with("the")
            .map(|word| (word.text, word.tier))
            .collect();
        assert_eq!(found, [("the", 1), ("then", 2), ("there", 1)]);
        assert_eq!(list.starting_with("tz").count(), 0);
        assert_eq!(list.starting_with("").count(), 4);
    }

    #[test]
    fn broken_lines_are_passed_over() {
        let list = WordList::unpack("\n0\n91far\n01ok\n");
        assert_eq!(
            list.starting_with("")
                .map(|word| word.text)
                .collect::<Vec<_>>(),
            ["ok"]
        );
    }

    #[test]
    fn common_words_and_contractions_are_there() {
        for word in [
            "neighbour",
            "neighbor",
            "fence",
            "don't",
            "I",
            "because",
            "Monday",
        ] {
            assert!(WordList::bundled().contains(word), "{word}");
        }
        assert!(!WordList::bundled().contains("neighb"));
    }
}
