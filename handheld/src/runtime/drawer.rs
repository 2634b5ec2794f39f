//! The folder of files that the person sees: beside the app on the card, filled from a PC or from the laptop.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use ring::digest;

use crate::app::model::LocalFile;
use crate::card::{CardError, folder};

/// Files listed at most; more than a handheld's list can be scrolled through.
const MAX_LISTED: usize = 2000;

/// Octets of a name on the card: FAT's long names have 255 UTF-16 units.
const MAX_NAME: usize = 120;

/// Octets copied at once.
const COPY_LEN: usize = 64 * 1024;

/// The folder.
#[derive(Clone, Debug)]
pub struct Drawer {
    path: PathBuf,
}

impl Drawer {
    /// Opens the folder, making it if needed.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn open(path: &Path) -> Result<Self, CardError> {
        folder::make_folder(path)?;
        Ok(Self {
            path: path.to_owned(),
        })
    }

    /// Every file by name.
    ///
    /// # Errors
    /// The card fails.
    pub fn list(&self) -> Result<Vec<LocalFile>, CardError> {
        let entries =
            fs::read_dir(&self.path).map_err(|e| CardError::from_io("list", "files", 0, e))?;
        let mut found = Vec::new();
        for entry in entries.take(MAX_LISTED).flatten() {
            let (Ok(meta), Ok(name)) = (entry.metadata(), entry.file_name().into_string()) else {
                continue;
            };
            if meta.is_file() && !name.starts_with('.') {
                let modified = meta
                    .modified()
                    .ok()
                    .and_then(|t| t.duration_since(UNIX_EPOCH).ok());
                found.push(LocalFile {
                    name,
                    len: meta.len(),
                    modified: modified.map_or(0, |d| d.as_secs()),
                });
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Octets free on the card.
    pub fn free(&self) -> Option<u64> {
        let stat = nix::sys::statvfs::statvfs(&self.path).ok()?;
        Some(stat.blocks_available() as u64 * stat.fragment_size() as u64)
    }

    /// A name for a new file: what is wanted, made harmless, numbered if it is taken.
    pub fn free_name(&self, wanted: &str) -> String {
        let clean = clean_name(wanted);
        if !self.path.join(&clean).exists() {
            return clean;
        }
        let (stem, ending) = clean
            .rsplit_once('.')
            .map_or((clean.as_str(), String::new()), |(s, e)| {
                (s, format!(".{e}"))
            });
        (2u32..)
            .map(|n| format!("{stem} {n}{ending}"))
            .find(|name| !self.path.join(name).exists())
            .unwrap_or(clean.clone())
    }

    /// Writes a file of this (free) name whole; durable on return. An interrupted write is written again from the start.
    ///
    /// # Errors
    /// The card is full, read-only or fails.
    pub fn write(
        &self,
        name: &str,
        mut next: impl FnMut(u64) -> Result<Vec<u8>, CardError>,
    ) -> Result<u64, CardError> {
        let failed = |e| CardError::from_io("write", name, 0, e);
        // Not cut to nothing: that would free clusters whose file still names them on the card.
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(false)
            .open(self.path.join(name))
            .map_err(failed)?;
        let mut len = 0;
        loop {
            let piece = next(len)?;
            if piece.is_empty() {
                break;
            }
            file.write_all(&piece)
                .map_err(|e| CardError::from_io("write", name, piece.len() as u64, e))?;
            len += piece.len() as u64;
        }
        // Clusters before the length that names them; see `card::folder`.
        folder::sync_folder(&self.path).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        Ok(len)
    }

    /// Deletes a file that was not written to its end. One that cannot be deleted stays, and is half a file.
    pub fn drop_unfinished(&self, name: &str) {
        if let Ok(path) = self.existing(name)
            && path.exists()
            && let Err(error) = folder::remove(&path)
        {
            log::warn!("the unfinished file {name} stays: {error}");
        }
    }

    /// Up to `len` octets at `offset`, and the length of the whole file.
    ///
    /// # Errors
    /// There is no such file, or the card fails.
    pub fn piece(&self, name: &str, offset: u64, len: usize) -> Result<(Vec<u8>, u64), CardError> {
        let failed = |e| CardError::from_io("read", name, 0, e);
        let file = File::open(self.existing(name)?).map_err(failed)?;
        let whole = file.metadata().map_err(failed)?.len();
        let mut bytes = vec![0; len.min(COPY_LEN).min(whole.saturating_sub(offset) as usize)];
        file.read_exact_at(&mut bytes, offset).map_err(failed)?;
        Ok((bytes, whole))
    }

    /// Length and SHA-256 of a file.
    ///
    /// # Errors
    /// There is no such file, or the card fails.
    pub fn facts(&self, name: &str) -> Result<(u64, [u8; 32]), CardError> {
        let failed = |e| CardError::from_io("read", name, 0, e);
        let mut file = File::open(self.existing(name)?).map_err(failed)?;
        let mut hash = digest::Context::new(&digest::SHA256);
        let (mut buffer, mut len) = (vec![0; COPY_LEN], 0);
        loop {
            let got = file.read(&mut buffer).map_err(failed)?;
            if got == 0 {
                break;
            }
            hash.update(&buffer[..got]);
            len += got as u64;
        }
        let mut sum = [0; 32];
        sum.copy_from_slice(hash.finish().as_ref());
        Ok((len, sum))
    }

    /// Deletes a file.
    ///
    /// # Errors
    /// There is no such file, or the card is read-only or fails.
    pub fn delete(&self, name: &str) -> Result<(), CardError> {
        folder::remove(&self.existing(name)?).map_err(|e| CardError::from_io("delete", name, 0, e))
    }

    /// The path of a file that the list named: never one outside the folder.
    fn existing(&self, name: &str) -> Result<PathBuf, CardError> {
        let inside =
            !name.is_empty() && !name.starts_with('.') && !name.contains(['/', '\\', '\0']);
        if inside {
            Ok(self.path.join(name))
        } else {
            Err(CardError::Damaged {
                what: "file name".into(),
            })
        }
    }
}

/// A name that FAT takes and that no list or shell stumbles over. Peer text comes in here.
pub fn clean_name(wanted: &str) -> String {
    let last = wanted.rsplit(['/', '\\']).next().unwrap_or_default();
    let cleaned: String = last
        .chars()
        .map(|c| {
            if c.is_control()
                || "<>:\"|?*\u{202a}\u{202b}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}".contains(c)
            {
                '_'
            } else {
                c
            }
        })
        .collect();
    let clipped = match cleaned
        .rsplit_once('.')
        .filter(|(_, ending)| ending.len() <= 8)
    {
        Some((stem, ending)) => {
            format!(
                "{}.{ending}",
                shared_proto::message::clip(stem, MAX_NAME - 9)
            )
        }
        None => shared_proto::message::clip(&cleaned, MAX_NAME).to_owned(),
    };
    let trimmed = clipped.trim_start_matches('.').trim_matches([' ', '.']);
    if trimmed.is_empty() {
        "file".to_owned()
    } else {
        trimmed.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_name_becomes_a_harmless_one() {
        for (wanted, name) in [
            ("report.pdf", "report.pdf"),
            ("../../etc/passwd", "passwd"),
            ("..", "file"),
            (".profile", "profile"),
            ("a\u{202e}gpj.exe", "a_gpj.exe"),
            ("C:\\x\\y.txt", "y.txt"),
            ("what?*.md", "what__.md"),
            ("dot. ", "dot"),
            ("", "file"),
        ] {
            assert_eq!(clean_name(wanted), name, "{wanted:?}");
        }
        let long = clean_name(&format!("{}.txt", "é".repeat(300)));
        assert!(long.len() <= MAX_NAME && long.ends_with(".txt"), "{long}");
    }

    #[test]
    fn files_are_written_listed_hashed_and_never_leave_the_folder() {
        let path = std::env::temp_dir().join(format!("officeos-drawer-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        let drawer = Drawer::open(&path).unwrap();
        let name = drawer.free_name("notes.txt");
        drawer
            .write(&name, |at| {
                Ok(if at == 0 { b"abc".to_vec() } else { vec![] })
            })
            .unwrap();
        assert_eq!(drawer.free_name("notes.txt"), "notes 2.txt");
        assert_eq!(drawer.list().unwrap()[0].name, "notes.txt");
        assert_eq!(
            drawer.piece("notes.txt", 1, 100).unwrap(),
            (b"bc".to_vec(), 3)
        );
        let (len, sum) = drawer.facts("notes.txt").unwrap();
        assert_eq!((len, sum[..4].to_vec()), (3, vec![0xba, 0x78, 0x16, 0xbf]));
        for outside in ["../x", "a/b", "", ".."] {
            assert!(
                drawer.delete(outside).is_err() && drawer.piece(outside, 0, 1).is_err(),
                "{outside:?}"
            );
        }
        drawer.delete("notes.txt").unwrap();
        assert_eq!(drawer.list().unwrap(), []);
        fs::remove_dir_all(&path).unwrap();
    }
}
