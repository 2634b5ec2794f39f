//! Commands about the daemon itself.

use super::Talk;
use super::exit::CliError;
use super::format::{Tint, span, tinted};
use crate::control::api::{Carrier, Status};
use crate::sanitize::{visible, visible_within};
use serde_json::Value;

/// Longest words of a trouble that are shown, in characters.
const MAX_WORDS_CHARS: usize = 400;

pub(super) fn status(talk: &mut Talk) -> Result<(), CliError> {
    let status = talk.status()?;
    talk.print(&status, |status| {
        let services: Vec<String> = status
            .services
            .iter()
            .map(|(name, answers)| {
                let state = match answers {
                    true => tinted("answers", Tint::Good),
                    false => tinted("does not answer", Tint::Bad),
                };
                format!("{name} {state}")
            })
            .collect();
        format!(
            "{}, laptop-daemon {}, running for {}\n{}\n  Devices   {} of {} paired, {} linked\n  \
             Requests  {} running, {} waiting for an answer\n  Services  {}",
            tinted(&visible(&status.name), Tint::Bold),
            status.version,
            span(status.uptime_s as i64),
            carriers(status).join("\n"),
            status.devices,
            status.max_devices,
            status.linked,
            status.running,
            status.pending,
            services.join(", ")
        )
    })
}

/// A line for each carrier, and one for what keeps the radio down.
fn carriers(status: &Status) -> Vec<String> {
    let mut lines: Vec<String> = status.carriers.iter().map(carrier).collect();
    if lines.is_empty() {
        lines.push("none; link-service is not there".to_owned());
    }
    let first = std::iter::once("  Carriers  ").chain(std::iter::repeat("            "));
    let mut lines: Vec<String> = first
        .zip(lines)
        .map(|(start, line)| format!("{start}{line}"))
        .collect();
    if let Some(words) = &status.trouble {
        lines.push(format!(
            "  Radio     {}",
            visible_within(words, MAX_WORDS_CHARS)
        ));
    }
    lines
}

fn carrier(carrier: &Carrier) -> String {
    let mut text = format!(
        "{} {}",
        visible(&carrier.carrier),
        visible(&carrier.address)
    );
    if let Some(interface) = &carrier.interface {
        text.push_str(&format!(" on {}", visible(interface)));
    }
    if let Some(network) = &carrier.network {
        text.push_str(&format!(", network {}", visible(network)));
    }
    if let Some(frequency) = carrier.frequency {
        text.push_str(&format!(", {frequency} MHz"));
    }
    text
}

pub(super) fn metrics(talk: &mut Talk) -> Result<(), CliError> {
    let text: String = talk.call("metrics", Value::Null)?;
    talk.print(&text, |text| text.trim_end().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(carriers: Vec<Carrier>, trouble: Option<&str>) -> Status {
        Status {
            name: "Laptop".into(),
            version: "0".into(),
            uptime_s: 0,
            carriers,
            trouble: trouble.map(str::to_owned),
            devices: 0,
            max_devices: 8,
            linked: 0,
            running: 0,
            pending: 0,
            services: Default::default(),
        }
    }

    fn loopback() -> Carrier {
        Carrier {
            carrier: "loopback".into(),
            address: "127.0.0.1:8080".into(),
            interface: None,
            network: None,
            frequency: None,
        }
    }

    #[test]
    fn every_carrier_has_a_line_and_so_has_a_trouble() {
        let radio = Carrier {
            carrier: "wifi-direct".into(),
            address: "[::]:8144".into(),
            interface: Some("p2p-wlan0-0".into()),
            network: Some("DIRECT-ab-\x1b[2J".into()),
            frequency: Some(2437),
        };
        assert_eq!(
            carriers(&status(vec![loopback(), radio], None)),
            [
                "  Carriers  loopback 127.0.0.1:8080",
                "            wifi-direct [::]:8144 on p2p-wlan0-0, network DIRECT-ab-\\u{1b}[2J, 2437 MHz",
            ]
        );
        assert_eq!(
            carriers(&status(
                vec![loopback()],
                Some("the radio is off; run: rfkill unblock wifi")
            )),
            [
                "  Carriers  loopback 127.0.0.1:8080",
                "  Radio     the radio is off; run: rfkill unblock wifi",
            ]
        );
        assert_eq!(
            carriers(&status(Vec::new(), None)),
            ["  Carriers  none; link-service is not there"]
        );
    }
}
