//! A device without a device: buttons from a script, frames in memory. For tests and for scripted runs.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use smol::channel::{self, Sender};

use super::frame::Frame;
use super::power::Charge;
use super::{Area, Display, EVENT_QUEUE, Platform, PlatformError, PlatformEvent, Power};
use crate::input::Button;

/// The far end of a headless device: presses its buttons and looks at its panel.
#[derive(Debug, Clone)]
pub struct Remote {
    events: Sender<PlatformEvent>,
    memory: Arc<Memory>,
}

#[derive(Debug)]
struct Memory {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    frame: Frame,
    shown: u64,
    charge: Option<Charge>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole pixels behind: they can still be looked at.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Opens a headless device with a panel of this size in pixels.
#[must_use]
pub fn open(width: u32, height: u32) -> (Remote, Platform) {
    let (sender, events) = channel::bounded(EVENT_QUEUE);
    let state = State {
        frame: Frame::new(width, height),
        shown: 0,
        charge: None,
    };
    let memory = Arc::new(Memory {
        state: Mutex::new(state),
        changed: Condvar::new(),
    });
    let remote = Remote {
        events: sender.clone(),
        memory: memory.clone(),
    };
    let platform = Platform {
        display: Box::new(Panel(memory.clone())),
        events,
        sender,
        power: Box::new(Panel(memory)),
    };
    (remote, platform)
}

impl Remote {
    /// Closes or opens a contact.
    ///
    /// # Errors
    /// The app has ended.
    pub async fn set(&self, button: Button, pressed: bool) -> Result<(), PlatformError> {
        self.events
            .send(PlatformEvent::Button {
                button,
                pressed,
                at: super::clock::now(),
            })
            .await
            .map_err(|_| PlatformError::Gone)
    }

    /// Closes the window.
    ///
    /// # Errors
    /// The app has ended.
    pub async fn close(&self) -> Result<(), PlatformError> {
        self.events
            .send(PlatformEvent::Close)
            .await
            .map_err(|_| PlatformError::Gone)
    }

    /// Sets what the battery says when it is next read.
    pub fn set_charge(&self, charge: Option<Charge>) {
        self.memory.lock().charge = charge;
    }

    /// How many frames were presented.
    #[must_use]
    pub fn shown(&self) -> u64 {
        self.memory.lock().shown
    }

    /// Waits until more than `seen` frames were presented; blocks the thread, so call it outside the executor.
    /// False if `timeout` passed first.
    #[must_use]
    pub fn wait_past(&self, seen: u64, timeout: Duration) -> bool {
        let state = self.memory.lock();
        let waited = self
            .memory
            .changed
            .wait_timeout_while(state, timeout, |state| state.shown <= seen);
        waited.map_or_else(
            |poisoned| poisoned.into_inner().0.shown > seen,
            |(state, _)| state.shown > seen,
        )
    }

    /// The panel as it is now: width, height and RGB565 pixels.
    #[must_use]
    pub fn picture(&self) -> (u32, u32, Vec<u16>) {
        let state = self.memory.lock();
        (
            state.frame.width,
            state.frame.height,
            state.frame.pixels.clone(),
        )
    }

    /// The panel as it is now, as a PNG file.
    #[must_use]
    pub fn png(&self) -> Vec<u8> {
        let (width, height, pixels) = self.picture();
        crate::ui::canvas::png::encode(width, height, &pixels)
    }
}

#[derive(Debug)]
struct Panel(Arc<Memory>);

impl Display for Panel {
    fn size(&self) -> (u32, u32) {
        let state = self.0.lock();
        (state.frame.width, state.frame.height)
    }

    fn present(&mut self, pixels: &[u16], dirty: &[Area]) -> Result<(), PlatformError> {
        let mut state = self.0.lock();
        state.frame.copy(pixels, dirty)?;
        state.frame.dirty.clear();
        state.shown += 1;
        drop(state);
        self.0.changed.notify_all();
        Ok(())
    }
}

impl Power for Panel {
    fn charge(&mut self) -> Option<Charge> {
        self.0.lock().charge
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::Buttons;

    #[test]
    fn scripted_buttons_arrive_in_order_and_end_with_the_script() {
        let (remote, platform) = open(4, 4);
        let mut events = platform.events.clone();
        drop(platform);
        smol::future::block_on(async {
            remote.set(Button::A, true).await.unwrap();
            remote.set(Button::A, false).await.unwrap();
            remote.close().await.unwrap();
            drop(remote);
            let mut seen = Vec::new();
            while let Some(event) = events.next().await {
                seen.push(match event {
                    PlatformEvent::Button {
                        button, pressed, ..
                    } => Some((button, pressed)),
                    _ => None,
                });
            }
            let a = |pressed| Some((Button::A, pressed));
            assert_eq!(seen, [a(true), a(false), None]);
        });
    }

    #[test]
    fn a_script_learns_that_the_app_has_ended() {
        let (remote, platform) = open(4, 4);
        drop(platform);
        assert!(matches!(
            smol::future::block_on(remote.set(Button::A, true)),
            Err(PlatformError::Gone)
        ));
    }

    #[test]
    fn presented_pixels_can_be_looked_at_and_waited_for() {
        let (remote, mut platform) = open(2, 1);
        assert!(!remote.wait_past(0, Duration::ZERO));
        platform
            .display
            .present(&[0xF800, 0x001F], &[Area::whole(2, 1)])
            .unwrap();
        assert!(remote.wait_past(0, Duration::from_secs(5)));
        assert_eq!(remote.picture(), (2, 1, vec![0xF800, 0x001F]));
        assert_eq!(remote.png()[..8], *b"\x89PNG\r\n\x1a\n");
    }
}
