//! Which URLs an allow-list permits. Pure.

use ureq::http::Uri;

use crate::ipc::AllowedUrl;

/// Longest URL that is looked at.
const MAX_URL: usize = 2048;

/// Checks `url` against `list` and says whether it may lead to private addresses.
///
/// # Errors
/// A sentence that says why it is refused.
pub fn check(url: &str, list: &[AllowedUrl]) -> Result<bool, String> {
    let target = Target::parse(url)?;
    let mut matching = list
        .iter()
        .filter(|entry| matches(&entry.pattern, &target))
        .peekable();
    if matching.peek().is_none() {
        return Err(format!(
            "{}://{} is not on the list of allowed addresses.",
            target.scheme, target.host
        ));
    }
    Ok(matching.any(|entry| entry.private))
}

/// The parts of a URL that patterns are about.
struct Target {
    scheme: String,
    host: String,
    port: u16,
    path: String,
}

impl Target {
    fn parse(url: &str) -> Result<Self, String> {
        if url.len() > MAX_URL || url.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(format!(
                "The URL has spaces or more than {MAX_URL} characters."
            ));
        }
        let uri: Uri = url.parse().map_err(|_| "That is no URL.".to_owned())?;
        let scheme = uri.scheme_str().unwrap_or_default().to_ascii_lowercase();
        let default_port = match scheme.as_str() {
            "http" => 80,
            "https" => 443,
            _ => return Err("Only http and https can be fetched.".to_owned()),
        };
        // "https://allowed.example@evil.example" is a trick, never a need.
        if uri.authority().is_none_or(|a| a.as_str().contains('@')) {
            return Err("The URL must name a host, and no user.".to_owned());
        }
        let host = uri
            .host()
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_ascii_lowercase();
        if host.is_empty() {
            return Err("The URL must name a host.".to_owned());
        }
        let path = if uri.path().is_empty() {
            "/".to_owned()
        } else {
            uri.path().to_owned()
        };
        // A server may resolve these after the prefix was checked here.
        let dotted = path
            .to_ascii_lowercase()
            .replace("%2e", ".")
            .replace("%2f", "/")
            .replace(['\\'], "/");
        if dotted.split('/').any(|segment| segment == "..")
            || path.to_ascii_lowercase().contains("%5c")
        {
            return Err("The URL's path must not climb with “..”.".to_owned());
        }
        Ok(Self {
            scheme,
            host,
            port: uri.port_u16().unwrap_or(default_port),
            path,
        })
    }
}

fn matches(pattern: &str, target: &Target) -> bool {
    if pattern == "*" {
        return true;
    }
    let Some((scheme, rest)) = pattern.split_once("://") else {
        return false;
    };
    let (authority, path) = rest.find('/').map_or((rest, "/"), |at| rest.split_at(at));
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            (host, port.parse().ok())
        }
        _ => (
            authority,
            if scheme.eq_ignore_ascii_case("https") {
                Some(443)
            } else {
                Some(80)
            },
        ),
    };
    let host = host.to_ascii_lowercase();
    let host_fits = match host.strip_prefix("*.") {
        Some(parent) => target
            .host
            .strip_suffix(parent)
            .is_some_and(|sub| sub.len() > 1 && sub.ends_with('.')),
        None => target.host == host,
    };
    let path_fits = match target.path.strip_prefix(path) {
        // "/docs" allows /docs and /docs/x, but not /docs-secret.
        Some(rest) => path.ends_with('/') || rest.is_empty() || rest.starts_with('/'),
        None => false,
    };
    scheme.eq_ignore_ascii_case(&target.scheme)
        && host_fits
        && port == Some(target.port)
        && path_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn allowed(pattern: &str, url: &str) -> bool {
        check(
            url,
            &[AllowedUrl {
                pattern: pattern.into(),
                private: false,
            }],
        )
        .is_ok()
    }

    #[test]
    fn patterns_permit_what_they_say_and_nothing_beside_it() {
        for (pattern, url, result) in [
            (
                "https://example.org/docs",
                "https://example.org/docs/a?b=1",
                true,
            ),
            (
                "https://example.org/docs",
                "https://EXAMPLE.org:443/docs",
                true,
            ),
            (
                "https://example.org/docs",
                "https://example.org/docs-secret",
                false,
            ),
            (
                "https://example.org/docs/",
                "https://example.org/docs/a",
                true,
            ),
            ("https://example.org/docs", "https://example.org/", false),
            ("https://example.org/", "http://example.org/", false),
            ("https://example.org/", "https://example.org:8443/", false),
            (
                "https://example.org/",
                "https://example.org.evil.net/",
                false,
            ),
            (
                "https://example.org/",
                "https://example.org@evil.net/",
                false,
            ),
            ("https://example.org", "https://example.org./x", true),
            ("https://*.example.org/", "https://a.b.example.org/x", true),
            ("https://*.example.org/", "https://example.org/x", false),
            ("https://*.example.org/", "https://evilexample.org/x", false),
            ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/f", true),
            ("http://127.0.0.1:8080/", "http://127.0.0.1/f", false),
            (
                "https://example.org/docs/",
                "https://example.org/docs/../admin",
                false,
            ),
            (
                "https://example.org/docs/",
                "https://example.org/docs/%2e%2E/admin",
                false,
            ),
            (
                "https://example.org/docs/",
                "https://example.org/docs/..%2fadmin",
                false,
            ),
            ("*", "https://anything.example/x", true),
            ("*", "ftp://anything.example/x", false),
            ("*", "file:///etc/passwd", false),
            ("*", "https:///x", false),
            ("*", "https://a b/", false),
            ("", "https://example.org/", false),
        ] {
            assert_eq!(allowed(pattern, url), result, "{pattern} {url}");
        }
        assert!(
            check("https://example.org/", &[]).is_err(),
            "an empty list allows nothing"
        );
    }

    #[test]
    fn private_addresses_need_an_entry_that_says_so() {
        let entry = |pattern: &str, private| AllowedUrl {
            pattern: pattern.into(),
            private,
        };
        let list = [entry("*", false), entry("http://nas.lan/", true)];
        assert_eq!(check("http://nas.lan/x", &list), Ok(true));
        assert_eq!(check("http://other.lan/x", &list), Ok(false));
    }

    proptest! {
        #[test]
        fn no_url_gets_past_a_host_by_its_look(tail in "[@:/?#a-z.%\\\\]{0,12}evil[.a-z]{0,5}") {
            let url = format!("https://good.example{tail}");
            if check(&url, &[AllowedUrl { pattern: "https://good.example/".into(), private: false }]).is_ok() {
                let uri: Uri = url.parse().unwrap();
                prop_assert_eq!(uri.host().map(|h| h.trim_end_matches('.')), Some("good.example"));
            }
        }
    }
}
