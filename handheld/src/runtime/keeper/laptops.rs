//! Paired laptops: their keys, what is known of them, and which one a link is kept to.

use super::errand::Reach;
use super::{Keeper, shelf};
use crate::app::model::laptop::{Laptop, LaptopId};
use crate::card::{CardError, Change, Key, Relationship, Table};
use crate::link::{Command, Target};

impl Keeper {
    pub(super) fn link_to(&mut self, wanted: Option<Reach>) {
        self.linked = wanted.as_ref().map(|reach| reach.laptop);
        let target = wanted.and_then(|reach| {
            let laptop = reach.laptop;
            let card = self.card().ok()?;
            let relationship = card
                .relationships()
                .iter()
                .find(|r| r.id == laptop.0)?
                .clone();
            let last_id = shelf::last_request(card.items(), laptop);
            Some(Box::new(Target {
                relationship,
                carriers: reach.carriers,
                network: reach.network,
                last_id,
                ledger: shelf::ledger_seen(card.items(), laptop),
            }))
        });
        let _ = self.link.send_blocking(Command::Target(target));
    }

    pub(super) fn forget(&mut self, laptop: LaptopId) -> Result<(), CardError> {
        if self.linked == Some(laptop) {
            self.linked = None;
            let _ = self.link.send_blocking(Command::Farewell);
        }
        let card = self.card()?;
        let left = card
            .relationships()
            .iter()
            .filter(|r| r.id != laptop.0)
            .cloned()
            .collect();
        card.set_relationships(left)?;
        let mine: Vec<Key> = card
            .items()
            .table(Table::Outbox)
            .map(|(k, _)| k)
            .filter(|k| k.1 == laptop.0)
            .collect();
        // Its last request number stays: a laptop that is paired later gets another number and nothing of this one's.
        let mut changes = vec![
            Change::DeleteAll(Table::Laptop, u64::from(laptop.0)),
            Change::DeleteAll(Table::Ledger, u64::from(laptop.0)),
        ];
        changes.extend(
            mine.into_iter()
                .map(|key| Change::Delete(Table::Outbox, key)),
        );
        let (parts, blobs) = self.parts.drop_laptop(laptop);
        changes.extend(parts);
        self.change(changes)?;
        blobs
            .iter()
            .try_for_each(|blob| self.card()?.delete_blob(blob))
    }

    pub(super) fn pair(
        &mut self,
        mut relationship: Relationship,
        mut laptop: Laptop,
    ) -> Result<Laptop, CardError> {
        let card = self.card()?;
        let mut list = card.relationships().to_vec();
        let used = card
            .items()
            .table(Table::LastRequest)
            .map(|(k, _)| k.0 as u32);
        // Numbers are not used twice while anything of the former holder is left.
        let next = list.iter().map(|r| r.id).chain(used).max().unwrap_or(0) + 1;
        relationship.id = next;
        laptop.id = LaptopId(next);
        self.change(vec![
            shelf::save_laptop(&laptop),
            shelf::set_last_request(laptop.id, 0),
        ])?;
        list.push(relationship);
        self.card()?.set_relationships(list)?;
        Ok(laptop)
    }

    pub(super) fn rekey(&mut self, relationship: Relationship) -> Result<(), CardError> {
        let card = self.card()?;
        let mut list = card.relationships().to_vec();
        match list.iter_mut().find(|r| r.id == relationship.id) {
            Some(known) => *known = relationship,
            None => {
                return Err(CardError::Damaged {
                    what: "pairing: its keys are gone".into(),
                });
            }
        }
        card.set_relationships(list)
    }
}
