//! The word list: 20,000 English words in a checked-in, front-coded file, unpacked once into one block of memory.

use core::ops::Range;
use std::sync::OnceLock;

use super::common;
use crate::packed;

/// The file, packed; `handheld/data/WORDS.md` says where it comes from and under which terms.
static FILE: &[u8] = include_bytes!("../../data/packed/words.txt.zst");

/// One word of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// As it is written inside a sentence.
    pub text: &'a str,
    /// How common: 1 is the most common of the list's tiers.
    pub tier: u8,
    /// Its place among all words, the most common first: own order, then tier, length and alphabet.
    pub rank: u16,
}

/// Words sorted by their octets, with a tree that finds the most common of any run of them.
#[derive(Debug)]
pub struct WordList {
    letters: String,
    /// End of each word in `letters`, and its tier.
    ends: Vec<(u32, u8)>,
    /// A tournament over the words' ranks: word `i` is leaf `len + i`, node `n` holds the lower rank of `2n` and `2n + 1`.
    ranks: Vec<u16>,
    /// The word that has a rank.
    by_rank: Vec<u16>,
}

impl WordList {
    /// The list that is compiled in. The first call unpacks it and builds the tree, in some ten million
    /// instructions; the rest are free.
    pub fn bundled() -> &'static Self {
        static LIST: OnceLock<WordList> = OnceLock::new();
        LIST.get_or_init(|| {
            let file = packed::unpack(FILE);
            let file = String::from_utf8_lossy(&file);
            Self::unpack(&file, &common::in_order().collect::<Vec<_>>())
        })
    }

    /// Unpacks lines of `<shared><tier><rest>`: letters shared with the word before in base 36, a digit, the rest.
    /// A line that breaks this form is passed over: the file is part of the program, and its test reads every line.
    /// Words of `common` outrank the rest in their order, and come into the list where it lacks them.
    fn unpack(file: &str, common: &[&str]) -> Self {
        let mut list = Self {
            letters: String::with_capacity(file.len() * 2),
            ends: Vec::with_capacity(file.len() / 6),
            ranks: Vec::new(),
            by_rank: Vec::new(),
        };
        let mut added: Vec<&str> = common.to_vec();
        added.sort_unstable();
        added.dedup();
        let mut added = added.into_iter().peekable();
        let mut word = String::new();
        for line in file.lines() {
            let mut chars = line.chars();
            let shared = chars.next().and_then(|c| c.to_digit(36));
            let tier = chars.next().and_then(|c| c.to_digit(10));
            let (Some(shared), Some(tier)) = (shared, tier) else {
                continue;
            };
            if !word.is_char_boundary(shared as usize) {
                continue;
            }
            word.truncate(shared as usize);
            word.push_str(chars.as_str());
            while let Some(before) = added.next_if(|added| *added < word.as_str()) {
                list.push(before, 1);
            }
            added.next_if(|added| *added == word);
            list.push(&word, tier as u8);
        }
        added.for_each(|word| list.push(word, 1));
        list.rank(common);
        list
    }

    fn push(&mut self, word: &str, tier: u8) {
        self.letters.push_str(word);
        self.ends.push((self.letters.len() as u32, tier));
    }

    /// Ranks the words, those of `common` first, and builds the tree.
    fn rank(&mut self, common: &[&str]) {
        let count = self.len();
        self.ranks = vec![u16::MAX; 2 * count];
        for word in common {
            let place = self.partition(0, |known| known < *word);
            if self.get(place).is_some_and(|known| known.text == *word)
                && self.ranks[count + place] == u16::MAX
            {
                self.ranks[count + place] = self.by_rank.len() as u16;
                self.by_rank.push(place as u16);
            }
        }
        // The rest in buckets by tier and length; within one the alphabet decides.
        let bucket = |word: &Word<'_>| usize::from(word.tier) * 64 + word.text.len().min(63);
        let mut next = [0_usize; 10 * 64 + 1];
        let rest: Vec<(usize, usize)> = (0..count)
            .filter(|place| self.ranks[count + place] == u16::MAX)
            .filter_map(|place| Some((place, bucket(&self.get(place)?))))
            .collect();
        for (_, bucket) in &rest {
            next[bucket + 1] += 1;
        }
        for bucket in 1..next.len() {
            next[bucket] += next[bucket - 1];
        }
        let ranked = self.by_rank.len();
        self.by_rank.resize(ranked + rest.len(), 0);
        for (place, bucket) in rest {
            let rank = ranked + next[bucket];
            next[bucket] += 1;
            self.by_rank[rank] = place as u16;
            self.ranks[count + place] = rank as u16;
        }
        for node in (1..count).rev() {
            self.ranks[node] = self.ranks[2 * node].min(self.ranks[2 * node + 1]);
        }
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
            rank: self.ranks[self.len() + index],
        })
    }

    /// The first index from `low` whose word is not `before`; words lie sorted, but not as a slice of strings.
    fn partition(&self, mut low: usize, before: impl Fn(&str) -> bool) -> usize {
        let mut high = self.len();
        while low < high {
            let middle = usize::midpoint(low, high);
            if self.get(middle).is_some_and(|word| before(word.text)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The indices of all words that begin exactly with `prefix`.
    fn run(&self, prefix: &str) -> Range<usize> {
        let start = self.partition(0, |word| word < prefix);
        start..self.partition(start, |word| word.starts_with(prefix))
    }

    /// The lowest rank among the words of `run`; `u16::MAX` for an empty one.
    fn lowest(&self, run: &Range<usize>) -> u16 {
        let (mut left, mut right) = (run.start + self.len(), run.end + self.len());
        let mut lowest = u16::MAX;
        while left < right {
            if left % 2 == 1 {
                lowest = lowest.min(self.ranks[left]);
                left += 1;
            }
            if right % 2 == 1 {
                right -= 1;
                lowest = lowest.min(self.ranks[right]);
            }
            left /= 2;
            right /= 2;
        }
        lowest
    }

    /// Hands out the words that begin exactly with `prefix`, the most common first, until `take` says false.
    ///
    /// Costs a walk up the tree for each word handed out, whatever the prefix; nothing is read of the others.
    pub fn best<'a>(&'a self, prefix: &str, mut take: impl FnMut(Word<'a>) -> bool) {
        let run = self.run(prefix);
        // Runs that are still to be looked at, each with its lowest rank: two come for one that goes.
        let mut runs: Vec<(u16, Range<usize>)> = vec![(self.lowest(&run), run)];
        while let Some(next) = (0..runs.len()).min_by_key(|&at| runs[at].0) {
            let (rank, run) = runs.swap_remove(next);
            let Some(&place) = self.by_rank.get(usize::from(rank)) else {
                return;
            };
            let place = usize::from(place);
            if !self.get(place).is_some_and(&mut take) {
                return;
            }
            for part in [run.start..place, place + 1..run.end] {
                if !part.is_empty() {
                    runs.push((self.lowest(&part), part));
                }
            }
        }
    }

    /// The word as the list has it, in exactly this case.
    #[must_use]
    pub fn find(&self, word: &str) -> Option<Word<'_>> {
        self.get(self.partition(0, |known| known < word))
            .filter(|found| found.text == word)
    }

    /// Whether `word` is in the list, in exactly this case.
    #[must_use]
    pub fn contains(&self, word: &str) -> bool {
        self.find(word).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn best<'a>(list: &'a WordList, prefix: &str, count: usize) -> Vec<&'a str> {
        let mut found = Vec::new();
        list.best(prefix, |word| {
            found.push(word.text);
            found.len() < count
        });
        found
    }

    #[test]
    fn the_bundled_file_unpacks_whole_and_sorted() {
        let list = WordList::bundled();
        assert_eq!(
            packed::unpack(FILE).iter().filter(|&&c| c == b'\n').count(),
            20_000
        );
        let words: Vec<_> = (0..list.len())
            .map(|index| list.get(index).unwrap())
            .collect();
        // Single letters and a few contractions come from the own order.
        assert!((20_000..20_020).contains(&list.len()), "{}", list.len());
        assert!(words.windows(2).all(|pair| pair[0].text < pair[1].text));
        assert!(words.iter().all(|word| (1..=5).contains(&word.tier)));
        assert!(words.iter().all(|word| {
            word.text
                .bytes()
                .all(|b| b.is_ascii_alphabetic() || b == b'\'')
        }));
    }

    #[test]
    fn a_prefix_finds_exactly_its_words_the_most_common_first() {
        let list = WordList::unpack("01the\n32n\n31re\n01to\n", &["to", "th"]);
        assert_eq!(best(&list, "the", 9), ["the", "there", "then"]);
        assert_eq!(best(&list, "t", 9), ["to", "th", "the", "there", "then"]);
        assert_eq!(best(&list, "t", 2), ["to", "th"]);
        assert_eq!(best(&list, "tz", 9), [""; 0]);
        assert_eq!(best(&list, "", 9).len(), 5);
        assert_eq!(list.find("then").unwrap().tier, 2);
    }

    #[test]
    fn the_tree_agrees_with_reading_every_word() {
        let list = WordList::bundled();
        for prefix in ["", "a", "s", "th", "M", "qu", "zz", "don'", "interest"] {
            let mut read: Vec<_> = (0..list.len())
                .filter_map(|index| list.get(index))
                .filter(|word| word.text.starts_with(prefix))
                .collect();
            read.sort_by_key(|word| word.rank);
            let read: Vec<_> = read.iter().take(20).map(|word| word.text).collect();
            assert_eq!(best(list, prefix, 20), read, "{prefix}");
        }
    }

    #[test]
    fn broken_lines_are_passed_over() {
        let list = WordList::unpack("\n0\n91far\n01ok\n", &[]);
        assert_eq!(best(&list, "", 9), ["ok"]);
        assert_eq!(best(&WordList::unpack("", &[]), "", 9), [""; 0]);
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
