//! Changes single lines of a TOML text and leaves all others as their owner wrote them.
//!
//! Every function returns the text unchanged where there is nothing to change.

use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Where a key and its value stand.
struct Place {
    key: Range<usize>,
    value: Range<usize>,
}

fn place(table: &DeTable<'_>, key: &str) -> Option<Place> {
    let (name, value) = table.iter().find(|(name, _)| name.get_ref() == key)?;
    Some(Place {
        key: name.span(),
        value: value.span(),
    })
}

/// Where `key` stands; of the text's head where `section` is empty.
fn find(text: &str, section: &str, key: &str) -> Option<Place> {
    let root = DeTable::parse(text).ok()?.into_inner();
    if section.is_empty() {
        return place(&root, key);
    }
    let (_, table) = root.iter().find(|(name, _)| name.get_ref() == section)?;
    place(table.get_ref().as_table()?, key)
}

/// The number at `key` before the first section: 0 where it is missing, `None` where the text is no TOML or the value is
/// no number.
pub(super) fn number(text: &str, key: &str) -> Option<u64> {
    let root = DeTable::parse(text).ok()?.into_inner();
    let Some((_, value)) = root.iter().find(|(name, _)| name.get_ref() == key) else {
        return Some(0);
    };
    value.get_ref().as_integer()?.as_str().parse().ok()
}

/// The value of `key` as it is written; `None` where it is not.
pub(super) fn value(text: &str, section: &str, key: &str) -> Option<String> {
    let place = find(text, section, key)?;
    text.get(place.value).map(str::to_owned)
}

/// Puts a number before the first section, below the comment that the text begins with; says which line it is where
/// that is new.
pub(super) fn put_number(text: &str, key: &str, number: u64) -> (String, Option<usize>) {
    if let Some(place) = find(text, "", key) {
        return (replaced(text, place.value, &number.to_string()), None);
    }
    let comments = text.lines().take_while(|line| line.starts_with('#'));
    let before = comments.count();
    let at: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let mut new = text[..at].to_owned();
    if !new.is_empty() && !new.ends_with('\n') {
        new.push('\n');
    }
    new.push_str(&format!("{key} = {number}\n"));
    new.push_str(&text[at..]);
    (new, Some(before + 1))
}

/// Gives a key another name.
pub(super) fn rename(text: &str, section: &str, key: &str, name: &str) -> String {
    match find(text, section, key) {
        Some(place) => replaced(text, place.key, name),
        None => text.to_owned(),
    }
}

/// Makes comments of the lines of a key.
pub(super) fn comment_out(text: &str, section: &str, key: &str) -> String {
    let Some(place) = find(text, section, key) else {
        return text.to_owned();
    };
    let start = text[..place.key.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[place.value.end..]
        .find('\n')
        .map_or(text.len(), |at| place.value.end + at);
    let lines: Vec<String> = text[start..end]
        .lines()
        .map(|line| format!("# no longer used: {line}"))
        .collect();
    replaced(text, start..end, &lines.join("\n"))
}

/// Sets `key` of `section` to `value`, which is written as TOML already. A missing section is put at the end, a missing
/// key at the start of its section.
pub(super) fn set(text: &str, section: &str, key: &str, value: &str) -> String {
    if let Some(place) = find(text, section, key) {
        return replaced(text, place.value, value);
    }
    if section.is_empty() {
        let comments = text.lines().take_while(|line| line.starts_with('#'));
        return with_line(text, comments.count(), &format!("{key} = {value}"));
    }
    let header = text.lines().position(|line| heading(line) == Some(section));
    match header {
        Some(line) => with_line(text, line + 1, &format!("{key} = {value}")),
        None => {
            let gap = match text {
                "" => "",
                text if text.ends_with('\n') => "\n",
                _ => "\n\n",
            };
            format!("{text}{gap}[{section}]\n{key} = {value}\n")
        }
    }
}

/// Sets `key` in that section of the list `[[list]]` whose `name` is `wanted`; `None` where there is none.
pub(super) fn set_in_list(
    text: &str,
    list: &str,
    wanted: &str,
    key: &str,
    value: &str,
) -> Option<String> {
    let root = DeTable::parse(text).ok()?.into_inner();
    let (_, items) = root.iter().find(|(name, _)| name.get_ref() == list)?;
    let named = |item: &&Spanned<DeValue<'_>>| {
        let table = item.get_ref().as_table();
        let name = table.and_then(|table| {
            let (_, value) = table.iter().find(|(key, _)| key.get_ref() == "name")?;
            value.get_ref().as_str()
        });
        name == Some(wanted)
    };
    let item = items.get_ref().as_array()?.iter().find(named)?;
    let table = item.get_ref().as_table()?;
    if let Some(place) = place(table, key) {
        return Some(replaced(text, place.value, value));
    }
    let name = place(table, "name")?;
    let line = text[..name.value.end].matches('\n').count() + 1;
    Some(with_line(text, line, &format!("{key} = {value}")))
}

/// The name in `[name]`.
fn heading(line: &str) -> Option<&str> {
    let (name, rest) = line.trim().strip_prefix('[')?.split_once(']')?;
    let rest = rest.trim_start();
    (rest.is_empty() || rest.starts_with('#')).then_some(name.trim())
}

/// The text with a line behind its first `before` ones.
fn with_line(text: &str, before: usize, line: &str) -> String {
    let at: usize = text.split_inclusive('\n').take(before).map(str::len).sum();
    let (head, tail) = text.split_at(at);
    let gap = if head.is_empty() || head.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{head}{gap}{line}\n{tail}")
}

fn replaced(text: &str, range: Range<usize>, with: &str) -> String {
    let mut new = text.to_owned();
    new.replace_range(range, with);
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_set_where_it_stands() {
        let text = "# Mine.\n[a]\nx = 1 # one\n[b]\nx = 2\n";
        assert_eq!(
            set(text, "a", "x", "true"),
            "# Mine.\n[a]\nx = true # one\n[b]\nx = 2\n"
        );
        assert_eq!(
            set(text, "b", "y", "\"z\""),
            "# Mine.\n[a]\nx = 1 # one\n[b]\ny = \"z\"\nx = 2\n"
        );
        assert_eq!(set("x = 1", "c", "y", "2"), "x = 1\n\n[c]\ny = 2\n");
        assert_eq!(set("", "c", "y", "2"), "[c]\ny = 2\n");
        assert_eq!(set("# Mine.\n[a]\n", "", "y", "2"), "# Mine.\ny = 2\n[a]\n");
        assert_eq!(set("[a] # first", "a", "y", "2"), "[a] # first\ny = 2\n");
    }

    #[test]
    fn a_section_of_a_list_is_found_by_its_name() {
        let text = "[[p]]\nname = 'a'\n[[p]]\nname = 'b' # two\nenabled = true\n";
        assert_eq!(
            set_in_list(text, "p", "a", "enabled", "false").as_deref(),
            Some("[[p]]\nname = 'a'\nenabled = false\n[[p]]\nname = 'b' # two\nenabled = true\n")
        );
        assert_eq!(
            set_in_list(text, "p", "b", "enabled", "false").as_deref(),
            Some("[[p]]\nname = 'a'\n[[p]]\nname = 'b' # two\nenabled = false\n")
        );
        assert_eq!(set_in_list(text, "p", "c", "enabled", "false"), None);
        assert_eq!(set_in_list("p = 3", "p", "c", "enabled", "false"), None);
    }

    #[test]
    fn what_is_no_toml_stays() {
        assert_eq!(rename("[a", "a", "x", "y"), "[a");
        assert_eq!(comment_out("[a", "a", "x"), "[a");
        assert_eq!(number("version = 'x'", "version"), None);
    }
}
