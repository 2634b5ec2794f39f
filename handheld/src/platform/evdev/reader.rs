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
    /// What is to be told next.
    out: Vec<PlatformEvent>,
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
            out: Vec::new(),
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
            match smol::future::or(orders, ready).await {
                Wake::Gone => break,
                Wake::Orders => {
                    self.open_all();
                    self.learn();
                }
                Wake::Ready => match self.source.read(&mut events) {
                    Ok(()) => self.take(&mut events),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
                    Err(_) => break,
                },
            }
            if self.flush().await.is_err() {
                return;
            }
        }
        self.open_all();
        self.out.push(PlatformEvent::Lost(self.name.clone()));
        // A runtime that has ended holds nothing any more.
        let _ = self.flush().await;
    }

    /// Passes on what has come together since the last time, in one go.
    async fn flush(&mut self) -> Result<(), Ended> {
        let event = match self.out.len() {
            0 => return Ok(()),
            1 => self.out.remove(0),
            _ => PlatformEvent::Several(std::mem::take(&mut self.out)),
        };
        self.shared.events.send(event).await
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

    fn take(&mut self, events: &mut Vec<(Raw, Millis)>) {
        for (raw, at) in events.drain(..) {
            if let Some(sign) = self.sign(raw) {
                self.out.push(PlatformEvent::Sign(sign));
                continue;
            }
            // At most one contact opens and one closes.
            let touches: heapless::Vec<Touch, 2> = self.translator.feed(raw).collect();
            for touch in touches {
                self.touch(touch, at);
            }
        }
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

    fn touch(&mut self, touch: Touch, at: Millis) {
        let held = self.held.iter().position(|row| row.0 == touch.contact);
        match (touch.pressed, held) {
            // What was held before the set-up began opens as a button.
            (false, Some(index)) => {
                let (_, button) = self.held.remove(index);
                self.set(button, false, at);
            }
            _ if self.listening || (touch.button.is_none() && !self.role.explained) => {
                self.out.push(PlatformEvent::Touch {
                    device: self.name.clone(),
                    touch,
                    at,
                });
            }
            (true, None) => {
                if let Some(button) = touch.button {
                    self.held.push((touch.contact, button));
                    self.set(button, true, at);
                }
            }
            _ => {}
        }
    }

    /// Opens whatever this device holds.
    fn open_all(&mut self) {
        let at = super::super::clock::now();
        while let Some((_, button)) = self.held.pop() {
            self.set(button, false, at);
        }
    }

    fn set(&mut self, button: Button, pressed: bool, at: Millis) {
        if self.shared.lock().holders.set(button, pressed) {
            self.out.push(PlatformEvent::Button {
                button,
                pressed,
                at,
            });
        }
    }
}
