//! Command line of the app.

use std::path::PathBuf;

use lexopt::prelude::{Long, Short, ValueExt};

use crate::broker;
use crate::link::air::Settings;
use crate::platform::drm::Turn;

/// How the app shows itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// In a window on a desktop, its keyboard as buttons.
    Window,
    /// On the panel of a handheld, buttons by evdev.
    Device,
    /// In memory, driven by a script.
    Headless,
}

/// Who shows the pixels of a handheld's own panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Presenter {
    /// SDL where it is built in and finds the panel, else the kernel's driver.
    #[default]
    Auto,
    /// SDL.
    Sdl,
    /// The kernel's display driver, without SDL and Mesa.
    Drm,
}

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How to show.
    pub mode: Mode,
    /// Who shows it, on a device.
    pub display: Presenter,
    /// How the panel is mounted, where the kernel does not know; for [`Presenter::Drm`].
    pub turn: Option<Turn>,
    /// Folder of the card's content.
    pub home: PathBuf,
    /// Panel in pixels.
    pub size: (u32, u32),
    /// Address of a laptop that is offered first in pairing.
    pub laptop: Option<String>,
    /// Name that the laptop shows.
    pub name: String,
    /// Socket on which a script is taken; standard input if there is none.
    pub control: Option<PathBuf>,
    /// Folder of input devices whose buttons a headless run takes as well.
    pub buttons: Option<PathBuf>,
    /// The radio to drive; `None` for none.
    pub radio: Option<Settings>,
}

impl Options {
    /// What the broker is to know.
    #[must_use]
    pub fn broker(&self) -> broker::Settings {
        broker::Settings {
            folders: self.radio.as_ref().map_or_else(Vec::new, Settings::folders),
            loopback: self.mode != Mode::Device,
            usb: self.radio.as_ref().and_then(|radio| radio.usb.clone()),
            told: self.laptop.as_deref().and_then(|text| text.parse().ok()),
        }
    }

    /// Folders that the app writes to: its home, and where a script that drives it was started, for its pictures.
    #[must_use]
    pub fn written(&self) -> Vec<PathBuf> {
        let scripted = self.mode == Mode::Headless || self.control.is_some();
        let here = std::env::current_dir().ok();
        let here = here.filter(|here| scripted && here.parent().is_some());
        std::iter::once(self.home.clone()).chain(here).collect()
    }
}

/// What `--help` prints.
pub const HELP: &str = "\
OfficeOS on a handheld: reaches one paired laptop and nothing else.

usage: officeos-handheld [--window | --device | --headless] [options]

  --window            in a window; the keyboard stands in for the buttons (default)
  --device            on the handheld's own panel and buttons
  --headless          without a panel; reads a script from standard input
  --display WHICH     sdl, drm, or auto: who shows the pixels of a device's panel (default auto: SDL if it can)
  --rotate DEGREES    0, 90, 180 or 270: how drm turns the picture, clockwise (default: as the kernel says)
  --home DIR          where settings, keys, chats and files lie (default: officeos beside the program)
  --laptop ADDRESS    address of a laptop to offer first when pairing, as 127.0.0.1:8144
  --size WxH          panel in pixels (default 640x480)
  --name NAME         how the laptop calls this handheld
  --supplicant DIR    where wpa_supplicant has its control sockets, if elsewhere than usual
  --interface NAME    the only Wi-Fi interface to use
  --usb-interface NAME  the network interface to take for the USB cable, if not the one that looks like it
  --no-radio          leave the radio alone; laptops are reached by address only
  --buttons DIR       with --headless: take the buttons of the input devices in DIR as well
  --control SOCKET    take the script from this Unix socket instead of standard input
  --audit-airgap      try what must not work, in a process confined as the app is; print what held and end
  --help, --version
";

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed {
    /// Run the app.
    Run(Options),
    /// Try what must not work.
    Audit(Options),
    /// Print this and end.
    Print(String),
}

/// Reads the command line, without the name of the program.
///
/// # Errors
/// A sentence that names what was not understood.
pub fn parse(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Parsed, String> {
    let mut options = Options {
        mode: Mode::Window,
        display: Presenter::Auto,
        turn: None,
        home: default_home(),
        size: (640, 480),
        laptop: None,
        name: "Handheld".into(),
        control: None,
        buttons: None,
        radio: Some(Settings::default()),
    };
    let mut audit = false;
    let mut parser = lexopt::Parser::from_args(args);
    let failed = |e: lexopt::Error| format!("{e}; --help lists what there is");
    while let Some(arg) = parser.next().map_err(failed)? {
        let value = |parser: &mut lexopt::Parser| parser.value().map_err(failed);
        match arg {
            Long("window") => options.mode = Mode::Window,
            Long("device") => options.mode = Mode::Device,
            Long("headless") => options.mode = Mode::Headless,
            Long("display") => {
                let text = value(&mut parser)?.string().map_err(failed)?;
                options.display = match text.as_str() {
                    "auto" => Presenter::Auto,
                    "sdl" => Presenter::Sdl,
                    "drm" => Presenter::Drm,
                    _ => return Err(format!("--display {text:?} is none of sdl, drm and auto")),
                };
            }
            Long("rotate") => {
                let text = value(&mut parser)?.string().map_err(failed)?;
                let turn = text.parse().ok().and_then(Turn::from_degrees);
                options.turn =
                    Some(turn.ok_or_else(|| {
                        format!("--rotate {text:?} is none of 0, 90, 180 and 270")
                    })?);
            }
            Long("home") => options.home = value(&mut parser)?.into(),
            Long("control") => options.control = Some(value(&mut parser)?.into()),
            Long("buttons") => options.buttons = Some(value(&mut parser)?.into()),
            Long("laptop") => options.laptop = Some(value(&mut parser)?.string().map_err(failed)?),
            Long("name") => options.name = value(&mut parser)?.string().map_err(failed)?,
            Long("supplicant") => {
                let folder = value(&mut parser)?.into();
                if let Some(radio) = &mut options.radio {
                    radio.folders.push(folder);
                }
            }
            Long("interface") => {
                let name = value(&mut parser)?.string().map_err(failed)?;
                if let Some(radio) = &mut options.radio {
                    radio.interface = Some(name);
                }
            }
            Long("usb-interface") => {
                let name = value(&mut parser)?.string().map_err(failed)?;
                if let Some(radio) = &mut options.radio {
                    radio.usb = Some(name);
                }
            }
            Long("audit-airgap") => audit = true,
            Long("no-radio") => options.radio = None,
            Long("size") => {
                let text = value(&mut parser)?.string().map_err(failed)?;
                options.size =
                    size(&text).ok_or_else(|| format!("--size {text:?} is not like 640x480"))?;
            }
            Long("help") | Short('h') => return Ok(Parsed::Print(HELP.into())),
            Long("version") | Short('V') => {
                return Ok(Parsed::Print(format!(
                    "officeos-handheld {}\n",
                    env!("CARGO_PKG_VERSION")
                )));
            }
            other => return Err(failed(other.unexpected())),
        }
    }
    Ok(match audit {
        true => Parsed::Audit(options),
        false => Parsed::Run(options),
    })
}

fn size(text: &str) -> Option<(u32, u32)> {
    let (width, height) = text.split_once('x')?;
    let allowed = 320..=4096;
    let side = |text: &str| {
        text.parse::<u32>()
            .ok()
            .filter(|side| allowed.contains(side))
    };
    // Half a side the other way round is the lowest panel there is: 320x240.
    let height = height
        .parse::<u32>()
        .ok()
        .filter(|side| (240..=4096).contains(side));
    Some((side(width)?, height?))
}

/// Beside the program: on a handheld that is the card.
fn default_home() -> PathBuf {
    let beside = std::env::current_exe()
        .ok()
        .and_then(|exe| Some(exe.parent()?.join("officeos")));
    beside.unwrap_or_else(|| PathBuf::from("officeos"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &[&str]) -> Result<Options, String> {
        let args = args.iter().copied().map(Into::into);
        match parse(args)? {
            Parsed::Run(options) | Parsed::Audit(options) => Ok(options),
            Parsed::Print(text) => Err(text),
        }
    }

    #[test]
    fn every_option_is_taken() {
        let options = run(&[
            "--headless",
            "--home",
            "/tmp/x",
            "--size=720x480",
            "--laptop",
            "127.0.0.1:8144",
            "--name",
            "Ada's",
            "--control",
            "s",
            "--buttons",
            "/dev/input",
        ])
        .unwrap();
        assert_eq!((options.mode, options.size), (Mode::Headless, (720, 480)));
        assert_eq!(
            (options.home, options.control),
            ("/tmp/x".into(), Some("s".into()))
        );
        assert_eq!(options.buttons, Some("/dev/input".into()));
        assert_eq!(
            (options.laptop.as_deref(), options.name.as_str()),
            (Some("127.0.0.1:8144"), "Ada's")
        );
    }

    #[test]
    fn the_radio_is_driven_where_and_as_asked_or_not_at_all() {
        assert_eq!(run(&[]).unwrap().radio, Some(Settings::default()));
        let asked = run(&[
            "--supplicant",
            "/run/x",
            "--interface",
            "wlan1",
            "--usb-interface=usb7",
        ])
        .unwrap();
        let settings = Settings {
            folders: vec!["/run/x".into()],
            interface: Some("wlan1".into()),
            usb: Some("usb7".into()),
        };
        assert_eq!(asked.radio, Some(settings));
        let none = run(&["--no-radio", "--interface", "wlan1"]).unwrap();
        assert_eq!(none.radio, None);
    }

    #[test]
    fn a_device_is_shown_by_whom_it_is_asked_and_turned_by_quarters() {
        let auto = run(&["--device"]).unwrap();
        assert_eq!((auto.display, auto.turn), (Presenter::Auto, None));
        let drm = run(&["--device", "--display", "drm", "--rotate=270"]).unwrap();
        assert_eq!(
            (drm.display, drm.turn),
            (Presenter::Drm, Some(Turn::CounterClockwise))
        );
        assert!(run(&["--display", "x11"]).unwrap_err().contains("\"x11\""));
        assert!(run(&["--rotate", "45"]).unwrap_err().contains("\"45\""));
    }

    #[test]
    fn mistakes_are_named() {
        assert!(run(&["--size", "tiny"]).unwrap_err().contains("\"tiny\""));
        assert!(run(&["--size", "9999x480"]).is_err() && run(&["--size", "0x0"]).is_err());
        assert!(run(&["--frobnicate"]).unwrap_err().contains("--frobnicate"));
        assert!(run(&["--home"]).is_err());
        assert!(run(&["--help"]).unwrap_err().contains("usage"));
    }
}
