//! The words that the person writes, and which follow which: bounded, exportable as text, and gone when cleared.

use std::collections::BTreeMap;

use super::common::START;
use super::words::WordList;

/// Words remembered at most; the least written, longest unused go first.
pub const MAX_LEARNED: usize = 2_000;
/// Pairs of words remembered at most; likewise.
pub const MAX_PAIRS: usize = 2_500;
/// Letters of a remembered word at most: longer runs are keys and addresses, not words.
pub const MAX_WORD: usize = 24;

/// How often something was written, and when last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Use {
    count: u32,
    last: u64,
}

/// One remembered word.
#[derive(Debug, Clone)]
pub(super) struct Habit {
    /// As it is written inside a sentence.
    pub(super) shown: String,
    /// Its rank in the list, if it is there: looked up once, since every letter asks for it.
    pub(super) rank: Option<u16>,
    used: Use,
}

impl Habit {
    /// How often it was written.
    pub(super) const fn count(&self) -> u32 {
        self.used.count
    }
}

/// What was written after one word.
#[derive(Debug, Clone, Default)]
pub(super) struct Followers {
    /// How often anything was.
    pub(super) total: u32,
    /// By small letters.
    words: BTreeMap<String, Use>,
}

impl Followers {
    /// How often `key` was written here.
    pub(super) fn count(&self, key: &str) -> u32 {
        self.words.get(key).map_or(0, |used| used.count)
    }

    /// Those that begin with `prefix`, in small letters.
    pub(super) fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        starting_with(&self.words, prefix).map(|(key, _)| key.as_str())
    }
}

/// The words that the person writes, how often, and what follows what.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    /// By small letters.
    words: BTreeMap<String, Habit>,
    /// By the word before, in small letters, or [`START`].
    pairs: BTreeMap<String, Followers>,
    /// How many pairs there are, and how many words were written.
    paired: usize,
    written: u64,
    clock: u64,
}

impl Learned {
    /// Nothing remembered.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many words are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether nothing is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.pairs.is_empty()
    }

    /// How many words were written, each as often as it was.
    pub(super) const fn written(&self) -> u64 {
        self.written
    }

    /// Remembers the words of a text that was sent, and their pairs. Numbers, single letters and over-long runs are no
    /// words; of single letters only "a" and "I" count in pairs.
    pub fn learn(&mut self, text: &str) {
        for (start, run) in runs(text) {
            let word = run.trim_matches('\'');
            let trimmed = start + (run.len() - run.trim_start_matches('\'').len());
            if is_word(word) {
                self.remember(word, 1);
            }
            if pairs_up(word)
                && let Some(previous) = previous_word(&text[..trimmed])
            {
                self.pair(&previous, &word.to_lowercase(), 1);
            }
        }
    }

    fn remember(&mut self, word: &str, count: u32) {
        let key = word.to_lowercase();
        let list = WordList::bundled();
        self.clock += 1;
        self.written += u64::from(count);
        let last = self.clock;
        if let Some(habit) = self.words.get_mut(&key) {
            habit.used.count = habit.used.count.saturating_add(count);
            habit.used.last = last;
            // A capital at a sentence start says nothing; a small letter anywhere does.
            if word == key && habit.shown != key {
                habit.rank = list.find(&key).map(|word| word.rank);
                habit.shown = key;
            }
            return;
        }
        let shown = if list.contains(&key) {
            key.clone()
        } else {
            word.to_owned()
        };
        let habit = Habit {
            rank: list.find(&shown).map(|word| word.rank),
            shown,
            used: Use { count, last },
        };
        self.words.insert(key, habit);
        if self.words.len() > MAX_LEARNED {
            let bar = bar(self.words.values().map(|habit| habit.used));
            self.words.retain(|_, habit| habit.used >= bar);
            self.written = self
                .words
                .values()
                .map(|habit| u64::from(habit.used.count))
                .sum();
        }
    }

    fn pair(&mut self, previous: &str, key: &str, count: u32) {
        self.clock += 1;
        let last = self.clock;
        let followers = self.pairs.entry(previous.to_owned()).or_default();
        followers.total = followers.total.saturating_add(count);
        if let Some(used) = followers.words.get_mut(key) {
            used.count = used.count.saturating_add(count);
            used.last = last;
            return;
        }
        followers.words.insert(key.to_owned(), Use { count, last });
        self.paired += 1;
        if self.paired > MAX_PAIRS {
            let bar = bar(self
                .pairs
                .values()
                .flat_map(|followers| followers.words.values().copied()));
            self.pairs.retain(|_, followers| {
                followers.words.retain(|_, used| *used >= bar);
                followers.total = followers
                    .words
                    .values()
                    .map(|used| used.count)
                    .fold(0, u32::saturating_add);
                !followers.words.is_empty()
            });
            self.paired = self
                .pairs
                .values()
                .map(|followers| followers.words.len())
                .sum();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new();
    }

    /// The memory as text, longest unused first, for [`Learned::import`]: a line `count word` for each word and
    /// `count previous next` for each pair.
    #[must_use]
    pub fn export(&self) -> String {
        let words = self
            .words
            .values()
            .map(|habit| (habit.used, "", habit.shown.as_str()));
        let pairs = self.pairs.iter().flat_map(|(previous, followers)| {
            let pair =
                move |(key, used): (&'_ String, &Use)| (*used, previous.as_str(), key.clone());
            followers.words.iter().map(pair)
        });
        let mut lines: Vec<(u64, String)> = words
            .map(|(used, _, word)| (used.last, format!("{} {word}\n", used.count)))
            .chain(pairs.map(|(used, previous, key)| {
                (used.last, format!("{} {previous} {key}\n", used.count))
            }))
            .collect();
        lines.sort_unstable();
        lines.into_iter().map(|(_, line)| line).collect()
    }

    /// Reads an exported memory into this one. Lines that are not of its form are passed over: the file lies on a
    /// card that anything may have written to.
    pub fn import(&mut self, data: &str) {
        for line in data.lines().take(MAX_LEARNED + MAX_PAIRS) {
            let mut parts = line.split(' ');
            let Some(count) = parts.next().and_then(|count| count.parse::<u32>().ok()) else {
                continue;
            };
            match (parts.next(), parts.next(), parts.next()) {
                _ if count == 0 => {}
                (Some(word), None, None) if is_word(word) => self.remember(word, count),
                (Some(previous), Some(next), None)
                    if (previous == START || pairs_up(previous)) && pairs_up(next) =>
                {
                    self.pair(&previous.to_lowercase(), &next.to_lowercase(), count);
                }
                _ => {}
            }
        }
    }

    /// The remembered word with these small letters.
    pub(super) fn habit(&self, key: &str) -> Option<&Habit> {
        self.words.get(key)
    }

    /// The remembered words that begin with `prefix`, each by its small letters.
    pub(super) fn starting_with<'a>(
        &'a self,
        prefix: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Habit)> {
        starting_with(&self.words, prefix).map(|(key, habit)| (key.as_str(), habit))
    }

    /// What was written after `previous`.
    pub(super) fn after(&self, previous: &str) -> Option<&Followers> {
        self.pairs.get(previous)
    }
}

fn starting_with<'a, T>(
    map: &'a BTreeMap<String, T>,
    prefix: &'a str,
) -> impl Iterator<Item = (&'a String, &'a T)> {
    map.range::<str, _>((
        core::ops::Bound::Included(prefix),
        core::ops::Bound::Unbounded,
    ))
    .take_while(move |(key, _)| key.starts_with(prefix))
}

/// What an eighth of these lies below: pruning by eighths keeps the cost of a full memory small.
fn bar(uses: impl Iterator<Item = Use>) -> Use {
    let mut uses: Vec<Use> = uses.collect();
    let at = uses.len() / 8;
    *uses.select_nth_unstable(at).1
}

/// Whether these letters are a word worth remembering.
fn is_word(word: &str) -> bool {
    let letters = word.chars().count();
    (2..=MAX_WORD).contains(&letters)
        && word.starts_with(char::is_alphabetic)
        && word.chars().all(|c| c.is_alphabetic() || c == '\'')
}

/// Whether these letters count as one of a pair.
fn pairs_up(word: &str) -> bool {
    is_word(word) || matches!(word, "a" | "A" | "i" | "I")
}

/// Characters that stand inside words, or make what they stand in no word.
fn in_run(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '\'' | '_' | '@' | '/')
}

/// The runs of a text that may be words, and where they begin.
fn runs(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split(|c| !in_run(c))
        .filter(|run| !run.is_empty())
        .map(move |run| (run.as_ptr() as usize - text.as_ptr() as usize, run))
}

/// The word that `text` ends on, in small letters, where only spaces stand behind it; [`START`] where a sentence
/// begins; nothing where something else came between.
pub(super) fn previous_word(text: &str) -> Option<String> {
    let head = text.trim_end_matches(|c| !in_run(c));
    let gap = &text[head.len()..];
    if head.is_empty() || gap.contains(['.', '?', '!', '\n']) {
        return Some(START.to_owned());
    }
    if gap.is_empty() || gap.contains(|c| c != ' ') {
        return None;
    }
    let start = head
        .char_indices()
        .rev()
        .take_while(|(_, c)| in_run(*c))
        .last()
        .map_or(head.len(), |(at, _)| at);
    let word = head[start..].trim_matches('\'');
    pairs_up(word).then(|| word.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn taught(text: &str) -> Learned {
        let mut learned = Learned::new();
        learned.learn(text);
        learned
    }

    #[test]
    fn numbers_addresses_and_keys_are_not_learned() {
        let learned = taught("x 12345 ab12 me@home a/b under_score sk-AbCdEfGhIjKlMnOpQrStUvWxYz");
        assert_eq!(learned.export(), "1 sk\n");
    }

    #[test]
    fn words_and_their_pairs_are_counted() {
        let learned = taught("The harbour, the harbour. I go a mile");
        assert_eq!(
            learned.export(),
            "1 ^ the\n2 the\n2 harbour\n2 the harbour\n1 ^ i\n1 go\n1 i go\n1 go a\n1 mile\n1 a mile\n"
        );
    }

    #[test]
    fn memory_survives_export_and_import_and_hostile_lines_do_no_harm() {
        let learned = taught("sourdough sourdough crumb");
        let mut again = Learned::new();
        again.import(&learned.export());
        assert_eq!(again.export(), learned.export());
        again.import("0 zero\n-1 minus\nno\n99999999999 much\n3 three words here\n1 \u{1b}[2J\n1 ^ ^\n1 a1 b\n1  x\n");
        assert_eq!(again.export(), learned.export());
        again.clear();
        assert!(again.is_empty() && again.export().is_empty());
    }

    #[test]
    fn a_memory_of_words_alone_is_read_as_it_was_written_before_there_were_pairs() {
        let mut learned = Learned::new();
        learned.import("2 harbour\n1 Tauri\n");
        assert_eq!(learned.export(), "2 harbour\n1 Tauri\n");
    }

    fn letters(n: usize) -> String {
        format!("{n:05}")
            .bytes()
            .map(|b| (b'a' + b - b'0') as char)
            .collect()
    }

    #[test]
    fn memory_is_bounded_and_the_least_used_goes() {
        let mut learned = taught("keepme keepme. keepme keepme.");
        for n in 0..MAX_LEARNED.max(MAX_PAIRS) + 50 {
            learned.learn(&format!("so {}", letters(n)));
            assert!(learned.len() <= MAX_LEARNED && learned.paired <= MAX_PAIRS);
        }
        assert!(learned.len() >= MAX_LEARNED * 7 / 8 && learned.paired >= MAX_PAIRS * 7 / 8);
        assert!(learned.words.contains_key("keepme"));
        assert_eq!(learned.after("keepme").unwrap().count("keepme"), 2);
        assert!(!learned.words.contains_key(&letters(0)));
        // What is kept on the card has room for all of it.
        assert!(learned.export().len() < 60 * 1024);
    }

    #[test]
    fn the_word_before_is_known_across_spaces_only() {
        for (text, previous) in [
            ("", Some("^")),
            ("  ", Some("^")),
            ("Yes. ", Some("^")),
            ("one\n", Some("^")),
            ("the ", Some("the")),
            ("It is 'so' ", Some("so")),
            ("I ", Some("i")),
            ("the", None),
            ("the, ", None),
            ("4th ", None),
            ("x ", None),
        ] {
            assert_eq!(previous_word(text).as_deref(), previous, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_learned_and_comes_back_the_same(texts in prop::collection::vec(".{0,60}", 0..8)) {
            let mut learned = Learned::new();
            for text in &texts {
                learned.learn(text);
            }
            let mut again = Learned::new();
            again.import(&learned.export());
            prop_assert_eq!(again.export(), learned.export());
            prop_assert_eq!(again.written, learned.written);
        }
    }
}
