//! wpa_supplicant's lines and replies, read by the parser that both sides share.
#![no_main]

#[path = "../src/supplicant.rs"]
mod supplicant;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| supplicant::drive(bytes));
