//! Reads known keys from a TOML file and reports everything else with its line.

use super::nearest::nearest;
use crate::sanitize::visible;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Ignored; the rest counts.
    Warning,
    /// Nothing starts with it.
    Error,
}

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The file as it was named.
    pub file: String,
    /// Line from 1; zero for the file as a whole.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

impl Finding {
    /// An error about `file` as a whole.
    pub fn error(file: &str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            file: file.to_owned(),
            line: 0,
            message: message.into(),
        }
    }

    /// Whether nothing starts with it.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        let word = match self.severity {
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        write!(f, ": {word}: {}", self.message)
    }
}

/// A parsed file of named sections with plain keys.
pub(crate) struct File<'a> {
    name: &'a str,
    text: &'a str,
    root: DeTable<'a>,
    known: BTreeSet<&'static str>,
    findings: &'a mut Vec<Finding>,
}

impl<'a> File<'a> {
    /// Parses `text`; a file that is no TOML is reported and counts as empty.
    pub(crate) fn parse(text: &'a str, name: &'a str, findings: &'a mut Vec<Finding>) -> Self {
        let root = match DeTable::parse(text) {
            Ok(root) => root.into_inner(),
            Err(error) => {
                let line = error.span().map_or(0, |span| line_of(text, span));
                findings.push(Finding {
                    line,
                    ..Finding::error(name, error.message())
                });
                DeTable::new()
            }
        };
        Self {
            name,
            text,
            root,
            known: BTreeSet::new(),
            findings,
        }
    }

    /// Reads keys that stand before the first section.
    pub(crate) fn root(&mut self, read: impl FnOnce(&mut Section<'_, 'a>)) {
        let mut section = Section {
            name: "",
            file: self.name,
            text: self.text,
            table: &self.root,
            known: BTreeSet::new(),
            findings: self.findings,
        };
        read(&mut section);
        let known = section.known;
        self.known.extend(known);
    }

    /// Reads one section with `read`, then reports its unknown keys.
    pub(crate) fn section(&mut self, name: &'static str, read: impl FnOnce(&mut Section<'_, 'a>)) {
        self.known.insert(name);
        let empty = DeTable::new();
        let entry = self.root.iter().find(|(key, _)| key.get_ref() == name);
        let table = match entry.map(|(_, value)| (value.get_ref(), value.span())) {
            None => &empty,
            Some((DeValue::Table(table), _)) => table,
            Some((_, span)) => {
                let message = format!("{name} is a section: write [{name}]");
                let line = line_of(self.text, span);
                push(self.findings, Severity::Error, self.name, line, message);
                &empty
            }
        };
        read_table(name, self.name, self.text, table, self.findings, read);
    }

    /// Reads each section of a list, written `[[name]]`, then reports its unknown keys.
    pub(crate) fn list(&mut self, name: &'static str, mut read: impl FnMut(&mut Section<'_, 'a>)) {
        self.known.insert(name);
        let entry = self.root.iter().find(|(key, _)| key.get_ref() == name);
        let Some((_, value)) = entry else { return };
        let wrong = || format!("{name} is a list of sections: write [[{name}]]");
        let Some(items) = value.get_ref().as_array() else {
            let line = line_of(self.text, value.span());
            return push(self.findings, Severity::Error, self.name, line, wrong());
        };
        for item in items.iter() {
            match item.get_ref() {
                DeValue::Table(table) => {
                    read_table(name, self.name, self.text, table, self.findings, &mut read);
                }
                _ => {
                    let line = line_of(self.text, item.span());
                    push(self.findings, Severity::Error, self.name, line, wrong());
                }
            }
        }
    }

    /// Reports sections and keys that nobody has read.
    pub(crate) fn finish(self) {
        for (key, value) in self
            .root
            .iter()
            .filter(|(key, _)| !self.known.contains(key.get_ref().as_ref()))
        {
            let shown = visible(key.get_ref());
            let mut message = match value.get_ref() {
                DeValue::Table(_) => format!("unknown section [{shown}]; it is ignored"),
                _ => format!("unknown key {shown} before the first section; it is ignored"),
            };
            if let Some(known) = nearest(key.get_ref(), self.known.iter().copied()) {
                message.push_str(&format!("; did you mean {known}?"));
            }
            let line = line_of(self.text, key.span());
            push(self.findings, Severity::Warning, self.name, line, message);
        }
    }
}

fn read_table<'a>(
    name: &'static str,
    file: &str,
    text: &str,
    table: &DeTable<'a>,
    findings: &mut Vec<Finding>,
    read: impl FnOnce(&mut Section<'_, 'a>),
) {
    let mut section = Section {
        name,
        file,
        text,
        table,
        known: BTreeSet::new(),
        findings,
    };
    read(&mut section);
    let known = section.known;
    for (key, _) in table
        .iter()
        .filter(|(key, _)| !known.contains(key.get_ref().as_ref()))
    {
        let shown = visible(key.get_ref());
        let mut message = format!("unknown key {shown} in [{name}]; it is ignored");
        if let Some(known) = nearest(key.get_ref(), known.iter().copied()) {
            message.push_str(&format!("; did you mean {known}?"));
        }
        let line = line_of(text, key.span());
        push(findings, Severity::Warning, file, line, message);
    }
}

/// One section while it is read. Every getter returns the default where the key is missing or wrong; wrong ones are
/// reported.
pub(crate) struct Section<'s, 'a> {
    name: &'static str,
    file: &'s str,
    text: &'s str,
    table: &'s DeTable<'a>,
    known: BTreeSet<&'static str>,
    findings: &'s mut Vec<Finding>,
}

impl<'s, 'a> Section<'s, 'a> {
    pub(crate) fn flag(&mut self, key: &'static str, default: bool) -> bool {
        self.value(key, default, "true or false", |value| value.as_bool())
    }

    pub(crate) fn text(&mut self, key: &'static str, default: &str) -> String {
        self.value(key, default.to_owned(), "text in quotes", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    /// The text, or `None` where the key is missing.
    pub(crate) fn optional(&mut self, key: &'static str) -> Option<String> {
        self.value(key, None, "text in quotes", |value| {
            value.as_str().map(|text| Some(text.to_owned()))
        })
    }

    pub(crate) fn number(
        &mut self,
        key: &'static str,
        default: u64,
        range: RangeInclusive<u64>,
    ) -> u64 {
        let wanted = format!("a number from {} to {}", range.start(), range.end());
        self.value(key, default, &wanted, |value| {
            let integer = value.as_integer()?;
            let number =
                u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()?;
            range.contains(&number).then_some(number)
        })
    }

    pub(crate) fn texts(&mut self, key: &'static str, default: &[&str]) -> Vec<String> {
        let default = default.iter().map(|text| (*text).to_owned()).collect();
        self.value(key, default, "a list of texts in quotes", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.get_ref().as_str().map(str::to_owned))
                .collect()
        })
    }

    /// Reports an error at the line of `key`, or of the section where it is missing.
    pub(crate) fn error(&mut self, key: &'static str, message: impl Into<String>) {
        let line = self.line(key);
        push(
            self.findings,
            Severity::Error,
            self.file,
            line,
            message.into(),
        );
    }

    /// Reports a warning at the line of `key`.
    pub(crate) fn warn(&mut self, key: &'static str, message: impl Into<String>) {
        let line = self.line(key);
        push(
            self.findings,
            Severity::Warning,
            self.file,
            line,
            message.into(),
        );
    }

    fn line(&self, key: &str) -> usize {
        let first = || {
            let keys = self.table.iter().map(|(key, _)| key.span());
            keys.min_by_key(|span| span.start)
        };
        let span = self.entry(key).map(|value| value.span()).or_else(first);
        span.map_or(0, |span| line_of(self.text, span))
    }

    fn value<T>(
        &mut self,
        key: &'static str,
        default: T,
        wanted: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
    ) -> T {
        self.known.insert(key);
        let Some(value) = self.entry(key) else {
            return default;
        };
        read(value.get_ref()).unwrap_or_else(|| {
            let dot = if self.name.is_empty() { "" } else { "." };
            let message = format!("{}{dot}{key} must be {wanted}", self.name);
            push(
                self.findings,
                Severity::Error,
                self.file,
                line_of(self.text, value.span()),
                message,
            );
            default
        })
    }

    fn entry(&self, key: &str) -> Option<&'s Spanned<DeValue<'a>>> {
        self.table
            .iter()
            .find(|(name, _)| name.get_ref() == key)
            .map(|(_, value)| value)
    }
}

fn push(findings: &mut Vec<Finding>, severity: Severity, file: &str, line: usize, message: String) {
    findings.push(Finding {
        severity,
        file: file.to_owned(),
        line,
        message,
    });
}

fn line_of(text: &str, span: Range<usize>) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    before.bytes().filter(|byte| *byte == b'\n').count() + 1
}
