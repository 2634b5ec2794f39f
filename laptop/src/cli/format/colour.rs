//! Colours, where a person looks at a terminal that has them.

use std::io::{self, IsTerminal};
use std::sync::OnceLock;

/// What is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tint {
    /// Headings.
    Bold,
    /// All is well.
    Good,
    /// Worth a look.
    Warn,
    /// Wrong, or gone.
    Bad,
}

/// Whether standard output is for colours: a terminal, and <https://no-color.org> is not asked for.
fn is_wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| {
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb");
        // For pictures of what a terminal shows, where there is none.
        let forced = set("CLICOLOR_FORCE");
        !set("NO_COLOR") && (forced || (io::stdout().is_terminal() && !dumb))
    })
}

/// `text` in a colour, where colours are wanted.
pub(crate) fn tinted(text: &str, tint: Tint) -> String {
    match is_wanted() {
        true => painted(text, tint),
        false => text.to_owned(),
    }
}

fn painted(text: &str, tint: Tint) -> String {
    let code = match tint {
        Tint::Bold => "1",
        Tint::Good => "32",
        Tint::Warn => "33",
        Tint::Bad => "31",
    };
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// The colour of a cell that is one of the words for how something is.
pub(crate) fn of_word(word: &str) -> Option<Tint> {
    Some(match word {
        "active" | "fine" | "works" | "healthy" | "answers" | "linked now" | "on" => Tint::Good,
        "expired" | "warn" | "degraded" => Tint::Warn,
        "revoked" | "FAULT" | "unhealthy" | "does not answer" => Tint::Bad,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_ends_with_its_text() {
        assert_eq!(painted("x", Tint::Bad), "\x1b[31mx\x1b[0m");
        assert_eq!(of_word("active"), Some(Tint::Good));
        assert_eq!(of_word("Ada"), None);
    }
}
