//! From method and path to what answers. Pure.

use super::form;

/// A table of routes to values of `T`, such as functions.
///
/// A pattern is a path whose pieces are taken literally, but for `:` alone, which takes any one piece that is not empty.
#[derive(Debug, Clone)]
pub struct Router<T: 'static>(pub &'static [(&'static str, &'static str, T)]);

/// What a router found.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// The value, and the pieces that the pattern took, decoded.
    Route(T, Vec<String>),
    /// The path is there, for these methods.
    Method(Vec<&'static str>),
    /// There is no such path.
    Nothing,
}

impl<T: Copy> Router<T> {
    /// Looks for `path`, which has no query. `HEAD` finds what `GET` does.
    pub fn find(&self, method: &str, path: &str) -> Found<T> {
        let wanted = if method == "HEAD" { "GET" } else { method };
        let mut methods = Vec::new();
        for (own, pattern, value) in self.0 {
            let Some(pieces) = matches(pattern, path) else {
                continue;
            };
            if *own == wanted {
                return Found::Route(*value, pieces);
            }
            methods.push(*own);
        }
        match methods.is_empty() {
            true => Found::Nothing,
            false => Found::Method(methods),
        }
    }
}

fn matches(pattern: &str, path: &str) -> Option<Vec<String>> {
    let (mut wanted, mut pieces) = (pattern.split('/'), path.split('/'));
    let mut taken = Vec::new();
    loop {
        match (wanted.next(), pieces.next()) {
            (None, None) => return Some(taken),
            (Some(":"), Some(piece)) if !piece.is_empty() => taken.push(form::piece(piece)),
            (Some(one), Some(piece)) if one == piece && one != ":" => {}
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROUTES: Router<u8> = Router(&[
        ("GET", "/", 1),
        ("GET", "/devices/:", 2),
        ("POST", "/devices/:/rename", 3),
        ("POST", "/devices/:", 4),
    ]);

    #[test]
    fn a_route_is_method_and_path() {
        let found = |method, path| ROUTES.find(method, path);
        assert_eq!(found("GET", "/"), Found::Route(1, Vec::new()));
        assert_eq!(
            found("HEAD", "/devices/a%2Fb%20c"),
            Found::Route(2, vec!["a/b c".into()])
        );
        assert_eq!(
            found("POST", "/devices/7/rename"),
            Found::Route(3, vec!["7".into()])
        );
        assert_eq!(
            found("PUT", "/devices/7"),
            Found::Method(vec!["GET", "POST"])
        );
        for path in [
            "/devices",
            "/devices/",
            "/devices/7/",
            "//",
            "/Devices/7",
            "",
        ] {
            assert_eq!(found("GET", path), Found::Nothing, "{path}");
        }
    }
}
