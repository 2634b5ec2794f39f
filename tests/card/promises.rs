//! What the person was told, and whether a card keeps it. Pure.
//!
//! Every subject (a file, a message, a setting) has had values, one after the other. Once one was told to be saved, a card may
//! show that one or any later one, and nothing that never was.

use std::collections::BTreeMap;

/// What was found on a card: subject and value.
pub type Found = BTreeMap<String, String>;

/// One value of one subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Of what.
    pub subject: String,
    /// Its value; empty if it is gone.
    pub value: String,
    /// Where in the log the person had been told, if ever.
    pub told: Option<usize>,
}

/// A value that grows: while it was not told whole, any beginning of it is right.
const GROWS: &str = "answer:";

/// Everything that is wrong with a card whose power went when `at` entries of the log were complete.
pub fn broken(promises: &[Promise], at: usize, found: &Found) -> Vec<String> {
    let mut subjects: BTreeMap<&str, Vec<&Promise>> = BTreeMap::new();
    for promise in promises {
        subjects.entry(&promise.subject).or_default().push(promise);
    }
    let mut faults = Vec::new();
    for (subject, values) in subjects {
        let have = found.get(subject).map_or("", String::as_str);
        let last = values.iter().rposition(|p| p.told.is_some_and(|t| t <= at));
        let allowed = &values[last.unwrap_or(0)..];
        let grows = subject.starts_with(GROWS);
        let fits = |p: &&Promise| {
            p.value == have || (grows && p.told.is_none_or(|t| t > at) && p.value.starts_with(have))
        };
        if (last.is_none() && have.is_empty()) || allowed.iter().any(fits) {
            continue;
        }
        let was = if values.iter().any(fits) {
            "is an older value"
        } else if have.is_empty() {
            "is missing"
        } else {
            "never was so"
        };
        faults.push(match last {
            Some(n) => format!(
                "{subject} was told to be {:.60?} and {was}: {have:.60?}",
                values[n].value
            ),
            None => format!("{subject} {was}: {have:.60?}"),
        });
    }
    faults
}

/// The promises as lines: subject, value and mark, separated by tabs, with escapes for what a line cannot hold.
pub fn line(subject: &str, value: &str, mark: &str) -> String {
    format!("{}\t{}\t{mark}\n", escape(subject), escape(value))
}

/// Reads the lines; `place` finds a mark in the log.
pub fn read(text: &str, place: impl Fn(&str) -> Option<usize>) -> Vec<Promise> {
    text.lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            let (subject, value, mark) = (fields.next()?, fields.next()?, fields.next()?);
            Some(Promise {
                subject: unescape(subject),
                value: unescape(value),
                told: place(mark),
            })
        })
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\")
        .replace('\t', "\\t")
        .replace('\n', "\\n")
        .replace('\r', "\\r")
}

fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('t') => out.push('\t'),
                Some('n') => out.push('\n'),
                Some('r') => out.push('\r'),
                Some(other) => out.push(other),
                None => {}
            },
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promise(subject: &str, value: &str, told: Option<usize>) -> Promise {
        Promise {
            subject: subject.into(),
            value: value.into(),
            told,
        }
    }

    fn found(subject: &str, value: &str) -> Found {
        Found::from([(subject.to_owned(), value.to_owned())])
    }

    #[test]
    fn told_values_must_be_there_or_a_later_one() {
        let all = [
            promise("theme", "dark", Some(3)),
            promise("theme", "light", Some(9)),
        ];
        for (at, value, right) in [
            (1, "", true),
            (1, "dark", true),
            (5, "", false),
            (5, "dark", true),
            (5, "light", true),
            (9, "dark", false),
            (9, "light", true),
            (9, "purple", false),
            (1, "purple", false),
        ] {
            let faults = broken(&all, at, &found("theme", value));
            assert_eq!(faults.is_empty(), right, "{at} {value:?}: {faults:?}");
        }
    }

    #[test]
    fn what_was_told_to_be_gone_does_not_come_back() {
        let all = [
            promise("file:a", "sum", Some(2)),
            promise("file:a", "", Some(7)),
        ];
        assert!(
            broken(&all, 5, &found("file:a", "")).is_empty(),
            "it may go early"
        );
        assert_eq!(broken(&all, 8, &found("file:a", "sum")).len(), 1);
        assert!(broken(&all, 8, &Found::new()).is_empty());
    }

    #[test]
    fn an_answer_may_be_its_beginning_until_it_was_told_whole() {
        let all = [promise("answer:Hi", "Good day to you", Some(7))];
        for (at, value, right) in [
            (3, "Good d", true),
            (3, "", true),
            (3, "Bad", false),
            (7, "Good d", false),
            (7, "Good day to you", true),
        ] {
            let faults = broken(&all, at, &found("answer:Hi", value));
            assert_eq!(faults.is_empty(), right, "{at} {value:?}");
        }
    }

    #[test]
    fn lines_carry_every_value() {
        let text = line("say:a\tb", "one\ntwo\\n", "m1") + &line("x", "", "");
        let read = read(&text, |mark| (mark == "m1").then_some(4));
        assert_eq!(read[0], promise("say:a\tb", "one\ntwo\\n", Some(4)));
        assert_eq!(read[1], promise("x", "", None));
    }
}
