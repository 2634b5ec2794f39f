//! The font files beside the program, for one that has them not within.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::ui::text::font::{FACES, supply};

/// More than any font file of ours has: another file is none of them, and is not read.
const MAX_BYTES: u64 = 16 << 20;

/// Opens the font files that the program lacks, and has them read when a letter needs one. They are opened at once because
/// later nothing more may be opened, and so that an update under the running app changes none.
///
/// A file that is missing is said in the log once; the app goes on with the font that it has.
pub fn open() {
    let lacking: Vec<_> = FACES
        .iter()
        .filter(|face| !face.is_within())
        .map(|face| face.file())
        .collect();
    if lacking.is_empty() {
        return;
    }
    let folders = std::env::current_exe().map_or_else(|_| Vec::new(), |exe| folders(&exe));
    let files = Mutex::new(find(&folders, &lacking));
    supply(Box::new(move |name| {
        let file = files.lock().ok()?.remove(name)?;
        match read(file) {
            Ok(bytes) => Some(bytes.leak()),
            Err(error) => {
                log::warn!("the font {name} cannot be read: {error}");
                None
            }
        }
    }));
}

/// Where fonts may lie: in `fonts` beside the program, as on a card, else in `share/officeos/fonts` beside its folder, as in a system.
fn folders(program: &Path) -> Vec<PathBuf> {
    let Some(beside) = program.parent() else {
        return Vec::new();
    };
    let shared = beside.parent().map(|up| up.join("share/officeos/fonts"));
    std::iter::once(beside.join("fonts"))
        .chain(shared)
        .collect()
}

fn find(folders: &[PathBuf], names: &[&'static str]) -> HashMap<&'static str, File> {
    let open = |name| {
        folders
            .iter()
            .find_map(|folder| File::open(folder.join(name)).ok())
    };
    let files: HashMap<_, _> = names
        .iter()
        .filter_map(|&name| Some((name, open(name)?)))
        .collect();
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !files.contains_key(*name))
        .copied()
        .collect();
    if !missing.is_empty() {
        log::warn!(
            "no font {} in {folders:?}: what they would draw is drawn by another font, or as boxes. Copy the folder fonts of the \
             package again",
            missing.join(", ")
        );
    }
    files
}

fn read(file: File) -> std::io::Result<Vec<u8>> {
    let length = file.metadata()?.len();
    if length > MAX_BYTES {
        return Err(std::io::Error::other(format!(
            "it has {length} bytes, and no font of ours has more than {MAX_BYTES}"
        )));
    }
    let mut bytes = Vec::with_capacity(length as usize);
    file.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text::font::{Face, Font};

    fn temporary(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("officeos-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn fonts_lie_beside_the_program_or_where_a_system_shares_them() {
        assert_eq!(
            folders(Path::new("/card/officeos/officeos-handheld")),
            [
                PathBuf::from("/card/officeos/fonts"),
                "/card/share/officeos/fonts".into()
            ]
        );
        assert_eq!(
            folders(Path::new("/usr/bin/officeos-handheld"))[1],
            Path::new("/usr/share/officeos/fonts")
        );
    }

    #[test]
    fn each_file_is_found_in_the_first_folder_that_has_it_and_read_whole() {
        let (first, second) = (temporary("fonts-1"), temporary("fonts-2"));
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts");
        let (mono, bold) = (Face::Mono.file(), Face::Bold.file());
        std::fs::copy(assets.join(mono), first.join(mono)).unwrap();
        std::fs::write(second.join(mono), "not this one").unwrap();
        std::fs::copy(assets.join(bold), second.join(bold)).unwrap();
        let mut files = find(
            &[first.clone(), second.clone()],
            &[mono, bold, Face::Han.file()],
        );
        assert_eq!(files.len(), 2);
        for (name, face) in [(mono, Face::Mono), (bold, Face::Bold)] {
            let bytes = read(files.remove(name).unwrap()).unwrap();
            assert_eq!(Some(bytes.as_slice()), face.within());
            assert!(Font::parse(bytes.leak()).is_some());
        }
        let huge = File::create(first.join("huge")).unwrap();
        huge.set_len(MAX_BYTES + 1).unwrap();
        drop(huge);
        let error = read(File::open(first.join("huge")).unwrap()).unwrap_err();
        assert!(error.to_string().contains("16777217"), "{error}");
        let _ = std::fs::remove_dir_all(first);
        let _ = std::fs::remove_dir_all(second);
    }

    #[test]
    fn every_face_has_its_file_in_the_folder_that_is_packed() {
        let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/fonts");
        for face in FACES {
            assert!(assets.join(face.file()).is_file(), "{face:?}");
            assert_eq!(face.is_within(), face.within().is_some(), "{face:?}");
        }
    }
}
