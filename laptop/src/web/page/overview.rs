//! How everything is, and what waits for the owner.

use super::activity::table;
use super::html::{Html, html, span, took};
use super::{View, device_path};
use crate::control::RpcError;
use crate::control::api::{Activity, Pending, Status};
use crate::web::http::Response;
use serde_json::{Value, json};

pub(super) fn show(view: &View<'_>) -> Response {
    match overview(view) {
        Ok(main) => view.page("Overview", main),
        Err(error) => view.failed(&error),
    }
}

fn overview(view: &View<'_>) -> Result<Html, RpcError> {
    let status: Status = view.daemon.call("status", Value::Null)?;
    let activity: Activity = view.daemon.call("activity", json!({ "last": 8 }))?;
    let waiting: Vec<Pending> = view.daemon.call("pending.list", Value::Null)?;
    let asked = match waiting.is_empty() {
        true => Html::default(),
        false => html!("<h2>Waits for you</h2>{}", questions(view, &waiting)),
    };
    let dash = || "–".to_owned();
    let cards: Html = [
        (
            "Devices linked",
            format!("{} of {}", status.linked, status.devices),
        ),
        ("Requests this hour", activity.last_hour.to_string()),
        ("This minute", activity.last_minute.to_string()),
        ("Running", status.running.to_string()),
        (
            "Half take at most",
            activity.median_ms.map_or_else(dash, took),
        ),
        ("19 of 20 at most", activity.p95_ms.map_or_else(dash, took)),
    ]
    .into_iter()
    .map(|(name, value)| {
        html!(
            "<div class=\"stat\"><dt>{}</dt><dd>{}</dd></div>",
            name,
            value
        )
    })
    .collect();
    let services: Html = status
        .services
        .iter()
        .map(|(name, answers)| {
            let (class, mark, word) = match answers {
                true => ("ok", "✓", "answers"),
                false => ("stop", "!", "does not answer"),
            };
            html!(
                "<li><b class=\"{}\" aria-hidden=\"true\">{}</b> {} <span class=\"{}\">{}</span></li>",
                class, mark, name, class, word
            )
        })
        .collect();
    let carriers: Html = status
        .carriers
        .iter()
        .map(|one| {
            let network = one.network.as_ref();
            let network = network.map_or_else(String::new, |name| format!(", network {name}"));
            html!(
                "<li><b class=\"ok\" aria-hidden=\"true\">✓</b> {} <span class=\"muted\">{}{}</span></li>",
                one.carrier, one.address, network
            )
        })
        .collect();
    let trouble = status.trouble.as_ref().map_or_else(Html::default, |words| {
        html!(
            "<li><b class=\"wait\" aria-hidden=\"true\">!</b> Wi-Fi Direct: {}</li>",
            words
        )
    });
    let none = match status.carriers.is_empty() {
        true => html!(
            "<li><b class=\"stop\" aria-hidden=\"true\">!</b> none: link-service is not {}</li>",
            "there"
        ),
        false => Html::default(),
    };
    let first = match status.devices {
        0 => html!(
            "<p class=\"notice\">No handheld is paired yet. <a href=\"{}\">Pair one</a>, or go through the <a href=\"/setup\">set-up</a>.</p>",
            "/pair"
        ),
        _ => Html::default(),
    };
    Ok(html!(
        "<div id=\"asked\" data-live>{}</div>{}<dl class=\"stats\" id=\"stats\" data-live>{}</dl>\
         <section><h2>Lately</h2><div id=\"recent\" data-live>{}</div><p><a href=\"/activity\">All activity</a></p></section>\
         <div class=\"columns\"><section class=\"card\"><h2>Services</h2><ul class=\"plain\" id=\"services\" data-live>{}</ul>\
         <p class=\"muted\">laptop-daemon {}, running for {}</p></section>\
         <section class=\"card\"><h2>Carriers</h2><ul class=\"plain\">{}{}{}</ul></section></div>",
        asked,
        first,
        cards,
        table(&activity.requests),
        services,
        status.version,
        span(status.uptime_s as i64),
        carriers,
        none,
        trouble
    ))
}

pub(super) fn requests(view: &View<'_>) -> Response {
    let waiting: Vec<Pending> = match view.daemon.call("pending.list", Value::Null) {
        Ok(waiting) => waiting,
        Err(error) => return view.failed(&error),
    };
    let inside = match waiting.is_empty() {
        true => html!(
            "<p class=\"notice\"><b class=\"ok\" aria-hidden=\"true\">{}</b> Nothing waits. A device that has to ask shows up here by itself.</p>",
            "✓"
        ),
        false => questions(view, &waiting),
    };
    view.page(
        "Requests",
        html!("<div id=\"asked\" data-live>{}</div>", inside),
    )
}

fn questions(view: &View<'_>, waiting: &[Pending]) -> Html {
    let cards: Html = waiting
        .iter()
        .map(|one| {
            let wants: Html = one.wants.iter().map(|want| html!("<li>{}</li>", want)).collect();
            let button = |act: &str, class: &str, words: &str| {
                let label = format!("{words}: request {} of {}", one.id, one.name);
                view.form(
                    &format!("/requests/{}/{act}", one.id),
                    "",
                    html!("<button class=\"{}\" aria-label=\"{}\">{}</button>", class, label, words),
                )
            };
            html!(
                "<article class=\"card ask\"><h3><b class=\"wait\" aria-hidden=\"true\">◷</b> <a href=\"{}\">{}</a> asks</h3>\
                 <ul>{}</ul><p class=\"muted\">{} · refused in <span data-ends=\"{}\">{}</span></p><div class=\"row\">{}{}{}</div></article>",
                device_path(one.device),
                one.name,
                wants,
                one.cost,
                one.expires_in_s,
                span(one.expires_in_s as i64),
                button("allow", "main", "Allow once"),
                button("always", "", "Always allow"),
                button("deny", "danger", "Deny")
            )
        })
        .collect();
    html!("<div class=\"asks\">{}</div>", cards)
}

pub(super) fn allow(view: &View<'_>) -> Response {
    answer(view, "approve", false)
}

pub(super) fn always(view: &View<'_>) -> Response {
    answer(view, "approve", true)
}

pub(super) fn deny(view: &View<'_>) -> Response {
    answer(view, "deny", false)
}

fn answer(view: &View<'_>, method: &str, always: bool) -> Response {
    // A number that is none names no request.
    let id = view.piece(0).parse().unwrap_or(0u64);
    view.act(method, json!({ "id": id, "always": always }), "/requests")
}
