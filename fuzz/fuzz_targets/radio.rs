//! The handheld's radio machine, told anything in any order.
#![no_main]

#[path = "../src/radio.rs"]
mod radio;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| radio::drive(bytes));
