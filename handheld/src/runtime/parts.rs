//! Binary results on their way: blobs that grow, and what becomes of them.
//!
//! A blob is named by a record only after it is durable. What a part becomes is written down before it is carried out and
//! carried out the same way again after a power cut, so that a result is never there twice.

use std::collections::{BTreeMap, BTreeSet};

use super::drawer::Drawer;
use super::raster;
use super::shelf::{self, Part, PartTarget};
use crate::app::effect::Target;
use crate::app::model::laptop::LaptopId;
use crate::app::model::outbox::RequestId;
use crate::app::model::{Picture, PictureId, PictureState};
use crate::card::medium::Medium;
use crate::card::{Card, CardError, Change, Items, Key, Table};

/// Largest picture in octets: the laptop fits them to the screen, an original of the widest side is below this.
pub const MAX_PICTURE: u64 = 16 << 20;

/// A part is made durable whenever so much has come: what a lost battery costs to receive again.
const SYNC_LEN: u64 = 256 * 1024;

/// Octets copied at once when a file is kept.
const COPY_LEN: u64 = 64 * 1024;

/// Whose part: laptop, request, slot.
pub type PartId = (LaptopId, RequestId, u8);

#[derive(Clone, Debug)]
struct Open {
    part: Part,
    /// Octets written, durable or not.
    written: u64,
}

/// All parts.
#[derive(Debug, Default)]
pub struct Parts {
    open: BTreeMap<PartId, Open>,
}

impl Parts {
    /// Those that are on the card.
    pub fn load(items: &Items) -> Self {
        let open = items.table(Table::Part).filter_map(|(key, bytes)| {
            let part: Part = shelf::decode(bytes)?;
            let id = (LaptopId(key.1 >> 8), RequestId(key.0), (key.1 & 0xFF) as u8);
            Some((
                id,
                Open {
                    written: part.len,
                    part,
                },
            ))
        });
        Self {
            open: open.collect(),
        }
    }

    /// Durable octets of each.
    pub fn lengths(&self) -> Vec<(LaptopId, RequestId, u8, u64)> {
        self.open
            .iter()
            .map(|(id, open)| (id.0, id.1, id.2, open.part.len))
            .collect()
    }

    /// Every blob that a record names.
    pub fn named(items: &Items) -> BTreeSet<String> {
        let parts = items
            .table(Table::Part)
            .filter_map(|(_, bytes)| Some(shelf::decode::<Part>(bytes)?.blob));
        let pictures = items
            .table(Table::PictureBlob)
            .filter_map(|(_, bytes)| shelf::decode::<String>(bytes));
        parts.chain(pictures).collect()
    }

    /// Names of files that were being made of parts: whole only once the part is kept.
    pub fn unfinished(items: &Items) -> Vec<String> {
        let parts = items
            .table(Table::Part)
            .filter_map(|(_, bytes)| shelf::decode::<Part>(bytes));
        parts
            .filter(|part| !part.kept)
            .filter_map(|part| match part.target {
                Some(PartTarget::File(name)) => Some(name),
                _ => None,
            })
            .collect()
    }

    /// The blob of a picture.
    pub fn blob_of(items: &Items, picture: PictureId) -> Option<String> {
        items
            .value(Table::PictureBlob, Key(u64::from(picture.0), 0))
            .and_then(shelf::decode)
    }

    /// Writes octets of a part.
    ///
    /// # Errors
    /// They do not continue it, or the card is full, read-only or fails.
    pub fn write<M: Medium>(
        &mut self,
        card: &mut Card<M>,
        id: PartId,
        offset: u64,
        bytes: &[u8],
    ) -> Result<(), CardError> {
        let open = self.open.entry(id).or_insert_with(|| Open {
            part: Part {
                blob: card.new_blob(),
                len: 0,
                target: None,
                kept: false,
            },
            written: 0,
        });
        if offset > open.written {
            return Err(CardError::Damaged {
                what: "result: a part of it is missing".into(),
            });
        }
        card.write_blob(&open.part.blob, offset, bytes)?;
        open.written = open.written.max(offset + bytes.len() as u64);
        if open.written >= open.part.len + SYNC_LEN {
            sync(card, id, open)?;
        }
        Ok(())
    }

    /// Makes a picture or file of a part; durable on return. Doing it again gives the same.
    ///
    /// # Errors
    /// Nothing of it arrived, it is no picture, or the card is full, read-only or fails.
    pub fn keep<M: Medium>(
        &mut self,
        card: &mut Card<M>,
        drawer: &Drawer,
        id: PartId,
        target: Target,
    ) -> Result<(u64, Option<(u32, u32)>), CardError> {
        if !self.open.contains_key(&id) && matches!(target, Target::File(_)) {
            // An empty file arrives without an octet.
            self.write(card, id, 0, b"")?;
        }
        let open = self.open.get_mut(&id).ok_or_else(|| CardError::Damaged {
            what: "result".into(),
        })?;
        if open.part.len < open.written || !open.part.kept {
            sync(card, id, open)?;
        }
        let size = match target {
            Target::Picture(picture) => {
                let fits = open.part.len <= MAX_PICTURE;
                let bytes = if fits {
                    card.read_blob(&open.part.blob, 0, open.part.len as usize)?
                } else {
                    Vec::new()
                };
                let pixels = raster::decode(&bytes).ok_or_else(|| CardError::Damaged {
                    what: "picture".into(),
                })?;
                open.part.target = Some(PartTarget::Picture(picture));
                open.part.kept = true;
                let named = Key(u64::from(picture.0), 0);
                let size = Some((pixels.width, pixels.height));
                let mut changes = vec![
                    Change::Put(Table::PictureBlob, named, shelf::encode(&open.part.blob)),
                    record(id, open),
                ];
                // Its record in the same batch: who was told that it is ready finds it ready.
                let stored = card.items().value(Table::Picture, named);
                if let Some(mut record) = stored.and_then(shelf::decode::<Picture>) {
                    record.state = PictureState::Ready;
                    record.size = size;
                    changes.push(shelf::save_picture(&record));
                }
                card.change(changes)?;
                size
            }
            Target::File(wanted) => {
                if !open.part.kept {
                    let name = match &open.part.target {
                        // Half a file would have been deleted: what has the name now is another one.
                        Some(PartTarget::File(name)) if drawer.free_name(name) == *name => {
                            name.clone()
                        }
                        _ => drawer.free_name(&wanted),
                    };
                    open.part.target = Some(PartTarget::File(name.clone()));
                    card.change(vec![record(id, open)])?;
                    let (blob, len) = (open.part.blob.clone(), open.part.len);
                    let written = drawer.write(&name, |at| {
                        card.read_blob(&blob, at, (len - at).min(COPY_LEN) as usize)
                    });
                    if written.is_err() {
                        drawer.drop_unfinished(&name);
                    }
                    written?;
                    open.part.kept = true;
                    card.change(vec![record(id, open)])?;
                }
                None
            }
        };
        Ok((open.part.len, size))
    }

    /// Forgets the parts of a request: the changes for that, and the blobs to delete afterwards.
    pub fn drop_request(&self, laptop: LaptopId, id: RequestId) -> (Vec<Change>, Vec<String>) {
        self.drop_where(|key| key.0 == laptop && key.1 == id)
    }

    /// What [`Parts::drop_request`] told to drop is dropped.
    pub fn forget_request(&mut self, laptop: LaptopId, id: RequestId) {
        self.open.retain(|key, _| key.0 != laptop || key.1 != id);
    }

    /// Forgets the parts of all requests to a laptop: what to change on the card, and the blobs that go with it.
    pub fn drop_laptop(&mut self, laptop: LaptopId) -> (Vec<Change>, Vec<String>) {
        let drops = self.drop_where(|key| key.0 == laptop);
        self.open.retain(|key, _| key.0 != laptop);
        drops
    }

    fn drop_where(&self, goes: impl Fn(&PartId) -> bool) -> (Vec<Change>, Vec<String>) {
        let (mut changes, mut blobs) = (Vec::new(), Vec::new());
        for (key, open) in self.open.iter().filter(|(key, _)| goes(key)) {
            changes.push(Change::Delete(
                Table::Part,
                shelf::part_key(key.0, key.1, key.2),
            ));
            if !matches!(
                (open.part.kept, &open.part.target),
                (true, Some(PartTarget::Picture(_)))
            ) {
                blobs.push(open.part.blob.clone());
            }
        }
        (changes, blobs)
    }
}

fn record(id: PartId, open: &Open) -> Change {
    Change::Put(
        Table::Part,
        shelf::part_key(id.0, id.1, id.2),
        shelf::encode(&open.part),
    )
}

fn sync<M: Medium>(card: &mut Card<M>, id: PartId, open: &mut Open) -> Result<(), CardError> {
    card.sync_blob(&open.part.blob)?;
    let before = std::mem::replace(&mut open.part.len, open.written);
    let result = card.change(vec![record(id, open)]);
    if result.is_err() {
        open.part.len = before;
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::model::Raster;
    use crate::card::Opened;
    use crate::card::simulated::{CountingEntropy, Dice, SimulatedCard};

    const ID: PartId = (LaptopId(1), RequestId(9), 2);

    fn open(medium: SimulatedCard) -> Card<SimulatedCard> {
        match Card::open_with(medium, Box::new(CountingEntropy::new(1)), 0).unwrap() {
            Opened::Ready(card, _) => *card,
            Opened::Locked(_) => unreachable!("no lock is set"),
        }
    }

    fn drawer(name: &str) -> Drawer {
        let path =
            std::env::temp_dir().join(format!("officeos-parts-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Drawer::open(&path).unwrap()
    }

    fn picture() -> Vec<u8> {
        let raster = Raster {
            width: 3,
            height: 2,
            rgb: (0..18).collect(),
        };
        [&[1u8][..], &raster::to_png(&raster).unwrap()].concat()
    }

    #[test]
    fn a_picture_is_there_after_a_power_cut_and_its_blob_outlives_its_request() {
        let (mut card, drawer, mut parts) = (
            open(SimulatedCard::default()),
            drawer("picture"),
            Parts::default(),
        );
        let bytes = picture();
        parts.write(&mut card, ID, 0, &bytes[..10]).unwrap();
        parts.write(&mut card, ID, 10, &bytes[10..]).unwrap();
        let kept = parts
            .keep(&mut card, &drawer, ID, Target::Picture(PictureId(4)))
            .unwrap();
        assert_eq!(kept, (bytes.len() as u64, Some((3, 2))));
        let (changes, blobs) = parts.drop_request(ID.0, ID.1);
        card.change(changes).unwrap();
        assert_eq!(blobs, Vec::<String>::new());
        let mut card = open(card.medium().after_power_cut(&mut Dice::new(1)));
        card.sweep(&Parts::named(card.items())).unwrap();
        let blob = Parts::blob_of(card.items(), PictureId(4)).unwrap();
        assert_eq!(card.read_blob(&blob, 0, bytes.len()).unwrap(), bytes);
        assert_eq!(Parts::load(card.items()).lengths(), []);
    }

    #[test]
    fn a_picture_that_was_told_to_be_ready_is_ready_after_a_power_cut() {
        let (mut card, drawer, mut parts) = (
            open(SimulatedCard::default()),
            drawer("ready"),
            Parts::default(),
        );
        let id = PictureId(4);
        let record = Picture {
            id,
            recipe: Default::default(),
            made: crate::app::model::picture::Made::Painted,
            from: None,
            at: 0,
            request: Some(ID.1),
            state: PictureState::Open,
            size: None,
            thumb: None,
            raster: None,
        };
        card.change(vec![shelf::save_picture(&record)]).unwrap();
        parts.write(&mut card, ID, 0, &picture()).unwrap();
        parts
            .keep(&mut card, &drawer, ID, Target::Picture(id))
            .unwrap();
        let card = open(card.medium().after_power_cut(&mut Dice::new(4)));
        let stored = shelf::load(card.items(), None, &mut Vec::new());
        assert_eq!(stored.pictures[0].state, PictureState::Ready);
        assert_eq!(stored.pictures[0].size, Some((3, 2)));
    }

    #[test]
    fn a_file_that_is_kept_again_after_a_power_cut_is_there_once() {
        let (mut card, drawer, mut parts) = (
            open(SimulatedCard::default()),
            drawer("file"),
            Parts::default(),
        );
        parts.write(&mut card, ID, 0, b"hello").unwrap();
        parts
            .keep(&mut card, &drawer, ID, Target::File("../notes.txt".into()))
            .unwrap();
        // The battery goes before the request is dropped; the app keeps it again.
        let mut card = open(card.medium().after_power_cut(&mut Dice::new(2)));
        let mut parts = Parts::load(card.items());
        let kept = parts
            .keep(&mut card, &drawer, ID, Target::File("notes.txt".into()))
            .unwrap();
        assert_eq!(kept, (5, None));
        let names: Vec<String> = drawer.list().unwrap().into_iter().map(|f| f.name).collect();
        assert_eq!(names, ["notes.txt"]);
        let (_, blobs) = parts.drop_request(ID.0, ID.1);
        assert_eq!(blobs.len(), 1, "its blob is no longer needed");
    }

    #[test]
    fn a_gap_and_a_damaged_picture_are_refused() {
        let (mut card, drawer, mut parts) = (
            open(SimulatedCard::default()),
            drawer("gap"),
            Parts::default(),
        );
        assert!(matches!(
            parts.write(&mut card, ID, 5, b"x"),
            Err(CardError::Damaged { .. })
        ));
        parts.write(&mut card, ID, 0, b"no picture").unwrap();
        let refused = parts.keep(&mut card, &drawer, ID, Target::Picture(PictureId(4)));
        assert!(matches!(refused, Err(CardError::Damaged { .. })));
        assert_eq!(Parts::blob_of(card.items(), PictureId(4)), None);
    }

    #[test]
    fn a_long_part_is_resumed_from_what_is_durable() {
        let (mut card, mut parts) = (open(SimulatedCard::default()), Parts::default());
        let piece = vec![7; 100_000];
        for n in 0..4 {
            parts.write(&mut card, ID, n * 100_000, &piece).unwrap();
        }
        let card = open(card.medium().after_power_cut(&mut Dice::new(3)));
        assert_eq!(
            Parts::load(card.items()).lengths(),
            [(ID.0, ID.1, ID.2, 300_000)]
        );
    }
}
