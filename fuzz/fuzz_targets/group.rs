//! The laptop's group machine, told anything in any order.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| laptop::link::radio::drive(bytes));
