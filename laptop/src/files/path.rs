//! Paths as devices name them.

use shared_proto::limits::MAX_PATH_LEN;
use std::fmt;

/// Deepest folder inside a drop folder.
const MAX_DEPTH: usize = 8;

/// A path inside a drop folder: relative, without links, dots or hidden names. Empty for the folder itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePath {
    parts: Vec<String>,
}

/// Why a path was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathFault {
    /// Starts with `/`.
    Absolute,
    /// Has a part that is empty, `.` or `..`.
    Dots,
    /// Has a part that starts with a dot: such files are the laptop's own.
    Hidden,
    /// Has NUL, another control character or a backslash.
    Character,
    /// Longer than 255 octets.
    TooLong,
    /// More than 8 folders deep.
    TooDeep,
    /// Names no file where one is needed.
    Empty,
}

impl fmt::Display for PathFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Absolute => "the path starts with a slash",
            Self::Dots => "the path has an empty part, . or ..",
            Self::Hidden => "names that start with a dot are not for devices",
            Self::Character => "the path has a control character or a backslash",
            Self::TooLong => "the path is longer than 255 bytes",
            Self::TooDeep => "the path is more than 8 folders deep",
            Self::Empty => "the path names no file",
        })
    }
}

impl std::error::Error for PathFault {}

impl FilePath {
    /// Reads a path; the empty text is the drop folder itself.
    ///
    /// # Errors
    /// The first [`PathFault`] found.
    pub fn parse(text: &str) -> Result<Self, PathFault> {
        if text.len() > MAX_PATH_LEN {
            return Err(PathFault::TooLong);
        }
        if text.starts_with('/') {
            return Err(PathFault::Absolute);
        }
        if text.chars().any(|c| c.is_control() || c == '\\') {
            return Err(PathFault::Character);
        }
        let mut parts = Vec::new();
        if !text.is_empty() {
            for part in text.split('/') {
                match part {
                    "" | "." | ".." => return Err(PathFault::Dots),
                    hidden if hidden.starts_with('.') => return Err(PathFault::Hidden),
                    fine => parts.push(fine.to_owned()),
                }
            }
        }
        if parts.len() > MAX_DEPTH {
            return Err(PathFault::TooDeep);
        }
        Ok(Self { parts })
    }

    /// Folders on the way and the name of the file.
    ///
    /// # Errors
    /// [`PathFault::Empty`] for the drop folder itself.
    pub fn split_file(&self) -> Result<(&[String], &str), PathFault> {
        let (name, folders) = self.parts.split_last().ok_or(PathFault::Empty)?;
        Ok((folders, name))
    }

    /// All parts.
    pub fn parts(&self) -> &[String] {
        &self.parts
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.parts.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ordinary_paths_are_read() {
        for (text, parts) in [
            ("", &[][..]),
            ("notes.txt", &["notes.txt"]),
            ("pictures/a b.png", &["pictures", "a b.png"]),
            ("掌机/é.txt", &["掌机", "é.txt"]),
            ("a..b/c.", &["a..b", "c."]),
        ] {
            assert_eq!(FilePath::parse(text).expect("a path").parts(), parts);
        }
    }

    #[test]
    fn paths_that_could_lead_elsewhere_are_refused() {
        for (text, fault) in [
            ("/etc/passwd", PathFault::Absolute),
            ("../secret", PathFault::Dots),
            ("a/../../secret", PathFault::Dots),
            ("a/./b", PathFault::Dots),
            ("a//b", PathFault::Dots),
            ("a/", PathFault::Dots),
            ("..", PathFault::Dots),
            (".ssh/id", PathFault::Hidden),
            ("a/.part", PathFault::Hidden),
            ("a\0b", PathFault::Character),
            ("a\nb", PathFault::Character),
            ("a\\b", PathFault::Character),
            ("1/2/3/4/5/6/7/8/9", PathFault::TooDeep),
        ] {
            assert_eq!(FilePath::parse(text), Err(fault), "{text:?}");
        }
        assert_eq!(FilePath::parse(&"x".repeat(256)), Err(PathFault::TooLong));
        assert!(
            FilePath::parse("")
                .expect("the folder")
                .split_file()
                .is_err()
        );
    }

    proptest! {
        #[test]
        fn what_is_read_has_only_plain_parts(text in ".{0,40}") {
            if let Ok(path) = FilePath::parse(&text) {
                prop_assert_eq!(path.to_string(), text);
                for part in path.parts() {
                    prop_assert!(!part.is_empty() && !part.starts_with('.') && !part.contains(['/', '\0']));
                }
            }
        }
    }
}
