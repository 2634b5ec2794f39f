//! The owner's files: whatever stands in `permissions.toml`, `daemon.toml` or `services.toml`, nothing is allowed that the text does not
//! name, and what is said about it moves no cursor.

use laptop::config::{DaemonConfig, Finding, PermissionsConfig};
use laptop::policy::{Profile, Rule};
use laptop::service::config::ServicesConfig;
use shared_proto::opcode::Operation;

/// The first octet chooses the file.
pub fn drive(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else {
        return;
    };
    let text = String::from_utf8_lossy(text);
    let mut findings = Vec::new();
    match which % 3 {
        0 => permissions(&text, &mut findings),
        1 => {
            let config = DaemonConfig::parse(&text, "daemon.toml", &mut findings);
            assert!(config.max_paired_devices > 0);
            let mut again = Vec::new();
            let same = DaemonConfig::parse(&text, "daemon.toml", &mut again);
            assert!(same == config && again == findings);
        }
        _ => findings = ServicesConfig::check(&text, "services.toml"),
    }
    for finding in findings {
        let shown = finding.to_string();
        assert!(
            !shown.contains(|c: char| c.is_control()),
            "a finding moves a cursor: {shown:?}"
        );
        assert!(finding.line <= text.lines().count() + 1);
    }
}

fn permissions(text: &str, findings: &mut Vec<Finding>) {
    let profile = PermissionsConfig::parse(text, "permissions.toml", findings).new_device;
    let usual = Profile::of_new_device();
    for operation in Operation::ALL {
        let rule = profile.rule(operation);
        // A word may be spelled with escapes, which only a backslash begins.
        let spelled = |word: &str| text.contains(word) || text.contains('\\');
        match rule {
            Rule::Allow => assert!(
                spelled("allow") && spelled(operation.name()),
                "{operation:?} is allowed by nobody"
            ),
            Rule::Ask => {}
            Rule::Deny => assert!(spelled("deny")),
        }
        if findings.iter().any(|finding| finding.is_error()) {
            continue;
        }
        assert!(rule == usual.rule(operation) || !text.is_empty());
    }
    if !text.contains("urls") && !text.contains('\\') {
        assert!(!profile.permits_url("https://example.org/"));
    }
}
