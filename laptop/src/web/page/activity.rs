//! What was asked for, and what it used.

use super::html::{Html, bytes, grouped, html, took};
use super::{View, device_path, plot};
use crate::control::api::{Activity, PastRequest, UsageReport};
use crate::web::http::Response;
use serde_json::json;

pub(super) fn show(view: &View<'_>) -> Response {
    let activity: Activity = match view.daemon.call("activity", json!({ "last": 100 })) {
        Ok(activity) => activity,
        Err(error) => return view.failed(&error),
    };
    view.page(
        "Activity",
        html!(
            "<section class=\"card\" id=\"feed-box\" hidden><h2>Now</h2><ol id=\"feed\" class=\"plain feed\" aria-live=\"polite\"></ol></section>\
             <div id=\"recent\" data-live>{}</div>",
            table(&activity.requests)
        ),
    )
}

/// Requests as a table.
pub(super) fn table(requests: &[PastRequest]) -> Html {
    if requests.is_empty() {
        return html!("<p class=\"notice\">Nothing was asked for yet{}</p>", ".");
    }
    let rows: Html = requests.iter().map(row).collect();
    html!(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Requests\"><table><thead><tr><th>When<th>Device<th>What<th>Allowed<th>Outcome\
         <th class=\"number\">Took<th class=\"number\">Used</tr></thead><tbody>{}</tbody></table></div>",
        rows
    )
}

fn row(one: &PastRequest) -> Html {
    let wants: Html = one
        .wants
        .iter()
        .map(|want| match want.target.is_empty() {
            true => html!("<div>{}</div>", want.operation),
            false => html!(
                "<div>{} <span class=\"muted\">{}</span></div>",
                want.operation,
                want.target
            ),
        })
        .collect();
    let allowed = match (one.verdict.as_str(), one.answer.as_deref()) {
        ("ask", Some("yes")) => "asked: yes",
        ("ask", Some("no")) => "asked: no",
        ("ask", Some("expired")) => "asked: nobody answered",
        ("ask", Some(_)) => "asked: withdrawn",
        ("ask", None) => "asking",
        ("allow", _) => "yes",
        _ => "no",
    };
    let (class, mark, outcome) = match one.outcome.as_deref() {
        Some("done") => ("ok", "✓", "done"),
        Some("AskRefused") => ("stop", "✕", "refused by the owner"),
        Some("AskExpired") => ("stop", "✕", "nobody answered"),
        Some("Denied") => ("stop", "✕", "not permitted"),
        Some(other) if one.verdict == "deny" => ("stop", "✕", other),
        Some(other) => ("stop", "!", other),
        None => ("wait", "▶", "running"),
    };
    let used: Vec<String> = [
        (one.tokens, format!("{} tokens", grouped(one.tokens))),
        (one.pictures, format!("{} pictures", one.pictures)),
        (one.bytes, bytes(one.bytes)),
    ]
    .into_iter()
    .filter(|(count, _)| *count > 0)
    .map(|(_, words)| words)
    .collect();
    html!(
        "<tr><td><time>{}</time><td><a href=\"{}\">{}</a><td>{}<td>{}<td class=\"{}\"><b aria-hidden=\"true\">{}</b> {}\
         <td class=\"number\">{}<td class=\"number\">{}</tr>",
        one.time,
        device_path(one.device),
        one.name,
        wants,
        allowed,
        class,
        mark,
        outcome,
        one.took_ms.map(took).unwrap_or_default(),
        used.join(", ")
    )
}

pub(super) fn usage(view: &View<'_>) -> Response {
    let report: UsageReport = match view.daemon.call("usage", json!({ "days": 30 })) {
        Ok(report) => report,
        Err(error) => return view.failed(&error),
    };
    let series = |pick: fn(&crate::control::api::DeviceUsage) -> &Vec<u64>| {
        report
            .devices
            .iter()
            .map(|one| (one.name.as_str(), pick(one).as_slice()))
            .collect::<Vec<_>>()
    };
    let plots: Html = [
        ("Requests a day", series(|one| &one.requests)),
        ("Tokens a day", series(|one| &one.tokens)),
        ("Pictures a day", series(|one| &one.pictures)),
        ("Bytes a day", series(|one| &one.bytes)),
    ]
    .into_iter()
    .map(|(title, series)| plot::bars(title, &report.days, &series))
    .collect();
    let rows: Html = report
        .devices
        .iter()
        .map(|one| {
            let sum = |list: &[u64]| list.iter().fold(0u64, |sum, one| sum.saturating_add(*one));
            html!(
                "<tr><td>{}<td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}<td class=\"number\">{}</tr>",
                one.name,
                grouped(sum(&one.requests)),
                grouped(sum(&one.tokens)),
                grouped(sum(&one.pictures)),
                bytes(sum(&one.bytes))
            )
        })
        .collect();
    view.page(
        "Usage",
        html!(
            "<p class=\"muted\">The last 30 days. What is left of today stands on each device's page.</p><div class=\"plots\">{}</div>\
             <div class=\"scroll\"><table><thead><tr><th>Device<th class=\"number\">Requests<th class=\"number\">Tokens<th class=\"number\">Pictures<th class=\"number\">Bytes\
             </tr></thead><tbody>{}</tbody></table></div>",
            plots,
            rows
        ),
    )
}
