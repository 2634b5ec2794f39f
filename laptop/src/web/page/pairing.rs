//! Pairing, and the way through the set-up.

use super::View;
use super::html::{Html, html, span};
use crate::control::RpcError;
use crate::control::api::{Device, PairReport, PairStatus, Provider, Status};
use crate::web::http::Response;
use serde_json::{Value, json};

pub(super) fn show(view: &View<'_>) -> Response {
    match view.daemon.call::<PairReport>("pair.status", Value::Null) {
        Ok(report) => view.page(
            "Pair a handheld",
            html!(
                "<div id=\"pairing\" data-live data-pairing>{}</div>",
                state(view, &report)
            ),
        ),
        Err(error) => view.failed(&error),
    }
}

fn state(view: &View<'_>, report: &PairReport) -> Html {
    let cancel = || view.form("/pair/cancel", "", html!("<button>{}</button>", "Cancel"));
    let left = |seconds: &u64| {
        html!(
            "<p class=\"muted\">Closes in <span data-ends=\"{}\">{}</span>.</p>",
            *seconds,
            span(*seconds as i64)
        )
    };
    let open = |words: &str| {
        view.form(
            "/pair/open",
            "",
            html!("<button class=\"main\">{}</button>", words),
        )
    };
    match &report.status {
        PairStatus::Closed => html!(
            "<section class=\"card\"><p>Opens a window of two minutes. On the handheld, choose Laptop, then Pair another laptop; it shows six digits, which you type here.</p>{}</section>",
            open("Open the window")
        ),
        PairStatus::Waiting { closes_in_s } => {
            let network = report.network.as_ref().map_or_else(Html::default, |network| {
                html!(
                    "<p>A handheld without Wi-Fi Direct joins the network <code>{}</code> with the passphrase <code>{}</code>.</p>",
                    network.name, network.passphrase
                )
            });
            let trouble = report.trouble.as_ref().map_or_else(Html::default, |words| {
                html!(
                    "<p class=\"wait\"><b aria-hidden=\"true\">!</b> Wi-Fi Direct: {}</p>",
                    words
                )
            });
            html!(
                "<section class=\"card\"><h2><b class=\"wait\" aria-hidden=\"true\">◷</b> Waiting for a handheld</h2>\
                 <p>On the handheld: Laptop, then Pair another laptop.</p>{}{}{}{}</section>",
                network,
                trouble,
                left(closes_in_s),
                cancel()
            )
        }
        PairStatus::Digits { closes_in_s, name } => {
            let typed = view.form(
                "/pair/type",
                "digits",
                html!(
                    "<label for=\"digits\">The six digits that {} shows</label>\
                     <input id=\"digits\" name=\"digits\" required inputmode=\"numeric\" autocomplete=\"off\" pattern=\"[0-9 ]{{6,7}}\" maxlength=\"7\" autofocus>\
                     <button class=\"main\">Compare</button>",
                    name
                ),
            );
            html!(
                "<section class=\"card\">{}{}{}</section>",
                typed,
                left(closes_in_s),
                cancel()
            )
        }
        PairStatus::Confirming { closes_in_s, name } => html!(
            "<section class=\"card\"><h2><b class=\"ok\" aria-hidden=\"true\">✓</b> The digits are right</h2><p>Now press A on {}.</p>{}{}</section>",
            name,
            left(closes_in_s),
            cancel()
        ),
        PairStatus::Paired { device, name } => html!(
            "<section class=\"card\"><h2><b class=\"ok\" aria-hidden=\"true\">✓</b> {} is paired</h2>\
             <p>It asks for everything until you say otherwise.</p><p><a class=\"button main\" href=\"{}\">What it may do</a></p>{}</section>",
            name,
            super::device_path(*device),
            open("Pair another")
        ),
        PairStatus::Failed { reason } => html!(
            "<section class=\"card\"><p class=\"stop\" role=\"alert\"><b aria-hidden=\"true\">!</b> {}</p>{}</section>",
            reason,
            open("Try again")
        ),
    }
}

pub(super) fn open(view: &View<'_>) -> Response {
    view.act("pair.open", Value::Null, "/pair")
}

pub(super) fn typed(view: &View<'_>) -> Response {
    view.act(
        "pair.type",
        json!({ "digits": view.field("digits") }),
        "/pair",
    )
}

pub(super) fn cancel(view: &View<'_>) -> Response {
    view.act("pair.cancel", Value::Null, "/pair")
}

pub(super) fn setup(view: &View<'_>) -> Response {
    match steps(view) {
        Ok(main) => view.page("Set-up", main),
        Err(error) => view.failed(&error),
    }
}

fn steps(view: &View<'_>) -> Result<Html, RpcError> {
    let status: Status = view.daemon.call("status", Value::Null)?;
    let findings: Vec<String> = view.daemon.call("config.check", Value::Null)?;
    let providers: Vec<Provider> = view.daemon.call("providers.list", Value::Null)?;
    let devices: Vec<Device> = view.daemon.call("devices.list", Value::Null)?;
    let mistakes = findings
        .iter()
        .filter(|one| one.contains("error: "))
        .count();
    let silent: Vec<&str> = status
        .services
        .iter()
        .filter(|(_, answers)| !**answers)
        .map(|(name, _)| name.as_str())
        .collect();
    let able = |service: &str| {
        providers
            .iter()
            .filter(|one| one.service == service && one.health != "unhealthy" && one.models > 0)
            .map(|one| one.name.as_str())
            .collect::<Vec<_>>()
    };
    let (language, image) = (able("language"), able("image"));
    let held = devices
        .iter()
        .filter(|one| one.standing != "revoked")
        .count();
    let list = |names: &[&str], none: &str| match names.is_empty() {
        true => none.to_owned(),
        false => names.join(", "),
    };
    let steps: Html = [
        (
            mistakes == 0,
            "Settings",
            format!("This laptop is called {}. {mistakes} mistakes in the settings files.", status.name),
            "/settings",
            "Look at the settings",
        ),
        (
            silent.is_empty() && !status.services.is_empty(),
            "Services",
            match silent.is_empty() {
                true => format!("{} services answer.", status.services.len()),
                false => format!("No answer from {}.", silent.join(", ")),
            },
            "/",
            "See the overview",
        ),
        (
            !language.is_empty(),
            "Language models",
            format!("From {}.", list(&language, "nobody yet: start Ollama, LM Studio or llama.cpp, or name a provider in services.toml")),
            "/providers",
            "Look at the providers",
        ),
        (
            !image.is_empty(),
            "Picture models",
            format!("From {}.", list(&image, "nobody yet: start a Stable Diffusion server, or name a provider in services.toml")),
            "/providers",
            "Look at the providers",
        ),
        (
            !status.carriers.is_empty() && status.trouble.is_none(),
            "Link",
            status.trouble.clone().unwrap_or_else(|| match status.carriers.len() {
                0 => "link-service is not there.".to_owned(),
                count => format!("{count} carriers listen."),
            }),
            "/",
            "See the carriers",
        ),
        (
            held > 0,
            "A handheld",
            match held {
                0 => "None is paired yet.".to_owned(),
                count => format!("{count} paired."),
            },
            "/pair",
            "Pair a handheld",
        ),
        (
            held > 0,
            "Permissions",
            "A new device asks for everything. Allow what you do not want to be asked about.".to_owned(),
            "/devices",
            "Look at the devices",
        ),
    ]
    .into_iter()
    .map(|(done, title, words, place, link)| {
        let (class, mark, state) = match done {
            true => ("ok", "✓", "done"),
            false => ("wait", "◷", "to do"),
        };
        html!(
            "<li class=\"card\"><h2><b class=\"{}\" aria-hidden=\"true\">{}</b> {} <span class=\"{}\">{}</span></h2><p>{}</p><p><a href=\"{}\">{}</a></p></li>",
            class, mark, title, class, state, words, place, link
        )
    })
    .collect();
    Ok(html!("<ol class=\"plain steps\">{}</ol>", steps))
}
