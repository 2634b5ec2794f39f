//! What coverage-guided fuzzing has found to lead elsewhere in the machine (`fuzz/corpus/group`), played again on any compiler.

use crate::link::radio::group::driven::drive;
use std::fs;
use std::path::Path;

#[test]
fn the_corpus_of_the_fuzz_target_is_played_without_a_fault() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus/group");
    let mut played = 0;
    for entry in fs::read_dir(folder).expect("the corpus") {
        drive(&fs::read(entry.expect("an entry").path()).expect("octets"));
        played += 1;
    }
    assert!(played > 0, "the corpus is empty");
}
