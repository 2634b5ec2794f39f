//! A request as a handler gets it.

use super::form;

/// Header fields in their order. Names compare without case; values are visible ASCII, spaces and tabs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(pub(super) Vec<(String, String)>);

impl Headers {
    /// The value of `name` if it is there exactly once; a header that comes twice has no value to rely on.
    pub fn only(&self, name: &str) -> Option<&str> {
        let mut all = self.named(name);
        let first = all.next()?;
        all.next().is_none().then_some(first)
    }

    /// Every value of `name`.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.named(name)
    }

    fn named<'a, 'n>(&'a self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.0
            .iter()
            .filter(move |(own, _)| own.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether a comma-separated header such as `Connection` has `token`.
    pub fn has_token(&self, name: &str, token: &str) -> bool {
        self.all(name)
            .flat_map(|value| value.split(','))
            .any(|one| one.trim().eq_ignore_ascii_case(token))
    }

    /// The value of the cookie `name`.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.all("cookie")
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(own, _)| *own == name)
            .map(|(_, value)| value)
    }
}

/// A whole request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The method as it came, such as `GET`.
    pub method: String,
    /// Path and query as they came: begins with `/`, visible ASCII.
    pub target: String,
    /// Header fields.
    pub headers: Headers,
    /// The body; empty where there is none.
    pub body: Vec<u8>,
}

impl Request {
    /// The path as it came, without the query. Percent signs stand as they are: [`super::Router`] decodes what it captures.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The value of `name` in the query, decoded.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        form::pairs(query.as_bytes())
            .into_iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value)
    }

    /// `Host` as it came. There is exactly one: the reader saw to that.
    pub fn host(&self) -> &str {
        self.headers.only("host").unwrap_or_default()
    }

    /// Whether the connection may be used again after the answer.
    pub fn keeps_alive(&self) -> bool {
        !self.headers.has_token("connection", "close")
    }

    /// The token of an `Authorization: Bearer` header.
    pub fn bearer(&self) -> Option<&str> {
        let (scheme, token) = self.headers.only("authorization")?.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(target: &str, headers: &[(&str, &str)]) -> Request {
        let headers = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Request {
            method: "GET".into(),
            target: target.into(),
            headers: Headers(headers.collect()),
            body: Vec::new(),
        }
    }

    #[test]
    fn path_and_query_are_apart() {
        let one = request("/a%2Fb?x=1+2&y=%41&x=3", &[]);
        assert_eq!(one.path(), "/a%2Fb");
        assert_eq!(one.query("x").as_deref(), Some("1 2"));
        assert_eq!(one.query("y").as_deref(), Some("A"));
        assert_eq!(one.query("z"), None);
    }

    #[test]
    fn a_header_that_comes_twice_has_no_value() {
        let one = request("/", &[("X", "1"), ("x", "2"), ("Y", "3")]);
        assert_eq!(one.headers.only("x"), None);
        assert_eq!(one.headers.only("y"), Some("3"));
        assert_eq!(one.headers.all("x").collect::<Vec<_>>(), ["1", "2"]);
    }

    #[test]
    fn tokens_cookies_and_bearers_are_found() {
        let one = request(
            "/",
            &[
                ("Connection", "keep-alive, Upgrade"),
                ("Cookie", "a=1; officeos=abc=; b=2"),
                ("Authorization", "bearer  secret"),
            ],
        );
        assert!(one.headers.has_token("connection", "upgrade"));
        assert!(!one.headers.has_token("connection", "up"));
        assert_eq!(one.headers.cookie("officeos"), Some("abc="));
        assert_eq!(one.headers.cookie("c"), None);
        assert_eq!(one.bearer(), Some("secret"));
        assert_eq!(request("/", &[("Authorization", "Basic x")]).bearer(), None);
    }
}
