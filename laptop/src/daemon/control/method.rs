//! The methods themselves.

use super::{FAMILIES, Method, value};
use crate::control::api::MethodInfo;

pub(super) const METHODS: &[Method] = &[Method::read("methods", |_, _| value(&methods()))];

fn methods() -> Vec<MethodInfo> {
    FAMILIES
        .iter()
        .copied()
        .flatten()
        .map(|method| MethodInfo {
            name: method.name.to_owned(),
            access: method.access,
            web: method.web,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::api::{Access, PAGE_ALONE};
    use std::collections::BTreeSet;

    /// The document: a heading for each method, and `read`, `full`, `page` or `owner` behind it.
    const DOCUMENT: &str = include_str!("../../../API.md");

    fn documented() -> BTreeSet<(String, String)> {
        let headings = DOCUMENT
            .lines()
            .filter_map(|line| line.strip_prefix("### `"));
        headings
            .map(|rest| {
                let (name, rest) = rest.split_once('`').expect("a name ends with a mark");
                let access = rest.trim_start_matches(" (").trim_end_matches(')');
                (name.to_owned(), access.to_owned())
            })
            .collect()
    }

    #[test]
    fn every_method_is_documented_with_its_access_and_no_other() {
        let there: BTreeSet<_> = methods()
            .into_iter()
            .map(|method| {
                let access = match (method.access, method.web) {
                    (Access::Read, _) => "read",
                    (Access::Full, true) if PAGE_ALONE.contains(&method.name.as_str()) => "page",
                    (Access::Full, true) => "full",
                    (Access::Full, false) => "owner",
                };
                (method.name, access.to_owned())
            })
            .collect();
        assert_eq!(documented(), there);
    }

    #[test]
    fn every_method_has_parameters_result_errors_and_an_example() {
        for section in DOCUMENT.split("\n### `").skip(1) {
            let section = section.split("\n## ").next().unwrap_or_default();
            for part in ["**Parameters:**", "**Result:**", "**Errors:**", "```json"] {
                assert!(section.contains(part), "{part} in {section}");
            }
        }
    }

    #[test]
    fn every_example_is_json_and_asks_for_its_own_method() {
        for section in DOCUMENT.split("\n### `").skip(1) {
            let name = section.split('`').next().expect("a name");
            let example = section
                .split("```json\n")
                .nth(1)
                .and_then(|rest| rest.split("\n```").next())
                .expect("an example");
            let mut lines = example.lines();
            let asked: serde_json::Value =
                serde_json::from_str(lines.next().expect("a request")).expect(name);
            assert_eq!(asked["method"], name);
            for line in lines {
                serde_json::from_str::<serde_json::Value>(line).expect(name);
            }
        }
    }
}
