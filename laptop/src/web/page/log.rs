//! What the daemon and its services have logged.

use super::View;
use super::html::{Html, html};
use crate::control::api::LogLines;
use crate::web::http::Response;
use serde_json::json;

/// Lines on the page.
const SHOWN: usize = 300;

pub(super) fn show(view: &View<'_>) -> Response {
    let log: LogLines = match view.daemon.call("logs", json!({ "last": SHOWN })) {
        Ok(log) => log,
        Err(error) => return view.failed(&error),
    };
    if !log.command.is_empty() {
        return view.page(
            "Logs",
            html!(
                "<p class=\"notice\">The log of this laptop is in the system's journal, which is not this page's to read. In a terminal: \
                 <code>{}</code></p>",
                log.command
            ),
        );
    }
    let lines: Html = log
        .lines
        .iter()
        .map(|line| {
            let class = match line {
                line if line.contains(" ERROR ") => "stop",
                line if line.contains(" WARN ") => "wait",
                _ => "",
            };
            html!("<li class=\"{}\">{}</li>", class, line)
        })
        .collect();
    view.page(
        "Logs",
        html!(
            "<p class=\"muted\">The last {} lines, oldest first. Further back, and as it happens: <code>officectl logs --follow</code>.</p>\
             <ol id=\"log\" class=\"plain log\" data-live>{}</ol>",
            log.lines.len(),
            lines
        ),
    )
}
