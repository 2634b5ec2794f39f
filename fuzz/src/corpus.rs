//! Plays what is kept of a target's runs. Only for the tests; the fuzzer has its own way.

use std::fs;
use std::path::Path;

/// Gives every file of `fuzz/corpus/NAME` to the driver.
///
/// # Panics
/// The driver does, or there is no corpus. The file at fault is named before it is played.
pub fn play(name: &str, drive: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fuzz/corpus")
        .join(name);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "the corpus of {name} is empty");
    for file in files {
        println!("{}", file.display());
        drive(&fs::read(file).expect("octets"));
    }
}
