//! The air gap in words: on the screen, and for `--audit-airgap`.

use crate::app::model::proof::{Layer, Proof, Verdict};

/// Title of the page.
pub const TITLE: &str = "Air gap";

/// Shown while the checks run.
pub const CHECKING: &str = "Trying what must not work\u{a0}…";

/// The name of a layer.
#[must_use]
pub const fn layer(layer: Layer) -> &'static str {
    match layer {
        Layer::Rights => "Rights",
        Layer::Calls => "Kernel",
        Layer::Disk => "Card",
        Layer::Broker => "Broker",
        Layer::Device => "This device",
        Layer::Program => "Program",
    }
}

const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Holds => "holds",
        Verdict::Broken => "BROKEN",
        Verdict::Lacking => "lacking",
        Verdict::Said => "note",
    }
}

/// What it all comes to, in a sentence.
#[must_use]
pub fn sum(proof: &Proof) -> String {
    let lacking = proof.count(Verdict::Lacking);
    if !proof.holds() {
        return match proof.count(Verdict::Broken) {
            1 => "One check failed: the air gap is open there.".into(),
            n => format!("{n} checks failed: the air gap is open there."),
        };
    }
    match lacking {
        0 => "Everything that was tried failed, as it should.".into(),
        1 => "All holds that this device can have; one layer it cannot.".into(),
        n => format!("All holds that this device can have; {n} layers it cannot."),
    }
}

/// As Markdown, for the screen. What does not hold comes first.
#[must_use]
pub fn page(proof: &Proof) -> String {
    let mut text = format!(
        "**{}** This was tried just now, by the running app.\n",
        sum(proof)
    );
    let mut part = |title: &str, wanted: &[Verdict]| {
        let mut lines = String::new();
        for one in Layer::ALL {
            for check in proof
                .of(one)
                .filter(|check| wanted.contains(&check.verdict))
            {
                lines.push_str(&format!("- **{}:** {}\n", layer(one), check.words));
            }
        }
        if !lines.is_empty() {
            text.push_str(&format!("\n**{title}**\n\n{lines}"));
        }
    };
    part("Does not hold", &[Verdict::Broken]);
    part("This device cannot", &[Verdict::Lacking]);
    part("Holds", &[Verdict::Holds]);
    part("Good to know", &[Verdict::Said]);
    text
}

/// As lines of plain text, for a terminal.
#[must_use]
pub fn lines(proof: &Proof) -> String {
    let mut text = String::new();
    for one in Layer::ALL {
        for check in proof.of(one) {
            let (name, word) = (layer(one), verdict(check.verdict));
            text.push_str(&format!("{name:<12} {word:<8} {}\n", check.words));
        }
    }
    text.push_str(&sum(proof));
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proof(verdicts: &[Verdict]) -> Proof {
        let mut proof = Proof::default();
        for verdict in verdicts {
            proof.note(Layer::Calls, *verdict, "sockets are refused.");
        }
        proof
    }

    #[test]
    fn one_broken_check_is_said_first_and_nothing_tried_holds_nothing() {
        use Verdict::{Broken, Holds, Lacking, Said};
        let fine = proof(&[Holds, Said]);
        assert!(fine.holds() && sum(&fine).starts_with("Everything"));
        let old = proof(&[Holds, Lacking]);
        assert!(old.holds() && sum(&old).contains("one layer it cannot"));
        let open = proof(&[Holds, Broken, Lacking]);
        assert!(!open.holds() && sum(&open).starts_with("One check failed"));
        let text = page(&open);
        assert!(text.find("Does not hold") < text.find("**Holds**"));
        assert!(lines(&open).contains("Kernel       BROKEN   sockets are refused.\n"));
        assert!(!Proof::default().holds());
    }
}
