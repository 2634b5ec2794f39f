//! Pictures and files: read, measured, listed and written.

use super::super::parts::{self, Parts};
use super::{Keeper, shelf};
use crate::app::model::PictureId;
use crate::app::model::outbox::Source;
use crate::app::msg::CardEvent;
use crate::card::folder::Folder;
use crate::card::{Card, CardError};

impl Keeper {
    pub(super) fn picture(&mut self, id: PictureId) -> Result<Vec<u8>, CardError> {
        let card = self.card()?;
        let missing = || CardError::Damaged {
            what: "picture".into(),
        };
        let blob = Parts::blob_of(card.items(), id).ok_or_else(missing)?;
        let len = card
            .blob_len(&blob)?
            .filter(|len| *len <= parts::MAX_PICTURE)
            .ok_or_else(missing)?;
        card.read_blob(&blob, 0, len as usize)
    }

    pub(super) fn piece(
        &mut self,
        source: &Source,
        offset: u64,
        len: usize,
    ) -> Result<(Vec<u8>, u64), CardError> {
        match source {
            Source::File(name) => self.drawer.piece(name, offset, len),
            Source::Picture(id) => self.picture(*id).map(|bytes| cut(&bytes, offset, len)),
            Source::Bytes(bytes) => Ok(cut(bytes, offset, len)),
        }
    }

    pub(super) fn facts(&mut self, source: &Source) -> Result<(u64, [u8; 32]), CardError> {
        let hashed = |bytes: &[u8]| {
            let mut sum = [0; 32];
            sum.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
            (bytes.len() as u64, sum)
        };
        match source {
            Source::File(name) => self.drawer.facts(name),
            Source::Picture(id) => self.picture(*id).map(|bytes| hashed(&bytes)),
            Source::Bytes(bytes) => Ok(hashed(bytes)),
        }
    }

    pub(super) fn list_files(&mut self) -> Result<(), CardError> {
        let files = self.drawer.list()?;
        self.say(CardEvent::Files {
            files,
            free: self.drawer.free(),
        });
        Ok(())
    }

    /// Deletes files that a power cut has left half written: nobody was told that they are there.
    pub(super) fn drop_unfinished(&mut self, card: &mut Card<Folder>) {
        let mut names = Parts::unfinished(card.items());
        let begun = shelf::begun_file(card.items());
        let some = begun.is_some();
        names.extend(begun);
        for name in &names {
            self.drawer.drop_unfinished(name);
        }
        if some && let Err(error) = card.change(vec![shelf::end_file()]) {
            log::warn!("the next start looks at {names:?} again: {error}");
        }
    }

    pub(super) fn write_file(&mut self, wanted: &str, bytes: Vec<u8>) -> Result<(), CardError> {
        let name = self.drawer.free_name(wanted);
        self.change(vec![shelf::begin_file(&name)])?;
        let written = self.drawer.write(&name, |at| {
            Ok(if at == 0 { bytes.clone() } else { Vec::new() })
        });
        let ended = self.change(vec![shelf::end_file()]);
        if written.is_err() || ended.is_err() {
            self.drawer.drop_unfinished(&name);
        }
        written.and(ended)?;
        self.say(CardEvent::Saved { name });
        self.list_files()
    }
}

fn cut(bytes: &[u8], offset: u64, len: usize) -> (Vec<u8>, u64) {
    let start = (offset as usize).min(bytes.len());
    let end = start.saturating_add(len).min(bytes.len());
    (bytes[start..end].to_vec(), bytes.len() as u64)
}
