//! Which known word somebody may have meant.

/// The word of `known` that `word` is most likely a slip of; `None` where it is too far from each.
pub(crate) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // Longer words are somebody's own invention, and comparing them would only take time.
    if word.len() > 64 {
        return None;
    }
    known
        .map(|one| (distance(word, one), one))
        .filter(|(distance, one)| *distance <= one.len() / 3)
        .min()
        .map(|(_, one)| one)
}

/// Levenshtein's distance: letters to insert, drop or change.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let changed = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_recognized_and_inventions_are_not() {
        let known = ["device_name", "bind_port", "bind_address"];
        for (word, meant) in [
            ("device_nam", Some("device_name")),
            ("devicename", Some("device_name")),
            ("bind_prot", Some("bind_port")),
            ("bind", None),
            ("colour", None),
        ] {
            assert_eq!(nearest(word, known.into_iter()), meant, "{word}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), known.into_iter()), None);
    }

    #[test]
    fn distances_are_the_textbook_s() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
        assert_eq!(distance("abc", "abc"), 0);
    }
}
