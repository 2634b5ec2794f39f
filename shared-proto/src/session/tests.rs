//! Both ends against each other in virtual time.

use super::*;
use crate::error::{ErrorCode, Misuse, PeerError};
use crate::limits::{
    DEAD_AFTER_MS, GREETING_TIMEOUT_MS, INITIAL_WINDOW, MAX_CHUNK_LEN, MAX_LIVE_REQUESTS,
    PING_AFTER_MS,
};
use crate::message::*;
use crate::time::Millis;
use alloc::vec::Vec;
use proptest::prelude::*;

const NOW: Millis = Millis(1_000);

fn hello() -> Hello<'static> {
    Hello {
        version: crate::limits::PROTOCOL_VERSION,
        name: "Pocket",
        app: "0.1.0",
        screen: Screen {
            width: 640,
            height: 480,
        },
        formats: 7,
        last_id: 0,
        ledger: LedgerHead::default(),
    }
}

fn welcome() -> Welcome<'static> {
    Welcome {
        version: crate::limits::PROTOCOL_VERSION,
        name: "Ada's ThinkPad",
        time_ms: 1,
        utc_offset_min: 60,
        floor: 1,
        standing: Standing::default(),
        link: Link::default(),
        ledger: LedgerHead::default(),
    }
}

struct Pair {
    client: ClientSession,
    server: ServerSession,
}

impl Pair {
    fn open() -> Self {
        let mut pair = Self {
            client: ClientSession::new(&hello(), NOW).unwrap(),
            server: ServerSession::new(NOW),
        };
        assert_eq!(pair.deliver_to_server(), ["Hello"]);
        pair.server.welcome(&welcome()).unwrap();
        assert_eq!(pair.deliver_to_client(), ["Welcome"]);
        pair
    }

    fn deliver_to_server(&mut self) -> Vec<&'static str> {
        let mut seen = Vec::new();
        let bytes = self.client.take_transmit();
        self.server
            .receive(&bytes, NOW, |event| {
                seen.push(match event {
                    ServerEvent::Hello(_) => "Hello",
                    ServerEvent::Submit(_) => "Submit",
                    ServerEvent::Resume(_) => "Resume",
                    ServerEvent::Cancel(_) => "Cancel",
                    ServerEvent::Ack(_) => "Ack",
                    ServerEvent::Upload(_) => "Upload",
                    ServerEvent::Credit(_) => "Credit",
                    ServerEvent::Renew(_) => "Renew",
                    ServerEvent::Farewell => "Farewell",
                });
            })
            .unwrap();
        seen
    }

    fn deliver_to_client(&mut self) -> Vec<&'static str> {
        let mut seen = Vec::new();
        let bytes = self.server.take_transmit();
        self.client
            .receive(&bytes, NOW, |event| {
                seen.push(match event {
                    ClientEvent::Welcome(_) => "Welcome",
                    ClientEvent::Notice(_) => "Notice",
                    ClientEvent::Accepted(_) => "Accepted",
                    ClientEvent::Awaiting(_) => "Awaiting",
                    ClientEvent::Queued(_) => "Queued",
                    ClientEvent::Started(_) => "Started",
                    ClientEvent::Progress(_) => "Progress",
                    ClientEvent::Data(_) => "Data",
                    ClientEvent::UploadWanted(_) => "UploadWanted",
                    ClientEvent::Done(_) => "Done",
                    ClientEvent::Failed(_) => "Failed",
                    ClientEvent::Renewed(_) => "Renewed",
                    ClientEvent::RoundTrip(_) => "RoundTrip",
                });
            })
            .unwrap();
        seen
    }
}

fn data(id: u64, slot: u8, offset: u64, bytes: &[u8], fin: bool) -> Data<'_> {
    Data {
        id: RequestId(id),
        slot,
        offset,
        raw_len: 0,
        fin,
        bytes,
    }
}

#[test]
fn a_request_runs_from_submit_to_ack() {
    let mut pair = Pair::open();
    pair.client
        .submit(RequestId(1), b"program", &[0; 64], NOW)
        .unwrap();
    assert_eq!(pair.deliver_to_server(), ["Submit"]);
    pair.server.accepted(RequestId(1)).unwrap();
    pair.server.data(&data(1, 0, 0, b"Hello", false)).unwrap();
    pair.server.data(&data(1, 0, 5, b"", true)).unwrap();
    pair.server
        .done(Done {
            id: RequestId(1),
            usage: Usage::default(),
        })
        .unwrap();
    assert_eq!(
        pair.deliver_to_client(),
        ["Accepted", "Data", "Data", "Done"]
    );
    pair.client.ack(RequestId(1), NOW).unwrap();
    assert_eq!(pair.deliver_to_server(), ["Ack"]);
    assert_eq!(
        pair.server.accepted(RequestId(1)),
        Err(Misuse::UnknownRequest)
    );
}

#[test]
fn a_resumed_stream_goes_on_where_it_stopped() {
    let mut pair = Pair::open();
    let offsets = Offsets::from_iter([Offset { slot: 0, offset: 3 }]);
    pair.client.resume(RequestId(9), offsets, NOW).unwrap();
    assert_eq!(pair.deliver_to_server(), ["Resume"]);
    assert_eq!(
        pair.server.data(&data(9, 0, 0, b"abc", false)),
        Err(Misuse::NoCredit)
    );
    pair.server.data(&data(9, 0, 3, b"def", true)).unwrap();
    assert_eq!(pair.deliver_to_client(), ["Data"]);
}

#[test]
fn a_slow_reader_holds_the_sender_back() {
    let mut pair = Pair::open();
    pair.client
        .submit(RequestId(1), b"", &[0; 64], NOW)
        .unwrap();
    pair.deliver_to_server();
    let piece = vec![0; 16 * 1024];
    let mut sent = 0;
    while pair.server.window(RequestId(1), 0) >= piece.len() as u64 {
        pair.server.data(&data(1, 0, sent, &piece, false)).unwrap();
        sent += piece.len() as u64;
    }
    assert_eq!(sent, INITIAL_WINDOW);
    assert_eq!(
        pair.server.data(&data(1, 0, sent, b"x", false)),
        Err(Misuse::NoCredit)
    );
    pair.deliver_to_client();
    pair.client.stored(RequestId(1), 0, sent, NOW).unwrap();
    assert_eq!(pair.deliver_to_server(), ["Credit"]);
    pair.server.data(&data(1, 0, sent, b"x", true)).unwrap();
    assert_eq!(pair.deliver_to_client(), ["Data"]);
}

#[test]
fn a_sender_stops_where_every_receiver_would_end_the_session() {
    let mut pair = Pair::open();
    let last = crate::limits::MAX_VALUE_LEN - 3;
    let offsets = Offsets::from_iter([Offset {
        slot: 0,
        offset: last,
    }]);
    pair.client.resume(RequestId(1), offsets, NOW).unwrap();
    pair.deliver_to_server();
    assert_eq!(pair.server.window(RequestId(1), 0), 3);
    assert_eq!(
        pair.server.data(&data(1, 0, last, b"four", false)),
        Err(Misuse::NoCredit)
    );
    pair.server.data(&data(1, 0, last, b"abc", true)).unwrap();
    assert_eq!(pair.deliver_to_client(), ["Data"]);
}

#[test]
fn an_upload_waits_to_be_asked_for() {
    let mut pair = Pair::open();
    pair.client
        .submit(RequestId(1), b"", &[0; 64], NOW)
        .unwrap();
    pair.deliver_to_server();
    let piece = data(1, UPLOAD_SLOT, 4, b"data", true);
    assert_eq!(pair.client.upload(&piece, NOW), Err(Misuse::NoCredit));
    pair.server
        .want_upload(Credit {
            id: RequestId(1),
            slot: UPLOAD_SLOT,
            from: 4,
            limit: 8,
        })
        .unwrap();
    assert_eq!(pair.deliver_to_client(), ["UploadWanted"]);
    assert_eq!(pair.client.upload_window(RequestId(1), UPLOAD_SLOT), 4);
    pair.client.upload(&piece, NOW).unwrap();
    assert_eq!(pair.deliver_to_server(), ["Upload"]);
}

#[test]
fn an_empty_piece_ends_an_upload_at_its_limit_and_not_beyond() {
    for (from, limit, result) in [(8, 8, Ok(())), (9, 8, Err(Misuse::NoCredit))] {
        let mut pair = Pair::open();
        pair.client
            .submit(RequestId(1), b"", &[0; 64], NOW)
            .unwrap();
        pair.deliver_to_server();
        pair.server
            .want_upload(Credit {
                id: RequestId(1),
                slot: UPLOAD_SLOT,
                from,
                limit,
            })
            .unwrap();
        pair.deliver_to_client();
        let end = data(1, UPLOAD_SLOT, from, b"", true);
        assert_eq!(pair.client.upload(&end, NOW), result);
    }
}

#[test]
fn one_request_too_many_is_refused_and_the_session_lives_on() {
    let mut pair = Pair::open();
    for id in 1..=MAX_LIVE_REQUESTS as u64 {
        pair.client
            .submit(RequestId(id), b"", &[0; 64], NOW)
            .unwrap();
    }
    assert_eq!(
        pair.client.submit(RequestId(99), b"", &[0; 64], NOW),
        Err(Misuse::TooMany)
    );
    assert_eq!(pair.deliver_to_server().len(), MAX_LIVE_REQUESTS);
    let mut bytes = Vec::new();
    Message::Submit(Submit {
        id: RequestId(99),
        program: b"",
        signature: &[0; 64],
    })
    .encode(&mut bytes)
    .unwrap();
    pair.server
        .receive(&bytes, NOW, |_| panic!("must not reach the daemon"))
        .unwrap();
    let reply = pair.server.take_transmit();
    let (frame, _) = crate::frame::decode(&reply).unwrap().unwrap();
    let Message::Failed(failed) = Message::decode(frame.kind, frame.payload).unwrap() else {
        panic!()
    };
    assert_eq!(
        (failed.id, failed.code),
        (RequestId(99), ErrorCode::Busy as u16)
    );
}

fn server_error(messages: &[Message<'_>]) -> PeerError {
    let mut server = ServerSession::new(NOW);
    for (index, message) in messages.iter().enumerate() {
        let mut bytes = Vec::new();
        message.encode(&mut bytes).unwrap();
        match server.receive(&bytes, NOW, |_| {}) {
            Ok(()) if index == 0 => server.welcome(&welcome()).unwrap(),
            Ok(()) => {}
            Err(error) => return error,
        }
    }
    panic!("accepted");
}

#[test]
fn messages_out_of_turn_end_the_session() {
    let ping = Message::Ping(Echo { nonce: 1 });
    assert_eq!(server_error(&[ping]), PeerError::OutOfTurn);
    assert_eq!(
        server_error(&[Message::Hello(hello()), Message::Hello(hello())]),
        PeerError::OutOfTurn
    );
    let pong = Message::Pong(Echo { nonce: 1 });
    assert_eq!(
        server_error(&[Message::Hello(hello()), pong]),
        PeerError::OutOfTurn
    );
    let submit = Message::Submit(Submit {
        id: RequestId(1),
        program: b"",
        signature: &[0; 64],
    });
    assert_eq!(
        server_error(&[Message::Hello(hello()), submit.clone(), submit.clone()]),
        PeerError::OutOfTurn
    );
    let upload = Message::Data(data(1, UPLOAD_SLOT, 0, b"x", true));
    assert_eq!(
        server_error(&[Message::Hello(hello()), submit, upload]),
        PeerError::OverCredit
    );
    let other = Hello {
        version: 9,
        ..hello()
    };
    assert_eq!(
        server_error(&[Message::Hello(other)]),
        PeerError::Version(9)
    );
}

#[test]
fn a_laptop_that_speaks_of_requests_nobody_made_is_cut_off() {
    let mut pair = Pair::open();
    for (message, error) in [
        (
            Message::Done(Done {
                id: RequestId(5),
                usage: Usage::default(),
            }),
            PeerError::UnknownRequest,
        ),
        (
            Message::Data(data(5, 0, 0, b"x", false)),
            PeerError::UnknownRequest,
        ),
        (Message::Welcome(welcome()), PeerError::OutOfTurn),
        (Message::Ping(Echo { nonce: 1 }), PeerError::OutOfTurn),
    ] {
        let mut bytes = Vec::new();
        message.encode(&mut bytes).unwrap();
        assert_eq!(pair.client.receive(&bytes, NOW, |_| {}), Err(error));
    }
}

#[test]
fn a_gap_or_an_excess_in_a_stream_is_cut_off() {
    let mut pair = Pair::open();
    pair.client
        .submit(RequestId(1), b"", &[0; 64], NOW)
        .unwrap();
    let mut receive = |message: Message<'_>| {
        let mut bytes = Vec::new();
        message.encode(&mut bytes).unwrap();
        pair.client.receive(&bytes, NOW, |_| {})
    };
    assert_eq!(receive(Message::Data(data(1, 0, 0, b"ab", false))), Ok(()));
    assert_eq!(
        receive(Message::Data(data(1, 0, 3, b"d", false))),
        Err(PeerError::OffsetGap)
    );
    let huge = Data {
        raw_len: u32::MAX,
        ..data(1, 1, 0, b"", false)
    };
    assert_eq!(receive(Message::Data(huge)), Err(PeerError::OverCredit));
    assert_eq!(
        receive(Message::Data(data(1, 2, u64::MAX, b"xx", false))),
        Err(PeerError::OverCredit)
    );
}

/// A frame has room for twice as much as a piece may cover, and a compressed piece may claim anything.
#[test]
fn a_piece_covers_no_more_than_it_may() {
    let mut pair = Pair::open();
    pair.client
        .submit(RequestId(1), b"", &[0; 64], NOW)
        .unwrap();
    pair.deliver_to_server();
    let (whole, excess) = ([0; MAX_CHUNK_LEN], [0; MAX_CHUNK_LEN + 1]);
    let packed = |slot, raw_len| Data {
        raw_len,
        ..data(1, slot, 0, b"zstd", false)
    };
    let limit = MAX_CHUNK_LEN as u32;
    for (slot, piece, fits) in [
        (0, data(1, 0, 0, &whole, false), true),
        (1, packed(1, limit), true),
        (2, data(1, 2, 0, &excess, false), false),
        (3, packed(3, limit + 1), false),
    ] {
        let refused = if fits { Ok(()) } else { Err(Misuse::TooLong) };
        assert_eq!(pair.server.data(&piece), refused, "slot {slot}");
        let mut bytes = Vec::new();
        Message::Data(piece).encode(&mut bytes).unwrap();
        let refused = if fits {
            Ok(())
        } else {
            Err(PeerError::OverCredit)
        };
        assert_eq!(
            pair.client.receive(&bytes, NOW, |_| {}),
            refused,
            "slot {slot}"
        );
    }

    let mut pair = Pair::open();
    pair.client
        .submit(RequestId(1), b"", &[0; 64], NOW)
        .unwrap();
    pair.deliver_to_server();
    pair.server
        .want_upload(Credit {
            id: RequestId(1),
            slot: UPLOAD_SLOT,
            from: 0,
            limit: INITIAL_WINDOW,
        })
        .unwrap();
    pair.deliver_to_client();
    let piece = data(1, UPLOAD_SLOT, 0, &excess, false);
    assert_eq!(pair.client.upload(&piece, NOW), Err(Misuse::TooLong));
    let piece = data(1, UPLOAD_SLOT, 0, &whole, false);
    pair.client.upload(&piece, NOW).unwrap();
    assert_eq!(pair.deliver_to_server(), ["Upload"]);
    let mut bytes = Vec::new();
    Message::Data(data(1, UPLOAD_SLOT, MAX_CHUNK_LEN as u64, &excess, false))
        .encode(&mut bytes)
        .unwrap();
    let received = pair.server.receive(&bytes, NOW, |_| {});
    assert_eq!(received, Err(PeerError::OverCredit));
}

#[test]
fn silence_is_noticed_by_both_sides_and_pings_keep_the_link_alive() {
    let mut pair = Pair::open();
    assert_eq!(pair.client.deadline(), NOW.after(PING_AFTER_MS));
    pair.client.tick(NOW.after(PING_AFTER_MS)).unwrap();
    assert!(pair.deliver_to_server().is_empty());
    assert_eq!(pair.deliver_to_client(), ["RoundTrip"]);
    let dead = NOW.after(DEAD_AFTER_MS);
    assert_eq!(pair.client.tick(dead), Err(PeerError::Silent));
    assert_eq!(pair.server.tick(dead), Ok(()));
    assert_eq!(
        pair.server.tick(dead.after(PING_AFTER_MS)),
        Err(PeerError::Silent)
    );
    let client = ClientSession::new(&hello(), NOW).unwrap();
    assert_eq!(client.deadline(), NOW.after(GREETING_TIMEOUT_MS));
}

#[test]
fn a_session_that_only_listens_still_pings() {
    let mut pair = Pair::open();
    pair.client
        .submit(RequestId(1), b"", &[0; 64], NOW)
        .unwrap();
    pair.deliver_to_server();
    let mut now = NOW;
    let mut pings = 0;
    for offset in 0..40 {
        now = now.after(500);
        pair.server.data(&data(1, 0, offset, b"x", false)).unwrap();
        let bytes = pair.server.take_transmit();
        pair.client.receive(&bytes, now, |_| {}).unwrap();
        pair.client.tick(now).unwrap();
        let bytes = pair.client.take_transmit();
        pings += usize::from(!bytes.is_empty());
        pair.server.receive(&bytes, now, |_| {}).unwrap();
        pair.server.tick(now).unwrap();
    }
    assert!((4..=5).contains(&pings), "{pings} pings in 20 s");
}

proptest! {
    #[test]
    fn no_bytes_panic_either_side(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut pair = Pair::open();
        let _ = pair.client.receive(&bytes, NOW, |_| {});
        let _ = pair.server.receive(&bytes, NOW, |_| {});
    }

    /// A stream is cut into any pieces, the link breaks anywhere, the session resumes: the whole arrives once.
    #[test]
    fn a_stream_survives_any_number_of_cuts(
        len in 0usize..200_000,
        piece in 1usize..16_384,
        cuts in prop::collection::vec(1usize..40, 0..6),
    ) {
        let whole: Vec<u8> = (0..len).map(|i| (i * 7 + i / 251) as u8).collect();
        let mut arrived: Vec<u8> = Vec::new();
        let mut ended = false;
        let mut cuts = cuts.into_iter();
        let mut first = true;
        while !ended {
            let mut pair = Pair::open();
            let id = RequestId(1);
            if first {
                pair.client.submit(id, b"", &[0; 64], NOW).unwrap();
            } else {
                let offsets = Offsets::from_iter([Offset { slot: 0, offset: arrived.len() as u64 }]);
                pair.client.resume(id, offsets, NOW).unwrap();
            }
            first = false;
            pair.deliver_to_server();
            let mut sent = arrived.len();
            let mut rounds = cuts.next().unwrap_or(usize::MAX);
            while !ended && rounds > 0 {
                rounds -= 1;
                let window = pair.server.window(id, 0) as usize;
                let end = whole.len().min(sent + piece.min(window));
                pair.server.data(&data(1, 0, sent as u64, &whole[sent..end], end == whole.len())).unwrap();
                sent = end;
                let bytes = pair.server.take_transmit();
                pair.client.receive(&bytes, NOW, |event| {
                    if let ClientEvent::Data(data) = event {
                        arrived.extend_from_slice(data.bytes);
                        ended = data.fin;
                    }
                }).unwrap();
                pair.client.stored(id, 0, arrived.len() as u64, NOW).unwrap();
                pair.deliver_to_server();
            }
        }
        prop_assert_eq!(arrived, whole);
    }
}
