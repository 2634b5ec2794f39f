//! One open device: its events as buttons, as contacts for the set-up, as signs of power key and lid.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use smol::Async;
use smol::channel::{Receiver, SendError};

use super::device::Source;
use super::{Pad, PlatformEvent, Shared};
use crate::input::code::{DELETE, INSERT, POWER, Raw};
use crate::input::doze::Sign;
use crate::input::pads::{Role, role};
use crate::input::{Button, Contact, Touch, Translator};
use crate::time::Millis;

/// The runtime has ended.
type Ended = SendError<PlatformEvent>;

/// One open device.
pub(super) struct Reader<S> {
    source: S,
    ready: Async<OwnedFd>,
    name: Arc<str>,
    role: Role,
    translator: Translator,
    /// Contacts that are closed, with what they hold.
    held: Vec<(Contact, Button)>,
    listening: bool,
    shared: Arc<Shared>,
}

enum Wake {
    Ready,
    Orders,
    Gone,
}

impl<S: Source> Reader<S> {
    /// Opens a node, if it is a device for us; with what it is for the app, if it has buttons.
    pub(super) fn open(path: &Path, shared: Arc<Shared>) -> Option<(Self, Option<Pad>)> {
        let source = match S::open(path) {
            Ok(source) => source,
            Err(error) => {
                log::debug!("{}: {error}", path.display());
                return None;
            }
        };
        let capabilities = source.capabilities();
        let name = source.name();
        let Some(role) = role(&name, &capabilities, shared.firmware) else {
            log::debug!("{}: {name:?} has nothing for us", path.display());
            return None;
        };
        let copy: io::Result<OwnedFd> = BorrowedFd::try_clone_to_owned(&source.as_fd());
        let ready = copy
            .and_then(Async::new)
            .inspect_err(|error| log::warn!("{}: {error}", path.display()))
            .ok()?;
        log::info!("{}: {name:?} as {}", path.display(), role.keymap.name);
        let name: Arc<str> = name.into();
        let pad = role.is_pad().then(|| Pad {
            name: name.clone(),
            explained: role.explained,
        });
        let mut reader = Self {
            source,
            ready,
            translator: Translator::new(role.keymap, &capabilities, Vec::new()),
            name,
            role,
            held: Vec::new(),
            listening: false,
            shared,
        };
        reader.learn();
        Some((reader, pad))
    }

    /// Reads until the device or the runtime is gone, then opens what it still holds.
    pub(super) async fn run(mut self, notes: Receiver<()>) {
        let mut events = Vec::new();
        loop {
            let ready = async {
                if self.ready.readable().await.is_ok() {
                    Wake::Ready
                } else {
                    Wake::Gone
                }
            };
            let orders = async {
                if notes.recv().await.is_ok() {
                    Wake::Orders
                } else {
                    Wake::Gone
                }
            };
            // Orders come first: what is read after them is read as they want it.
            let done = match smol::future::or(orders, ready).await {
                Wake::Gone => break,
                Wake::Orders => self.open_all().await.map(|()| self.learn()),
                Wake::Ready => match self.source.read(&mut events) {
                    Ok(()) => self.pass_on(&mut events).await,
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(_) => break,
                },
            };
            if done.is_err() {
                return;
            }
        }
        // A runtime that has ended holds nothing any more.
        let _ = self.open_all().await;
        let _ = self
            .shared
            .events
            .send(PlatformEvent::Lost(self.name.clone()))
            .await;
    }

    /// Takes over what the app wants.
    fn learn(&mut self) {
        let (taught, listening, grab) = {
            let wanted = self.shared.lock();
            (
                wanted.taught.of(&self.name),
                wanted.listening,
                self.role.grab && !wanted.resting,
            )
        };
        self.translator.teach(taught);
        self.listening = listening;
        if let Err(error) = self.source.grab(grab) {
            log::info!("{:?} is shared with others: {error}", self.name);
        }
    }

    async fn pass_on(&mut self, events: &mut Vec<(Raw, Millis)>) -> Result<(), Ended> {
        for (raw, at) in events.drain(..) {
            if let Some(sign) = self.sign(raw) {
                self.shared.events.send(PlatformEvent::Sign(sign)).await?;
                continue;
            }
            // At most one contact opens and one closes.
            let touches: heapless::Vec<Touch, 2> = self.translator.feed(raw).collect();
            for touch in touches {
                self.touch(touch, at).await?;
            }
        }
        Ok(())
    }

    /// What of power key or lid this event says.
    fn sign(&self, raw: Raw) -> Option<Sign> {
        match raw {
            Raw::Key(POWER, pressed) => Some(Sign::Power(pressed)),
            Raw::Lid(closed) => Some(Sign::Lid(closed)),
            Raw::Key(INSERT | DELETE, true) if self.role.lid_keys => {
                Some(match super::super::power::lid_closed() {
                    Some(closed) => Sign::Lid(closed),
                    None => Sign::LidMoved,
                })
            }
            _ => None,
        }
    }

    async fn touch(&mut self, touch: Touch, at: Millis) -> Result<(), Ended> {
        let held = self.held.iter().position(|row| row.0 == touch.contact);
        match (touch.pressed, held) {
            // What was held before the set-up began opens as a button.
            (false, Some(index)) => {
                let (_, button) = self.held.remove(index);
                self.set(button, false, at).await
            }
            _ if self.listening || (touch.button.is_none() && !self.role.explained) => {
                let event = PlatformEvent::Touch {
                    device: self.name.clone(),
                    touch,
                    at,
                };
                self.shared.events.send(event).await
            }
            (true, None) => match touch.button {
                Some(button) => {
                    self.held.push((touch.contact, button));
                    self.set(button, true, at).await
                }
                None => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// Opens whatever this device holds.
    async fn open_all(&mut self) -> Result<(), Ended> {
        let at = super::super::clock::now();
        while let Some((_, button)) = self.held.pop() {
            self.set(button, false, at).await?;
        }
        Ok(())
    }

    async fn set(&mut self, button: Button, pressed: bool, at: Millis) -> Result<(), Ended> {
        let changed = self.shared.lock().holders.set(button, pressed);
        if changed {
            let event = PlatformEvent::Button {
                button,
                pressed,
                at,
            };
            self.shared.events.send(event).await?;
        }
        Ok(())
    }
}
