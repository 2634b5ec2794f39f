//! Word completion: the bundled list and the words that the person writes, ranked, three or six at a time.

use std::collections::BTreeMap;

use super::words::WordList;

/// Suggestions found at most: three on the strip and three more behind a hold.
pub const MAX_SUGGESTIONS: usize = 6;
/// Words remembered at most; the least written, longest unused goes first.
pub const MAX_LEARNED: usize = 2_000;
/// Letters of a remembered word at most: longer runs are keys and addresses, not words.
pub const MAX_WORD: usize = 24;

/// The commonest words of English prose, most common first: SCOWL's first tier holds a thousand and does not order them.
const COMMON: &str = "\
    the to and of a in is it you that for was on are with as have be this not but they we from \
    what can all there would my about an will your which their do if one he at by so she had or \
    his has when were could me them some then like out please more make how who her up just know \
    time get been than people write into now other only think want should these because very \
    good don't him us see our where much go after way no any over new also well first even many \
    here come work need back give may most tell really thing things day say take thank too did \
    said before find still between use made being through two look own help right why every last \
    down long it's again off same always never something little year another part home under \
    while might around old few each without left does question life explain school keep letter \
    great example world morning today tomorrow friend picture such those must";

/// One remembered word.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Habit {
    shown: String,
    count: u32,
    used: u64,
}

/// The words that the person writes, and how often.
#[derive(Debug, Clone, Default)]
pub struct Learned {
    /// By small letters.
    words: BTreeMap<String, Habit>,
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
        self.words.is_empty()
    }

    /// Remembers the words of a text that was sent. Numbers, single letters and over-long runs are not words.
    pub fn learn(&mut self, text: &str) {
        for run in
            text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '\'' | '_' | '@' | '/')))
        {
            let word = run.trim_matches('\'');
            if is_word(word) {
                self.remember(word, 1);
            }
        }
    }

    fn remember(&mut self, word: &str, count: u32) {
        let key = word.to_lowercase();
        let list = WordList::bundled();
        self.clock += 1;
        let clock = self.clock;
        if let Some(habit) = self.words.get_mut(&key) {
            habit.count = habit.count.saturating_add(count);
            habit.used = clock;
            // A capital at a sentence start says nothing; a small letter anywhere does.
            if word == key {
                habit.shown = key;
            }
            return;
        }
        let shown = if list.contains(&key) {
            key.clone()
        } else {
            word.to_owned()
        };
        self.words.insert(
            key,
            Habit {
                shown,
                count,
                used: clock,
            },
        );
        if self.words.len() > MAX_LEARNED {
            let least = self
                .words
                .iter()
                .min_by_key(|(_, habit)| (habit.count, habit.used))
                .map(|(key, _)| key.clone());
            if let Some(least) = least {
                self.words.remove(&least);
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.words.clear();
    }

    /// The memory as text: a line `count word` for each, longest unused first, for [`Learned::import`].
    #[must_use]
    pub fn export(&self) -> String {
        let mut habits: Vec<_> = self.words.values().collect();
        habits.sort_by_key(|habit| habit.used);
        habits
            .iter()
            .map(|habit| format!("{} {}\n", habit.count, habit.shown))
            .collect()
    }

    /// Reads an exported memory into this one. Lines that are not of its form are passed over: the file lies on a
    /// card that anything may have written to.
    pub fn import(&mut self, data: &str) {
        for line in data.lines().take(MAX_LEARNED) {
            let Some((count, word)) = line.split_once(' ') else {
                continue;
            };
            let Ok(count) = count.parse::<u32>() else {
                continue;
            };
            if count > 0 && is_word(word) {
                self.remember(word, count);
            }
        }
    }

    fn starting_with<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Habit> {
        self.words
            .range::<str, _>((
                core::ops::Bound::Included(prefix),
                core::ops::Bound::Unbounded,
            ))
            .take_while(move |(key, _)| key.starts_with(prefix))
            .map(|(_, habit)| habit)
    }
}

fn is_word(word: &str) -> bool {
    let letters = word.chars().count();
    (2..=MAX_WORD).contains(&letters)
        && word.starts_with(char::is_alphabetic)
        && word.chars().all(|c| c.is_alphabetic() || c == '\'')
}

/// Rank: habits first by how often, then the commonest words in their order, then the list by tier, length and
/// alphabet, as SCOWL orders words.
type Rank<'a> = (u32, u8, usize, &'a str);

/// Up to [`MAX_SUGGESTIONS`] words that go on from `prefix`, best first, in the case that the prefix asks for.
///
/// The search allocates only for the words it returns.
#[must_use]
pub fn suggest(prefix: &str, learned: &Learned) -> Vec<String> {
    if prefix.is_empty() || !prefix.starts_with(char::is_alphabetic) {
        return Vec::new();
    }
    let small = prefix.to_lowercase();
    let named = capitalised(&small);
    let mut best: [Option<Rank<'_>>; MAX_SUGGESTIONS] = [None; MAX_SUGGESTIONS];
    let list = WordList::bundled();
    for habit in learned.starting_with(&small) {
        offer(
            &mut best,
            (u32::MAX - habit.count, 0, habit.shown.len(), &habit.shown),
            &small,
        );
    }
    for (place, word) in COMMON.split(' ').enumerate() {
        if word.starts_with(&small) {
            offer(&mut best, (u32::MAX, 0, place, word), &small);
        }
    }
    for word in list.starting_with(&small).chain(list.starting_with(&named)) {
        offer(
            &mut best,
            (u32::MAX, word.tier, word.text.len(), word.text),
            &small,
        );
    }
    let mut words: Vec<String> = Vec::with_capacity(MAX_SUGGESTIONS);
    for (_, _, _, word) in best.into_iter().flatten() {
        let word = in_case_of(prefix, word);
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

/// Puts `rank` into the sorted `best` if it belongs there; a word equal to the prefix would save nothing.
fn offer<'a>(best: &mut [Option<Rank<'a>>; MAX_SUGGESTIONS], rank: Rank<'a>, prefix: &str) {
    if rank.3.len() == prefix.len() && rank.3.to_lowercase() == prefix {
        return;
    }
    if best
        .iter()
        .flatten()
        .any(|known| known.3.eq_ignore_ascii_case(rank.3))
    {
        return;
    }
    let Some(place) = best
        .iter()
        .position(|known| known.is_none_or(|known| rank < known))
    else {
        return;
    };
    best[place..].rotate_right(1);
    best[place] = Some(rank);
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// `word` as `prefix` is written: THE for `TH`, The for `Th`, else as it is.
fn in_case_of(prefix: &str, word: &str) -> String {
    let letters = || prefix.chars().filter(|c| c.is_alphabetic());
    if letters().count() >= 2 && letters().all(char::is_uppercase) {
        word.to_uppercase()
    } else if prefix.starts_with(char::is_uppercase) {
        capitalised(word)
    } else {
        word.to_owned()
    }
}

/// The beginning of a word that ends `before`: letters, with apostrophes inside.
#[must_use]
pub fn word_prefix(before: &str) -> &str {
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphabetic() || *c == '\'')
        .last()
        .map_or(before.len(), |(at, _)| at);
    // An opening quotation mark is no part of its word, and letters after a digit are no word.
    if before[..start].ends_with(|c: char| c.is_numeric() || c == '_') {
        return "";
    }
    before[start..].trim_start_matches('\'')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_words_come_from_the_first_letter_common_and_short_first() {
        let words = suggest("t", &Learned::new());
        assert_eq!(words.len(), 6);
        assert_eq!(words[..3], ["the", "to", "that"].map(str::to_owned));
    }

    #[test]
    fn the_commonest_words_are_words_of_the_list_and_none_is_ranked_twice() {
        let mut seen = std::collections::BTreeSet::new();
        for word in COMMON.split(' ') {
            // SCOWL lists neither single letters nor forms in 's.
            let listed = WordList::bundled().contains(word);
            assert!(listed || word.len() == 1 || word.ends_with("'s"), "{word}");
            assert!(seen.insert(word), "{word}");
        }
    }

    #[test]
    fn the_case_of_the_prefix_is_kept() {
        assert!(
            suggest("Th", &Learned::new())
                .iter()
                .all(|word| word.starts_with("Th"))
        );
        assert!(
            suggest("TH", &Learned::new())
                .iter()
                .all(|word| *word == word.to_uppercase())
        );
        assert!(suggest("mond", &Learned::new()).contains(&"Monday".to_owned()));
    }

    #[test]
    fn nothing_goes_on_from_nothing_or_from_a_number() {
        assert!(suggest("", &Learned::new()).is_empty());
        assert!(suggest("4", &Learned::new()).is_empty());
        assert!(suggest("zzzzq", &Learned::new()).is_empty());
    }

    #[test]
    fn words_that_are_written_come_first_in_their_own_case() {
        let mut learned = Learned::new();
        learned.learn("Tell Tauri about the treehouse. The treehouse!");
        let words = suggest("t", &learned);
        assert_eq!(words[..2], ["the", "treehouse"].map(str::to_owned));
        assert!(words.contains(&"Tauri".to_owned()));
        assert!(words.contains(&"tell".to_owned()));
    }

    #[test]
    fn a_small_letter_settles_the_case_of_an_unknown_word() {
        let mut learned = Learned::new();
        learned.learn("Gnarfle");
        assert_eq!(suggest("gn", &learned)[0], "Gnarfle");
        learned.learn("a gnarfle");
        assert_eq!(suggest("gn", &learned)[0], "gnarfle");
    }

    #[test]
    fn numbers_addresses_and_keys_are_not_learned() {
        let mut learned = Learned::new();
        learned.learn("x 12345 ab12 me@home a/b under_score sk-AbCdEfGhIjKlMnOpQrStUvWxYz");
        let words = learned.export();
        assert_eq!(words, "1 sk\n");
    }

    #[test]
    fn memory_survives_export_and_import_and_hostile_lines_do_no_harm() {
        let mut learned = Learned::new();
        learned.learn("sourdough sourdough crumb");
        let mut again = Learned::new();
        again.import(&learned.export());
        assert_eq!(again.export(), learned.export());
        again.import("0 zero\n-1 minus\nno\n99999999999 much\n3 two words\n1 \u{1b}[2J\n");
        assert_eq!(again.export(), learned.export());
    }

    #[test]
    fn memory_is_bounded_and_the_least_used_goes() {
        let letters = |n: usize| -> String {
            format!("{n:05}")
                .bytes()
                .map(|b| (b'a' + b - b'0') as char)
                .collect()
        };
        let mut learned = Learned::new();
        learned.learn("keepme keepme");
        for n in 0..MAX_LEARNED + 50 {
            learned.learn(&letters(n));
        }
        assert_eq!(learned.len(), MAX_LEARNED);
        assert!(learned.words.contains_key("keepme"));
        assert!(!learned.words.contains_key(&letters(0)));
    }

    #[test]
    fn a_word_begins_after_its_quotation_mark() {
        for (before, prefix) in [
            ("so the", "the"),
            ("'the", "the"),
            ("don't", "don't"),
            ("x ", ""),
            ("4th", ""),
            ("", ""),
            ("naï", "naï"),
        ] {
            assert_eq!(word_prefix(before), prefix, "{before:?}");
        }
    }
}
