//! The man pages of the settings files, made from their templates, so that the two cannot differ.

use super::template::{Key, Page, Part};
use super::{DAEMON_TEMPLATE, PERMISSIONS_TEMPLATE};

/// Names of the pages and their text, in section 5.
pub fn pages() -> [(&'static str, String); 3] {
    [
        (
            "daemon.toml",
            page(
                "daemon.toml",
                "settings of the OfficeOS laptop daemon",
                DAEMON_TEMPLATE,
            ),
        ),
        (
            "permissions.toml",
            page(
                "permissions.toml",
                "what a newly paired OfficeOS device may do",
                PERMISSIONS_TEMPLATE,
            ),
        ),
        (
            "services.toml",
            page(
                "services.toml",
                "providers of text and pictures for OfficeOS",
                crate::service::config::TEMPLATE,
            ),
        ),
    ]
}

fn page(name: &str, what: &str, template: &str) -> String {
    let read = Page::parse(template);
    let mut text = format!(
        ".TH {} 5 \"\" \"OfficeOS {}\" \"OfficeOS\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n.I /etc/officeos/{}\n.br\n\
         .I ~/.local/share/officeos/config/{}\n.SH DESCRIPTION\n",
        name.to_uppercase(),
        env!("CARGO_PKG_VERSION"),
        roff(name),
        roff(what),
        roff(name),
        roff(name)
    );
    for about in &read.about {
        text.push_str(&format!("{}\n", roff(about)));
    }
    text.push_str(
        ".PP\nThe file is TOML. A missing file, section or key has the value shown here. Unknown keys are reported and ignored.\n\
         .SH SETTINGS\n",
    );
    read.parts.iter().for_each(|part| section(part, &mut text));
    text.push_str(&format!(
        ".SH FILES\nThe first is that of an installed package; the second that of \\fBlaptop\\-daemon \\-\\-standalone\\fR.\n\
         .SH SEE ALSO\n{}\n",
        super::FILES
            .into_iter()
            .filter(|other| *other != name)
            .map(|other| format!("\\fB{}\\fR(5)", roff(other)))
            .chain(["\\fBofficectl\\fR(1)".to_owned(), "\\fBlaptop\\-daemon\\fR(8)".to_owned()])
            .collect::<Vec<_>>()
            .join(", ")
    ));
    text
}

fn section(part: &Part<'_>, text: &mut String) {
    if !part.name.is_empty() {
        text.push_str(&format!(".SS [{}]\n", roff(part.name)));
    }
    for about in &part.about {
        text.push_str(&format!(".PP\n{}\n", roff(about)));
    }
    for Key { name, value, about } in &part.keys {
        text.push_str(&format!(
            ".TP\n\\fB{}\\fR = {}\n{}\n",
            roff(name),
            roff(value),
            roff(about)
        ));
    }
}

/// Text that troff takes as it is.
fn roff(text: &str) -> String {
    let escaped = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('"', "\\(dq");
    match escaped.starts_with(['.', '\'']) {
        true => format!("\\&{escaped}"),
        false => escaped,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    /// The pages that are packed: `OFFICEOS_BLESS=1 cargo test -p laptop --lib man` writes them again.
    #[test]
    fn the_pages_in_the_tree_are_those_of_the_templates() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("man");
        for (name, text) in pages() {
            let file = folder.join(format!("{name}.5"));
            if std::env::var_os("OFFICEOS_BLESS").is_some() {
                std::fs::write(&file, &text).expect("written");
            }
            let kept = std::fs::read_to_string(&file).unwrap_or_default();
            assert!(
                kept == text,
                "{} is not what the template says; run: OFFICEOS_BLESS=1 cargo test -p laptop --lib man",
                file.display()
            );
        }
    }

    #[test]
    fn nothing_in_a_template_is_taken_for_a_request() {
        assert_eq!(roff(".so x"), "\\&.so x");
        assert_eq!(roff("a\\b --c \"\""), "a\\eb \\-\\-c \\(dq\\(dq");
    }
}
