//! Which models and which addresses a relationship may name.

use std::fmt;

/// Longest pattern, in octets: longer ones are mistakes, and matching costs pattern × text.
const MAX_PATTERN_LEN: usize = 256;
/// Longest address ever matched, in octets.
const MAX_URL_LEN: usize = 2048;

/// A pattern for model names such as `ollama/*` or `openai/gpt-4o`; `*` stands for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelPattern(String);

impl ModelPattern {
    /// The pattern that takes every model.
    pub fn any() -> Self {
        Self("*".into())
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// Empty, longer than 256 octets, or with control characters.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        check_text(text)?;
        Ok(Self(text.into()))
    }

    /// True if `model` fits. Letters count as written: providers distinguish case.
    pub fn matches(&self, model: &str) -> bool {
        glob(self.0.as_bytes(), model.as_bytes())
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A pattern for addresses: `https://example.org/papers/*`, `https://*.example.org/`.
///
/// The scheme is `http` or `https` and must agree, as must the port; `*.` in front of a host takes its sub-domains but
/// not the host itself; the path is a prefix, with or without a `*` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPattern {
    text: String,
    origin: Origin,
    path: String,
}

impl UrlPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// Anything that is not `http(s)://host[:port][/path]`, has a user name, or a `*` in the host other than a leading
    /// `*.` with at least two labels behind it (`https://*.com/` would be a grant of everything).
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        check_text(text)?;
        let (origin, path) = split(text).ok_or(PatternError::NotAnAddress)?;
        let path = path.strip_suffix('*').unwrap_or(path);
        if path.contains('*') {
            return Err(PatternError::PathTooWide);
        }
        match origin.host.strip_prefix("*.") {
            Some(rest) if rest.contains('*') || !rest.contains('.') => {
                return Err(PatternError::HostTooWide);
            }
            None if origin.host.contains('*') => return Err(PatternError::HostTooWide),
            _ => {}
        }
        Ok(Self {
            text: text.into(),
            origin,
            path: path.into(),
        })
    }

    /// True if `url` fits. An address with a user name, a dot segment, a backslash, an escaped slash or dot, or
    /// anything else that two programs could read differently never fits.
    pub fn matches(&self, url: &str) -> bool {
        if url.len() > MAX_URL_LEN
            || !url.bytes().all(|byte| matches!(byte, 0x21..=0x7e))
            || url.contains(['\\', '#'])
        {
            return false;
        }
        let Some((origin, path)) = split(url) else {
            return false;
        };
        if origin.host.contains('*')
            || origin.scheme != self.origin.scheme
            || origin.port != self.origin.port
        {
            return false;
        }
        let host_fits = match self.origin.host.strip_prefix('*') {
            Some(suffix) => origin.host.len() > suffix.len() && origin.host.ends_with(suffix),
            None => origin.host == self.origin.host,
        };
        host_fits && !is_slippery(path) && path.starts_with(&self.path)
    }

    /// The pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The pattern without a `*` at its end: what every address that fits starts with, but for sub-domains.
    pub fn prefix(&self) -> &str {
        self.text.strip_suffix('*').unwrap_or(&self.text)
    }

    /// Whether it names a machine by number or as `localhost`, so that a private address is what its author meant.
    pub fn is_private(&self) -> bool {
        let host = self.origin.host.trim_matches(['[', ']']);
        host == "localhost" || host.parse::<std::net::IpAddr>().is_ok()
    }
}

/// Why a pattern was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatternError {
    /// Nothing between the quotes.
    Empty,
    /// More than 256 octets.
    TooLong,
    /// A control or other unprintable character.
    Unprintable,
    /// Not `http(s)://host[:port][/path]`.
    NotAnAddress,
    /// A `*` where it would take in hosts of strangers.
    HostTooWide,
    /// A `*` in the middle of the path.
    PathTooWide,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "the pattern is empty",
            Self::TooLong => "the pattern is longer than 256 bytes",
            Self::Unprintable => "the pattern has a character that cannot be shown",
            Self::NotAnAddress => "the pattern is not of the form https://host/path",
            Self::PathTooWide => "a * in a path may only stand at its end",
            Self::HostTooWide => {
                "a * in a host may only stand in front, as in https://*.example.org/"
            }
        })
    }
}

impl std::error::Error for PatternError {}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Origin {
    scheme: &'static str,
    host: String,
    port: u16,
}

fn check_text(text: &str) -> Result<(), PatternError> {
    if text.is_empty() {
        Err(PatternError::Empty)
    } else if text.len() > MAX_PATTERN_LEN {
        Err(PatternError::TooLong)
    } else if text
        .chars()
        .any(|c| crate::sanitize::is_hostile(c) || c == ' ')
    {
        Err(PatternError::Unprintable)
    } else {
        Ok(())
    }
}

/// Splits an address into origin and path (with query); `None` where it is not one.
fn split(url: &str) -> Option<(Origin, &str)> {
    let (scheme, default_port, rest) = if let Some(rest) = url.strip_prefix("https://") {
        ("https", 443, rest)
    } else {
        ("http", 80, url.strip_prefix("http://")?)
    };
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    if authority.contains('@') {
        return None;
    }
    let (host, port) = if authority.starts_with('[') {
        // An IPv6 literal keeps its brackets as part of the name.
        let close = authority.find(']')? + 1;
        (
            &authority[..close],
            authority[close..]
                .strip_prefix(':')
                .or((authority.len() == close).then_some("")),
        )
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("")),
        }
    };
    let port = match port? {
        "" => default_port,
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok()?,
        _ => return None,
    };
    let host = host.to_ascii_lowercase();
    let plain = host.starts_with('[')
        || host
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_' | b'*'));
    if host.is_empty() || host.starts_with('.') || host.ends_with('.') || !plain {
        return None;
    }
    Some((
        Origin { scheme, host, port },
        if path.is_empty() { "/" } else { path },
    ))
}

/// True if a server could read the path as another one than we matched.
fn is_slippery(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    ["%2e", "%2f", "%5c", "%00"]
        .iter()
        .any(|escape| lower.contains(escape))
        || path
            .split('/')
            .any(|segment| segment == "." || segment == "..")
}

/// Matches `*` in linear space and at most pattern × text steps.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        if p < pattern.len() && pattern[p] == b'*' {
            retry = Some((p + 1, t));
            p += 1;
        } else if p < pattern.len() && pattern[p] == text[t] {
            p += 1;
            t += 1;
        } else if let Some((after_star, from)) = retry {
            retry = Some((after_star, from + 1));
            p = after_star;
            t = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn url(pattern: &str) -> UrlPattern {
        UrlPattern::parse(pattern).expect("a valid pattern")
    }

    #[test]
    fn model_patterns_take_what_they_say() {
        let table = [
            ("*", "anything/at:all", true),
            ("ollama/*", "ollama/llama3.1:8b", true),
            ("ollama/*", "openai/ollama/x", false),
            ("ollama/llama*:8b", "ollama/llama3.1:8b", true),
            ("ollama/llama*:8b", "ollama/llama3.1:70b", false),
            ("openai/gpt-4o", "openai/gpt-4o-mini", false),
            ("*/*", "built-in/partner", true),
            ("a*b*c", "aXbYbZc", true),
        ];
        for (pattern, model, fits) in table {
            assert_eq!(
                ModelPattern::parse(pattern).expect("valid").matches(model),
                fits,
                "{pattern} on {model}"
            );
        }
    }

    #[test]
    fn addresses_on_the_list_are_permitted() {
        for (pattern, address) in [
            ("https://example.org/", "https://example.org/"),
            (
                "https://example.org/",
                "https://EXAMPLE.org/papers/one.pdf?page=2",
            ),
            ("https://example.org", "https://example.org"),
            (
                "https://example.org/papers/",
                "https://example.org/papers/one.pdf",
            ),
            ("https://*.example.org/", "https://files.example.org/x"),
            ("http://example.org:8080/", "http://example.org:8080/x"),
            ("https://example.org:443/", "https://example.org/x"),
            (
                "https://example.org/papers/*",
                "https://example.org/papers/b.pdf",
            ),
            ("http://[::1]:9000/", "http://[::1]:9000/x"),
        ] {
            assert!(url(pattern).matches(address), "{pattern} takes {address}");
        }
    }

    #[test]
    fn addresses_off_the_list_are_refused() {
        for (pattern, address) in [
            ("https://example.org/", "http://example.org/"),
            ("https://example.org/", "https://example.org.evil.net/"),
            ("https://example.org/", "https://evilexample.org/"),
            ("https://example.org/", "https://example.org:8443/"),
            ("https://example.org/", "https://example.org@evil.net/"),
            (
                "https://example.org/",
                "https://evil.net/#https://example.org/",
            ),
            ("https://example.org/", "https://evil.net\\@example.org/"),
            ("https://*.example.org/", "https://example.org/"),
            ("https://*.example.org/", "https://evilexample.org/"),
            (
                "https://example.org/papers/",
                "https://example.org/papers/../secret",
            ),
            (
                "https://example.org/papers/",
                "https://example.org/papers/%2e%2e/secret",
            ),
            ("https://example.org/papers/", "https://example.org/other"),
            ("https://example.org/", "file:///etc/passwd"),
            ("https://example.org/", "https://example.org/a b"),
            ("https://example.org/", "https://example.org./"),
            ("https://example.org/", ""),
        ] {
            assert!(
                !url(pattern).matches(address),
                "{pattern} must not take {address}"
            );
        }
    }

    #[test]
    fn only_a_machine_named_by_number_or_as_localhost_may_be_private() {
        for (pattern, private) in [
            ("http://127.0.0.1:9000/", true),
            ("http://[::1]/", true),
            ("http://localhost/", true),
            ("https://example.org/", false),
            ("https://*.example.org/", false),
        ] {
            assert_eq!(url(pattern).is_private(), private, "{pattern}");
        }
    }

    #[test]
    fn patterns_that_grant_too_much_are_refused() {
        for pattern in [
            "https://*/",
            "https://*.com/",
            "https://a*.example.org/",
            "https://*.*.org/",
        ] {
            assert_eq!(
                UrlPattern::parse(pattern),
                Err(PatternError::HostTooWide),
                "{pattern}"
            );
        }
        for pattern in [
            "*",
            "ftp://example.org/",
            "https://u@example.org/",
            "https:///x",
            "https://example.org:x/",
        ] {
            assert_eq!(
                UrlPattern::parse(pattern),
                Err(PatternError::NotAnAddress),
                "{pattern}"
            );
        }
        assert_eq!(
            UrlPattern::parse("https://example.org/*.pdf"),
            Err(PatternError::PathTooWide)
        );
        assert_eq!(UrlPattern::parse(""), Err(PatternError::Empty));
        assert_eq!(ModelPattern::parse("a\nb"), Err(PatternError::Unprintable));
        assert_eq!(
            ModelPattern::parse(&"x".repeat(257)),
            Err(PatternError::TooLong)
        );
    }

    proptest! {
        #[test]
        fn a_pattern_without_stars_takes_only_itself(text in "[a-z/:.]{1,12}", other in "[a-z/:.]{1,12}") {
            let pattern = ModelPattern::parse(&text).expect("valid");
            prop_assert_eq!(pattern.matches(&other), text == other);
        }

        #[test]
        fn matching_an_address_never_panics(pattern in "https?://[a-z.*]{1,20}/[a-z*]{0,10}", address in ".{0,60}") {
            if let Ok(pattern) = UrlPattern::parse(&pattern) {
                let _ = pattern.matches(&address);
            }
        }
    }
}
