//! Devices that are sockets: what the shell does with them, without a kernel that makes devices up.

use std::fs;
use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use smol::channel::{bounded, unbounded};

use super::device::{Source, Timed};
use super::*;
use crate::input::code::{Capabilities, Raw};
use crate::input::{Button, Contact};
use crate::time::Millis;

/// A device whose raw events come over a local socket: code (little-endian), then 1 or 0. Its name lies beside the socket.
struct Wire {
    stream: UnixStream,
    name: String,
    grabs: PathBuf,
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Source for Wire {
    fn open(path: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(path)?;
        stream.set_nonblocking(true)?;
        let name = fs::read_to_string(path.with_extension("name"))
            .unwrap_or_else(|_| "ANBERNIC-keys".into());
        Ok(Self {
            stream,
            name,
            grabs: path.with_extension("grabs"),
        })
    }

    fn name(&self) -> String {
        self.name.clone()
    }

    fn capabilities(&self) -> Capabilities {
        let keys = match self.name.as_str() {
            "some board" => vec![288, 289, 290],
            "axp2202-pek" => vec![110, 111, 116],
            _ => Vec::new(),
        };
        Capabilities {
            keys,
            ..Capabilities::default()
        }
    }

    fn read(&mut self, events: &mut Vec<Timed>) -> io::Result<()> {
        let mut record = [0; 3];
        self.stream.read_exact(&mut record)?;
        let code = u16::from_le_bytes([record[0], record[1]]);
        events.push((Raw::Key(code, record[2] == 1), AT));
        Ok(())
    }

    fn grab(&mut self, on: bool) -> io::Result<()> {
        let before = fs::read_to_string(&self.grabs).unwrap_or_default();
        fs::write(
            &self.grabs,
            format!("{before}{}", if on { 'g' } else { 'u' }),
        )
    }
}

/// When the kernel saw every event.
const AT: Millis = Millis(77);

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("officeos-evdev-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.0));
    }
}

async fn accept(listener: UnixListener) -> UnixStream {
    let listener = Async::<UnixListener>::try_from(listener).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let stream = stream.into_inner().unwrap();
    stream.set_nonblocking(false).unwrap();
    stream
}

fn write(mut pad: &UnixStream, code: u16, pressed: bool) {
    use std::io::Write;
    let [low, high] = code.to_le_bytes();
    pad.write_all(&[low, high, pressed.into()]).unwrap();
}

fn event(button: Button, pressed: bool) -> PlatformEvent {
    PlatformEvent::Button {
        button,
        pressed,
        at: AT,
    }
}

fn touch(name: &str, code: u16, button: Option<Button>, pressed: bool) -> PlatformEvent {
    PlatformEvent::Touch {
        device: name.into(),
        touch: crate::input::Touch {
            contact: Contact::Key(code),
            button,
            pressed,
        },
        at: AT,
    }
}

/// The next event that is not about which pads there are.
async fn next(events: &Receiver<PlatformEvent>) -> PlatformEvent {
    loop {
        let one = match events.recv().await.unwrap() {
            // What a device that goes away held, and that it went.
            PlatformEvent::Several(mut events) => events.remove(0),
            one => one,
        };
        match one {
            PlatformEvent::Pads(_) | PlatformEvent::Lost(_) => {}
            // Released because a device went away: at whatever time that was.
            PlatformEvent::Button {
                button, pressed, ..
            } => return event(button, pressed),
            event => return event,
        }
    }
}

/// A pad's end of its socket in a folder that is watched.
fn pad(folder: &Folder, node: &str, name: &str) -> UnixListener {
    fs::write(folder.0.join(node).with_extension("name"), name).unwrap();
    UnixListener::bind(folder.0.join(node)).unwrap()
}

/// Watches the folder while the script plays, until the script closes the events.
fn play(
    folder: &Folder,
    firmware: Firmware,
    script: impl AsyncFnOnce(Receiver<PlatformEvent>, Sender<Order>),
) {
    let (sender, events) = bounded(8);
    let (orders, obeyed) = unbounded();
    let watching = watch_sources::<Wire>(&folder.0, firmware, obeyed, sender);
    smol::block_on(async {
        let script = async {
            script(events.clone(), orders).await;
            events.close();
        };
        let (result, ()) = smol::future::zip(watching, script).await;
        result.unwrap();
    });
}

#[test]
fn a_pad_that_is_there_and_one_that_comes_later_are_both_read() {
    let folder = Folder::new("hotplug");
    fs::write(folder.0.join("mouse0"), "").unwrap();
    fs::write(folder.0.join("event9"), "no device").unwrap();
    let first = UnixListener::bind(folder.0.join("event0")).unwrap();
    play(&folder, Firmware::Stock, async |events, _orders| {
        let first = accept(first).await;
        write(&first, 304, true);
        assert_eq!(next(&events).await, event(Button::A, true));
        let second = UnixListener::bind(folder.0.join("event1")).unwrap();
        let second = accept(second).await;
        write(&second, 305, true);
        assert_eq!(next(&events).await, event(Button::B, true));
        // The first goes away with A held: A opens by itself, B stays.
        drop(first);
        assert_eq!(next(&events).await, event(Button::A, false));
        write(&second, 305, false);
        assert_eq!(next(&events).await, event(Button::B, false));
    });
}

#[test]
fn which_pads_there_are_is_told_first_and_at_each_change() {
    let folder = Folder::new("pads");
    let known = pad(&folder, "event0", "ANBERNIC-keys");
    let power = pad(&folder, "event1", "axp2202-pek");
    play(&folder, Firmware::Stock, async |events, _orders| {
        let told = |pads: &[(&str, bool)]| {
            PlatformEvent::Pads(
                pads.iter()
                    .map(|&(name, explained)| Pad {
                        name: name.into(),
                        explained,
                    })
                    .collect(),
            )
        };
        let known = accept(known).await;
        let _power = accept(power).await;
        assert_eq!(
            events.recv().await.unwrap(),
            told(&[("ANBERNIC-keys", true)])
        );
        let board = pad(&folder, "event2", "some board");
        let _board = accept(board).await;
        assert_eq!(
            events.recv().await.unwrap(),
            told(&[("ANBERNIC-keys", true), ("some board", false)])
        );
        drop(known);
        assert_eq!(
            events.recv().await.unwrap(),
            PlatformEvent::Lost("ANBERNIC-keys".into())
        );
        assert_eq!(events.recv().await.unwrap(), told(&[("some board", false)]));
    });
}

#[test]
fn two_pads_that_hold_the_same_button_let_go_once() {
    let folder = Folder::new("two");
    let (first, second) = (
        pad(&folder, "event0", "ANBERNIC-keys"),
        pad(&folder, "event1", "muOS-Keys"),
    );
    play(&folder, Firmware::MuOs, async |events, _orders| {
        let (first, second) = (accept(first).await, accept(second).await);
        write(&first, 304, true);
        assert_eq!(next(&events).await, event(Button::A, true));
        write(&second, 304, true);
        write(&second, 305, true);
        assert_eq!(next(&events).await, event(Button::B, true));
        write(&first, 304, false);
        write(&first, 306, true);
        assert_eq!(
            next(&events).await,
            event(Button::Y, true),
            "A is still held by the second"
        );
        write(&second, 304, false);
        assert_eq!(next(&events).await, event(Button::A, false));
    });
}

#[test]
fn a_set_up_hears_contacts_and_what_it_taught_holds_at_once() {
    let folder = Folder::new("taught");
    let board = pad(&folder, "event3", "some board");
    play(&folder, Firmware::Other, async |events, orders| {
        let board = accept(board).await;
        // Nothing explains it, so that even before the set-up a press that means nothing is told.
        write(&board, 288, true);
        write(&board, 288, false);
        assert_eq!(next(&events).await, touch("some board", 288, None, true));
        assert_eq!(next(&events).await, touch("some board", 288, None, false));
        let found = [("some board".to_owned(), Contact::Key(288), Button::Menu)];
        orders
            .send(Order::Teach(Taught::default().with(&found)))
            .await
            .unwrap();
        write(&board, 288, true);
        assert_eq!(next(&events).await, event(Button::Menu, true));
        // What is held opens when the set-up begins, and its release is a contact's.
        orders.send(Order::Listen(true)).await.unwrap();
        assert_eq!(next(&events).await, event(Button::Menu, false));
        write(&board, 288, false);
        assert_eq!(
            next(&events).await,
            touch("some board", 288, Some(Button::Menu), false)
        );
        write(&board, 289, true);
        assert_eq!(next(&events).await, touch("some board", 289, None, true));
        orders.send(Order::Listen(false)).await.unwrap();
        write(&board, 288, true);
        loop {
            // The order and the press may cross.
            match next(&events).await {
                PlatformEvent::Touch { .. } => {
                    write(&board, 288, false);
                    write(&board, 288, true);
                }
                other => break assert_eq!(other, event(Button::Menu, true)),
            }
        }
    });
}

#[test]
fn a_grab_is_taken_given_up_for_sleep_and_taken_again() {
    let folder = Folder::new("grab");
    let own = pad(&folder, "event0", "gpio-keys-gamepad");
    play(&folder, Firmware::Own, async |events, orders| {
        let own = accept(own).await;
        let grabs = || fs::read_to_string(folder.0.join("event0.grabs")).unwrap();
        assert_eq!(grabs(), "g");
        for (order, after) in [(Order::Rest(true), "gu"), (Order::Rest(false), "gug")] {
            orders.send(order).await.unwrap();
            while grabs() != after {
                smol::Timer::after(std::time::Duration::from_millis(1)).await;
            }
        }
        write(&own, 305, true);
        assert_eq!(next(&events).await, event(Button::A, true));
    });
    let shared = Folder::new("share");
    let stock = pad(&shared, "event0", "ANBERNIC-keys");
    play(&shared, Firmware::Stock, async |_events, _orders| {
        let _stock = accept(stock).await;
        assert_eq!(
            fs::read_to_string(shared.0.join("event0.grabs")).unwrap(),
            "u"
        );
    });
}

#[test]
fn power_key_and_lid_keys_are_signs_and_no_buttons() {
    let folder = Folder::new("signs");
    let power = pad(&folder, "event0", "axp2202-pek");
    play(&folder, Firmware::Stock, async |events, _orders| {
        let power = accept(power).await;
        write(&power, 116, true);
        write(&power, 116, false);
        write(&power, 110, true);
        assert_eq!(next(&events).await, PlatformEvent::Sign(Sign::Power(true)));
        assert_eq!(next(&events).await, PlatformEvent::Sign(Sign::Power(false)));
        // Where there is no hall sensor to ask, only that it moved is known.
        assert_eq!(next(&events).await, PlatformEvent::Sign(Sign::LidMoved));
    });
}

#[test]
fn a_folder_that_cannot_be_watched_is_an_error_with_advice() {
    let (sender, _events) = bounded(1);
    let (_orders, obeyed) = unbounded();
    let watching = watch(Path::new("/nonexistent"), Firmware::Other, obeyed, sender);
    let error = smol::block_on(watching).unwrap_err();
    assert!(error.to_string().contains("/dev/input"), "{error}");
}

#[test]
fn only_event_nodes_are_opened() {
    for (name, is) in [
        ("event0", true),
        ("event12", true),
        ("event", false),
        ("eventx", false),
        ("event0.name", false),
        ("js0", false),
    ] {
        assert_eq!(is_event_node(OsStr::new(name)), is, "{name}");
    }
}
