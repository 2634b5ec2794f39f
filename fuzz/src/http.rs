//! Requests of this machine's programs to the page and the gateway: however they are cut, they are the same requests, within the caps, or
//! the same refusal.

use laptop::web::http::reader::{Reader, Step};
use laptop::web::http::{Reject, Request};

const MAX_BODY: usize = 256;

/// The first octet says how the rest is cut.
pub fn drive(bytes: &[u8]) {
    let Some((cut, stream)) = bytes.split_first() else {
        return;
    };
    let whole = read(stream, stream.len().max(1));
    let pieces = read(stream, usize::from(*cut) + 1);
    assert_eq!(pieces, whole);
    for request in whole.0 {
        assert!(request.body.len() <= MAX_BODY);
        let _ = (request.host(), request.bearer(), request.query("code"));
        assert!(request.target.starts_with(request.path()));
    }
}

fn read(stream: &[u8], step: usize) -> (Vec<Request>, Option<Reject>) {
    let mut reader = Reader::new(MAX_BODY);
    let mut requests = Vec::new();
    for piece in stream.chunks(step) {
        reader.push(piece);
        loop {
            match reader.step() {
                Ok(Step::Request(request)) => requests.push(*request),
                Ok(_) => break,
                Err(reject) => return (requests, Some(reject)),
            }
        }
    }
    (requests, None)
}
