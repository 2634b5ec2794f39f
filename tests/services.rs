//! The three service processes, as the daemon starts and asks them.

#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to the lint.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use laptop::ipc::{
    AllowedUrl, ChatMessage, Failure, FailureCode, FetchRequest, FinishReason, PictureFormat,
    PictureKind, PictureRequest, Role, Screen, ServiceClient, ServiceEvent, ServiceRequest,
    TextKind, TextRequest,
};

/// A running service and the folder of its socket; both end with the test.
struct Service {
    child: Child,
    folder: PathBuf,
    client: ServiceClient,
}

impl Service {
    fn start(program: &str, word_ms: u32) -> Self {
        let folder = folder();
        let socket = folder.join("s.sock");
        let child = command(program)
            .arg("--child")
            .arg("--socket")
            .arg(&socket)
            .env("OFFICEOS_BUILTIN_WORD_MS", word_ms.to_string())
            .spawn()
            .unwrap();
        let client = ServiceClient::same_user(&socket);
        let service = Self {
            child,
            folder,
            client,
        };
        let end = Instant::now() + Duration::from_secs(20);
        while service.client.call(&ServiceRequest::Health).is_err() {
            assert!(Instant::now() < end, "{program} never listened");
            std::thread::yield_now();
        }
        service
    }

    fn ask(&self, request: &ServiceRequest) -> Vec<ServiceEvent> {
        self.client.call(request).unwrap().collect()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!(
        "officeos-services-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::SeqCst)
    );
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env("OFFICEOS_DISCOVERY", "off")
        .env("OFFICEOS_BUILTIN_STEP_MS", "0")
        .env("RUST_LOG", "warn")
        .stdin(Stdio::null());
    command
}

const LLM: &str = env!("CARGO_BIN_EXE_llm-service");
const IMAGE: &str = env!("CARGO_BIN_EXE_image-service");
const FETCH: &str = env!("CARGO_BIN_EXE_fetch-service");

fn chat(text: &str) -> ServiceRequest {
    ServiceRequest::Text(TextRequest {
        kind: TextKind::Chat,
        model: String::new(),
        messages: vec![ChatMessage {
            role: Role::User,
            text: text.into(),
        }],
        max_tokens: 2000,
        temperature_permille: None,
    })
}

fn text_of(events: &[ServiceEvent]) -> String {
    events
        .iter()
        .filter_map(|e| {
            if let ServiceEvent::Text(t) = e {
                Some(t.as_str())
            } else {
                None
            }
        })
        .collect()
}

#[test]
fn the_language_service_answers_with_its_built_in_partner() {
    let service = Service::start(LLM, 0);
    let events = service.ask(&chat("what is 6 * 7?"));
    assert_eq!(
        events[0],
        ServiceEvent::Started {
            provider: "built-in".into(),
            model: "partner".into()
        }
    );
    assert_eq!(text_of(&events), "6 × 7 = **42**");
    assert_eq!(
        events.last(),
        Some(&ServiceEvent::Done(FinishReason::Complete))
    );
    let events = service.ask(&ServiceRequest::Models);
    let ServiceEvent::Models(models) = &events[0] else {
        panic!("{events:?}")
    };
    assert_eq!(
        (models.len(), models[0].id.as_str(), models[0].default),
        (1, "built-in/partner", true)
    );
}

#[test]
fn a_service_killed_in_the_middle_is_told_after_what_had_arrived() {
    let mut service = Service::start(LLM, 5);
    let mut stream = service.client.call(&chat("tell me a long story")).unwrap();
    let mut arrived = String::new();
    while arrived.split_whitespace().count() < 20 {
        match stream.next() {
            Some(ServiceEvent::Text(text)) => arrived.push_str(&text),
            Some(ServiceEvent::Started { .. }) => {}
            other => panic!("{other:?}"),
        }
    }
    service.child.kill().unwrap();
    service.child.wait().unwrap();
    let last = stream.last();
    assert!(
        matches!(
            last,
            Some(ServiceEvent::Failed(Failure {
                code: FailureCode::ServiceGone,
                ..
            }))
        ),
        "{last:?}"
    );
    let refused = Failure::from(service.client.call(&chat("x")).unwrap_err());
    assert_eq!(refused.code, FailureCode::ServiceUnreachable);
}

#[test]
fn the_image_service_paints_and_the_fetch_service_refuses_what_is_not_allowed() {
    let service = Service::start(IMAGE, 0);
    let events = service.ask(&ServiceRequest::Picture(PictureRequest {
        kind: PictureKind::Generate,
        model: "built-in/painter".into(),
        prompt: "a lighthouse at night".into(),
        negative: String::new(),
        style: String::new(),
        width: 120,
        height: 90,
        steps: 4,
        seed: None,
        strength_permille: 0,
        scale: 0,
        source: Vec::new(),
        screen: Screen {
            width: 64,
            height: 48,
            accepts: vec![PictureFormat::Jpeg],
        },
    }));
    let found = events
        .iter()
        .any(|e| matches!(e, ServiceEvent::Picture(p) if (p.width, p.height) == (64, 48)));
    assert!(found, "{events:?}");
    let service = Service::start(FETCH, 0);
    let events = service.ask(&ServiceRequest::Fetch(FetchRequest {
        url: "http://127.0.0.1:1/".into(),
        max_bytes: 10,
        max_redirects: 0,
        allow: vec![AllowedUrl {
            pattern: "*".into(),
            private: false,
        }],
    }));
    assert!(
        matches!(events.last(), Some(ServiceEvent::Failed(f)) if f.code == FailureCode::UrlRefused),
        "{events:?}"
    );
    let events = service.ask(&chat("hello"));
    assert!(
        matches!(events.last(), Some(ServiceEvent::Failed(f)) if f.code == FailureCode::Unsupported),
        "{events:?}"
    );
}

#[test]
fn a_listening_socket_on_standard_input_is_served_and_a_missing_one_is_an_error() {
    let folder = folder();
    let path = folder.join("handed.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let child = command(LLM)
        .stdin(Stdio::from(OwnedFd::from(listener)))
        .spawn()
        .unwrap();
    // The socket listens already, so the call needs no waiting for the process.
    let service = Service {
        child,
        client: ServiceClient::same_user(&path),
        folder,
    };
    assert_eq!(text_of(&service.ask(&chat("count to 3"))), "1, 2, 3.");
    let status = command(LLM).stderr(Stdio::null()).status().unwrap();
    assert_eq!(status.code(), Some(71));
}

#[test]
fn wrong_settings_end_the_service_with_the_code_for_settings() {
    let folder = folder();
    let config = folder.join("services.toml");
    let run = |text: &str, config: &Path| {
        std::fs::write(config, text).unwrap();
        let output = command(LLM)
            .arg("--test")
            .arg("--config")
            .arg(config)
            .output()
            .unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let (code, said) = run("discover = 1", &config);
    assert_eq!(code, Some(78));
    assert!(
        said.contains("services.toml") && said.contains("discover must be true or false"),
        "{said}"
    );
    let (code, _) = run(laptop::service::config::TEMPLATE, &config);
    assert_eq!(code, Some(0));
    let _ = std::fs::remove_dir_all(folder);
}
