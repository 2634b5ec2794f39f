//! What coverage-guided fuzzing has found to lead elsewhere in the parser (`fuzz/corpus/supplicant`), read again on any compiler.
#![allow(clippy::unwrap_used)]

#[path = "../../fuzz/src/supplicant.rs"]
mod supplicant;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_of_the_parser_is_read_without_a_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/supplicant");
    let mut read = 0;
    for entry in fs::read_dir(folder).unwrap() {
        supplicant::drive(&fs::read(entry.unwrap().path()).unwrap());
        read += 1;
    }
    assert!(read > 0, "the corpus is empty");
}
