//! What fetch-service does with a request.

use std::time::Duration;

use ureq::http::Uri;

use crate::ipc::{
    CancelToken, EventSink, Failure, FailureCode, FetchRequest, FinishReason, Handler, Health,
    ProviderHealth, ServiceEvent, ServiceRequest, Usage,
};
use crate::service::BUILT_IN;
use crate::service::http::{Request, Response, Trouble, send_with};
use crate::service::wording::{explain, one_line};

use super::allow::check;
use super::resolve::Guarded;

/// Redirects that are followed at most, whatever a request says.
const MAX_REDIRECTS: u8 = 3;
/// Bytes in one event.
const CHUNK: usize = 32 << 10;

/// The fetch service. It has no settings and no keys.
#[derive(Clone, Copy, Debug, Default)]
pub struct FetchService;

impl FetchService {
    fn fetch(
        self,
        request: &FetchRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        let (url, host, mut response) = self.follow(request, events, cancel)?;
        let length = response
            .header("content-length")
            .and_then(|v| v.parse::<u64>().ok());
        if length.is_some_and(|length| length > request.max_bytes) {
            return Err(too_large(&host, request.max_bytes));
        }
        let content_type = one_line(response.header("content-type").unwrap_or_default());
        events.send(&ServiceEvent::Head {
            url,
            content_type,
            length,
        })?;
        let mut total = 0u64;
        let mut chunk = vec![0u8; CHUNK];
        loop {
            let n = response.read(&mut chunk).map_err(|trouble| match trouble {
                Trouble::Broke(why) => {
                    let text = format!("{host} stopped after {total} bytes: {why}.");
                    Failure::new(FailureCode::ProviderBroke, &host, text)
                }
                other => other.attempt(&host, &host).failure,
            })?;
            total += n as u64;
            if total > request.max_bytes {
                return Err(too_large(&host, request.max_bytes));
            }
            if n == 0 {
                break;
            }
            events.send(&ServiceEvent::Bytes(chunk[..n].to_vec()))?;
        }
        events.send(&ServiceEvent::Usage(Usage {
            bytes: total,
            ..Usage::default()
        }))?;
        events.send(&ServiceEvent::Done(FinishReason::Complete))?;
        Ok(())
    }

    /// Follows redirects, each checked like the first URL, to an answer that has the content.
    fn follow(
        self,
        request: &FetchRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(String, String, Response), Failure> {
        let mut url = request.url.clone();
        let mut redirects = request.max_redirects.min(MAX_REDIRECTS);
        loop {
            let allow_private = check(&url, &request.allow)
                .map_err(|why| Failure::new(FailureCode::UrlRefused, "", why))?;
            let host = url
                .parse::<Uri>()
                .ok()
                .and_then(|u| u.host().map(str::to_owned))
                .unwrap_or_default();
            events.send(&ServiceEvent::Started {
                provider: host.clone(),
                model: String::new(),
            })?;
            let mut get = Request {
                connect: Duration::from_secs(10),
                idle: Duration::from_secs(30),
                ..Request::get(&url)
            };
            get.headers.push(("accept-encoding", "identity".to_owned()));
            let guarded = Guarded::new(allow_private);
            // No proxy: it would resolve names itself, past the check for private addresses.
            let mut response = send_with(&get, cancel, guarded, false)
                .map_err(|trouble| trouble.attempt(&host, &host).failure)?;
            match response.status {
                200 => return Ok((url, host, response)),
                301 | 302 | 303 | 307 | 308 => {
                    let Some(next) = response.header("location").and_then(|to| join(&url, to))
                    else {
                        let text = format!("{host} redirects without saying where to.");
                        return Err(Failure::new(FailureCode::ProviderFailed, &host, text));
                    };
                    if redirects == 0 {
                        let text =
                            format!("{host} redirects once more than this request may follow.");
                        return Err(Failure::new(FailureCode::UrlRefused, &host, text));
                    }
                    redirects -= 1;
                    url = next;
                }
                404 | 410 => {
                    return Err(Failure::new(
                        FailureCode::NotFound,
                        &host,
                        format!("{host} has nothing at that address."),
                    ));
                }
                status => {
                    let body = response.read_all(64 << 10).unwrap_or_default();
                    let code = match status {
                        401 | 403 => FailureCode::KeyRefused,
                        429 => FailureCode::RateLimited,
                        _ => FailureCode::ProviderFailed,
                    };
                    let text = format!("{host} refused the download: {}.", explain(status, &body));
                    return Err(Failure::new(code, &host, text));
                }
            }
        }
    }
}

fn too_large(host: &str, limit: u64) -> Failure {
    Failure::new(
        FailureCode::TooLarge,
        host,
        format!("The file is larger than the {limit} bytes this request allows."),
    )
}

/// The absolute URL of a redirect's target.
fn join(from: &str, to: &str) -> Option<String> {
    let to = to.split('#').next().unwrap_or_default();
    if to.contains("://") {
        return Some(to.to_owned());
    }
    let base: Uri = from.parse().ok()?;
    let (scheme, authority) = (base.scheme_str()?, base.authority()?.as_str());
    if let Some(rest) = to.strip_prefix("//") {
        return Some(format!("{scheme}://{rest}"));
    }
    if to.starts_with('/') {
        return Some(format!("{scheme}://{authority}{to}"));
    }
    let folder = base
        .path()
        .rsplit_once('/')
        .map_or("", |(folder, _)| folder);
    (!to.is_empty()).then(|| format!("{scheme}://{authority}{folder}/{to}"))
}

impl Handler for FetchService {
    fn handle(
        &self,
        request: ServiceRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        match request {
            ServiceRequest::Fetch(request) => return self.fetch(&request, events, cancel),
            ServiceRequest::Models => events.send(&ServiceEvent::Models(Vec::new()))?,
            ServiceRequest::Health => {
                let own = ProviderHealth {
                    provider: BUILT_IN.to_owned(),
                    address: String::new(),
                    health: Health::Healthy,
                };
                events.send(&ServiceEvent::Health(vec![own]))?;
            }
            ServiceRequest::Check => events.send(&ServiceEvent::Checks(Vec::new()))?,
            ServiceRequest::Text(_)
            | ServiceRequest::Embed(_)
            | ServiceRequest::Without(..)
            | ServiceRequest::Picture(_)
            | ServiceRequest::Reload => {
                return Err(Failure::new(
                    FailureCode::Unsupported,
                    "",
                    "The fetch service only downloads.",
                ));
            }
        }
        events.send(&ServiceEvent::Done(FinishReason::Complete))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ipc::AllowedUrl;
    use crate::service::testing::{Reply, Seen, Step, Web, collect};

    fn fetch(
        url: &str,
        max_bytes: u64,
        max_redirects: u8,
        allow: &[(&str, bool)],
    ) -> Vec<ServiceEvent> {
        let allow = allow
            .iter()
            .map(|(pattern, private)| AllowedUrl {
                pattern: (*pattern).into(),
                private: *private,
            })
            .collect();
        let request = ServiceRequest::Fetch(FetchRequest {
            url: url.into(),
            max_bytes,
            max_redirects,
            allow,
        });
        collect(|sink| FetchService.handle(request, sink, &CancelToken::new()))
    }

    fn bytes(events: &[ServiceEvent]) -> Vec<u8> {
        events
            .iter()
            .filter_map(|e| {
                if let ServiceEvent::Bytes(b) = e {
                    Some(b.clone())
                } else {
                    None
                }
            })
            .flatten()
            .collect()
    }

    fn code(events: &[ServiceEvent]) -> Option<FailureCode> {
        events.iter().find_map(|e| {
            if let ServiceEvent::Failed(f) = e {
                Some(f.code)
            } else {
                None
            }
        })
    }

    #[test]
    fn a_download_arrives_whole_with_its_head_and_cost() {
        let content: Vec<u8> = (0..200_000u32).map(|n| (n * 7 % 251) as u8).collect();
        let reply = Reply::bytes("text/plain", content.clone());
        let web = Web::start(move |_| reply.clone());
        let url = web.url("/a/b.txt");
        let events = fetch(&url, 1 << 20, 0, &[(&web.url("/a/"), true)]);
        assert_eq!(
            events[0],
            ServiceEvent::Started {
                provider: "127.0.0.1".into(),
                model: String::new()
            }
        );
        let head = ServiceEvent::Head {
            url,
            content_type: "text/plain".into(),
            length: Some(200_000),
        };
        assert_eq!(events[1], head);
        assert!(bytes(&events) == content);
        assert_eq!(
            events[events.len() - 2],
            ServiceEvent::Usage(Usage {
                bytes: 200_000,
                ..Usage::default()
            })
        );
        assert_eq!(
            events.last(),
            Some(&ServiceEvent::Done(FinishReason::Complete))
        );
        assert_eq!(web.requests().len(), 1);
    }

    #[test]
    fn private_addresses_are_refused_without_asking_them_unless_allowed() {
        let web = Web::start(|_| Reply::json("{}"));
        let events = fetch(&web.url("/"), 100, 0, &[("*", false)]);
        assert_eq!(code(&events), Some(FailureCode::UrlRefused));
        assert_eq!(web.requests().len(), 0);
        assert_eq!(code(&fetch(&web.url("/"), 100, 0, &[("*", true)])), None);
    }

    #[test]
    fn what_is_not_on_the_list_is_not_asked() {
        let web = Web::start(|_| Reply::json("{}"));
        let events = fetch(&web.url("/secret"), 100, 0, &[(&web.url("/public"), true)]);
        assert_eq!(code(&events), Some(FailureCode::UrlRefused));
        assert_eq!(web.requests().len(), 0);
    }

    #[test]
    fn each_redirect_is_checked_and_counted() {
        let web = Web::start(|seen: &Seen| match seen.target.as_str() {
            "/p/one" => Reply::status(302, "").with("location", "two"),
            "/p/two" => Reply::status(301, "").with("location", "/p/three#part"),
            "/p/three" => Reply::bytes("text/plain", b"found".to_vec()),
            _ => Reply::status(302, "").with("location", "/outside"),
        });
        let allow = web.url("/p/");
        let allow = [(allow.as_str(), true)];
        assert_eq!(bytes(&fetch(&web.url("/p/one"), 100, 2, &allow)), b"found");
        assert_eq!(
            code(&fetch(&web.url("/p/one"), 100, 1, &allow)),
            Some(FailureCode::UrlRefused)
        );
        assert_eq!(
            code(&fetch(&web.url("/p/escape"), 100, 3, &allow)),
            Some(FailureCode::UrlRefused)
        );
        assert_eq!(web.asked("GET", "/outside").len(), 0);
    }

    #[test]
    fn sizes_are_kept_whether_told_or_not() {
        let told = Web::start(|_| Reply::bytes("x/y", vec![0; 101]));
        let events = fetch(&told.url("/"), 100, 0, &[("*", true)]);
        assert_eq!(
            (code(&events), bytes(&events).len()),
            (Some(FailureCode::TooLarge), 0)
        );
        let untold = Web::start(|_| {
            Reply::stream(
                "x/y",
                vec![
                    Step::Send(vec![0; 60]),
                    Step::Send(vec![0; 60]),
                    Step::AwaitHangup,
                ],
            )
        });
        let events = fetch(&untold.url("/"), 100, 0, &[("*", true)]);
        assert_eq!(code(&events), Some(FailureCode::TooLarge));
        untold.await_hangup();
    }

    #[test]
    fn missing_refused_and_broken_downloads_are_told_apart() {
        for (reply, expected) in [
            (Reply::status(404, ""), FailureCode::NotFound),
            (Reply::status(403, ""), FailureCode::KeyRefused),
            (Reply::status(500, ""), FailureCode::ProviderFailed),
            (Reply::status(302, ""), FailureCode::ProviderFailed),
            (
                Reply::bytes("x/y", b"abc".to_vec())
                    .with("content-length", "10")
                    .then(Step::Die),
                FailureCode::ProviderBroke,
            ),
        ] {
            let web = Web::start(move |_| reply.clone());
            assert_eq!(
                code(&fetch(&web.url("/"), 100, 1, &[("*", true)])),
                Some(expected)
            );
        }
    }

    #[test]
    fn redirect_targets_are_joined_as_browsers_do() {
        for (to, url) in [
            ("x", "http://h:1/a/x"),
            ("/x", "http://h:1/x"),
            ("//other/x", "http://other/x"),
            ("https://z/#f", "https://z/"),
        ] {
            assert_eq!(join("http://h:1/a/b?c", to).as_deref(), Some(url));
        }
        assert_eq!(join("http://h/a", ""), None);
    }
}
