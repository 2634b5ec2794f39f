//! Accented letters behind a held one: all of Latin-1 and Latin Extended-A, and what prose needs beside them.

/// Small base character and what a long press offers after it, the most used first.
const ACCENTS: &[(char, &str)] = &[
    ('a', "àáâäãåæāăą"),
    ('c', "çćčĉċ"),
    ('d', "ďđð"),
    ('e', "éèêëēėęěĕ€"),
    ('g', "ğĝġģ"),
    ('h', "ĥħ"),
    ('i', "íìîïīįĩĭıĳ"),
    ('j', "ĵ"),
    ('k', "ķĸ"),
    ('l', "łľĺļŀ"),
    ('n', "ñńňņŋŉ"),
    ('o', "öóòôõøœōőŏ"),
    ('r', "řŕŗ"),
    ('s', "ßśšşŝſ"),
    ('t', "ťţŧþ"),
    ('u', "üúùûūůűųũŭ"),
    ('w', "ŵ"),
    ('y', "ýÿŷ"),
    ('z', "žźż"),
    ('I', "ÍÌÎÏĪĮĨĬİĲ"),
    ('S', "ẞŚŠŞŜ"),
    ('K', "Ķ"),
    ('N', "ÑŃŇŅŊ"),
    ('.', "…·•"),
    (',', "„‚"),
    ('-', "–—"),
    ('\'', "’‘"),
    ('"', "“”«»"),
    ('!', "¡"),
    ('?', "¿"),
    ('$', "€£¥¢"),
    ('0', "°"),
    ('2', "²½"),
    ('3', "³"),
    ('%', "‰"),
];

/// What a long press of `c` offers: `c` itself first. Empty when there is nothing else.
#[must_use]
pub fn accents_of(c: char) -> Vec<char> {
    let offered: Vec<char> = if let Some(row) = ACCENTS.iter().find(|row| row.0 == c) {
        row.1.chars().collect()
    } else if let Some(row) = ACCENTS
        .iter()
        .find(|row| c.is_uppercase() && c.to_lowercase().eq([row.0]))
    {
        row.1.chars().map(upper).collect()
    } else {
        return Vec::new();
    };
    core::iter::once(c).chain(offered).collect()
}

/// The base character whose long press offers `c`, and at which place.
#[must_use]
pub fn base_of(c: char) -> Option<(char, usize)> {
    let bases = ACCENTS.iter().map(|row| row.0);
    bases.clone().chain(bases.map(upper)).find_map(|base| {
        accents_of(base)
            .iter()
            .skip(1)
            .position(|&offered| offered == c)
            .map(|at| (base, at + 1))
    })
}

fn upper(c: char) -> char {
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_letter_of_latin_1_and_latin_extended_a_is_behind_some_letter() {
        let missing: Vec<_> = ('\u{C0}'..='\u{17F}')
            .filter(|c| c.is_alphabetic())
            .filter(|&c| {
                base_of(c).is_none_or(|(base, at)| accents_of(base)[at] != c || !base.is_ascii())
            })
            .collect();
        assert_eq!(missing, []);
    }

    #[test]
    fn the_held_letter_comes_first_and_nothing_comes_twice() {
        for (base, _) in ACCENTS {
            let offered = accents_of(*base);
            assert_eq!(offered[0], *base);
            assert_eq!(
                offered.iter().collect::<BTreeSet<_>>().len(),
                offered.len(),
                "{base}"
            );
        }
        assert_eq!(accents_of('E')[1], 'É');
        assert_eq!(accents_of('b'), []);
    }
}
