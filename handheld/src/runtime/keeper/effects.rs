//! Card effects of the app, one by one.

use std::sync::Arc;

use super::failure::{failure, own_failure};
use super::seal::octets;
use super::{Keeper, raster, shelf};
use crate::app::effect::Effect;
use crate::app::model::outbox::RequestKey;
use crate::app::msg::CardEvent;
use crate::card::{CardError, Change, Table};

use super::super::parts::Parts;

/// Octets of learned words that are kept.
const MAX_WORDS: usize = 60 * 1024;

impl Keeper {
    pub(super) fn effect(&mut self, effect: Effect) -> Result<(), CardError> {
        match effect {
            Effect::NewRequest { ticket, entry } => {
                self.catch_up();
                if let Some(failure) = self.without_place(&entry) {
                    // The card's own trouble was told with that place.
                    self.say(CardEvent::NotNumbered { ticket, failure });
                    return Ok(());
                }
                let result = self.new_request(ticket, *entry);
                if let Err(error) = &result {
                    let failure = own_failure(error);
                    self.say(CardEvent::NotNumbered { ticket, failure });
                }
                result
            }
            Effect::RaiseFloor(laptop, floor) => {
                let last = shelf::last_request(self.card()?.items(), laptop);
                if floor.0 > last + 1 {
                    return self.change(vec![shelf::set_last_request(laptop, floor.0 - 1)]);
                }
                Ok(())
            }
            Effect::SeeLedger(laptop, head) => {
                if shelf::ledger_seen(self.card()?.items(), laptop) != head {
                    return self.change(vec![shelf::set_ledger_seen(laptop, head)]);
                }
                Ok(())
            }
            Effect::SaveEntry(entry) => {
                let result = self.change(vec![shelf::save_entry(&entry)]);
                match &result {
                    Ok(()) => self.unwritten.remove(&entry.key()),
                    Err(error) => self.unwritten.insert(entry.key(), own_failure(error)),
                };
                result
            }
            Effect::DropEntry(laptop, id) => self.drop_entry(RequestKey { laptop, id }),
            Effect::SavePart {
                laptop,
                id,
                slot,
                offset,
                bytes,
            } => self.save_part(laptop, id, slot, offset, &bytes),
            Effect::Keep {
                laptop,
                id,
                slot,
                target,
            } => {
                let event = match self.keep(laptop, id, slot, target) {
                    Ok((len, size)) => CardEvent::Kept {
                        laptop,
                        id,
                        len,
                        size,
                    },
                    Err(error) => {
                        log::warn!("the result of request {} was not kept: {error}", id.0);
                        CardEvent::NotKept {
                            laptop,
                            id,
                            failure: failure(&error),
                        }
                    }
                };
                self.say(event);
                Ok(())
            }
            Effect::SaveWords(words) => {
                // The last learned stand at the end and are worth most.
                let start = words.len().saturating_sub(MAX_WORDS);
                let start = (start..=words.len())
                    .find(|at| words.is_char_boundary(*at))
                    .unwrap_or(0);
                self.card()?.set_words(&words.as_bytes()[start..])
            }
            Effect::SaveSettings(settings) => self
                .card()?
                .set_settings(&shelf::encode_settings(&settings)),
            Effect::SaveLaptop(laptop) => self.change(vec![shelf::save_laptop(&laptop)]),
            Effect::SaveChat(chat) => {
                // What is older than this is not written after all.
                self.unsaved.remove(&chat.id);
                self.try_again();
                let result = self.save_chat(chat);
                // Only now is it known which answers are on the card.
                self.release();
                result
            }
            Effect::DropChat(id) => {
                self.unsaved.remove(&id);
                self.change(shelf::drop_chat(id))
            }
            Effect::SavePicture(picture) => {
                self.unsaved_pictures.remove(&picture.id);
                self.catch_up();
                self.save_picture(picture)
            }
            Effect::DropPicture(id) => {
                self.unsaved_pictures.remove(&id);
                let blob = Parts::blob_of(self.card()?.items(), id);
                let major = u64::from(id.0);
                self.change(vec![
                    Change::DeleteAll(Table::Picture, major),
                    Change::DeleteAll(Table::PictureBlob, major),
                ])?;
                blob.map_or(Ok(()), |blob| self.card()?.delete_blob(&blob))
            }
            Effect::SaveRecipe(recipe, earlier) => {
                self.change(vec![shelf::save_recipe(&recipe, &earlier)])
            }
            Effect::SaveRemote(at, files) => self.change(vec![shelf::save_remote(at, &files)]),
            Effect::SaveDraft(purpose, text) => {
                let change = shelf::save_draft(self.card()?.items(), &purpose, &text);
                self.change(vec![change])
            }
            Effect::LoadPicture { picture, fit } => {
                let bytes = match self.picture(picture) {
                    // A card that cannot be read just now says nothing of the picture: it must not be painted over.
                    Err(error) if fit.is_none() && !matches!(error, CardError::Damaged { .. }) => {
                        return Err(error);
                    }
                    read => read.ok(),
                };
                let raster = bytes.and_then(|bytes| raster::decode(&bytes));
                let raster = raster.map(|whole| match fit {
                    Some((width, height)) => raster::fit(whole, width, height),
                    None => whole,
                });
                self.say(CardEvent::Raster {
                    picture,
                    thumb: fit.is_some(),
                    raster: raster.map(Arc::new),
                });
                Ok(())
            }
            Effect::ListFiles => self.list_files(),
            Effect::Hash(source) => {
                let facts = self.facts(&source).ok();
                self.say(CardEvent::Hashed { source, facts });
                Ok(())
            }
            Effect::DropFile(name) => self.drawer.delete(&name).and_then(|()| self.list_files()),
            Effect::WriteFile { name, bytes } => self.write_file(&name, bytes),
            Effect::ExportPicture { picture, name } => {
                let bytes = self.picture(picture)?;
                let (file, ending) = raster::as_file(&bytes).ok_or_else(|| CardError::Damaged {
                    what: "picture".into(),
                })?;
                self.write_file(&format!("{name}.{ending}"), file)
            }
            Effect::Unlock(sequence) => {
                self.unlock(&octets(&sequence));
                Ok(())
            }
            Effect::SetLock(sequence) => self.set_lock(sequence),
            other => {
                log::warn!("not the card's business: {other:?}");
                Ok(())
            }
        }
    }
}
