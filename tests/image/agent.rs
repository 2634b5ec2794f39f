//! The finger in the booted image: a pad by uinput under its real name, and a root shell for what attacks from inside.
//! It is on a disk of the test's own; no image has it.
//!
//! Lines come over a port of the machine, one answer each: a number of octets, a newline, and so many octets.
//!
//! ```text
//! press A B            presses buttons of the pad, one after the other
//! type TEXT            presses what types the text into an empty field of prose
//! field TEXT           the same for a field of names and addresses
//! run COMMAND          the words and the status of a command, as root
//! pocket COMMAND       the same as the app's user
//! app LINE             says a line to the app's script socket, and answers what it answers
//! ```

use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use evdev::uinput::VirtualDevice;
use evdev::{
    AbsInfo, AbsoluteAxisCode, AttributeSet, EventType, InputEvent, KeyCode, UinputAbsSetup,
};
use handheld::entry::keyboard::{Keyboard, Purpose};
use handheld::entry::typing::{Step, keys_for};
use handheld::input::Button;

/// Between two presses.
const GAP: Duration = Duration::from_millis(60);

/// The pad of the H700's vendor kernel: its buttons are keys from 304 on, its D-pad is a hat.
struct Pad(VirtualDevice);

impl Pad {
    fn plug_in(name: &str) -> std::io::Result<Self> {
        let keys: AttributeSet<KeyCode> = (304..=316).map(KeyCode).collect();
        let hat = |axis| UinputAbsSetup::new(axis, AbsInfo::new(0, -1, 1, 0, 0, 0));
        let device = VirtualDevice::builder()?
            .name(name)
            .with_keys(&keys)?
            .with_absolute_axis(&hat(AbsoluteAxisCode::ABS_HAT0X))?
            .with_absolute_axis(&hat(AbsoluteAxisCode::ABS_HAT0Y))?
            .build()?;
        Ok(Self(device))
    }

    fn set(&mut self, button: Button, pressed: bool) -> std::io::Result<()> {
        let down = i32::from(pressed);
        let (kind, code, value) = match button {
            Button::Left => (EventType::ABSOLUTE, 16, -down),
            Button::Right => (EventType::ABSOLUTE, 16, down),
            Button::Up => (EventType::ABSOLUTE, 17, -down),
            Button::Down => (EventType::ABSOLUTE, 17, down),
            other => (EventType::KEY, code(other), down),
        };
        self.0.emit(&[InputEvent::new(kind.0, code, value)])
    }

    /// Down and up in one go: a machine that is busy in between must not make a long press of it.
    fn press(&mut self, button: Button) -> std::io::Result<()> {
        self.set(button, true)?;
        self.set(button, false)?;
        sleep(GAP);
        Ok(())
    }

    fn play(&mut self, steps: &[Step]) -> std::io::Result<()> {
        for step in steps {
            match *step {
                Step::Press(button) => self.set(button, true)?,
                Step::Release(button) => {
                    self.set(button, false)?;
                    sleep(GAP / 2);
                }
                Step::Wait(ms) => sleep(Duration::from_millis(ms)),
            }
        }
        Ok(())
    }
}

/// Codes of `ANBERNIC-keys` (the H700's vendor kernel; muOS, device/rg35xx-h/config.ini).
fn code(button: Button) -> u16 {
    match button {
        Button::A => 304,
        Button::B => 305,
        Button::Y => 306,
        Button::X => 307,
        Button::L1 => 308,
        Button::R1 => 309,
        Button::Select => 310,
        Button::Start => 311,
        Button::L2 => 314,
        Button::R2 => 315,
        _ => 312,
    }
}

fn shell(command: &str, user: Option<u32>) -> String {
    let busybox = std::env::var("BUSYBOX").unwrap_or_else(|_| "/usr/lib/officeos/busybox".into());
    let mut shell = Command::new(&busybox);
    shell.args(["sh", "-c", &format!("exec 2>&1; {command}")]);
    if let Some(user) = user {
        shell.uid(user).gid(user);
    }
    match shell.output() {
        Ok(output) => format!(
            "{}[{}]\n",
            String::from_utf8_lossy(&output.stdout),
            output.status.code().unwrap_or(-1)
        ),
        Err(error) => format!("{error}\n[-1]\n"),
    }
}

fn ask_app(line: &str) -> std::io::Result<String> {
    let mut stream = UnixStream::connect("/run/officeos/script")?;
    writeln!(stream, "{line}")?;
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer)?;
    Ok(answer)
}

fn typed(pad: &mut Pad, text: &str, purpose: Purpose) -> String {
    let mut keyboard = Keyboard::default();
    keyboard.open("", purpose);
    match keys_for(&keyboard, text) {
        Some(steps) => done(pad.play(&steps)),
        None => format!("{text:?} cannot be typed\n"),
    }
}

fn done(result: std::io::Result<()>) -> String {
    match result {
        Ok(()) => "ok\n".to_owned(),
        Err(error) => format!("{error}\n"),
    }
}

fn obey(pad: &mut Pad, line: &str) -> String {
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match word {
        "press" => {
            let buttons: Option<Vec<_>> = rest.split_whitespace().map(Button::from_label).collect();
            match buttons {
                Some(buttons) => done(buttons.into_iter().try_for_each(|b| pad.press(b))),
                None => format!("no such buttons: {rest}\n"),
            }
        }
        "type" => typed(pad, rest, Purpose::Prose),
        "field" => typed(pad, rest, Purpose::Exact),
        "run" => shell(rest, None),
        "pocket" => shell(rest, Some(1000)),
        "app" => ask_app(rest).unwrap_or_else(|error| format!("error: {error}\n")),
        other => format!("no command {other:?}\n"),
    }
}

fn main() -> std::io::Result<()> {
    let mut pad = Pad::plug_in("ANBERNIC-keys")?;
    let path = std::env::args().nth(1).unwrap_or_default();
    let mut port = OpenOptions::new().read(true).write(true).open(&path)?;
    let answer = |port: &mut std::fs::File, text: &str| {
        write!(port, "{}\n{text}", text.len())?;
        port.flush()
    };
    answer(&mut port, "ready\n")?;
    let mut line = Vec::new();
    loop {
        let mut octet = [0];
        match port.read(&mut octet) {
            // Nobody is at the other end (yet).
            Ok(0) => sleep(Duration::from_millis(50)),
            Ok(_) if octet[0] == b'\n' => {
                let text = String::from_utf8_lossy(&line).into_owned();
                line.clear();
                let said = obey(&mut pad, &text);
                answer(&mut port, &said)?;
            }
            Ok(_) => line.push(octet[0]),
            Err(error) => return Err(error),
        }
    }
}
