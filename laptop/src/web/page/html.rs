//! Pieces of HTML. Text becomes one by being escaped; there is no other way from text to page. Pure.

use crate::sanitize::visible_within;

/// Longest text of a peer that is shown in one place, in characters.
const MAX_TEXT_CHARS: usize = 400;

/// HTML that may stand as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Html(pub(super) String);

/// Something that can stand in a page.
pub(super) trait Piece {
    /// As HTML, within an element or within quotation marks.
    fn piece(&self) -> String;
}

impl Piece for Html {
    fn piece(&self) -> String {
        self.0.clone()
    }
}

impl Piece for str {
    fn piece(&self) -> String {
        let mut out = String::with_capacity(self.len());
        for character in visible_within(self, MAX_TEXT_CHARS).chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                '\'' => out.push_str("&#39;"),
                other => out.push(other),
            }
        }
        out
    }
}

/// The owner's own text as it is, lines and all: only markup is escaped.
pub(super) struct Raw<'t>(pub(super) &'t str);

impl Piece for Raw<'_> {
    fn piece(&self) -> String {
        let mut out = String::with_capacity(self.0.len());
        for character in self.0.chars() {
            match character {
                '&' => out.push_str("&amp;"),
                '<' => out.push_str("&lt;"),
                '>' => out.push_str("&gt;"),
                '"' => out.push_str("&quot;"),
                other => out.push(other),
            }
        }
        out
    }
}

impl Piece for String {
    fn piece(&self) -> String {
        self.as_str().piece()
    }
}

impl<T: Piece + ?Sized> Piece for &T {
    fn piece(&self) -> String {
        (**self).piece()
    }
}

macro_rules! numbers {
    ($($kind:ty)*) => {
        $(impl Piece for $kind {
            fn piece(&self) -> String {
                self.to_string()
            }
        })*
    };
}
numbers!(u64 i64 usize u32 u16);

/// HTML from a pattern as of `format!`: each `{}` takes a [`Piece`].
macro_rules! html {
    ($pattern:literal $(, $piece:expr)* $(,)?) => {
        $crate::web::page::html::Html(format!($pattern $(, $crate::web::page::html::Piece::piece(&$piece))*))
    };
}
pub(super) use html;

impl FromIterator<Html> for Html {
    fn from_iter<I: IntoIterator<Item = Self>>(pieces: I) -> Self {
        Self(pieces.into_iter().map(|piece| piece.0).collect())
    }
}

/// A span of seconds in words.
pub(super) fn span(seconds: i64) -> String {
    let (number, unit) = match seconds.max(0) {
        s @ 0..60 => (s, "s"),
        s @ 60..3600 => (s / 60, "min"),
        s @ 3600..172_800 => (s / 3600, "h"),
        s => (s / 86_400, "days"),
    };
    format!("{number} {unit}")
}

/// Milliseconds in words.
pub(super) fn took(ms: u64) -> String {
    match ms {
        0..1000 => format!("{ms} ms"),
        1000..60_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        _ => span((ms / 1000) as i64),
    }
}

/// Octets in words.
pub(super) fn bytes(count: u64) -> String {
    match count {
        0..1_000 => format!("{count} B"),
        1_000..1_000_000 => format!("{} kB", count / 1_000),
        1_000_000..1_000_000_000 => {
            format!("{}.{} MB", count / 1_000_000, count % 1_000_000 / 100_000)
        }
        _ => format!(
            "{}.{} GB",
            count / 1_000_000_000,
            count % 1_000_000_000 / 100_000_000
        ),
    }
}

/// A number with its thousands apart.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('\u{202F}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_become_markup() {
        let name = "<script>alert(\"1\")</script> & 'x' \u{202E}";
        assert_eq!(
            html!("<p title=\"{}\">{}</p>", name, 3u64).0,
            "<p title=\"&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; &#39;x&#39; \\u{202e}\">3</p>"
        );
        assert_eq!(html!("{}", html!("<b>{}</b>", "&")).0, "<b>&amp;</b>");
    }

    #[test]
    fn numbers_are_for_people() {
        assert_eq!(
            (span(59), span(61), span(7300)),
            ("59 s".into(), "1 min".into(), "2 h".into())
        );
        assert_eq!((took(40), took(1250)), ("40 ms".into(), "1.2 s".into()));
        assert_eq!(bytes(1_540_000), "1.5 MB");
        assert_eq!(grouped(1234567), "1\u{202F}234\u{202F}567");
        assert_eq!(grouped(123), "123");
    }
}
