//! Counts since the start, and their text for Prometheus. Numbers alone: nothing of what was asked, and no device's name.

use shared_proto::message::Usage;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Upper ends of the duration's buckets, in milliseconds.
const BUCKETS_MS: [u64; 10] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000, 60_000, 300_000,
];

#[derive(Default)]
struct Counts {
    /// Requests that ended, by operation and outcome.
    ended: BTreeMap<(&'static str, &'static str), u64>,
    /// Requests that were refused before anything ran, by reason.
    refused: BTreeMap<&'static str, u64>,
    /// How many requests took at most so long, by bucket; the last is all of them.
    buckets: [u64; BUCKETS_MS.len() + 1],
    total_ms: u64,
    tokens: (u64, u64),
    estimated: u64,
    pictures: u64,
    bytes: u64,
    worked_ms: u64,
}

/// What is so now, for the text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since the daemon started.
    pub uptime_s: u64,
    /// Devices that are linked.
    pub linked: usize,
    /// Questions that wait for a person.
    pub pending: usize,
    /// Entries of the ledger.
    pub ledger: u64,
    /// By service: at work, in line.
    pub queues: Vec<(&'static str, usize, usize)>,
    /// By service and provider: `healthy`, `degraded` or `unhealthy`.
    pub providers: Vec<(String, String, String)>,
}

/// See the module.
#[derive(Default)]
pub struct Metrics(Mutex<Counts>);

impl Metrics {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request was refused.
    pub(super) fn refused(&self, reason: &'static str) {
        *self.lock().refused.entry(reason).or_default() += 1;
    }

    /// A request ended. One with several operations counts once for each sort of them.
    pub(super) fn ended(
        &self,
        operations: &[&'static str],
        outcome: &'static str,
        took: Duration,
        usage: &Usage,
        estimated: bool,
    ) {
        let mut counts = self.lock();
        for (at, operation) in operations.iter().enumerate() {
            if !operations[..at].contains(operation) {
                *counts.ended.entry((operation, outcome)).or_default() += 1;
            }
        }
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
        for (bucket, end) in BUCKETS_MS.iter().enumerate() {
            counts.buckets[bucket] += u64::from(ms <= *end);
        }
        counts.buckets[BUCKETS_MS.len()] += 1;
        counts.total_ms = counts.total_ms.saturating_add(ms);
        counts.tokens.0 = counts.tokens.0.saturating_add(usage.tokens_in);
        counts.tokens.1 = counts.tokens.1.saturating_add(usage.tokens_out);
        if estimated {
            let all = usage.tokens_in.saturating_add(usage.tokens_out);
            counts.estimated = counts.estimated.saturating_add(all);
        }
        counts.pictures += u64::from(usage.pictures);
        counts.bytes = counts.bytes.saturating_add(usage.bytes);
        counts.worked_ms = counts.worked_ms.saturating_add(usage.millis);
    }

    /// All of it in the text format 0.0.4 of Prometheus.
    pub fn text(&self, moment: &Moment) -> String {
        let counts = self.lock();
        let mut page = Page::default();
        page.head("build_info", "gauge", "Version of the daemon.");
        page.line("build_info", &[("version", env!("CARGO_PKG_VERSION"))], 1);
        page.single(
            "uptime_seconds",
            "gauge",
            "Time since the start.",
            moment.uptime_s,
        );
        page.single(
            "sessions",
            "gauge",
            "Devices that are linked.",
            moment.linked as u64,
        );
        page.single(
            "questions",
            "gauge",
            "Requests that wait for a person's answer.",
            moment.pending as u64,
        );
        page.single(
            "ledger_entries",
            "gauge",
            "Entries of the ledger.",
            moment.ledger,
        );
        page.head(
            "requests_total",
            "counter",
            "Requests that ended, by operation and outcome.",
        );
        for ((operation, outcome), count) in &counts.ended {
            let labels = [("operation", *operation), ("outcome", *outcome)];
            page.line("requests_total", &labels, *count);
        }
        page.head(
            "refusals_total",
            "counter",
            "Requests refused before anything ran, by reason.",
        );
        for (reason, count) in &counts.refused {
            page.line("refusals_total", &[("reason", reason)], *count);
        }
        page.duration(&counts);
        page.head(
            "tokens_total",
            "counter",
            "Language tokens, read and written.",
        );
        page.line("tokens_total", &[("direction", "in")], counts.tokens.0);
        page.line("tokens_total", &[("direction", "out")], counts.tokens.1);
        for (name, help, count) in [
            (
                "estimated_tokens_total",
                "Tokens of requests whose provider told no count.",
                counts.estimated,
            ),
            ("pictures_total", "Pictures made.", counts.pictures),
            (
                "transferred_bytes_total",
                "Octets of files and downloads moved.",
                counts.bytes,
            ),
        ] {
            page.single(name, "counter", help, count);
        }
        page.head(
            "work_seconds_total",
            "counter",
            "Time that services worked on texts and pictures.",
        );
        page.value("work_seconds_total", &[], &seconds(counts.worked_ms));
        page.head(
            "service_requests",
            "gauge",
            "Requests at a service, by state.",
        );
        for (service, working, waiting) in &moment.queues {
            for (state, count) in [("working", working), ("waiting", waiting)] {
                let labels = [("service", *service), ("state", state)];
                page.line("service_requests", &labels, *count as u64);
            }
        }
        page.head(
            "provider_healthy",
            "gauge",
            "Whether a provider answers well: 1 healthy, 0.5 degraded, 0 unhealthy.",
        );
        for (service, provider, health) in &moment.providers {
            let labels = [
                ("service", service.as_str()),
                ("provider", provider.as_str()),
            ];
            let value = match health.as_str() {
                "healthy" => "1",
                "degraded" => "0.5",
                _ => "0",
            };
            page.value("provider_healthy", &labels, value);
        }
        page.0
    }
}

#[derive(Default)]
struct Page(String);

impl Page {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing into a string does not fail, here and below.
        let _ = writeln!(
            self.0,
            "# HELP officeos_{name} {help}\n# TYPE officeos_{name} {kind}"
        );
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, count: u64) {
        self.head(name, kind, help);
        self.line(name, &[], count);
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], count: u64) {
        self.value(name, labels, &count.to_string());
    }

    fn value(&mut self, name: &str, labels: &[(&str, &str)], value: &str) {
        let _ = write!(self.0, "officeos_{name}");
        for (at, (label, text)) in labels.iter().enumerate() {
            let before = if at == 0 { '{' } else { ',' };
            let _ = write!(self.0, "{before}{label}=\"{}\"", escaped(text));
        }
        let after = if labels.is_empty() { "" } else { "}" };
        let _ = writeln!(self.0, "{after} {value}");
    }

    fn duration(&mut self, counts: &Counts) {
        let name = "request_duration_seconds";
        self.head(
            name,
            "histogram",
            "Time from the start of a request to its end, waiting included.",
        );
        for (end, count) in BUCKETS_MS.iter().zip(counts.buckets) {
            let end = seconds(*end);
            self.line(&format!("{name}_bucket"), &[("le", &end)], count);
        }
        let all = counts.buckets[BUCKETS_MS.len()];
        self.line(&format!("{name}_bucket"), &[("le", "+Inf")], all);
        self.value(&format!("{name}_sum"), &[], &seconds(counts.total_ms));
        self.line(&format!("{name}_count"), &[], all);
    }
}

/// Milliseconds as seconds, without needless zeros.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// A label's text as the format wants it. Other control characters are spelled out: a provider's name never breaks a line.
fn escaped(text: &str) -> String {
    let mut out = String::new();
    for c in crate::sanitize::visible(text).chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_is_counted_by_operation_and_outcome_and_sorted_by_time() {
        let metrics = Metrics::default();
        let usage = Usage {
            tokens_in: 3,
            tokens_out: 4,
            pictures: 1,
            bytes: 5,
            millis: 1_500,
        };
        let took = Duration::from_millis(700);
        metrics.ended(&["chat", "generate", "chat"], "done", took, &usage, true);
        metrics.ended(
            &["chat"],
            "Cancelled",
            Duration::from_secs(900),
            &usage,
            false,
        );
        metrics.refused("Denied");
        let moment = Moment {
            queues: vec![("language", 2, 5)],
            providers: vec![("language".into(), "a\"b\\c\n".into(), "degraded".into())],
            ledger: 812,
            ..Moment::default()
        };
        let text = metrics.text(&moment);
        for line in [
            "officeos_requests_total{operation=\"chat\",outcome=\"done\"} 1",
            "officeos_requests_total{operation=\"chat\",outcome=\"Cancelled\"} 1",
            "officeos_requests_total{operation=\"generate\",outcome=\"done\"} 1",
            "officeos_refusals_total{reason=\"Denied\"} 1",
            "officeos_request_duration_seconds_bucket{le=\"0.5\"} 0",
            "officeos_request_duration_seconds_bucket{le=\"1\"} 1",
            "officeos_request_duration_seconds_bucket{le=\"+Inf\"} 2",
            "officeos_request_duration_seconds_sum 900.7",
            "officeos_request_duration_seconds_count 2",
            "officeos_tokens_total{direction=\"in\"} 6",
            "officeos_estimated_tokens_total 7",
            "officeos_work_seconds_total 3",
            "officeos_service_requests{service=\"language\",state=\"waiting\"} 5",
            "officeos_ledger_entries 812",
        ] {
            assert!(text.lines().any(|have| have == line), "{line}\n{text}");
        }
        let provider = text
            .lines()
            .find(|line| line.starts_with("officeos_provider_healthy{"))
            .unwrap();
        assert!(provider.ends_with("\"} 0.5"), "{provider}");
        assert!(provider.contains("provider=\"a\\\"b"), "{provider}");
    }

    #[test]
    fn every_name_is_described_once_before_its_values() {
        let text = Metrics::default().text(&Moment::default());
        let mut described = Vec::new();
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let name = rest.split(' ').next().unwrap().to_owned();
                assert!(!described.contains(&name), "{name}");
                described.push(name);
            } else if !line.starts_with('#') {
                let last = described.last().unwrap();
                assert!(line.starts_with(last.as_str()), "{line} under {last}");
            }
        }
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn seconds_are_short() {
        for (ms, text) in [
            (0, "0"),
            (100, "0.1"),
            (2_500, "2.5"),
            (30_000, "30"),
            (1, "0.001"),
        ] {
            assert_eq!(seconds(ms), text);
        }
    }
}
