//! Every fuzz target in one program. `OFFICEOS_FUZZ` names the one that runs; `OFFICEOS_FUZZ=list` names them all.
#![no_main]

mod acceptor;
mod card;
mod drawing;
mod frame;
mod http;
mod ledger;
mod octets;
mod pairing;
mod picture;
mod program;
mod provider;
mod radio;
mod session;
mod settings;
mod store;
mod supplicant;
mod zstd;

use libfuzzer_sys::fuzz_target;
use shared_proto::message::{Data, RequestId};
use std::sync::OnceLock;

type Driver = fn(&[u8]);

const TARGETS: [(&str, Driver); 17] = [
    ("acceptor", acceptor::drive),
    ("card", card::drive),
    ("drawing", drawing::drive),
    ("frame", frame::drive),
    ("group", laptop::link::radio::drive),
    ("http", http::drive),
    ("ledger", ledger::drive),
    ("pairing", pairing::drive),
    ("picture", picture::drive),
    ("program", program::drive),
    ("provider", provider::drive),
    ("radio", radio::drive),
    ("session", session::drive),
    ("settings", settings::drive),
    ("store", store::drive),
    ("supplicant", supplicant::drive),
    ("zstd", both_zstd),
];

static CHOSEN: OnceLock<Driver> = OnceLock::new();

fuzz_target!(
    init: {
        let name = std::env::var("OFFICEOS_FUZZ").unwrap_or_default();
        match TARGETS.iter().find(|(each, _)| *each == name) {
            Some((_, driver)) => drop(CHOSEN.set(*driver)),
            None => {
                TARGETS.iter().for_each(|(each, _)| println!("{each}"));
                std::process::exit(i32::from(name != "list"));
            }
        }
        let_known_panics_pass();
    },
    |bytes: &[u8]| {
        if let Some(driver) = CHOSEN.get() {
            driver(bytes);
        }
    }
);

/// libFuzzer's hook ends the process at any panic, also at one that is caught. zune-jpeg 0.5.15 panics at some damaged pictures
/// (its upsampler, for one), and `picture::check` refuses those: its panics are left to whoever catches them, and one that nobody catches
/// still ends the process.
fn let_known_panics_pass() {
    let fatal = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let known = |place: &std::panic::Location| place.file().contains("/zune-jpeg-0.5.15/");
        match panic.location().is_some_and(known) {
            true => eprintln!("{panic}"),
            false => fatal(panic),
        }
    }));
}

/// Both decompressors beside each other: where both take a piece, it is the same to both.
fn both_zstd(bytes: &[u8]) {
    let (len, packed) = zstd::piece(bytes);
    let data = Data {
        id: RequestId(1),
        slot: 0,
        offset: 0,
        raw_len: len,
        fin: false,
        bytes: packed,
    };
    let here = handheld::link::unpack::unpack(&data).ok();
    zstd::check(len, packed, here.as_deref());
    if len == 0 {
        return;
    }
    let there = laptop::daemon::packing::inflate(packed, len);
    zstd::check(len, packed, there.as_deref());
    if let (Some(here), Some(there)) = (here, there) {
        assert_eq!(here, there);
    }
}
