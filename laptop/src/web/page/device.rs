//! Devices: permissions as switches, limits, use.

use super::html::{Html, bytes, grouped, html, span};
use super::{View, device_path, plot};
use crate::control::api::{Device, DeviceDetail, UsageReport};
use crate::control::{ErrorKind, RpcError};
use crate::web::http::Response;
use serde_json::{Value, json};

/// Operations by kind, in the words of the page. One that is missing here is shown by its name.
const OPERATIONS: [(&str, &[(&str, &str)]); 5] = [
    (
        "Language",
        &[
            ("chat", "Chat"),
            ("complete", "Continue a text"),
            ("code", "Write program code"),
            ("summarize", "Summarize"),
            ("embed", "Make vectors of texts"),
        ],
    ),
    (
        "Pictures",
        &[
            ("generate", "Paint"),
            ("edit", "Change a picture"),
            ("upscale", "Enlarge"),
            ("variation", "Make a variation"),
            ("fit", "Fit to its screen"),
        ],
    ),
    (
        "Files",
        &[
            ("list", "List its drop folder"),
            ("metadata", "Look at a file's facts"),
            ("get", "Take a file"),
            ("put", "Leave a file"),
            ("delete", "Delete a file"),
        ],
    ),
    ("Internet", &[("fetch", "Download an address")]),
    (
        "This laptop",
        &[
            ("status", "See how it is"),
            ("capabilities", "See what it can do"),
            ("resources", "See its load"),
            ("health", "See its providers' health"),
        ],
    ),
];

pub(super) fn list(view: &View<'_>) -> Response {
    let devices: Vec<Device> = match view.daemon.call("devices.list", Value::Null) {
        Ok(devices) => devices,
        Err(error) => return view.failed(&error),
    };
    let (held, gone): (Vec<&Device>, Vec<&Device>) =
        devices.iter().partition(|one| one.standing != "revoked");
    let rows: Html = held.iter().map(|one| row(one)).collect();
    let revoked: Html = gone
        .iter()
        .map(|one| {
            html!(
                "<li>{} <span class=\"muted\">number {}</span></li>",
                one.name,
                one.id
            )
        })
        .collect();
    let revoked = match gone.is_empty() {
        true => Html::default(),
        false => html!(
            "<details><summary>Revoked</summary><ul>{}</ul></details>",
            revoked
        ),
    };
    let there = match held.is_empty() {
        true => html!("<p class=\"notice\">No handheld is paired{}</p>", "."),
        false => html!("<ul class=\"devices\">{}</ul>", rows),
    };
    view.page(
        "Devices",
        html!(
            "<div id=\"devices\" data-live>{}</div><p><a class=\"button main\" href=\"/pair\">Pair a handheld</a></p>{}",
            there,
            revoked
        ),
    )
}

fn row(one: &Device) -> Html {
    html!(
        "<li><a class=\"card device\" href=\"{}\"><strong>{}</strong>{}<span class=\"muted\">{}</span></a></li>",
        device_path(one.id),
        one.name,
        standing(one),
        expiry(one)
    )
}

fn standing(one: &Device) -> Html {
    let (class, mark, words) = match (one.standing.as_str(), one.linked) {
        ("active", true) => ("ok", "✓", "linked".to_owned()),
        ("active", false) => (
            "muted",
            "○",
            one.seen_ago_s.map_or_else(
                || "never seen".to_owned(),
                |ago| format!("seen {} ago", span(ago)),
            ),
        ),
        ("expired", _) => ("wait", "◷", "expired: renew it".to_owned()),
        (other, _) => ("stop", "✕", other.to_owned()),
    };
    html!(
        "<span class=\"{}\"><b aria-hidden=\"true\">{}</b> {}</span>",
        class,
        mark,
        words
    )
}

fn expiry(one: &Device) -> String {
    match one.expires_in_s {
        left @ 1.. => format!("{} left", span(left)),
        over => format!("ran out {} ago", span(-over)),
    }
}

pub(super) fn show(view: &View<'_>) -> Response {
    let detail: Result<DeviceDetail, RpcError> = view
        .daemon
        .call("devices.show", json!({ "device": view.piece(0) }));
    let usage: Result<UsageReport, RpcError> = view.daemon.call("usage", json!({ "days": 14 }));
    match (detail, usage) {
        (Ok(detail), Ok(usage)) => view.page(&detail.device.name, whole(view, &detail, &usage)),
        (Err(error), _) | (_, Err(error)) => view.failed(&error),
    }
}

fn whole(view: &View<'_>, detail: &DeviceDetail, usage: &UsageReport) -> Html {
    let one = &detail.device;
    let path = device_path(one.id);
    let facts = html!(
        "<p id=\"standing\" data-live>{} · {} · screen {}×{}</p>\
         <p class=\"muted\">Key <code>{}</code><br>Drop folder <code>{}</code></p>",
        standing(one),
        expiry(one),
        one.screen.0,
        one.screen.1,
        detail.key,
        one.folder
    );
    if one.standing == "revoked" {
        return html!(
            "{}<p class=\"notice\">This pairing was ended for good. Pair the handheld again to use it.{}</p>",
            facts,
            ""
        );
    }
    let known: Vec<&str> = OPERATIONS
        .iter()
        .flat_map(|(_, list)| list.iter().map(|(name, _)| *name))
        .collect();
    let others: Vec<(&str, &str)> = detail
        .rules
        .keys()
        .filter(|name| !known.contains(&name.as_str()))
        .map(|name| (name.as_str(), name.as_str()))
        .collect();
    let mut kinds: Vec<(&str, Vec<(&str, &str)>)> = OPERATIONS
        .iter()
        .map(|(kind, list)| (*kind, list.to_vec()))
        .collect();
    if !others.is_empty() {
        kinds.push(("Others", others));
    }
    let switches: Html = kinds
        .iter()
        .map(|(kind, list)| {
            let rows: Html = list
                .iter()
                .filter_map(|(name, words)| {
                    let rule = detail.rules.get(*name)?;
                    Some(switch(view, &path, name, words, rule))
                })
                .collect();
            html!(
                "<section class=\"card\"><h3>{}</h3>{}</section>",
                kind,
                rows
            )
        })
        .collect();
    let meters: Html = [
        ("Tokens", detail.tokens, grouped as fn(u64) -> String),
        ("Pictures", detail.pictures, grouped),
        ("Bytes", detail.bytes, bytes),
        ("Seconds of work", detail.seconds, grouped),
    ]
    .into_iter()
    .map(|(name, (used, limit), shown)| {
        html!(
            "<div class=\"meter\"><span>{}</span><meter min=\"0\" max=\"{}\" value=\"{}\" aria-label=\"{} used today\"></meter>\
             <span class=\"muted\">{} of {}</span></div>",
            name, limit.max(1), used.min(limit.max(1)), name, shown(used), shown(limit)
        )
    })
    .collect();
    let own = usage.devices.iter().find(|device| device.device == one.id);
    let drawn = own.map_or_else(Html::default, |own| {
        plot::bars("Tokens a day", &usage.days, &[("tokens", &own.tokens)])
    });
    html!(
        "{}<h2>What it may do</h2><div class=\"switches\" id=\"switches\" data-live>{}</div>\
         <h2>Today</h2><div class=\"card\" id=\"today\" data-live>{}</div>{}<h2>Limits</h2>{}<h2>This pairing</h2>{}",
        facts,
        switches,
        meters,
        drawn,
        limits(view, &path, detail),
        pairing(view, &path, one)
    )
}

fn switch(view: &View<'_>, path: &str, name: &str, words: &str, rule: &str) -> Html {
    let buttons: Html = [("deny", "✕"), ("ask", "◷"), ("allow", "✓")]
        .into_iter()
        .map(|(value, mark)| {
            let pressed = if value == rule { "true" } else { "false" };
            html!(
                "<button id=\"{}-{}\" name=\"rule\" value=\"{}\" class=\"{}\" aria-pressed=\"{}\" aria-label=\"{}: {}\">\
                 <span aria-hidden=\"true\">{} {}</span></button>",
                name, value, value, value, pressed, words, value, mark, value
            )
        })
        .collect();
    let inside = html!(
        "<input type=\"hidden\" name=\"operation\" value=\"{}\"><span class=\"what\">{}</span>\
         <span class=\"segments\" role=\"group\" aria-label=\"{}\">{}</span>",
        name,
        words,
        words,
        buttons
    );
    view.form(&format!("{path}/permit"), "switch", inside)
}

fn limits(view: &View<'_>, path: &str, detail: &DeviceDetail) -> Html {
    let numbers: Html = [
        ("requests_per_minute", "Requests a minute", u64::from(detail.requests_per_minute)),
        ("tokens_per_day", "Tokens a day", detail.tokens.1),
        ("pictures_per_day", "Pictures a day", detail.pictures.1),
        ("bytes_per_day", "Bytes a day", detail.bytes.1),
        ("seconds_per_day", "Seconds of work a day", detail.seconds.1),
    ]
    .into_iter()
    .map(|(name, words, value)| {
        html!(
            "<label>{}<input name=\"{}\" inputmode=\"numeric\" pattern=\"[0-9]+\" required value=\"{}\"></label>",
            words, name, value
        )
    })
    .collect();
    let lists: Html = [
        ("language_models", "Language models", &detail.language_models),
        ("image_models", "Picture models", &detail.image_models),
        ("urls", "Addresses to download from", &detail.urls),
    ]
    .into_iter()
    .map(|(name, words, list)| {
        let lines: Html = list.iter().map(|line| html!("{}\n", line)).collect();
        html!(
            "<label>{}, one a line<textarea name=\"{}\" rows=\"3\" spellcheck=\"false\">\n{}</textarea></label>",
            words, name, lines
        )
    })
    .collect();
    view.form(
        &format!("{path}/limit"),
        "card grid",
        html!(
            "{}{}<div><button class=\"main\">Set limits</button></div>",
            numbers,
            lists
        ),
    )
}

fn pairing(view: &View<'_>, path: &str, one: &Device) -> Html {
    let rename = view.form(
        &format!("{path}/rename"),
        "",
        html!(
            "<label>Name<input name=\"name\" required maxlength=\"64\" value=\"{}\"></label><button>Rename</button>",
            one.name
        ),
    );
    let renew = view.form(
        &format!("{path}/renew"),
        "",
        html!("<label>Days from now<input name=\"days\" inputmode=\"numeric\" pattern=\"[0-9]+\" required value=\"{}\"></label><button>Renew</button>", 30u64),
    );
    let revoke = view.form(
        &format!("{path}/revoke"),
        "",
        html!("<p>Ends the pairing for good, at once. The handheld has to be paired anew.</p><button class=\"danger\">Revoke {}</button>", one.name),
    );
    html!(
        "<div class=\"card inline\">{}{}<details><summary>Revoke…</summary>{}</details></div>",
        rename,
        renew,
        revoke
    )
}

pub(super) fn permit(view: &View<'_>) -> Response {
    let params = json!({
        "device": view.piece(0), "operation": view.field("operation"), "rule": view.field("rule"),
    });
    view.act("devices.permit", params, &here(view))
}

pub(super) fn limit(view: &View<'_>) -> Response {
    let mut params = serde_json::Map::new();
    params.insert("device".into(), view.piece(0).into());
    for name in [
        "requests_per_minute",
        "tokens_per_day",
        "pictures_per_day",
        "bytes_per_day",
        "seconds_per_day",
    ] {
        match view.field(name).trim().parse::<u64>() {
            Ok(number) => params.insert(name.into(), number.into()),
            Err(_) => {
                let words = format!("{name} is a number without signs or points");
                return view.failed(&RpcError::new(ErrorKind::Params, words));
            }
        };
    }
    for name in ["language_models", "image_models", "urls"] {
        let lines = view.field(name).lines().map(str::trim);
        let list: Vec<&str> = lines.filter(|line| !line.is_empty()).collect();
        params.insert(name.into(), list.into());
    }
    view.act("devices.limit", Value::Object(params), &here(view))
}

pub(super) fn rename(view: &View<'_>) -> Response {
    let params = json!({ "device": view.piece(0), "name": view.field("name").trim() });
    view.act("devices.rename", params, &here(view))
}

pub(super) fn renew(view: &View<'_>) -> Response {
    let Ok(days) = view.field("days").trim().parse::<u32>() else {
        let words = "days are a number from 1 to 365";
        return view.failed(&RpcError::new(ErrorKind::Params, words));
    };
    let params = json!({ "device": view.piece(0), "days": days });
    view.act("devices.renew", params, &here(view))
}

pub(super) fn revoke(view: &View<'_>) -> Response {
    view.act(
        "devices.revoke",
        json!({ "device": view.piece(0) }),
        "/devices",
    )
}

fn here(view: &View<'_>) -> String {
    format!("/devices/{}", crate::web::http::form::encode(view.piece(0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_proto::opcode::Operation;
    use std::collections::BTreeSet;

    #[test]
    fn every_operation_has_words() {
        let named: BTreeSet<&str> = OPERATIONS
            .iter()
            .flat_map(|(_, list)| list.iter().map(|(name, _)| *name))
            .collect();
        let there: BTreeSet<&str> = Operation::ALL.into_iter().map(Operation::name).collect();
        assert_eq!(named, there);
    }
}
