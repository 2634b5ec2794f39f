//! What providers of text answer: streams of events, lines of JSON, whole documents, lists of models, refusals. However they are cut,
//! what is passed on is bounded and is text.

use crate::octets::Octets;
use laptop::llm::ollama::Ollama;
use laptop::llm::openai::OpenAi;
use laptop::llm::sse::Sse;
use laptop::llm::{Outcome, Piece, text_cap};
use laptop::service::Attempt;
use laptop::service::config::{Kind, ProviderConfig};
use laptop::service::http::Response;

const MAX_TOKENS: u32 = 16;

const KINDS: [&str; 4] = [
    "text/event-stream",
    "application/json",
    "text/html; charset=utf-8",
    "application/x-ndjson",
];

/// The first octets choose how the rest is read.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let what = octets.byte();
    let config = |kind| ProviderConfig::new("made-up", kind, "http://127.0.0.1:1/v1");
    match what % 8 {
        0 | 1 => events(&mut octets),
        2 | 3 => {
            let kind = KINDS[usize::from(octets.byte()) % KINDS.len()];
            let response = Response::whole(200, kind, octets.0.to_vec());
            let server = OpenAi::new(config(Kind::Openai));
            answered(|sink| server.answered(response, MAX_TOKENS, sink));
        }
        4 => {
            let response = Response::whole(200, KINDS[3], octets.0.to_vec());
            let server = Ollama::new(config(Kind::Ollama));
            answered(|sink| server.answered(response, MAX_TOKENS, sink));
        }
        5 => {
            if let Ok(models) = OpenAi::new(config(Kind::Openai)).listed(octets.0) {
                assert!(models.len() <= 1000);
                assert!(
                    models
                        .iter()
                        .all(|model| (1..=200).contains(&model.id.len()))
                );
            }
        }
        6 => {
            let status = 400 + u16::from(octets.byte()) % 200;
            let mut response = Response::whole(status, KINDS[1], octets.0.to_vec());
            let attempt = response.refusal("made-up", Some("sk-secret"));
            told(&attempt);
            assert!(!attempt.failure.detail.contains("sk-secret"));
        }
        _ => {
            let said = laptop::service::wording::explain(400, octets.0);
            assert!(!said.contains(|c: char| c.is_control()), "{said:?}");
        }
    }
}

fn told(attempt: &Attempt) {
    let detail = &attempt.failure.detail;
    assert!(detail.len() <= 4096, "{} octets of words", detail.len());
    assert!(!detail.contains(|c: char| c.is_control()), "{detail:?}");
}

/// One server's answer, read to its end.
fn answered(
    read: impl FnOnce(
        &mut dyn FnMut(Piece) -> Result<(), laptop::ipc::Gone>,
    ) -> Result<Outcome, Attempt>,
) {
    let mut len = 0;
    let mut last = 0;
    let outcome = read(&mut |piece| {
        if let Piece::Text(text) = piece {
            assert!(!text.is_empty());
            last = text.len();
            len += last;
        }
        Ok(())
    });
    // The piece that passes the cap is the last one.
    assert!(len - last <= text_cap(MAX_TOKENS), "{len} octets");
    if let Err(attempt) = outcome {
        told(&attempt);
    }
}

/// However a stream is cut, it is the same events, and none is larger than the cap.
fn events(octets: &mut Octets<'_>) {
    const CAP: usize = 64;
    let step = usize::from(octets.byte()) + 1;
    let stream = octets.0;
    let read = |step: usize| {
        let (mut sse, mut events) = (Sse::new(CAP), Vec::new());
        for piece in stream.chunks(step) {
            if sse.feed(piece, &mut events).is_err() {
                return Err(());
            }
        }
        events.extend(sse.finish());
        Ok(events)
    };
    let whole = read(stream.len().max(1));
    assert_eq!(read(step), whole);
    for event in whole.into_iter().flatten() {
        // What is no UTF-8 becomes a sign of three octets.
        assert!(event.data.len() <= 3 * (CAP + 1) && event.name.len() <= 3 * CAP);
    }
}
