//! The window: SDL shows pixels, and on a desktop its keyboard stands in for the buttons.
//!
//! SDL wants the main thread, the runtime wants its own: [`open`] gives a [`Window`] to run on the main thread and a
//! [`Platform`] to move to another. Nothing polls. On a desktop the window sleeps in SDL's queue and is woken by an
//! event of ours; on a device, whose SDL drivers can only poll that queue, it sleeps until there is a frame.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use sdl2::EventPump;
use sdl2::event::{Event, EventSender, WindowEvent};
use sdl2::pixels::{Color, PixelFormatEnum};
use sdl2::rect::Rect;
use sdl2::render::{Texture, WindowCanvas};
use smol::channel::{self, Sender};

use super::frame::Frame;
use super::power::Supplies;
use super::{Area, Display, EVENT_QUEUE, Platform, PlatformError, PlatformEvent};
use crate::input::keyboard::button_of_usage;
use crate::input::{Button, ButtonSet};

/// How the window is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Its title.
    pub title: String,
    /// The panel in pixels; `None` takes the size of the screen.
    pub panel: Option<(u32, u32)>,
    /// Window pixels for each panel pixel at the start, on a desktop.
    pub scale: u32,
    /// The whole screen, without a frame or a pointer.
    pub fullscreen: bool,
    /// Whether a keyboard stands in for the buttons.
    pub keyboard: bool,
    /// An SDL video driver to insist on (`dummy`, `offscreen`); `None` leaves it to SDL and its environment.
    pub driver: Option<String>,
}

impl Options {
    /// A window on a desktop with a panel of this size.
    #[must_use]
    pub fn desktop(width: u32, height: u32) -> Self {
        Self {
            title: "OfficeOS".into(),
            panel: Some((width, height)),
            scale: 1,
            fullscreen: false,
            keyboard: true,
            driver: None,
        }
    }

    /// The whole screen of a handheld, whose buttons evdev reads.
    #[must_use]
    pub fn device() -> Self {
        Self {
            panel: None,
            fullscreen: true,
            keyboard: false,
            ..Self::desktop(0, 0)
        }
    }
}

/// Tells the window to look at its frame.
struct Wake;

/// What runtime and window share.
#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    frame: Frame,
    ended: bool,
    /// A wake-up is on its way: one is enough for any number of frames.
    woken: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic of the other side leaves whole pixels behind.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The runtime's end of the window.
struct Panel {
    shared: Arc<Shared>,
    wake: Option<EventSender>,
    size: (u32, u32),
}

impl Panel {
    fn wake(&self, mut state: MutexGuard<'_, State>) {
        if let (false, Some(sender)) = (state.woken, &self.wake) {
            // Refused when SDL's queue is full, so that the next frame tries again, or when SDL has ended.
            state.woken = sender.push_custom_event(Wake).is_ok();
        } else {
            state.woken = true;
        }
        drop(state);
        self.shared.changed.notify_one();
    }
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
        self.wake(state);
        Ok(())
    }
}

impl Drop for Panel {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.ended = true;
        self.wake(state);
    }
}

/// The window itself; it stays on the thread that opened it.
pub struct Window {
    canvas: WindowCanvas,
    pump: EventPump,
    shared: Arc<Shared>,
    events: Sender<PlatformEvent>,
    keyboard: bool,
    held: ButtonSet,
}

/// Opens the window. Call it on the main thread.
///
/// # Errors
/// SDL finds no screen.
pub fn open(options: &Options) -> Result<(Window, Platform), PlatformError> {
    // Signals end the app in its own way; SDL would turn them into events that a device never looks at.
    sdl2::hint::set("SDL_NO_SIGNAL_HANDLERS", "1");
    if !options.fullscreen {
        // Else SDL draws its software picture through GL all the same, with a thread for each core.
        sdl2::hint::set("SDL_FRAMEBUFFER_ACCELERATION", "0");
    }
    if let Some(driver) = &options.driver {
        sdl2::hint::set("SDL_VIDEODRIVER", driver);
    }
    let sdl = sdl2::init().map_err(PlatformError::Window)?;
    let video = sdl.video().map_err(PlatformError::Window)?;
    let (width, height) = match options.panel {
        Some(size) => size,
        None => {
            let mode = video
                .desktop_display_mode(0)
                .map_err(PlatformError::Window)?;
            (mode.w.unsigned_abs(), mode.h.unsigned_abs())
        }
    };
    let scale = options.scale.max(1);
    let mut builder = video.window(&options.title, width * scale, height * scale);
    builder.position_centered().resizable();
    if options.fullscreen {
        builder.fullscreen_desktop();
    }
    let window = builder
        .build()
        .map_err(|error| PlatformError::Window(error.to_string()))?;
    sdl.mouse().show_cursor(!options.fullscreen);
    // A desktop may have no working GL (a virtual machine, a remote screen), and this little is quick without it.
    let canvas = window.into_canvas();
    // A device is asked for its GPU, and SDL falls back by itself.
    let canvas = if options.fullscreen {
        canvas
    } else {
        canvas.software()
    };
    let canvas = canvas
        .build()
        .map_err(|error| PlatformError::Window(error.to_string()))?;
    let pump = sdl.event_pump().map_err(PlatformError::Window)?;
    let queue = sdl.event().map_err(PlatformError::Window)?;
    // Refused when an earlier window of this process registered it; one registration serves all.
    drop(queue.register_custom_event::<Wake>());

    let (sender, events) = channel::bounded(EVENT_QUEUE);
    let state = State {
        frame: Frame::new(width, height),
        ended: false,
        woken: false,
    };
    let shared = Arc::new(Shared {
        state: Mutex::new(state),
        changed: Condvar::new(),
    });
    let wake = options.keyboard.then(|| queue.event_sender());
    let display = Box::new(Panel {
        shared: shared.clone(),
        wake,
        size: (width, height),
    });
    let window = Window {
        canvas,
        pump,
        shared,
        events: sender.clone(),
        keyboard: options.keyboard,
        held: ButtonSet::EMPTY,
    };
    Ok((
        window,
        Platform {
            display,
            events,
            sender,
            power: Box::new(Supplies::of_system()),
        },
    ))
}

impl Window {
    /// Shows frames and reports keys until the runtime drops its display. Closing the window only reports
    /// [`PlatformEvent::Close`]: the runtime stores what it must and then drops the display.
    ///
    /// # Errors
    /// SDL fails.
    pub fn run(mut self) -> Result<(), PlatformError> {
        let (width, height) = {
            let state = self.shared.lock();
            (state.frame.width, state.frame.height)
        };
        let creator = self.canvas.texture_creator();
        let mut texture = creator
            .create_texture_streaming(PixelFormatEnum::RGB565, width, height)
            .map_err(|error| PlatformError::Window(error.to_string()))?;
        let mut bytes = Vec::new();
        let mut first = true;
        let result = loop {
            let exposed = self.wait();
            let mut state = self.shared.lock();
            state.woken = false;
            if state.ended {
                break Ok(());
            }
            let dirty = core::mem::take(&mut state.frame.dirty);
            if dirty.is_empty() && !exposed {
                continue;
            }
            let uploaded = dirty
                .iter()
                .try_for_each(|&area| upload(&mut texture, &state.frame, area, &mut bytes));
            drop(state);
            // A panel's first picture sets its mode and is not seen: SDL 2.26 on KMSDRM shows it with the second, and a screen that stands
            // still would stay black until a button is pressed.
            let times = if first && !self.keyboard { 2 } else { 1 };
            first = false;
            let shown = uploaded
                .and_then(|()| (0..times).try_for_each(|_| self.show(&texture, width, height)));
            if let Err(error) = shown {
                break Err(error);
            }
        };
        self.shared.lock().ended = true;
        result
    }

    /// Sleeps until there is something to do; true if the window's content was lost.
    fn wait(&mut self) -> bool {
        if !self.keyboard {
            let state = self.shared.lock();
            let waited = self.shared.changed.wait_while(state, |state| !state.woken);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            // Keeps SDL's queue from filling up; nothing in it concerns a device.
            return self.pump.poll_iter().any(|event| is_exposure(&event));
        }
        let first = self.pump.wait_event();
        let mut exposed = self.event(&first);
        while let Some(event) = self.pump.poll_event() {
            exposed |= self.event(&event);
        }
        exposed
    }

    fn event(&mut self, event: &Event) -> bool {
        match event {
            Event::Quit { .. } => self.report(PlatformEvent::Close),
            Event::KeyDown {
                scancode: Some(code),
                repeat: false,
                ..
            } => self.key(*code as u16, true),
            Event::KeyUp {
                scancode: Some(code),
                ..
            } => self.key(*code as u16, false),
            Event::Window {
                win_event: WindowEvent::FocusLost,
                ..
            } => {
                // The releases of keys held now go to another window.
                for button in core::mem::take(&mut self.held).iter() {
                    self.report(PlatformEvent::Button {
                        button,
                        pressed: false,
                        at: super::clock::now(),
                    });
                }
            }
            _ => return is_exposure(event),
        }
        false
    }

    fn key(&mut self, usage: u16, pressed: bool) {
        let Some(button) = button_of_usage(usage) else {
            return;
        };
        self.held = toggled(self.held, button, pressed);
        self.report(PlatformEvent::Button {
            button,
            pressed,
            at: super::clock::now(),
        });
    }

    fn report(&self, event: PlatformEvent) {
        // An error means that the runtime has ended; its display is dropped next and ends the window.
        let _ = self.events.send_blocking(event);
    }

    fn show(
        &mut self,
        texture: &Texture<'_>,
        width: u32,
        height: u32,
    ) -> Result<(), PlatformError> {
        let (w, h) = self.canvas.output_size().map_err(PlatformError::Window)?;
        self.canvas.set_draw_color(Color::BLACK);
        self.canvas.clear();
        let (x, y, w, h) = placed((width, height), (w, h));
        self.canvas
            .copy(texture, None, Rect::new(x, y, w, h))
            .map_err(PlatformError::Window)?;
        self.canvas.present();
        Ok(())
    }
}

const fn toggled(held: ButtonSet, button: Button, pressed: bool) -> ButtonSet {
    if pressed {
        held.with(button)
    } else {
        held.without(button)
    }
}

const fn is_exposure(event: &Event) -> bool {
    matches!(
        event,
        Event::Window {
            win_event: WindowEvent::Exposed | WindowEvent::SizeChanged(..) | WindowEvent::Restored,
            ..
        } | Event::RenderTargetsReset { .. }
    )
}

/// Where a panel stands in a window: the largest whole multiple, centred; shrunk to fit if the window is smaller.
fn placed(panel: (u32, u32), window: (u32, u32)) -> (i32, i32, u32, u32) {
    let fits = (window.0 / panel.0).min(window.1 / panel.1);
    let (width, height) = if fits > 0 {
        (panel.0 * fits, panel.1 * fits)
    } else if u64::from(window.0) * u64::from(panel.1) <= u64::from(window.1) * u64::from(panel.0) {
        (
            window.0,
            (u64::from(window.0) * u64::from(panel.1) / u64::from(panel.0)) as u32,
        )
    } else {
        (
            (u64::from(window.1) * u64::from(panel.0) / u64::from(panel.1)) as u32,
            window.1,
        )
    };
    (
        ((window.0 - width) / 2) as i32,
        ((window.1 - height) / 2) as i32,
        width.max(1),
        height.max(1),
    )
}

/// Copies one area of the frame into the texture.
fn upload(
    texture: &mut Texture<'_>,
    frame: &Frame,
    area: Area,
    bytes: &mut Vec<u8>,
) -> Result<(), PlatformError> {
    bytes.clear();
    for y in area.y..area.y + area.height {
        let start = y as usize * frame.width as usize + area.x as usize;
        let row = &frame.pixels[start..start + area.width as usize];
        bytes.extend(row.iter().flat_map(|pixel| pixel.to_ne_bytes()));
    }
    let rect = Rect::new(area.x as i32, area.y as i32, area.width, area.height);
    texture
        .update(rect, bytes, area.width as usize * 2)
        .map_err(|error| PlatformError::Window(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sdl2::keyboard::{Keycode, Mod, Scancode};

    #[test]
    fn a_panel_stands_centred_at_a_whole_multiple() {
        assert_eq!(placed((640, 480), (1300, 1000)), (10, 20, 1280, 960));
        assert_eq!(placed((640, 480), (640, 480)), (0, 0, 640, 480));
        assert_eq!(placed((640, 480), (320, 480)), (0, 120, 320, 240));
        assert_eq!(placed((640, 480), (640, 240)), (160, 0, 320, 240));
    }

    fn key(down: bool, scancode: Scancode, repeat: bool) -> Event {
        let (timestamp, window_id, keycode, keymod) = (0, 0, Some(Keycode::Z), Mod::empty());
        let scancode = Some(scancode);
        if down {
            Event::KeyDown {
                timestamp,
                window_id,
                keycode,
                scancode,
                keymod,
                repeat,
            }
        } else {
            Event::KeyUp {
                timestamp,
                window_id,
                keycode,
                scancode,
                keymod,
                repeat,
            }
        }
    }

    /// SDL belongs to the first thread that starts it, so one test walks through all of it.
    #[test]
    fn the_window_shows_frames_reports_keys_and_ends_with_its_display() {
        for driver in ["dummy", "offscreen"] {
            let options = Options {
                driver: Some(driver.into()),
                ..Options::desktop(8, 4)
            };
            let (mut window, mut platform) = open(&options).unwrap();
            assert_eq!(platform.display.size(), (8, 4));

            // Pixels: one green column, uploaded as its own area.
            let creator = window.canvas.texture_creator();
            let mut texture = creator
                .create_texture_streaming(PixelFormatEnum::RGB565, 8, 4)
                .unwrap();
            let area = Area {
                x: 2,
                y: 0,
                width: 1,
                height: 4,
            };
            platform
                .display
                .present(&[0x07E0; 32], &[Area::whole(8, 4)])
                .unwrap();
            platform.display.present(&[0xF800; 32], &[area]).unwrap();
            let shared = window.shared.clone();
            let dirty = core::mem::take(&mut shared.lock().frame.dirty);
            for area in dirty {
                upload(&mut texture, &shared.lock().frame, area, &mut Vec::new()).unwrap();
            }
            window.show(&texture, 8, 4).unwrap();
            let shown = window
                .canvas
                .read_pixels(Rect::new(0, 0, 8, 4), PixelFormatEnum::RGB565)
                .unwrap();
            let pixel = |x: usize| u16::from_ne_bytes([shown[2 * x], shown[2 * x + 1]]);
            assert_eq!(
                [pixel(1), pixel(2), pixel(3)],
                [0x07E0, 0xF800, 0x07E0],
                "{driver}"
            );
            drop(texture);
            drop(creator);

            // Keys, from another thread, while the window runs on this one.
            let Platform {
                mut display,
                events,
                ..
            } = platform;
            let sender = sdl2::init()
                .and_then(|sdl| sdl.event())
                .unwrap()
                .event_sender();
            let script = std::thread::spawn(move || {
                for event in [
                    key(true, Scancode::X, false),
                    key(true, Scancode::X, true),
                    key(true, Scancode::F5, false),
                    key(false, Scancode::X, false),
                    Event::Quit { timestamp: 0 },
                ] {
                    sender.push_event(event).unwrap();
                }
                let seen: Vec<_> = (0..3).map(|_| events.recv_blocking().unwrap()).collect();
                display.present(&[0; 32], &[area]).unwrap();
                drop(display);
                seen
            });
            window.run().unwrap();
            let seen: Vec<_> = script
                .join()
                .unwrap()
                .into_iter()
                .map(|event| match event {
                    PlatformEvent::Button {
                        button, pressed, ..
                    } => Some((button, pressed)),
                    _ => None,
                })
                .collect();
            let a = |pressed| Some((Button::A, pressed));
            assert_eq!(seen, [a(true), a(false), None], "{driver}");
        }
        // A device's window has no queue to sleep in and ends all the same.
        let options = Options {
            driver: Some("dummy".into()),
            panel: Some((8, 4)),
            ..Options::device()
        };
        let (window, platform) = open(&options).unwrap();
        let script = std::thread::spawn(move || drop(platform));
        window.run().unwrap();
        script.join().unwrap();
    }
}
