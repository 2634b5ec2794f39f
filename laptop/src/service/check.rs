//! Whether each provider works: all are asked now, whatever is remembered of them.

use std::sync::Arc;
use std::time::Instant;

use crate::ipc::{CancelToken, ProviderCheck, Source};

use super::Provider;
use super::registry::{Entry, Registry};

impl<P: Provider + ?Sized> Registry<P> {
    /// Asks every provider for its models, all at the same time.
    pub fn check(&self, cancel: &CancelToken) -> Vec<ProviderCheck> {
        let entries = self.by_source(cancel);
        std::thread::scope(|scope| {
            let asking: Vec<_> = entries
                .iter()
                .map(|(source, entry)| scope.spawn(|| ask(*source, entry, cancel)))
                .collect();
            let answers = asking.into_iter().map(|thread| thread.join());
            answers.filter_map(Result::ok).collect()
        })
    }
}

fn ask<P: Provider + ?Sized>(
    source: Source,
    entry: &Arc<Entry<P>>,
    cancel: &CancelToken,
) -> ProviderCheck {
    let began = Instant::now();
    let answer = entry.provider.models(cancel);
    ProviderCheck {
        provider: entry.provider.name().to_owned(),
        address: entry.provider.address().to_owned(),
        source,
        models: answer
            .as_ref()
            .map_or(0, |models| u32::try_from(models.len()).unwrap_or(u32::MAX)),
        answered_ms: u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX),
        trouble: answer.err().map(|attempt| attempt.failure),
    }
}
