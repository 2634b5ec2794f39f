//! What coverage-guided fuzzing has found to lead elsewhere in the radio's machine (`fuzz/corpus/radio`), played again on any compiler.
#![allow(clippy::unwrap_used)]

#[path = "../../fuzz/src/radio.rs"]
mod radio;

use std::fs;
use std::path::Path;

#[test]
fn the_corpus_of_the_machine_is_played_without_a_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/radio");
    let mut played = 0;
    for entry in fs::read_dir(folder).unwrap() {
        radio::drive(&fs::read(entry.unwrap().path()).unwrap());
        played += 1;
    }
    assert!(played > 0, "the corpus is empty");
}
