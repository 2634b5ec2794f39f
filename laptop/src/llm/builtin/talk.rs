//! Conversation by rules: what was asked, and what was said before.

use super::sums;
use super::tales::{letter, list, poem, story};

/// The answer to the last of the person's messages `said`, oldest first.
pub fn reply(said: &[&str]) -> String {
    let Some((last, before)) = said.split_last() else {
        return help();
    };
    let last = last.trim();
    let lower = last.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|w| contains_phrase(&lower, w));
    if let Some(text) = memory(last, &lower, before) {
        return text;
    }
    if let Some((from, to)) = counting(&lower) {
        return count(from, to);
    }
    if let Some(text) = after_any(last, &["say ", "repeat ", "echo "]) {
        return text.trim_matches(['"', '“', '”', ':', ' ']).to_owned();
    }
    if has(&["story", "tale"]) {
        let words = number_before(&lower, "word").unwrap_or(if has(&["long"]) { 350 } else { 90 });
        return story(last, words);
    }
    if has(&["letter", "email", "e-mail"]) {
        return letter(last);
    }
    if has(&["list", "checklist"]) {
        return list(last);
    }
    if has(&["poem", "haiku"]) {
        return poem(last);
    }
    if let Some((expression, value)) = sums::find(last) {
        return match value {
            Ok(value) => format!("{expression} = **{}**", sums::show(value)),
            Err(why) => format!("{expression}: {why}."),
        };
    }
    if has(&["code", "program", "function", "fibonacci", "fizzbuzz"]) {
        return super::code::write(last);
    }
    if let Some(text) = about_officeos(&has) {
        return text;
    }
    if has(&["markdown", "table", "formatting"]) {
        return MARKDOWN.to_owned();
    }
    if has(&["joke"]) {
        return "Why did the handheld go to the laptop? It needed somebody to think it over with."
            .to_owned();
    }
    if has(&[
        "who are you",
        "what are you",
        "your name",
        "are you an ai",
        "are you a model",
        "are you real",
    ]) {
        return "I am the **built-in partner** of OfficeOS: a set of rules inside the laptop's service, not a language \
                model. I am here so that you can try everything before a real model is connected."
            .to_owned();
    }
    if has(&["time is it", "what day", "date today", "weather", "news"]) {
        return "I do not know: the built-in partner has no clock, no network and no sensors. A real model would not know \
                it for certain either."
            .to_owned();
    }
    if has(&[
        "hello",
        "hi",
        "hey",
        "good morning",
        "good evening",
        "hallo",
        "moin",
        "hola",
        "bonjour",
    ]) {
        let name = name_in(before)
            .map(|n| format!(", {n}"))
            .unwrap_or_default();
        return format!(
            "Hello{name}! I am the built-in partner: rules, not a language model. Try “tell me a story”, “what is 17 * 23” \
             or “what can you do”."
        );
    }
    if has(&["thanks", "thank you", "danke", "merci"]) {
        return "You are welcome.".to_owned();
    }
    if has(&["bye", "good night", "goodbye"]) {
        return "Goodbye. This conversation stays on your handheld.".to_owned();
    }
    if has(&["help", "what can you do", "how does this work"]) {
        return help();
    }
    fallback(last, before.len())
}

fn help() -> String {
    "I am the built-in partner. By rules alone I can:\n\n\
     - **count**: “count from 3 to 12”\n\
     - **calculate**: “(2 + 3) * 4”\n\
     - **remember** within a conversation: “my name is Ada”, “remember that the key is under the pot”\n\
     - write a **story**, **letter**, **list** or **poem**, also about something: “tell me a long story about a boat”\n\
     - show small **programs**: “fibonacci in rust”\n\
     - explain **OfficeOS**: pairing, permissions, models, pictures, files, offline use\n\n\
     For real answers, start Ollama, LM Studio or a llama.cpp server on the laptop: it is found by itself."
        .to_owned()
}

fn fallback(last: &str, earlier: usize) -> String {
    let words = last.split_whitespace().count();
    let longest = last
        .split_whitespace()
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()))
        .max_by_key(|w| w.chars().count())
        .filter(|w| !w.is_empty())
        .unwrap_or("that");
    let shown: String = longest.chars().take(40).collect();
    let turn = match earlier {
        0 => "your first message here".to_owned(),
        n => format!("message {} of this conversation", n + 1),
    };
    format!(
        "I received {turn}, {words} {} long, and “{shown}” seems to matter in it. I cannot say more about it: I am the \
         built-in partner and follow rules. Ask “what can you do”, or connect a real model on the laptop.",
        if words == 1 { "word" } else { "words" }
    )
}

/// Whether the words of `phrase` stand in `text` as whole words.
fn contains_phrase(text: &str, phrase: &str) -> bool {
    let mut from = 0;
    while let Some(at) = text[from..].find(phrase) {
        let (start, end) = (from + at, from + at + phrase.len());
        let free = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
        // A plural is the same word.
        let after = text[end..].strip_prefix('s').unwrap_or(&text[end..]);
        if free(text[..start].chars().next_back())
            && (free(text[end..].chars().next()) || free(after.chars().next()))
        {
            return true;
        }
        from = end;
    }
    false
}

fn after_any<'a>(text: &'a str, starts: &[&str]) -> Option<&'a str> {
    starts.iter().find_map(|start| {
        let head = text.get(..start.len())?;
        head.eq_ignore_ascii_case(start)
            .then(|| &text[start.len()..])
            .filter(|rest| !rest.trim().is_empty())
    })
}

fn number_before(text: &str, word: &str) -> Option<usize> {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c == '-')
        .collect();
    let at = words.iter().position(|w| w.starts_with(word))?;
    words.get(at.checked_sub(1)?)?.parse().ok()
}

fn counting(lower: &str) -> Option<(i64, i64)> {
    if !contains_phrase(lower, "count") {
        return None;
    }
    let numbers: Vec<i64> = lower
        .split(|c: char| !c.is_ascii_digit() && c != '-')
        .filter_map(|n| n.parse().ok())
        .collect();
    let (from, to) = match numbers[..] {
        [to] => (1, to),
        [from, to, ..] => (from, to),
        [] => return None,
    };
    Some((from, to))
}

fn count(from: i64, to: i64) -> String {
    let most = 1000;
    if from.abs_diff(to) >= most {
        return format!("I count at most {most} numbers at a time.");
    }
    let step = if from <= to { 1 } else { -1 };
    let mut numbers = vec![from.to_string()];
    let mut n = from;
    while n != to {
        n += step;
        numbers.push(n.to_string());
    }
    numbers.join(", ") + "."
}

fn name_in(messages: &[&str]) -> Option<String> {
    messages.iter().rev().find_map(|m| {
        let at = find_ignore_case(m, "my name is ").or_else(|| find_ignore_case(m, "call me "))?;
        let name: String = m[at..]
            .chars()
            .take_while(|c| c.is_alphanumeric() || "-'".contains(*c))
            .take(40)
            .collect();
        (!name.is_empty()).then_some(name)
    })
}

/// Index just after `needle` in `text`, ignoring ASCII case.
fn find_ignore_case(text: &str, needle: &str) -> Option<usize> {
    let found = text
        .as_bytes()
        .windows(needle.len())
        .position(|w| w.eq_ignore_ascii_case(needle.as_bytes()))?;
    Some(found + needle.len())
}

fn memory(last: &str, lower: &str, before: &[&str]) -> Option<String> {
    let asks = |parts: &[&str]| parts.iter().all(|p| lower.contains(p));
    if asks(&["what", "my name"]) || asks(&["who am i"]) {
        return Some(match name_in(before) {
            Some(name) => format!("Your name is {name}; you told me in this conversation."),
            None => "You have not told me your name in this conversation.".to_owned(),
        });
    }
    if let Some(name) = name_in(&[last]) {
        return Some(format!(
            "Nice to meet you, {name}. I will know it as long as this conversation lasts."
        ));
    }
    let notes: Vec<&str> = before
        .iter()
        .filter_map(|m| after_any(m.trim(), &["remember that ", "remember ", "note that "]))
        .collect();
    if asks(&["what", "remember"]) || asks(&["what", "did i tell you"]) {
        return Some(match notes.len() {
            0 => "You have not asked me to remember anything in this conversation.".to_owned(),
            _ => format!(
                "You asked me to remember:\n\n{}",
                notes
                    .iter()
                    .map(|n| format!("- {}\n", n.trim()))
                    .collect::<String>()
            ),
        });
    }
    if after_any(last, &["remember ", "note that "]).is_some() {
        return Some("I will remember it within this conversation.".to_owned());
    }
    let quoted = |text: &str| format!("You wrote: “{}”", text.trim());
    if asks(&["first", "message"])
        || asks(&["what", "i", "first", "say"])
        || asks(&["what", "first", "ask"])
    {
        return Some(
            before
                .first()
                .map_or_else(|| "This is your first message.".to_owned(), |m| quoted(m)),
        );
    }
    if asks(&["what", "just", "say"])
        || asks(&["what", "last", "message"])
        || asks(&["what did i", "before"])
    {
        return Some(
            before
                .last()
                .map_or_else(|| "This is your first message.".to_owned(), |m| quoted(m)),
        );
    }
    if asks(&["how many", "message"]) {
        return Some(format!(
            "With this one you have sent {} in this conversation.",
            before.len() + 1
        ));
    }
    None
}

fn about_officeos(has: &dyn Fn(&[&str]) -> bool) -> Option<String> {
    let text = if has(&["pair", "pairing"]) {
        "**Pairing**: choose *Add laptop* on the handheld and `officectl pair` on the laptop. Both show six digits; compare \
         them, and confirm on both sides. After that the two know each other by key, and nobody in between can listen."
    } else if has(&["permission", "denied", "allow"]) {
        "**Permissions** live on the laptop: for each device and operation *deny*, *ask* or *allow*, with limits per minute \
         and day. A new device asks for everything. `officectl watch` shows requests as they come."
    } else if has(&[
        "ollama",
        "lm studio",
        "llama.cpp",
        "real model",
        "connect a model",
        "openai",
    ]) {
        "To use a **real model**, start Ollama, LM Studio or llama.cpp's server on the laptop: they are found on their usual \
         ports. Other servers go into `services.toml`, their keys into environment variables. Then choose the model in the \
         chat's menu; its name shows where it runs."
    } else if has(&["picture", "paint", "image"]) {
        "**Pictures**: open *Paint* on the handheld and describe what you want. Without a real image service the built-in \
         painter draws it from the words. The original stays on the laptop, in the device's file folder."
    } else if has(&["offline", "outbox", "no connection"]) {
        "**Without a link** what you send waits in the outbox on the card, in order, and is delivered once when the laptop is \
         near again. Pulling the battery loses nothing."
    } else if has(&["file", "download"]) {
        "**Files**: each device has a folder of its own on the laptop, both ways, with a quota. Transfers go on where they \
         stopped. Downloads from the web are done by the laptop, from addresses that it allows."
    } else if has(&["secure", "safe", "privacy", "private", "encrypted"]) {
        "**Privacy**: the handheld never touches the internet. Everything between handheld and laptop is encrypted, every \
         request is signed, and the laptop runs only what your permissions let through."
    } else if has(&["officeos", "handheld", "laptop", "this device"]) {
        "**OfficeOS** is a pocket terminal that never touches the internet, and a laptop that does its work. The handheld \
         sends small signed programs over an encrypted link; the laptop checks them against your permissions, asks a model, \
         and streams the answer back.\n\nAsk me about *pairing*, *permissions*, *models*, *pictures*, *files* or *privacy*."
    } else {
        return None;
    };
    Some(text.to_owned())
}

const MARKDOWN: &str = "# Heading\n\nA paragraph with **bold**, *italic* and `code`.\n\n- first\n- second\n  - nested\n\n\
    1. one\n2. two\n\n> a quotation\n\n```python\nprint(\"a code block\")\n```\n\n| Thing | Count |\n| --- | ---: |\n| apples | 3 |\n\
    | pears | 12 |\n\nEmoji 🙂 and 日本語 as well.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_counts_calculates_and_repeats() {
        assert_eq!(reply(&["Count to 5"]), "1, 2, 3, 4, 5.");
        assert_eq!(reply(&["please count from 3 to 1"]), "3, 2, 1.");
        assert_eq!(
            reply(&["count to 999999999999"]),
            "I count at most 1000 numbers at a time."
        );
        assert_eq!(reply(&["What is 17 * 23?"]), "17 × 23 = **391**");
        assert_eq!(reply(&["say banana boat"]), "banana boat");
    }

    #[test]
    fn it_remembers_what_was_said_in_this_conversation_only() {
        assert_eq!(
            reply(&["My name is Ada.", "tell me a joke", "What is my name?"]),
            "Your name is Ada; you told me in this conversation."
        );
        assert_eq!(
            reply(&["What is my name?"]),
            "You have not told me your name in this conversation."
        );
        assert_eq!(
            reply(&[
                "remember that the key is under the pot",
                "hi",
                "what should you remember?"
            ]),
            "You asked me to remember:\n\n- the key is under the pot\n"
        );
        assert_eq!(
            reply(&["blue", "green", "what did I first say?"]),
            "You wrote: “blue”"
        );
        assert!(reply(&["My name is Ada", "hello"]).starts_with("Hello, Ada!"));
    }

    #[test]
    fn a_long_story_has_300_words_and_a_wanted_length_is_met() {
        assert!(reply(&["Tell me a long story"]).split_whitespace().count() >= 300);
        assert!(reply(&["a story of 600 words"]).split_whitespace().count() >= 600);
        assert!(reply(&["a story"]).split_whitespace().count() < 250);
    }

    #[test]
    fn it_never_pretends_to_be_a_model() {
        for question in [
            "hello",
            "who are you?",
            "what do you think about love",
            "help",
            "how is the weather",
            "a poem",
        ] {
            assert!(reply(&[question]).contains("built-in"), "{question}");
        }
    }

    #[test]
    fn words_inside_other_words_do_not_count() {
        assert!(!contains_phrase("this is history", "hi"));
        assert!(!contains_phrase("history", "story"));
        assert!(contains_phrase("hi!", "hi"));
        assert!(contains_phrase("two stories and files", "file"));
    }
}
