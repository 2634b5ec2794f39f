//! A service for tests that answers by the last text it is asked, behind a real socket.

use super::{
    CancelToken, EventSink, Failure, FailureCode, FinishReason, Gone, Handler, ServeOptions,
    Server, ServiceEvent, ServiceRequest, Usage, bind,
};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Starts one; returns its socket and how often it was asked.
pub(crate) fn start(name: &str) -> (PathBuf, &'static AtomicUsize) {
    let path =
        std::env::temp_dir().join(format!("officeos-scripted-{}-{name}", std::process::id()));
    let listener = bind(&path, false).unwrap();
    let asked: &'static AtomicUsize = Box::leak(Box::default());
    let uid = nix::unistd::geteuid().as_raw();
    std::thread::spawn(move || {
        Server::new(Scripted { asked }, ServeOptions::for_uid(uid)).run(&listener)
    });
    (path, asked)
}

struct Scripted {
    asked: &'static AtomicUsize,
}

impl Handler for Scripted {
    fn handle(
        &self,
        request: ServiceRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        let (off, request) = request.parted();
        self.asked.fetch_add(1, Ordering::SeqCst);
        let mut send = |event| {
            events
                .send(&event)
                .map_err(|gone: Gone| Failure::from(gone))
        };
        match request {
            ServiceRequest::Text(request) => {
                let text = request
                    .messages
                    .last()
                    .map(|m| m.text.clone())
                    .unwrap_or_default();
                send(ServiceEvent::Started {
                    provider: "scripted".into(),
                    model: "one".into(),
                })?;
                match text.as_str() {
                    "fail" => {
                        return Err(Failure::new(
                            FailureCode::ProviderUnreachable,
                            "scripted",
                            "is not there",
                        ));
                    }
                    "break" => {
                        send(ServiceEvent::Text("half an ".into()))?;
                        return Err(Failure::new(
                            FailureCode::ProviderBroke,
                            "scripted",
                            "went away",
                        ));
                    }
                    "wait" => {
                        send(ServiceEvent::Text("begun".into()))?;
                        while cancel.sleep(std::time::Duration::from_secs(60)) {}
                        return Err(Failure::new(FailureCode::Cancelled, "scripted", ""));
                    }
                    _ => {}
                }
                send(ServiceEvent::Text(format!(
                    "{} turns, ",
                    request.messages.len()
                )))?;
                send(ServiceEvent::Text(format!("echo {text}")))?;
                if !off.is_empty() {
                    let words = format!(", without {}", off.join(" and "));
                    send(ServiceEvent::Text(words))?;
                }
                send(ServiceEvent::Usage(Usage {
                    output_tokens: 3,
                    ..Default::default()
                }))?;
            }
            ServiceRequest::Embed(request) => {
                send(ServiceEvent::Started {
                    provider: "scripted".into(),
                    model: "one".into(),
                })?;
                for text in &request.texts {
                    // A service that has come apart: its vectors differ in length.
                    let len = if text == "odd" { 3 } else { 2 };
                    send(ServiceEvent::Vector(vec![text.len() as f32; len]))?;
                }
                send(ServiceEvent::Usage(Usage {
                    prompt_tokens: 4,
                    ..Default::default()
                }))?;
            }
            ServiceRequest::Fetch(request) => {
                for piece in request.url.as_bytes().chunks(4) {
                    send(ServiceEvent::Bytes(piece.to_vec()))?;
                }
            }
            ServiceRequest::Picture(_) => {
                send(ServiceEvent::Started {
                    provider: "scripted".into(),
                    model: "one".into(),
                })?;
                while cancel.sleep(std::time::Duration::from_secs(60)) {}
                return Err(Failure::new(FailureCode::Cancelled, "scripted", ""));
            }
            _ => {
                return Err(Failure::new(FailureCode::Unsupported, "scripted", "no"));
            }
        }
        send(ServiceEvent::Done(FinishReason::Complete))
    }
}
