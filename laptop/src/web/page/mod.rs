//! The page: server-made HTML that can be read and used without JavaScript; a small script keeps it fresh.

mod activity;
mod device;
mod editor;
mod html;
mod log;
mod overview;
mod pairing;
mod plot;
mod system;

use super::daemon::Daemon;
use super::http::{Request, Response, Router, form};
use crate::control::api::{Pending, Status};
use crate::control::{ErrorKind, RpcError};
use html::{Html, html};
use serde_json::Value;

/// What makes one answer.
type Act = fn(&View<'_>) -> Response;

/// The pages and what their forms do.
pub(super) const ROUTES: Router<Act> = Router(&[
    ("GET", "/", overview::show as Act),
    ("POST", "/logout", |_| Response::new(404)),
    ("GET", "/requests", overview::requests),
    ("POST", "/requests/:/allow", overview::allow),
    ("POST", "/requests/:/always", overview::always),
    ("POST", "/requests/:/deny", overview::deny),
    ("GET", "/devices", device::list),
    ("GET", "/devices/:", device::show),
    ("POST", "/devices/:/permit", device::permit),
    ("POST", "/devices/:/limit", device::limit),
    ("POST", "/devices/:/rename", device::rename),
    ("POST", "/devices/:/renew", device::renew),
    ("POST", "/devices/:/revoke", device::revoke),
    ("GET", "/activity", activity::show),
    ("GET", "/usage", activity::usage),
    ("GET", "/providers", system::providers),
    ("GET", "/ledger", system::ledger),
    ("GET", "/settings", system::settings),
    ("GET", "/settings/:", editor::show),
    ("POST", "/settings/:/try", editor::attempt),
    ("POST", "/settings/:/save", editor::save),
    ("GET", "/logs", log::show),
    ("POST", "/models/enable", system::enable_model),
    ("POST", "/models/disable", system::disable_model),
    ("POST", "/tokens/make", system::make_token),
    ("POST", "/tokens/revoke", system::revoke_token),
    ("GET", "/setup", pairing::setup),
    ("GET", "/pair", pairing::show),
    ("POST", "/pair/open", pairing::open),
    ("POST", "/pair/type", pairing::typed),
    ("POST", "/pair/cancel", pairing::cancel),
]);

/// Where the navigation leads.
const PLACES: [(&str, &str); 10] = [
    ("/", "Overview"),
    ("/requests", "Requests"),
    ("/devices", "Devices"),
    ("/activity", "Activity"),
    ("/usage", "Usage"),
    ("/providers", "Providers"),
    ("/ledger", "Ledger"),
    ("/settings", "Settings"),
    ("/logs", "Logs"),
    ("/setup", "Set-up"),
];

/// A request to the page by somebody who was let in.
pub(super) struct View<'a> {
    pub(super) daemon: &'a Daemon,
    pub(super) form_token: &'a str,
    /// What the route took of the path.
    pub(super) pieces: &'a [String],
    /// The fields of a form.
    pub(super) fields: &'a [(String, String)],
    pub(super) request: &'a Request,
}

impl View<'_> {
    fn piece(&self, at: usize) -> &str {
        self.pieces.get(at).map_or("", String::as_str)
    }

    fn field(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        fields
            .find(|(own, _)| own == name)
            .map_or("", |(_, value)| value.as_str())
    }

    /// A form that posts to `action`.
    fn form(&self, action: &str, class: &str, inside: Html) -> Html {
        html!(
            "<form method=\"post\" action=\"{}\" class=\"{}\"><input type=\"hidden\" name=\"token\" value=\"{}\">{}</form>",
            action,
            class,
            self.form_token,
            inside
        )
    }

    /// A whole page.
    fn page(&self, title: &str, main: Html) -> Response {
        layout(
            self.daemon,
            self.form_token,
            self.request.path(),
            200,
            title,
            main,
        )
    }

    /// A page that says what went wrong.
    fn failed(&self, error: &RpcError) -> Response {
        let status = match error.kind() {
            ErrorKind::NotFound => 404,
            ErrorKind::Conflict => 409,
            ErrorKind::Params => 422,
            ErrorKind::Unavailable => 503,
            _ => 500,
        };
        let main = html!(
            "<p class=\"notice stop\" role=\"alert\"><b aria-hidden=\"true\">!</b> {}</p><p><a href=\"{}\">Back</a></p>",
            error.message,
            back(self.request.path())
        );
        let title = match error.kind() {
            ErrorKind::Unavailable => "The laptop does not answer",
            _ => "That did not work",
        };
        layout(
            self.daemon,
            self.form_token,
            self.request.path(),
            status,
            title,
            main,
        )
    }

    /// Calls a method and goes to `place` when it is done.
    fn act(&self, method: &str, params: Value, place: &str) -> Response {
        match self.daemon.forward(method, params) {
            Ok(_) => Response::new(303).header("Location", place),
            Err(error) => self.failed(&error),
        }
    }
}

/// The page that a form stands on.
fn back(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some(("", _)) | None => "/",
        Some((start, _)) => match start {
            "/pair" | "/devices" => start,
            "/tokens" => "/settings",
            "/models" => "/providers",
            _ if start.starts_with("/requests") => "/requests",
            _ => start,
        },
    }
}

/// What is the same for everybody and needs no session.
pub(super) fn asset(request: &Request) -> Option<Response> {
    let (kind, text) = match request.path() {
        "/style.css" => ("text/css; charset=utf-8", include_str!("style.css")),
        "/page.js" => ("text/javascript; charset=utf-8", include_str!("page.js")),
        "/icon.svg" => ("image/svg+xml", include_str!("icon.svg")),
        _ => return None,
    };
    let response = Response::new(200)
        .header("Content-Type", kind)
        .header("Cache-Control", "no-cache")
        .header("X-Content-Type-Options", "nosniff");
    Some(response.body(text))
}

/// Where a browser shows a code.
pub(super) fn login(error: Option<&str>) -> Response {
    let said = error.map_or_else(Html::default, |words| {
        html!(
            "<p class=\"notice stop\" role=\"alert\"><b aria-hidden=\"true\">!</b> {}</p>",
            words
        )
    });
    let main = html!(
        "<main class=\"login\"><h1><img src=\"/icon.svg\" alt=\"\" width=\"40\" height=\"40\">OfficeOS</h1>{}\
         <form method=\"post\" action=\"/login\" class=\"card\">\
         <p>This page is for the owner of this laptop. Type <code>officectl page</code> in a terminal: it opens the page, or shows a code.</p>\
         <label for=\"code\">Code</label><input id=\"code\" name=\"code\" required autofocus autocomplete=\"off\" spellcheck=\"false\">\
         <button class=\"main\">Log in</button></form></main>",
        said
    );
    let status = if error.is_some() { 403 } else { 200 };
    whole(status, "Log in", main)
}

/// There is no such page.
pub(super) fn missing(daemon: &Daemon, form_token: &str) -> Response {
    let main = html!(
        "<p>There is no such page.</p><p><a href=\"{}\">Overview</a></p>",
        "/"
    );
    layout(daemon, form_token, "", 404, "Not here", main)
}

fn layout(
    daemon: &Daemon,
    form_token: &str,
    path: &str,
    status: u16,
    title: &str,
    main: Html,
) -> Response {
    let pending = daemon.call::<Vec<Pending>>("pending.list", Value::Null);
    let laptop = daemon.call::<Status>("status", Value::Null);
    let links: Html = PLACES
        .into_iter()
        .map(|(place, name)| {
            let here = match place {
                "/" => path == "/",
                _ => path == place || path.starts_with(&format!("{place}/")),
            };
            let badge = match &pending {
                Ok(waiting) if place == "/requests" && !waiting.is_empty() => html!(
                    " <span class=\"badge\">{}<span class=\"unseen\"> waiting</span></span>",
                    waiting.len()
                ),
                _ => Html::default(),
            };
            let current = Html(if here { " aria-current=\"page\"" } else { "" }.to_owned());
            html!(
                "<li><a href=\"{}\"{}>{}{}</a></li>",
                place,
                current,
                name,
                badge
            )
        })
        .collect();
    let name = laptop.map_or_else(|_| "does not answer".to_owned(), |laptop| laptop.name);
    let body = html!(
        "<a class=\"skip\" href=\"#main\">To the content</a>\
         <header><a class=\"home\" href=\"/\"><img src=\"/icon.svg\" alt=\"\" width=\"28\" height=\"28\">OfficeOS</a>\
         <span class=\"laptop\">{}</span><span id=\"live\" class=\"live\" hidden></span>\
         <form method=\"post\" action=\"/logout\"><input type=\"hidden\" name=\"token\" value=\"{}\"><button>Log out</button></form></header>\
         <nav aria-label=\"Pages\" id=\"pages\" data-live><ul>{}</ul></nav>\
         <main id=\"main\" tabindex=\"-1\"><h1>{}</h1>{}</main><div id=\"toast\" role=\"status\" aria-live=\"polite\"></div>",
        name,
        form_token,
        links,
        title,
        main
    );
    whole(status, title, body)
}

fn whole(status: u16, title: &str, body: Html) -> Response {
    let text = html!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{} · OfficeOS</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\">\
         <link rel=\"icon\" href=\"/icon.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"/style.css\">\
         <script src=\"/page.js\" defer></script></head><body>{}</body></html>",
        title,
        body
    );
    Response::html(status, text.0)
        .header(
            "Content-Security-Policy",
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        )
        .header("X-Content-Type-Options", "nosniff")
        .header("X-Frame-Options", "DENY")
        .header("Referrer-Policy", "same-origin")
        .header("Cross-Origin-Opener-Policy", "same-origin")
        .header("Cross-Origin-Resource-Policy", "same-origin")
        .header("Cache-Control", "no-store")
}

/// The path of a device's page.
fn device_path(id: i64) -> String {
    format!("/devices/{}", form::encode(&id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_leads_back_to_its_page() {
        for (path, wanted) in [
            ("/devices/1/permit", "/devices/1"),
            ("/requests/4/allow", "/requests"),
            ("/pair/open", "/pair"),
            ("/tokens/make", "/settings"),
            ("/models/disable", "/providers"),
            ("/settings/daemon/save", "/settings/daemon"),
            ("/devices/9", "/devices"),
            ("/usage", "/"),
        ] {
            assert_eq!(back(path), wanted, "{path}");
        }
    }

    #[test]
    fn nothing_in_the_page_is_inline() {
        for text in [
            include_str!("overview.rs"),
            include_str!("device.rs"),
            include_str!("editor.rs"),
            include_str!("log.rs"),
            include_str!("activity.rs"),
            include_str!("system.rs"),
            include_str!("pairing.rs"),
            include_str!("plot.rs"),
        ] {
            for banned in ["style=", "<script", "onclick", "javascript:"] {
                assert!(!text.contains(banned), "{banned}");
            }
        }
        let response = whole(200, "x", Html::default());
        let policy = response
            .header_value("Content-Security-Policy")
            .expect("a policy");
        assert!(!policy.contains("unsafe"), "{policy}");
    }
}
