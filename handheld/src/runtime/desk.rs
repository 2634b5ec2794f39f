//! The card as the link driver sees it: errands with answers.

use smol::channel::{Sender, bounded};

use super::keeper::Errand;
use crate::app::model::{Laptop, Source};
use crate::card::Relationship;
use crate::link::{Kept, Library, Piece, Rekeyed};

/// Hands the driver's wishes to the card's thread.
#[derive(Clone, Debug)]
pub struct Desk(pub Sender<Errand>);

impl Library for Desk {
    fn piece<'a>(&'a self, source: &'a Source, offset: u64, len: usize) -> Piece<'a> {
        Box::pin(async move {
            let (reply, answer) = bounded(1);
            let source = source.clone();
            self.0
                .send(Errand::Piece {
                    source,
                    offset,
                    len,
                    reply,
                })
                .await
                .ok()?;
            answer.recv().await.ok()?
        })
    }

    fn pair(&self, relationship: Relationship, laptop: Laptop) -> Kept<'_> {
        Box::pin(async move {
            let gone = || "The app is ending.".to_owned();
            let (reply, answer) = bounded(1);
            let errand = Errand::Pair {
                relationship: Box::new(relationship),
                laptop: Box::new(laptop),
                reply,
            };
            self.0.send(errand).await.map_err(|_| gone())?;
            answer.recv().await.map_err(|_| gone())?
        })
    }

    fn rekey(&self, relationship: Relationship) -> Rekeyed<'_> {
        Box::pin(async move {
            let (reply, answer) = bounded(1);
            let errand = Errand::Rekey {
                relationship: Box::new(relationship),
                reply,
            };
            self.0.send(errand).await.is_ok() && answer.recv().await.unwrap_or(false)
        })
    }
}
