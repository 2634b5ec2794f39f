//! Summaries by picking sentences: those whose words are the most frequent in the text.

use std::collections::HashMap;

/// A summary of at most three sentences, in the order of the text.
pub fn summarize(text: &str) -> String {
    let sentences = sentences(text);
    if sentences.len() <= 2 {
        return format!(
            "{}\n\n*(built-in summary: the text is already short)*",
            text.trim()
        );
    }
    let mut counts: HashMap<String, u32> = HashMap::new();
    for word in text
        .split_whitespace()
        .map(plain)
        .filter(|w| w.chars().count() > 3)
    {
        *counts.entry(word).or_default() += 1;
    }
    let score = |sentence: &str| {
        let words: Vec<String> = sentence.split_whitespace().map(plain).collect();
        let sum: u32 = words.iter().filter_map(|w| counts.get(w)).sum();
        // Per root of the length: long sentences say more, but not in proportion.
        f64::from(sum) / (words.len() as f64).sqrt()
    };
    let mut order: Vec<usize> = (0..sentences.len()).collect();
    order.sort_by(|a, b| {
        score(sentences[*b])
            .total_cmp(&score(sentences[*a]))
            .then(a.cmp(b))
    });
    order.truncate(3);
    order.sort_unstable();
    let picked: Vec<&str> = order.into_iter().map(|i| sentences[i]).collect();
    let words = text.split_whitespace().count();
    format!(
        "{}\n\n*(built-in summary: {} of {} sentences, picked by word frequency from {words} words)*",
        picked.join(" "),
        picked.len(),
        sentences.len()
    )
}

fn plain(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
}

fn sentences(text: &str) -> Vec<&str> {
    let (mut list, mut start) = (Vec::new(), 0);
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    for (n, (i, c)) in chars.iter().enumerate() {
        let next = chars.get(n + 1).map(|(_, c)| *c);
        let end = matches!(c, '。' | '！' | '？')
            || (matches!(c, '.' | '!' | '?') && next.is_none_or(char::is_whitespace))
            || (*c == '\n' && next == Some('\n'));
        if end {
            list.push(text[start..i + c.len_utf8()].trim());
            start = i + c.len_utf8();
        }
    }
    list.push(text[start..].trim());
    list.retain(|s| !s.is_empty());
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentences_about_the_main_thing_are_kept_in_order() {
        let text = "Whales are large animals. My neighbour has a hat. Blue whales are the largest whales and animals of \
                    all. It rained on Tuesday. Whales sing to other whales. Yes.";
        let summary = summarize(text);
        assert!(
            summary.starts_with("Whales are large animals. Blue whales are"),
            "{summary}"
        );
        assert!(!summary.contains("hat") && !summary.contains("Tuesday"));
        assert!(summary.contains("built-in summary: 3 of 6 sentences"));
    }

    #[test]
    fn a_short_text_is_its_own_summary() {
        assert!(summarize("Buy milk.").starts_with("Buy milk."));
    }
}
