//! Client and server against each other over real sockets.

use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::*;

/// A folder of its own under the system's temporary one, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "officeos-ipc-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::SeqCst)
        );
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn socket(&self) -> PathBuf {
        self.0.join("s.sock")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn own_uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Answers `Health` at once, `Models` with a panic, `Text` by echoing and then waiting for the cancel.
struct Script {
    cancelled: mpsc::Sender<Instant>,
}

impl Handler for Script {
    fn handle(
        &self,
        request: ServiceRequest,
        events: &mut EventSink,
        cancel: &CancelToken,
    ) -> Result<(), Failure> {
        match request {
            ServiceRequest::Health => {
                events.send(&ServiceEvent::Health(Vec::new()))?;
                events.send(&ServiceEvent::Done(FinishReason::Complete))?;
                Ok(())
            }
            ServiceRequest::Text(text) => {
                events.send(&ServiceEvent::Text(text.messages[0].text.clone()))?;
                let slept = cancel.sleep(Duration::from_secs(60));
                assert!(!slept, "the cancel never came");
                self.cancelled.send(Instant::now()).unwrap();
                Err(Gone.into())
            }
            ServiceRequest::Models => panic!("a defect in a handler"),
            _ => Err(Failure::new(FailureCode::Unsupported, "", "not here")),
        }
    }
}

fn start(options: ServeOptions) -> (Scratch, mpsc::Receiver<Instant>) {
    let scratch = Scratch::new();
    let listener = bind(&scratch.socket(), false).unwrap();
    let (cancelled, seen) = mpsc::channel();
    std::thread::spawn(move || Server::new(Script { cancelled }, options).run(&listener));
    (scratch, seen)
}

fn ask(text: &str) -> ServiceRequest {
    ServiceRequest::Text(TextRequest {
        kind: TextKind::Chat,
        model: String::new(),
        messages: vec![ChatMessage {
            role: Role::User,
            text: text.into(),
        }],
        max_tokens: 10,
        temperature_permille: None,
    })
}

#[test]
fn a_call_streams_to_its_end_and_stops_there() {
    let (scratch, _seen) = start(ServeOptions::for_uid(own_uid()));
    let events: Vec<_> = ServiceClient::same_user(scratch.socket())
        .call(&ServiceRequest::Health)
        .unwrap()
        .collect();
    assert_eq!(
        events,
        [
            ServiceEvent::Health(Vec::new()),
            ServiceEvent::Done(FinishReason::Complete)
        ]
    );
}

#[test]
fn cancelling_from_another_thread_stops_the_handler_at_once() {
    let (scratch, seen) = start(ServeOptions::for_uid(own_uid()));
    let mut stream = ServiceClient::same_user(scratch.socket())
        .call(&ask("hello"))
        .unwrap();
    assert_eq!(stream.next(), Some(ServiceEvent::Text("hello".into())));
    let handle = stream.cancel_handle();
    let start = Instant::now();
    std::thread::spawn(move || handle.cancel());
    let end = stream.next().unwrap();
    assert!(matches!(
        end,
        ServiceEvent::Failed(Failure {
            code: FailureCode::ServiceGone,
            ..
        })
    ));
    assert_eq!(stream.next(), None);
    let reached = seen.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(reached.duration_since(start) < Duration::from_millis(500));
}

#[test]
fn dropping_the_stream_is_a_cancel_too() {
    let (scratch, seen) = start(ServeOptions::for_uid(own_uid()));
    let mut stream = ServiceClient::same_user(scratch.socket())
        .call(&ask("x"))
        .unwrap();
    assert!(stream.next().is_some());
    drop(stream);
    seen.recv_timeout(Duration::from_secs(10)).unwrap();
}

#[test]
fn another_user_gets_nothing_and_a_service_of_another_user_is_not_asked() {
    let mut options = ServeOptions::for_uid(own_uid());
    options.allowed_uids = vec![own_uid() + 1];
    let (scratch, _seen) = start(options);
    // The service hangs up either before or after the request was written.
    match ServiceClient::same_user(scratch.socket()).call(&ServiceRequest::Health) {
        Err(CallError::Frame(_)) => {}
        Err(other) => panic!("unexpected: {other}"),
        Ok(stream) => {
            let events: Vec<_> = stream.collect();
            assert!(
                matches!(
                    &events[..],
                    [ServiceEvent::Failed(Failure {
                        code: FailureCode::ServiceGone,
                        ..
                    })]
                ),
                "{events:?}"
            );
        }
    }
    let stranger =
        ServiceClient::new(scratch.socket(), own_uid() + 1).call(&ServiceRequest::Health);
    assert!(matches!(stranger, Err(CallError::WrongUser { .. })));
}

#[test]
fn one_connection_above_the_cap_is_told_busy_and_a_freed_slot_is_used_again() {
    let mut options = ServeOptions::for_uid(own_uid());
    options.max_connections = 1;
    let (scratch, seen) = start(options);
    let client = ServiceClient::same_user(scratch.socket());
    let mut first = client.call(&ask("first")).unwrap();
    assert_eq!(first.next(), Some(ServiceEvent::Text("first".into())));
    let second: Vec<_> = client.call(&ServiceRequest::Health).unwrap().collect();
    assert!(matches!(&second[..], [ServiceEvent::Failed(f)] if f.code == FailureCode::Busy));
    drop(first);
    seen.recv_timeout(Duration::from_secs(10)).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let events: Vec<_> = client
            .call(&ServiceRequest::Health)
            .map(Iterator::collect)
            .unwrap_or_default();
        if events.last() == Some(&ServiceEvent::Done(FinishReason::Complete)) {
            break;
        }
        assert!(Instant::now() < deadline, "the slot never became free");
        std::thread::yield_now();
    }
}

#[test]
fn a_panic_costs_its_own_request_only() {
    let (scratch, _seen) = start(ServeOptions::for_uid(own_uid()));
    let client = ServiceClient::same_user(scratch.socket());
    let events: Vec<_> = client.call(&ServiceRequest::Models).unwrap().collect();
    assert!(
        matches!(&events[..], [ServiceEvent::Failed(f)] if f.code == FailureCode::ProviderFailed)
    );
    assert_eq!(client.call(&ServiceRequest::Health).unwrap().count(), 2);
}

#[test]
fn garbage_gets_a_named_failure() {
    let (scratch, _seen) = start(ServeOptions::for_uid(own_uid()));
    let mut stream = UnixStream::connect(scratch.socket()).unwrap();
    std::io::Write::write_all(&mut stream, &[1, 0, 0, 0, 77]).unwrap();
    let event: ServiceEvent = read_frame(&mut stream, EVENT_CAP).unwrap();
    assert!(matches!(event, ServiceEvent::Failed(f) if f.code == FailureCode::BadRequest));
}

#[test]
fn a_dead_socket_is_replaced_but_a_living_one_and_a_file_are_not() {
    let scratch = Scratch::new();
    let living = bind(&scratch.socket(), false).unwrap();
    assert_eq!(
        bind(&scratch.socket(), false).unwrap_err().kind(),
        std::io::ErrorKind::AddrInUse
    );
    drop(living);
    drop(bind(&scratch.socket(), false).unwrap());
    let file = scratch.0.join("notes");
    std::fs::write(&file, "keep me").unwrap();
    assert_eq!(
        bind(&file, false).unwrap_err().kind(),
        std::io::ErrorKind::AlreadyExists
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "keep me");
}

#[test]
fn a_service_that_does_not_read_is_given_up() {
    let scratch = Scratch::new();
    // Takes connections, and never a byte from them.
    let _listener = UnixListener::bind(scratch.socket()).unwrap();
    let patience = Duration::from_millis(50);
    let client = ServiceClient::same_user(scratch.socket()).with_write_timeout(patience);
    let error = client.call(&ask(&"x".repeat(8 << 20))).unwrap_err();
    assert!(
        matches!(&error, CallError::Stalled(path, limit) if *path == scratch.socket() && *limit == patience),
        "{error}"
    );
    assert_eq!(Failure::from(error).code, FailureCode::ServiceUnreachable);
}

#[test]
fn a_missing_service_is_unreachable() {
    let scratch = Scratch::new();
    drop(UnixListener::bind(scratch.socket()).unwrap());
    let error = ServiceClient::same_user(scratch.socket())
        .call(&ServiceRequest::Health)
        .unwrap_err();
    assert_eq!(Failure::from(error).code, FailureCode::ServiceUnreachable);
}
