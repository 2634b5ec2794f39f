//! Originals of pictures, kept where the owner of the device finds them.

use super::{DropFolder, FileFault, FilePath, Mode};

/// Longest run of prompt words in a file name, in characters.
const MAX_WORDS_CHARS: usize = 40;

/// Stores the original of a picture as `pictures/<words> <time>.<extension>` under a name of its own and returns its path.
///
/// `words` is the prompt, of which letters and digits are kept; `time` is local time as `YYYY-MM-DD HH.MM.SS`.
///
/// # Errors
/// A [`FileFault`], such as a full folder.
pub fn save_original(
    folder: &DropFolder,
    words: &str,
    time: &str,
    extension: &str,
    picture: &[u8],
) -> Result<FilePath, FileFault> {
    let mut plain: String = words
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .take(MAX_WORDS_CHARS)
        .collect();
    plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.is_empty() {
        plain = "picture".into();
    }
    let path = FilePath::parse(&format!("pictures/{plain} {time}.{extension}"))?;
    folder.put(&path, picture.len() as u64, &mut &*picture, Mode::Rename)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::testing::TempFolder;

    #[test]
    fn originals_get_readable_names_of_their_own() {
        let temp = TempFolder::new("originals");
        let folder = DropFolder::open(&temp.0, "device", 1_000).expect("a folder");
        let time = "2026-11-20 23.14.00";
        let save = |words: &str| {
            save_original(&folder, words, time, "png", b"x")
                .expect("saved")
                .to_string()
        };
        assert_eq!(
            save("A fox, at ../dusk!"),
            "pictures/A fox at dusk 2026-11-20 23.14.00.png"
        );
        assert_eq!(
            save("A fox, at ../dusk!"),
            "pictures/A fox at dusk 2026-11-20 23.14.00 2.png"
        );
        assert_eq!(save("///"), "pictures/picture 2026-11-20 23.14.00.png");
        assert_eq!(
            save(&"狐".repeat(100)).chars().count(),
            "pictures/".len() + 40 + 1 + time.len() + 4
        );
    }
}
