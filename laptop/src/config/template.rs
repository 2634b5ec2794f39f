//! A template as a table: its sections, their keys, and what is said about each.

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key<'t> {
    /// Its name.
    pub(super) name: &'t str,
    /// Its value, as TOML.
    pub(super) value: &'t str,
    /// What is said about it.
    pub(super) about: String,
}

/// One section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Part<'t> {
    /// Its name; empty before the first, `[name]` where it may be there several times.
    pub(super) name: &'t str,
    /// What is said about it.
    pub(super) about: Vec<String>,
    /// Its keys, in order.
    pub(super) keys: Vec<Key<'t>>,
}

/// A whole template.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Page<'t> {
    /// What is said about the file: its first paragraph.
    pub(super) about: Vec<String>,
    /// Its sections, in order.
    pub(super) parts: Vec<Part<'t>>,
}

impl<'t> Page<'t> {
    /// Reads a template: comments above a key or behind it belong to that key, one with an empty line below it to the
    /// section; a section that is itself a comment is a sample.
    pub(super) fn parse(text: &'t str) -> Self {
        let mut page = Self::default();
        let mut part = Part::default();
        let mut said: Vec<&str> = Vec::new();
        let mut is_sample = false;
        for line in text.lines() {
            let (comment, bare) = match line.strip_prefix('#') {
                Some(rest) => (true, rest.trim()),
                None => (false, line.trim()),
            };
            let heading = bare.strip_prefix('[').and_then(|b| b.strip_suffix(']'));
            if let Some(name) = heading.filter(|_| !comment || bare.starts_with("[[")) {
                // What stands right above a sample is about it.
                let above = std::mem::take(&mut said);
                page.parts.push(std::mem::take(&mut part));
                part.name = name;
                part.about.extend(paragraph(&above));
                is_sample = comment;
                continue;
            }
            match bare.split_once(" = ").filter(|_| !comment || is_sample) {
                Some((name, rest)) => {
                    let (value, behind) = rest.split_once("  #").unwrap_or((rest, ""));
                    said.extend((!behind.trim().is_empty()).then_some(behind.trim()));
                    part.keys.push(Key {
                        name: name.trim(),
                        value: value.trim(),
                        about: said.join(" "),
                    });
                    said.clear();
                }
                None if comment && bare.is_empty() => {}
                None if comment => said.push(bare),
                None => {
                    let about = paragraph(&said);
                    said.clear();
                    match page.parts.is_empty() && part.keys.is_empty() && page.about.is_empty() {
                        true => page.about.extend(about),
                        false => part.about.extend(about),
                    }
                }
            }
        }
        page.parts.push(part);
        page
    }

    /// All keys, with their sections.
    #[cfg(test)]
    pub(super) fn keys(&self) -> impl Iterator<Item = (&'t str, &Key<'t>)> {
        self.parts
            .iter()
            .flat_map(|part| part.keys.iter().map(|key| (part.name, key)))
    }
}

fn paragraph(lines: &[&str]) -> Option<String> {
    (!lines.is_empty()).then(|| lines.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DAEMON_TEMPLATE, PERMISSIONS_TEMPLATE};
    use crate::service::config::TEMPLATE;

    #[test]
    fn comments_belong_to_what_stands_below_them() {
        let text = "# The file.\n# Really.\n\n# One.\n# More.\na = 1\n[s]\n# All of it.\n\nb = \"x\"  # Two.\n# Many.\n#\n# [[p]]\n# c = []  # Three.\n";
        let page = Page::parse(text);
        assert_eq!(page.about, ["The file. Really."]);
        let all: Vec<_> = page
            .keys()
            .map(|(section, key)| (section, key.name, key.value, key.about.as_str()))
            .collect();
        assert_eq!(
            all,
            [
                ("", "a", "1", "One. More."),
                ("s", "b", "\"x\"", "Two."),
                ("[p]", "c", "[]", "Three."),
            ]
        );
        assert_eq!(page.parts[1].about, ["All of it."]);
        assert_eq!(page.parts[2].about, ["Many."]);
    }

    #[test]
    fn something_is_said_about_every_key() {
        for text in [DAEMON_TEMPLATE, PERMISSIONS_TEMPLATE, TEMPLATE] {
            let page = Page::parse(text);
            assert!(!page.about.is_empty());
            for (section, key) in page.keys() {
                assert!(key.about.len() > 10, "[{section}] {}", key.name);
            }
        }
    }
}
