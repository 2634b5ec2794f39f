//! Providers, ledger, settings and tokens.

use super::View;
use super::html::{Html, html};
use crate::control::RpcError;
use crate::control::api::{
    ConfigReport, LedgerPart, LedgerReport, MadeToken, Model, Provider, Token,
};
use crate::web::http::Response;
use serde_json::{Value, json};

/// Entries of the ledger on its page.
const SHOWN_ENTRIES: u64 = 60;

pub(super) fn providers(view: &View<'_>) -> Response {
    let found: Result<(Vec<Provider>, Vec<Model>), RpcError> = view
        .daemon
        .call("providers.list", Value::Null)
        .and_then(|list| Ok((list, view.daemon.call("models", Value::Null)?)));
    let (providers, models) = match found {
        Ok(found) => found,
        Err(error) => return view.failed(&error),
    };
    let cards: Html = providers
        .iter()
        .map(|one| {
            let (class, mark) = match one.health.as_str() {
                "healthy" => ("ok", "✓"),
                "degraded" => ("wait", "!"),
                _ => ("stop", "✕"),
            };
            let count = match one.models {
                1 => "1 model".to_owned(),
                count => format!("{count} models"),
            };
            let place = match one.address.as_str() {
                "" => "inside OfficeOS",
                address => address,
            };
            html!(
                "<li class=\"card\"><h3>{} <span class=\"muted\">{}</span></h3>\
                 <p class=\"{}\"><b aria-hidden=\"true\">{}</b> {}</p><p>{}</p><p class=\"muted\">{} · {}</p></li>",
                one.name, one.service, class, mark, one.health, one.reason, place, count
            )
        })
        .collect();
    let rows: Html = models
        .iter()
        .map(|model| {
            let state = match model.loaded {
                Some(true) => "loaded",
                Some(false) => "on disk",
                None => "",
            };
            let usual = match (model.default, model.embeds) {
                (true, _) => "usual",
                (false, Some(true)) => "embeddings",
                (false, _) => "",
            };
            let (state, place, word) = match model.enabled {
                true => (state, "/models/disable", "Switch off"),
                false => ("off", "/models/enable", "Switch on"),
            };
            let switch = view.form(
                place,
                "",
                html!(
                    "<input type=\"hidden\" name=\"id\" value=\"{}\"><button aria-label=\"{} {}\">{}</button>",
                    model.id,
                    word,
                    model.id,
                    word
                ),
            );
            html!(
                "<tr><td>{}<td>{}<td>{}<td>{}<td>{}<td>{}</tr>",
                model.service,
                model.id,
                state,
                usual,
                model.note,
                switch
            )
        })
        .collect();
    let none = match providers.is_empty() {
        true => html!(
            "<p class=\"notice\">No service answers, so there are no providers{}</p>",
            "."
        ),
        false => Html::default(),
    };
    view.page(
        "Providers",
        html!(
            "{}<ul class=\"plain cards\">{}</ul><p class=\"muted\">Asked for now; nothing is polled. Further ones: <code>services.toml</code>.</p>\
             <h2>Models</h2><p class=\"muted\">One that is off is asked by nobody, neither device nor program.</p>\
             <div class=\"scroll\" id=\"models\" data-live><table><thead><tr><th>Service<th>Model<th>State<th><th>Note<th></tr></thead><tbody>{}</tbody></table></div>",
            none, cards, rows
        ),
    )
}

pub(super) fn enable_model(view: &View<'_>) -> Response {
    let params = json!({ "id": view.field("id") });
    view.act("models.enable", params, "/providers")
}

pub(super) fn disable_model(view: &View<'_>) -> Response {
    let params = json!({ "id": view.field("id") });
    view.act("models.disable", params, "/providers")
}

pub(super) fn ledger(view: &View<'_>) -> Response {
    let part: LedgerPart = match view
        .daemon
        .call("ledger.read", json!({ "last": SHOWN_ENTRIES }))
    {
        Ok(part) => part,
        Err(error) => return view.failed(&error),
    };
    let verified = match view.request.query("verify") {
        None => Html::default(),
        Some(_) => match view
            .daemon
            .call::<LedgerReport>("ledger.verify", Value::Null)
        {
            Err(error) => return view.failed(&error),
            Ok(report) => verdict(&report),
        },
    };
    let rows: Html = part
        .lines
        .iter()
        .zip(&part.times)
        .rev()
        .map(|(line, time)| entry(line, time))
        .collect();
    view.page(
        "Ledger",
        html!(
            "<p>Who asked for what, the verdict, the cost and the outcome, never the content. Every entry carries the hash of the one before it.</p>{}\
             <form method=\"get\" action=\"/ledger\"><button class=\"main\" name=\"verify\" value=\"1\">Verify the whole ledger</button></form>\
             <div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Entries\"><table><thead><tr><th class=\"number\">Entry<th>When<th>What<th>Details</tr></thead><tbody>{}</tbody></table></div>",
            verified, rows
        ),
    )
}

fn verdict(report: &LedgerReport) -> Html {
    match &report.flaw {
        None => html!(
            "<p class=\"notice\" role=\"status\"><b class=\"ok\" aria-hidden=\"true\">✓</b> All {} entries hold; {} requests carry their handheld's signature, \
             {} checkpoints that of the ledger's key <code>{}</code>.</p>",
            report.entries,
            report.requests,
            report.checkpoints,
            report.key
        ),
        Some(flaw) => html!(
            "<p class=\"notice stop\" role=\"alert\"><b aria-hidden=\"true\">!</b> The ledger does not hold: {}. {} entries before it do.</p>",
            flaw,
            report.entries
        ),
    }
}

/// One line of the ledger. One that is no JSON is shown as it is: verifying names what is wrong with it.
fn entry(line: &str, time: &str) -> Html {
    // The entry, a space and its hash.
    let text = line.rsplit_once(' ').map_or(line, |(text, _)| text);
    let value: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let Some(fields) = value.as_object() else {
        return html!(
            "<tr><td><td><time>{}</time><td>no entry<td><code>{}</code></tr>",
            time,
            line
        );
    };
    let event = fields.get("event").and_then(Value::as_object);
    let what = event
        .and_then(|event| event.get("what"))
        .or_else(|| fields.get("what"))
        .and_then(Value::as_str)
        .unwrap_or("entry");
    let long = [
        "signature",
        "exporter",
        "digest",
        "key",
        "previous",
        "what",
        "number",
        "at",
        "hash",
    ];
    let details: Html = event
        .unwrap_or(fields)
        .iter()
        .filter(|(name, _)| !long.contains(&name.as_str()))
        .map(|(name, value)| {
            let shown = match value {
                Value::String(text) => text.clone(),
                other => plain(other),
            };
            html!(
                "<span class=\"fact\"><span class=\"muted\">{}</span> {}</span> ",
                name,
                shown
            )
        })
        .collect();
    let number = fields
        .get("number")
        .or_else(|| fields.get("n"))
        .and_then(Value::as_u64)
        .map(|number| number.to_string())
        .unwrap_or_default();
    html!(
        "<tr><td class=\"number\">{}<td><time>{}</time><td class=\"word\">{}<td>{}</tr>",
        number,
        time,
        what,
        details
    )
}

/// Lists and tables of the ledger in words.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(plain).collect::<Vec<_>>().join(", "),
        Value::Object(fields) => fields
            .iter()
            .filter(|(_, value)| *value != &json!(0) && *value != &json!(""))
            .map(|(name, value)| format!("{name} {}", plain(value)))
            .collect::<Vec<_>>()
            .join(" "),
        other => other.to_string(),
    }
}

pub(super) fn settings(view: &View<'_>) -> Response {
    match all_settings(view, Html::default()) {
        Ok(main) => view.page("Settings", main),
        Err(error) => view.failed(&error),
    }
}

fn all_settings(view: &View<'_>, said: Html) -> Result<Html, RpcError> {
    let findings: Vec<String> = view.daemon.call("config.check", Value::Null)?;
    let report: ConfigReport = view.daemon.call("config.show", Value::Null)?;
    let tokens: Vec<Token> = view.daemon.call("tokens.list", Value::Null)?;
    let found = match findings.is_empty() {
        true => html!(
            "<p class=\"notice\"><b class=\"ok\" aria-hidden=\"true\">{}</b> The settings files are fine.</p>",
            "✓"
        ),
        false => {
            let lines: Html = findings
                .iter()
                .map(|one| {
                    let class = if one.contains("error: ") {
                        "stop"
                    } else {
                        "wait"
                    };
                    html!(
                        "<li class=\"{}\"><b aria-hidden=\"true\">!</b> {}</li>",
                        class,
                        one
                    )
                })
                .collect();
            html!("<ul class=\"notice plain\">{}</ul>", lines)
        }
    };
    let pending = match report.pending.is_empty() {
        true => Html::default(),
        false => html!(
            "<p class=\"notice wait\"><b aria-hidden=\"true\">◷</b> Not in force yet: {}</p>",
            report.pending.join(", ")
        ),
    };
    let mut last = String::new();
    let mut rows = Html::default();
    for one in &report.settings {
        let part = format!("{} [{}]", one.file, one.section);
        if part != last {
            rows.0.push_str(
                &html!(
                    "<tr><th colspan=\"2\" scope=\"rowgroup\">{}</th></tr>",
                    part
                )
                .0,
            );
            last = part;
        }
        let class = if one.default { "muted" } else { "" };
        rows.0.push_str(
            &html!(
                "<tr><td>{}<td class=\"{}\"><code>{}</code></tr>",
                one.key,
                class,
                one.value
            )
            .0,
        );
    }
    let kept: Html = tokens
        .iter()
        .map(|one| {
            let access = match one.access {
                crate::control::api::Access::Read => "reads",
                crate::control::api::Access::Full => "reads and changes",
            };
            let revoke = view.form(
                "/tokens/revoke",
                "",
                html!(
                    "<input type=\"hidden\" name=\"name\" value=\"{}\"><button class=\"danger\" aria-label=\"Revoke {}\">Revoke</button>",
                    one.name, one.name
                ),
            );
            html!("<tr><td>{}<td>{}<td>{}<td>{}</tr>", one.name, access, one.made, revoke)
        })
        .collect();
    let kept = match tokens.is_empty() {
        true => html!("<p class=\"muted\">No program has one{}</p>", "."),
        false => html!(
            "<div class=\"scroll\"><table><thead><tr><th>Name<th>May<th>Made<th></tr></thead><tbody>{}</tbody></table></div>",
            kept
        ),
    };
    let make = view.form(
        "/tokens/make",
        "inline",
        html!(
            "<label>Name<input name=\"name\" required maxlength=\"64\" placeholder=\"{}\"></label>\
             <label>May<select name=\"access\"><option value=\"read\">read</option><option value=\"full\">read and change</option></select></label>\
             <button>Make a token</button>",
            "grafana"
        ),
    );
    Ok(html!(
        "{}{}{}<p class=\"muted\">The files are <code>{}</code> and the two beside it; change them here, or with <code>officectl config edit</code>:</p><ul>{}</ul><p class=\"muted\">Values in grey are defaults.</p><div class=\"scroll\"><table class=\"settings\"><tbody>{}</tbody></table></div>\
         <h2>Tokens</h2><p class=\"muted\">For programs of this machine that use the control API at <code>/rpc</code> and <code>/events</code>.</p>{}<div class=\"card\">{}</div>",
        said,
        found,
        pending,
        report.file,
        super::editor::links(),
        rows,
        kept,
        make
    ))
}

pub(super) fn make_token(view: &View<'_>) -> Response {
    let params = json!({ "name": view.field("name").trim(), "access": view.field("access") });
    let made: Result<MadeToken, RpcError> = view.daemon.call("tokens.make", params);
    let shown = made.and_then(|made| {
        let said = html!(
            "<p class=\"notice\" role=\"status\"><b class=\"ok\" aria-hidden=\"true\">✓</b> Token {}, shown this once: <code class=\"secret\">{}</code></p>",
            made.token.name, made.secret
        );
        all_settings(view, said)
    });
    match shown {
        Ok(main) => view.page("Settings", main),
        Err(error) => view.failed(&error),
    }
}

pub(super) fn revoke_token(view: &View<'_>) -> Response {
    view.act(
        "tokens.revoke",
        json!({ "name": view.field("name") }),
        "/settings",
    )
}
