//! The panel without SDL: memory that the kernel's display driver shows (DRM dumb buffers).
//!
//! One buffer is enough: only what changed is written, and nothing moves that a torn frame would spoil. As with SDL, the
//! runtime's frames are taken over by a thread of their own ([`Window::run`]), because some drivers wait for the panel
//! when they are told of a change. Between frames it sleeps.

mod card;
mod scanout;

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use smol::channel;

pub use card::FOLDER;
pub use scanout::Turn;

use super::frame::Frame;
use super::power::Supplies;
use super::{Area, Display, EVENT_QUEUE, Platform, PlatformError};
use card::Scanout;

/// What runtime and panel share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    frame: Frame,
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of the other side leaves whole pixels behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runtime's end.
struct Panel {
    shared: Arc<Shared>,
    size: (u32, u32),
}

impl Display for Panel {
    fn size(&self) -> (u32, u32) {
        self.size
    }

    fn present(&mut self, pixels: &[u16], dirty: &[Area]) -> Result<(), PlatformError> {
        let mut state = self.shared.lock();
        if state.ended {
            return Err(PlatformError::Gone);
        }
        state.frame.copy(pixels, dirty)?;
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        self.shared.lock().ended = true;
        self.shared.changed.notify_one();
    }
}

/// The panel's end.
pub struct Window {
    scanout: Scanout,
    shared: Arc<Shared>,
}

/// Takes the panel of the first graphics device below `folder` ([`FOLDER`]) that has one. `turn` is how the frame is
/// turned on it; `None` asks the kernel how the panel is mounted.
///
/// # Errors
/// There is no such device, or another program holds it.
pub fn open(folder: &Path, turn: Option<Turn>) -> Result<(Window, Platform), PlatformError> {
    let scanout = card::open(folder, turn).map_err(PlatformError::Panel)?;
    let (width, height) = scanout.placement.frame;
    let state = State {
        frame: Frame::new(width, height),
        ended: false,
    };
    let shared = Arc::new(Shared {
        state: Mutex::new(state),
        changed: Condvar::new(),
    });
    let (sender, events) = channel::bounded(EVENT_QUEUE);
    let display = Box::new(Panel {
        shared: shared.clone(),
        size: (width, height),
    });
    let platform = Platform {
        display,
        events,
        sender,
        power: Box::new(Supplies::of_system()),
    };
    Ok((Window { scanout, shared }, platform))
}

impl Window {
    /// Shows frames until the runtime drops its display, then puts back what the panel showed before.
    ///
    /// # Errors
    /// The device is gone.
    pub fn run(mut self) -> Result<(), PlatformError> {
        let size = self.scanout.placement.frame;
        // A copy of what is shown, so that the runtime need not wait while the driver does.
        let mut shown = Frame::new(size.0, size.1);
        let result = loop {
            let state = self.shared.lock();
            let quiet = |state: &mut State| state.frame.dirty.is_empty() && !state.ended;
            let mut state = self
                .shared
                .changed
                .wait_while(state, quiet)
                .unwrap_or_else(PoisonError::into_inner);
            let dirty = core::mem::take(&mut state.frame.dirty);
            if dirty.is_empty() {
                break Ok(());
            }
            if let Err(error) = shown.copy(&state.frame.pixels, &dirty) {
                break Err(error);
            }
            drop(state);
            let areas = core::mem::take(&mut shown.dirty);
            if let Err(error) = self.scanout.update(&shown.pixels, &areas) {
                break Err(PlatformError::Panel(format!(
                    "the graphics device has gone: {error}"
                )));
            }
        };
        self.shared.lock().ended = true;
        result
    }
}
