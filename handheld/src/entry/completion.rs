//! Word completion and the next word: the bundled list, what tends to follow what, and what the person writes, ranked
//! together, three or six at a time.

use super::common;
use super::layer::Caps;
use super::learned::{Followers, Habit, Learned, previous_word};
use super::words::WordList;

/// Suggestions found at most: three on the strip and three more behind a hold.
pub const MAX_SUGGESTIONS: usize = 6;

/// How many written words weigh as much as the bundled order of words.
const PRIOR_WORDS: f32 = 1000.0;
/// The share of what follows a word that the table of followers speaks for, where it has the word.
const TABLE_SHARE: f32 = 0.4;
/// The share that the person's own pairs speak for once there are many, and how many make half of it.
const PAIR_SHARE: f32 = 0.8;
const PAIR_HALF: f32 = 5.0;

/// What stands before the cursor, as far as it tells the word that is meant.
struct Context<'a> {
    /// The word before, in small letters, [`common::START`] at a sentence start, or nothing.
    previous: Option<String>,
    /// The letters of the word so far.
    prefix: &'a str,
}

impl<'a> Context<'a> {
    /// `None` where no word is being written and none begins.
    fn of(before: &'a str) -> Option<Self> {
        let prefix = word_prefix(before);
        let head = &before[..before.len() - prefix.len()];
        let begins = head
            .chars()
            .next_back()
            .is_none_or(|c| c.is_whitespace() || matches!(c, '"' | '(' | '\'' | '“' | '‘'));
        if prefix.is_empty() && !begins
            || !prefix.is_empty() && !prefix.starts_with(char::is_alphabetic)
        {
            return None;
        }
        Some(Self {
            previous: previous_word(head),
            prefix,
        })
    }
}

/// How likely words are here.
struct Odds<'a> {
    learned: &'a Learned,
    /// What the person wrote after the word before, and the share that it speaks for.
    own: Option<(&'a Followers, f32)>,
    table: Vec<&'static str>,
}

impl<'a> Odds<'a> {
    fn new(previous: Option<&str>, learned: &'a Learned) -> Self {
        let own = previous
            .and_then(|previous| learned.after(previous))
            .map(|own| {
                let total = own.total as f32;
                (own, PAIR_SHARE * total / (total + PAIR_HALF))
            });
        Self {
            learned,
            own,
            table: previous.map_or_else(Vec::new, |previous| common::followers(previous).collect()),
        }
    }

    /// The chance that `key`, a word in small letters that is shown as `word`, is meant; only comparable here. `rank` is
    /// its place in the list and `count` how often it was written.
    fn of(&self, key: &str, word: &str, rank: Option<u16>, count: u32) -> f32 {
        let prior = rank.map_or(0.0, prior);
        let mut chance =
            (count as f32 + PRIOR_WORDS * prior) / (self.learned.written() as f32 + PRIOR_WORDS);
        if !self.table.is_empty() {
            let place = self.table.iter().position(|follower| *follower == word);
            // Followers thin out like words do: one, a half, a third …, of about three together.
            let share = place.map_or(0.0, |place| 1.0 / (3.0 * (place as f32 + 1.0)));
            chance = TABLE_SHARE * share + (1.0 - TABLE_SHARE) * chance;
        }
        if let Some((own, weight)) = self.own {
            let share = own.count(key) as f32 / own.total.max(1) as f32;
            chance = weight * share + (1.0 - weight) * chance;
        }
        chance
    }

    /// The same for a word of the list.
    fn of_listed(&self, key: &str, word: &str, rank: u16) -> f32 {
        let count = self.learned.habit(key).map_or(0, Habit::count);
        self.of(key, word, Some(rank), count)
    }
}

/// The chance of a word by its rank alone: Zipf's law as Mandelbrot mended it, over 20,000 words.
fn prior(rank: u16) -> f32 {
    0.11 / (f32::from(rank) + 2.7)
}

/// The best words found so far.
struct Best<'a> {
    words: [Option<(f32, &'a str)>; MAX_SUGGESTIONS],
    /// What is written already: a word equal to it would save nothing.
    prefix: &'a str,
}

impl<'a> Best<'a> {
    fn offer(&mut self, chance: f32, word: &'a str) {
        let worst = self.words[MAX_SUGGESTIONS - 1];
        if worst.is_some_and(|worst| worst.0 >= chance) {
            return;
        }
        if word.len() == self.prefix.len() && word.to_lowercase() == self.prefix {
            return;
        }
        let known = self.words.iter().flatten();
        if known
            .clone()
            .any(|known| known.1.eq_ignore_ascii_case(word))
        {
            return;
        }
        let Some(place) = self
            .words
            .iter()
            .position(|known| known.is_none_or(|known| chance > known.0))
        else {
            return;
        };
        self.words[place..].rotate_right(1);
        self.words[place] = Some((chance, word));
    }
}

/// Up to [`MAX_SUGGESTIONS`] words that go on from what stands `before` the cursor, best first, in the case that the
/// letters so far ask for, or before the first letter `caps`.
///
/// Reads the candidates and no others: of the list the best six of a prefix, of what was learned what begins so.
#[must_use]
pub fn suggest(before: &str, caps: Caps, learned: &Learned) -> Vec<String> {
    let Some(context) = Context::of(before) else {
        return Vec::new();
    };
    let small = context.prefix.to_lowercase();
    let named = capitalised(&small);
    let odds = Odds::new(context.previous.as_deref(), learned);
    let list = WordList::bundled();
    let mut best = Best {
        words: [None; MAX_SUGGESTIONS],
        prefix: &small,
    };
    if !small.is_empty() {
        for (key, habit) in learned.starting_with(&small) {
            let chance = odds.of(key, &habit.shown, habit.rank, habit.count());
            best.offer(chance, &habit.shown);
        }
    }
    if let Some((own, _)) = odds.own {
        for key in own.starting_with(&small) {
            let habit = learned.habit(key);
            let shown = match habit {
                _ if key == "i" => "I",
                Some(habit) => &habit.shown,
                None => key,
            };
            let rank = habit.map_or_else(
                || list.find(shown).map(|word| word.rank),
                |habit| habit.rank,
            );
            best.offer(
                odds.of(key, shown, rank, habit.map_or(0, Habit::count)),
                shown,
            );
        }
    }
    for word in &odds.table {
        let key = word.to_lowercase();
        if key.starts_with(&small)
            && let Some(word) = list.find(word)
        {
            best.offer(odds.of_listed(&key, word.text, word.rank), word.text);
        }
    }
    for prefix in [&small, &named] {
        let mut left = MAX_SUGGESTIONS + 1;
        list.best(prefix, |word| {
            let key = word.text.to_lowercase();
            best.offer(odds.of_listed(&key, word.text, word.rank), word.text);
            left -= 1;
            left > 0
        });
        if small == named {
            break;
        }
    }
    let mut words: Vec<String> = Vec::with_capacity(MAX_SUGGESTIONS);
    for (_, word) in best.words.into_iter().flatten() {
        let word = if context.prefix.is_empty() {
            under(caps, word)
        } else {
            in_case_of(context.prefix, word)
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words
}

fn capitalised(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}

/// `word` as the layer of capitals has it where no letter is written yet.
fn under(caps: Caps, word: &str) -> String {
    match caps {
        Caps::Off => word.to_owned(),
        Caps::Auto | Caps::One => capitalised(word),
        Caps::Lock => word.to_uppercase(),
    }
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

    fn words(before: &str) -> Vec<String> {
        suggest(before, Caps::Off, &Learned::new())
    }

    fn taught(text: &str) -> Learned {
        let mut learned = Learned::new();
        learned.learn(text);
        learned
    }

    #[test]
    fn three_words_come_from_the_first_letter_common_and_short_first() {
        let words = words("so t");
        assert_eq!(words.len(), 6);
        let mut first = words[..3].to_vec();
        first.sort();
        assert_eq!(first, ["that", "the", "to"].map(str::to_owned));
    }

    #[test]
    fn the_case_of_the_prefix_is_kept() {
        assert!(words("Th").iter().all(|word| word.starts_with("Th")));
        assert!(words("TH").iter().all(|word| *word == word.to_uppercase()));
        assert!(words("mond").contains(&"Monday".to_owned()));
    }

    #[test]
    fn before_the_first_letter_the_layer_gives_the_case() {
        let any =
            |caps, word: &str| suggest("so ", caps, &Learned::new()).contains(&word.to_owned());
        assert!(any(Caps::Off, "the") && any(Caps::One, "The") && any(Caps::Lock, "THE"));
        let first = suggest("", Caps::Auto, &Learned::new());
        assert!(
            first
                .iter()
                .all(|word| word.starts_with(char::is_uppercase)),
            "{first:?}"
        );
    }

    #[test]
    fn the_word_before_tells_the_next_and_what_its_letter_means() {
        assert_eq!(words("it is good for ")[0], "the");
        assert!(words("rather ").contains(&"than".to_owned()));
        assert_eq!(words("thank ")[0], "you");
        assert_eq!(words("rather t")[0], "than");
        assert_eq!(words("I am looking f")[0], "for");
    }

    #[test]
    fn marks_part_words_and_end_sentences() {
        assert_eq!(words("Yes. "), words(""));
        assert_ne!(words("thank, ")[0], "you");
    }

    #[test]
    fn nothing_goes_on_from_a_number_a_hyphen_or_letters_of_no_word() {
        for before in ["4", "well-", "4th", "x_", "zzzzq", "a/"] {
            assert_eq!(words(before), [""; 0], "{before:?}");
        }
    }

    #[test]
    fn words_that_are_written_rise_in_their_own_case() {
        let learned = taught("Tell Tauri about the treehouse. The treehouse!");
        let words = suggest("so tr", Caps::Off, &learned);
        assert_eq!(words[0], "treehouse");
        let words = suggest("so ta", Caps::Off, &learned);
        assert!(words.contains(&"Tauri".to_owned()), "{words:?}");
    }

    #[test]
    fn what_was_written_after_a_word_comes_before_its_first_letter() {
        let learned = taught("my old harbour. my old harbour. my old harbour");
        assert_eq!(suggest("in my old ", Caps::Off, &learned)[0], "harbour");
        assert_eq!(suggest("in my old h", Caps::Off, &learned)[0], "harbour");
        assert_eq!(suggest("in my ", Caps::Off, &learned)[0], "old");
        let learned = taught("then I go. then I go. then I go");
        assert_eq!(suggest("and then ", Caps::Off, &learned)[0], "I");
    }

    #[test]
    fn a_small_letter_settles_the_case_of_an_unknown_word() {
        let mut learned = taught("Gnarfle");
        assert_eq!(suggest("so gn", Caps::Off, &learned)[0], "Gnarfle");
        learned.learn("a gnarfle");
        assert_eq!(suggest("so gn", Caps::Off, &learned)[0], "gnarfle");
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
