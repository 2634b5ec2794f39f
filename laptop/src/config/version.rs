//! The format of a settings file: its number, and how an older one becomes today's.
//!
//! A file without `version` has format 0, which is format 1 without its number. A step changes lines where they are,
//! so that comments, order and blank lines stay as their owner wrote them.

use super::edit;
use super::reader::File;

/// The format of today's files.
pub const VERSION: u64 = 1;

/// One change of a step.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(not(test), allow(dead_code))]
enum Change {
    /// A key has another name from now on.
    Rename(&'static str, &'static str, &'static str),
    /// A key means nothing any more: its line becomes a comment.
    Retire(&'static str, &'static str),
}

/// What leads from each format to the next; the first leads from 0 to 1.
const STEPS: [&[Change]; VERSION as usize] = [&[]];

/// A text in today's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Migrated {
    /// The new text.
    pub text: String,
    /// The format that it had.
    pub from: u64,
    /// The line of the number, where it was put in.
    inserted: Option<usize>,
}

impl Migrated {
    /// The line of the old text that became `line`.
    pub fn original_line(&self, line: usize) -> usize {
        match self.inserted {
            Some(inserted) if line >= inserted => line - 1,
            _ => line,
        }
    }
}

/// Reads the number and refuses one from the future.
pub(crate) fn check(file: &mut File<'_>) {
    file.root(|root| {
        let version = root.number("version", VERSION, 0..=u64::MAX >> 1);
        if version > VERSION {
            root.error(
                "version",
                format!(
                    "this file has version {version}, which a newer OfficeOS wrote; this one reads up to {VERSION}: \
                     install the newer one again, or put the file of before back, which is beside it as .bak-1"
                ),
            );
        }
    });
}

/// Brings `text` to today's format; `None` where it has that already, is empty, or is nothing that can be read.
pub fn migrate(text: &str) -> Option<Migrated> {
    migrate_by(text, &STEPS)
}

fn migrate_by(text: &str, steps: &[&[Change]]) -> Option<Migrated> {
    let from = edit::number(text, "version")?;
    let wanted = steps.len() as u64;
    if from >= wanted || text.trim().is_empty() {
        return None;
    }
    let mut new = text.to_owned();
    let first = usize::try_from(from).ok()?;
    for change in steps.get(first..)?.iter().copied().flatten() {
        new = match *change {
            Change::Rename(section, old, name) => edit::rename(&new, section, old, name),
            Change::Retire(section, key) => edit::comment_out(&new, section, key),
        };
    }
    let (text, inserted) = edit::put_number(&new, "version", wanted);
    Some(Migrated {
        text,
        from,
        inserted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_a_number_gets_one_below_its_first_comment_and_keeps_the_rest() {
        let old = "# Mine.\n# Really.\n\n[daemon]\ndevice_name = 'Ada' # short\n";
        let new = migrate(old).expect("an old one");
        assert_eq!(
            new.text,
            "# Mine.\n# Really.\nversion = 1\n\n[daemon]\ndevice_name = 'Ada' # short\n"
        );
        assert_eq!(new.from, 0);
        let lines: Vec<usize> = [2, 3, 4, 6]
            .into_iter()
            .map(|line| new.original_line(line))
            .collect();
        assert_eq!(lines, [2, 2, 3, 5]);
        assert_eq!(migrate(&new.text), None, "once is enough");
    }

    #[test]
    fn nothing_and_nonsense_stay() {
        assert_eq!(migrate(""), None);
        assert_eq!(migrate("\n"), None);
        assert_eq!(migrate("[daemon"), None);
        assert_eq!(migrate("version = 9\n"), None);
    }

    #[test]
    fn steps_follow_each_other_and_touch_only_their_lines() {
        let steps: [&[Change]; 3] = [
            &[],
            &[Change::Rename("networking", "port", "bind_port")],
            &[Change::Retire("daemon", "colour")],
        ];
        let old = "# Mine.\n[networking]\n  port   = 8080  # the usual\n[daemon]\ncolour = [\n  'red',\n]\nname = 'x'\n";
        let new = migrate_by(old, &steps).expect("an old one");
        assert_eq!(
            new.text,
            "# Mine.\nversion = 3\n[networking]\n  bind_port   = 8080  # the usual\n[daemon]\n\
             # no longer used: colour = [\n# no longer used:   'red',\n# no longer used: ]\nname = 'x'\n"
        );
        // A file that is half way there takes only the steps that it lacks, and its number is changed where it stands.
        let new = migrate_by("version = 2 # two\n[networking]\nport = 1\n", &steps).expect("old");
        assert_eq!(new.text, "version = 3 # two\n[networking]\nport = 1\n");
        assert_eq!(new.original_line(3), 3);
    }
}
