//! Events as they happen.

use super::{Control, Method};
use crate::control::api::Event;
use crate::control::{ErrorKind, Reply, RpcError};
use crate::daemon::news::event;
use serde_json::Value;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// Events that a watcher may leave unread.
const MAX_UNREAD: usize = 1024;

pub(super) const METHODS: &[Method] = &[Method::read("watch", |control, _| control.watch())];

impl Control {
    fn watch(&self) -> Result<Reply, RpcError> {
        let (sender, events) = sync_channel(MAX_UNREAD);
        let (activities, pairing) = (self.hub.desk.watch(), self.pairing.watch());
        let no_thread =
            |error: std::io::Error| RpcError::new(ErrorKind::Internal, error.to_string());
        forward("watch-pairing", pairing, sender.clone(), Some).map_err(no_thread)?;
        forward("watch", activities, sender, |activity| {
            Some(event(activity))
        })
        .map_err(no_thread)?;
        Ok(Reply::Events(events))
    }
}

/// Passes events on in a thread of its own until either end has gone.
fn forward<T: Send + 'static>(
    name: &str,
    from: Receiver<T>,
    to: SyncSender<Value>,
    make: impl Fn(T) -> Option<Event> + Send + 'static,
) -> std::io::Result<()> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || {
            for one in from {
                let Some(Ok(value)) = make(one).map(|event| serde_json::to_value(&event)) else {
                    continue;
                };
                if to.send(value).is_err() {
                    return;
                }
            }
        })?;
    Ok(())
}
