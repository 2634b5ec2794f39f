//! What was found out about the radio, as a table for people.

use super::radio::{Finding, Verdict};
use crate::sanitize::visible_within;

/// Longest words of a finding, in characters.
const MAX_WORDS_CHARS: usize = 400;

/// The table, a line for each finding and one for what mends it.
pub fn report(findings: &[Finding]) -> String {
    let width = findings
        .iter()
        .map(|finding| finding.what.chars().count())
        .max()
        .unwrap_or(0);
    let mut text = String::new();
    for finding in findings {
        let verdict = match finding.verdict {
            Verdict::Fine => "fine ",
            Verdict::Warn => "warn ",
            Verdict::Fault => "FAULT",
        };
        let words = visible_within(&finding.words, MAX_WORDS_CHARS);
        text.push_str(&format!("{verdict}  {:width$}  {words}\n", finding.what));
        if let Some(remedy) = &finding.remedy {
            let remedy = visible_within(remedy, MAX_WORDS_CHARS);
            text.push_str(&format!("       {:width$}  do: {remedy}\n", ""));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_a_remedy_stands_below_its_finding() {
        let findings = [
            Finding {
                what: "Wi-Fi",
                verdict: Verdict::Fine,
                words: "wlan0".into(),
                remedy: None,
            },
            Finding {
                what: "radio switch",
                verdict: Verdict::Fault,
                words: "off\x1b[2J".into(),
                remedy: Some("rfkill unblock wifi".into()),
            },
        ];
        assert_eq!(
            report(&findings),
            "fine   Wi-Fi         wlan0\n\
             FAULT  radio switch  off\\u{1b}[2J\n\
             \x20                    do: rfkill unblock wifi\n"
        );
        assert_eq!(report(&[]), "");
    }
}
