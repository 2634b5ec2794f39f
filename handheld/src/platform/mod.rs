//! The device: pixels out, buttons in, battery and clock. Thin shells around one resource each.
//!
//! A [`Platform`] is a display and a stream of [`PlatformEvent`]s; the runtime turns contacts into presses
//! ([`crate::input::Tracker`]) and messages. Nothing here opens a socket to another machine or decides anything.
//!
//! - [`headless`]: buttons from a script, frames in memory. Always there.
//! - `sdl` (feature `device`): the window, on a desktop also its keyboard as buttons.
//! - [`drm`]: the panel without SDL, through the kernel's display driver.
//! - [`evdev`]: the buttons of a real device, its power key and lid. Who puts the device to sleep stands in [`crate::input::doze`].

pub mod clock;
pub mod confine;
pub mod drm;
pub mod evdev;
pub mod firmware;
mod frame;
pub mod headless;
pub mod power;
pub mod resume;
pub mod rumble;
#[cfg(feature = "device")]
pub mod sdl;
pub mod signals;

use std::fmt;
use std::sync::Arc;

use smol::channel::{Receiver, Sender};

use crate::input::doze::Sign;
use crate::input::{Button, Touch};
use crate::time::Millis;

/// Events that may wait for the runtime; a person makes a few dozen a second.
pub const EVENT_QUEUE: usize = 256;

/// A part of the panel, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// Left edge.
    pub x: u32,
    /// Top edge.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

impl Area {
    /// A whole panel.
    #[must_use]
    pub const fn whole(width: u32, height: u32) -> Self {
        Self {
            x: 0,
            y: 0,
            width,
            height,
        }
    }

    /// The part of this area that lies on a panel.
    #[must_use]
    pub fn on_panel(self, width: u32, height: u32) -> Self {
        let (x, y) = (self.x.min(width), self.y.min(height));
        Self {
            x,
            y,
            width: self.width.min(width - x),
            height: self.height.min(height - y),
        }
    }

    /// Whether it holds no pixel.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.width == 0 || self.height == 0
    }
}

/// An input device with buttons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pad {
    /// Its name, as the kernel has it.
    pub name: Arc<str>,
    /// A table or its capabilities say which button is which.
    pub explained: bool,
}

/// What a device reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlatformEvent {
    /// A button closed or opened. A device that goes away opens its buttons first.
    Button {
        /// Which.
        button: Button,
        /// Closed.
        pressed: bool,
        /// When the kernel, or whoever reports it, saw that.
        at: Millis,
    },
    /// A contact closed or opened while the set-up listens, or one that means nothing on a pad that nothing explains.
    Touch {
        /// Name of the device.
        device: Arc<str>,
        /// What happened.
        touch: Touch,
        /// When.
        at: Millis,
    },
    /// The pads that there are now.
    Pads(Vec<Pad>),
    /// A device went away.
    Lost(Arc<str>),
    /// Power key, lid or clock.
    Sign(Sign),
    /// What a device reported in one go: between a press and its release in it nothing else has happened, however late it is read.
    Several(Vec<Self>),
    /// The person closed the window, or the system asks the app to end.
    Close,
}

/// Something that shows pixels.
pub trait Display: Send {
    /// Width and height in pixels; they stay as they are for the display's life.
    fn size(&self) -> (u32, u32);

    /// Shows `dirty` parts of a whole frame of RGB565 `pixels`, row by row. It never waits for the panel.
    ///
    /// # Errors
    /// The frame has another size, or the display is gone.
    fn present(&mut self, pixels: &[u16], dirty: &[Area]) -> Result<(), PlatformError>;
}

/// Something that reports contacts: hands them over one by one, waiting without polling.
pub trait Buttons: Send {
    /// The next event; `None` when the device is gone for good.
    fn next(&mut self) -> impl Future<Output = Option<PlatformEvent>> + Send;
}

impl Buttons for Receiver<PlatformEvent> {
    async fn next(&mut self) -> Option<PlatformEvent> {
        self.recv().await.ok()
    }
}

/// Something that knows the battery.
pub trait Power: Send {
    /// The charge now; `None` on mains without a battery.
    fn charge(&mut self) -> Option<power::Charge>;
}

/// A device as the runtime gets it.
pub struct Platform {
    /// Where frames go.
    pub display: Box<dyn Display>,
    /// Where events come from.
    pub events: Receiver<PlatformEvent>,
    /// Where further sources (evdev, signals) put events.
    pub sender: Sender<PlatformEvent>,
    /// The battery.
    pub power: Box<dyn Power>,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Platform")
            .field("size", &self.display.size())
            .finish_non_exhaustive()
    }
}

/// Why the device cannot be used.
#[derive(Debug)]
pub enum PlatformError {
    /// A frame of another size than the display's: a fault of this program.
    FrameSize {
        /// Pixels that a frame has.
        expected: usize,
        /// Pixels that came.
        got: usize,
    },
    /// The display has ended.
    Gone,
    /// SDL refused; its words follow.
    Window(String),
    /// No graphics device shows anything; the reason follows.
    Panel(String),
    /// The input folder cannot be watched.
    Input(std::io::Error),
}

impl fmt::Display for PlatformError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FrameSize { expected, got } => {
                write!(
                    f,
                    "a frame has {expected} pixels, not {got}; this is a fault of the app"
                )
            }
            Self::Gone => write!(f, "the window is closed"),
            Self::Window(words) => write!(
                f,
                "no window: {words}. Start it from a desktop or from the device's own menu, or use --headless"
            ),
            Self::Panel(words) => write!(f, "no panel: {words}"),
            Self::Input(error) => {
                write!(
                    f,
                    "the buttons cannot be read: {error}. The user needs read access to /dev/input"
                )
            }
        }
    }
}

impl std::error::Error for PlatformError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Input(error) => Some(error),
            _ => None,
        }
    }
}
