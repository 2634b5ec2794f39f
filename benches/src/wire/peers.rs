//! The encodings that serde knows, by each crate's usual calls.

use super::content::{BY_PLACE, Borrowed, Owned};
use std::hint::black_box;
use std::sync::atomic::Ordering;

pub fn write_json(message: &Borrowed<'_>) -> Vec<u8> {
    BY_PLACE.store(false, Ordering::Relaxed);
    serde_json::to_vec(message).expect("it has JSON")
}

pub fn read_json(bytes: &[u8]) {
    black_box(serde_json::from_slice::<Borrowed<'_>>(bytes).expect("ours"));
}

pub fn write_cbor(message: &Borrowed<'_>) -> Vec<u8> {
    BY_PLACE.store(false, Ordering::Relaxed);
    let mut out = Vec::new();
    ciborium::into_writer(message, &mut out).expect("it has CBOR");
    out
}

pub fn read_cbor(bytes: &[u8]) {
    black_box(ciborium::from_reader::<Owned, _>(bytes).expect("ours"));
}

pub fn write_named(message: &Borrowed<'_>) -> Vec<u8> {
    BY_PLACE.store(false, Ordering::Relaxed);
    rmp_serde::to_vec_named(message).expect("it has MessagePack")
}

pub fn read_named(bytes: &[u8]) {
    black_box(rmp_serde::from_slice::<Borrowed<'_>>(bytes).expect("ours"));
}

pub fn write_arrays(message: &Borrowed<'_>) -> Vec<u8> {
    BY_PLACE.store(true, Ordering::Relaxed);
    rmp_serde::to_vec(message).expect("it has MessagePack")
}

pub fn read_arrays(bytes: &[u8]) {
    read_named(bytes);
}
