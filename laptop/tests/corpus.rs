//! What coverage-guided fuzzing has found to lead elsewhere on the laptop (`fuzz/corpus`), played again on any compiler.
#![allow(clippy::unwrap_used)]

#[path = "../../fuzz/src/http.rs"]
mod http;
#[path = "../../fuzz/src/ledger.rs"]
mod ledger;
#[path = "../../fuzz/src/octets.rs"]
mod octets;
#[path = "../../fuzz/src/picture.rs"]
mod picture;
#[path = "../../fuzz/src/corpus.rs"]
mod play;
#[path = "../../fuzz/src/provider.rs"]
mod provider;
#[path = "../../fuzz/src/settings.rs"]
mod settings;
#[path = "../../fuzz/src/store.rs"]
mod store;
#[path = "../../fuzz/src/zstd.rs"]
mod zstd;

use play::play;

#[test]
fn requests_to_page_and_gateway() {
    play("http", http::drive);
}

#[test]
fn lines_of_the_ledger() {
    play("ledger", ledger::drive);
}

#[test]
fn pictures_of_providers() {
    play("picture", picture::drive);
}

#[test]
fn texts_of_providers() {
    play("provider", provider::drive);
}

#[test]
fn the_owners_files() {
    play("settings", settings::drive);
}

#[test]
fn a_spoiled_store() {
    play("store", store::drive);
}

#[test]
fn compressed_pieces() {
    play("zstd", |bytes| {
        let (len, packed) = zstd::piece(bytes);
        if len > 0 {
            let plain = laptop::daemon::packing::inflate(packed, len);
            zstd::check(len, packed, plain.as_deref());
        }
    });
}
