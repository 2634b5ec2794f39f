//! One settings file: read by everybody who is let in, changed where the daemon may write it. What it says is checked while
//! it is typed, by the rules of `officectl config edit`; without a script by a button.

use super::View;
use super::html::{Html, Raw, html};
use crate::control::api::{ConfigText, ReloadReport};
use crate::control::{ErrorKind, RpcError};
use crate::web::http::Response;
use serde_json::json;

/// The files, by the name in the address.
const FILES: [(&str, &str); 3] = [
    ("daemon", "daemon.toml"),
    ("permissions", "permissions.toml"),
    ("services", "services.toml"),
];

/// Links to the files.
pub(super) fn links() -> Html {
    FILES
        .into_iter()
        .map(|(place, name)| html!("<li><a href=\"/settings/{}\">{}</a></li>", place, name))
        .collect()
}

/// What is shown beside the text.
struct Shown {
    text: String,
    digest: String,
    said: Html,
}

pub(super) fn show(view: &View<'_>) -> Response {
    let said = match view.request.query("saved") {
        Some(_) => html!(
            "<p class=\"notice\" role=\"status\"><b class=\"ok\" aria-hidden=\"true\">✓</b> {}</p>",
            "Saved and taken over."
        ),
        None => Html::default(),
    };
    page(view, |file| {
        Ok(Shown {
            text: file.text.clone(),
            digest: file.digest.clone(),
            said,
        })
    })
}

/// Says what is to be said about a text, and shows it again.
pub(super) fn attempt(view: &View<'_>) -> Response {
    page(view, |file| {
        let text = typed(view);
        let said = findings(&tried(view, &file.name, &text)?);
        Ok(Shown {
            text,
            digest: view.field("before").to_owned(),
            said,
        })
    })
}

pub(super) fn save(view: &View<'_>) -> Response {
    let Some((place, name)) = known(view) else {
        return missing(view);
    };
    let text = typed(view);
    let params = json!({ "name": name, "text": text, "before": view.field("before") });
    match view.daemon.call::<ReloadReport>("config.write", params) {
        Ok(report) if report.applied => {
            Response::new(303).header("Location", format!("/settings/{place}?saved=1"))
        }
        // The text is the person's work: it comes back with what is wrong about it.
        Ok(report) => page(view, |_| {
            Ok(Shown {
                text,
                digest: view.field("before").to_owned(),
                said: findings(&report.findings),
            })
        }),
        Err(error) => refused(view, text, &error),
    }
}

/// Shows a text again, with what stood in its way.
fn refused(view: &View<'_>, text: String, error: &RpcError) -> Response {
    page(view, |_| {
        Ok(Shown {
            text,
            digest: view.field("before").to_owned(),
            said: html!(
                "<p class=\"notice stop\" role=\"alert\"><b aria-hidden=\"true\">!</b> {}</p>",
                error.message
            ),
        })
    })
}

fn known(view: &View<'_>) -> Option<(&'static str, &'static str)> {
    let mut files = FILES.into_iter();
    files.find(|(place, _)| *place == view.piece(0))
}

fn missing(view: &View<'_>) -> Response {
    let words = "there is no such settings file";
    view.failed(&RpcError::new(ErrorKind::NotFound, words))
}

/// What was typed, with the ends of lines that the files have: a form sends its own.
fn typed(view: &View<'_>) -> String {
    view.field("text").replace("\r\n", "\n")
}

fn tried(view: &View<'_>, name: &str, text: &str) -> Result<Vec<String>, RpcError> {
    let params = json!({ "name": name, "text": text });
    view.daemon.call("config.try", params)
}

/// What is to be said about a text.
fn findings(all: &[String]) -> Html {
    if all.is_empty() {
        return html!(
            "<p class=\"notice\"><b class=\"ok\" aria-hidden=\"true\">✓</b> {}</p>",
            "Nothing is wrong with it."
        );
    }
    let lines: Html = all
        .iter()
        .map(|one| {
            let class = match one.contains("error: ") {
                true => "stop",
                false => "wait",
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

fn page(view: &View<'_>, shown: impl FnOnce(&ConfigText) -> Result<Shown, RpcError>) -> Response {
    let Some((place, name)) = known(view) else {
        return missing(view);
    };
    let read = view
        .daemon
        .call::<ConfigText>("config.read", json!({ "name": name }))
        .and_then(|file| shown(&file).map(|shown| (file, shown)));
    let (file, shown) = match read {
        Ok(read) => read,
        Err(error) => return view.failed(&error),
    };
    let rows = shown.text.lines().count().clamp(12, 60);
    let (readonly, buttons) = match file.writable {
        true => (
            Html::default(),
            html!(
                "<p><button class=\"main\" formaction=\"/settings/{}/save\">Save and take over</button> \
                 <button formaction=\"/settings/{}/try\">Check</button> <span id=\"unsaved\" class=\"wait\" role=\"status\"></span></p>",
                place,
                place
            ),
        ),
        false => (
            Html(" readonly".to_owned()),
            html!(
                "<p class=\"notice wait\"><b aria-hidden=\"true\">!</b> This file belongs to root. Change it in a terminal: \
                 <code>sudo officectl config edit {}</code></p>",
                place
            ),
        ),
    };
    let form = view.form(
        &format!("/settings/{place}/try"),
        "editor",
        html!(
            "<input type=\"hidden\" name=\"before\" value=\"{}\"><label for=\"text\">{}</label>\
             <textarea id=\"text\" name=\"text\" rows=\"{}\" spellcheck=\"false\" autocomplete=\"off\" data-try=\"/settings/{}/try\"{}>\n{}</textarea>{}",
            shown.digest,
            file.path,
            rows,
            place,
            readonly,
            Raw(&shown.text),
            buttons
        ),
    );
    // What is said stands below, so that no button moves away from under a pointer while somebody types.
    view.page(
        name,
        html!(
            "<p><a href=\"/settings\">All settings</a>. What each key means is said above it, and in the manual {}(5).</p>\
             {}<div id=\"findings\" aria-live=\"polite\">{}</div>",
            name,
            form,
            shown.said
        ),
    )
}
