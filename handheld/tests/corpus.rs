//! What coverage-guided fuzzing has found to lead elsewhere in the handheld (`fuzz/corpus`), played again on any compiler.
#![allow(clippy::unwrap_used)]

#[path = "../../fuzz/src/card.rs"]
mod card;
#[path = "../../fuzz/src/drawing.rs"]
mod drawing;
#[path = "../../fuzz/src/octets.rs"]
mod octets;
#[path = "../../fuzz/src/corpus.rs"]
mod play;
#[path = "../../fuzz/src/radio.rs"]
mod radio;
#[path = "../../fuzz/src/zstd.rs"]
mod zstd;

use play::play;
use shared_proto::message::{Data, RequestId};

#[test]
fn a_spoiled_card() {
    play("card", card::drive);
}

#[test]
fn pictures_and_text_from_a_laptop() {
    play("drawing", drawing::drive);
}

#[test]
fn the_radio_machine() {
    play("radio", radio::drive);
}

#[test]
fn compressed_pieces() {
    play("zstd", |bytes| {
        let (len, packed) = zstd::piece(bytes);
        let data = Data {
            id: RequestId(1),
            slot: 0,
            offset: 0,
            raw_len: len,
            fin: false,
            bytes: packed,
        };
        let plain = handheld::link::unpack::unpack(&data).ok();
        zstd::check(len, packed, plain.as_deref());
    });
}
