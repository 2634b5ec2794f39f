//! Somebody on the way between handheld and laptop who changes what passes.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

/// How long a piece that is held back waits for one to overtake it.
const SOON: Duration = Duration::from_millis(300);

/// What happens to the stream in one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The bit of the octet at this place is flipped.
    Flip(usize, u8),
    /// The stream ends at this place.
    Cut(usize),
    /// The piece that holds this place is sent twice.
    Twice(usize),
    /// The piece that holds this place is held back until after the next, if one comes soon.
    Swap(usize),
}

/// Which direction is meddled with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    ToLaptop,
    ToHandheld,
}

/// Passes one connection on, with one fault. Returns where to connect.
pub fn meddle(laptop: SocketAddr, direction: Direction, fault: Fault) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || {
        let Ok((near, _)) = listener.accept() else {
            return;
        };
        let Ok(far) = TcpStream::connect(laptop) else {
            return;
        };
        let (near_too, far_too) = (
            near.try_clone().expect("a clone"),
            far.try_clone().expect("a clone"),
        );
        let (up, down) = match direction {
            Direction::ToLaptop => (Some(fault), None),
            Direction::ToHandheld => (None, Some(fault)),
        };
        let upward = std::thread::spawn(move || pass(near, far, up));
        pass(far_too, near_too, down);
        let _ = upward.join();
    });
    address
}

fn pass(mut from: TcpStream, mut to: TcpStream, fault: Option<Fault>) {
    let mut passed = 0;
    let mut held: Option<Vec<u8>> = None;
    let mut piece = [0; 4096];
    loop {
        let len = match from.read(&mut piece) {
            // Nothing follows what is held back: it is merely late.
            Err(error) if error.kind() == ErrorKind::WouldBlock && held.is_some() => {
                let late = held.take().unwrap_or_default();
                let _ = from.set_read_timeout(None);
                if to.write_all(&late).is_err() {
                    break;
                }
                continue;
            }
            Ok(0) | Err(_) => break,
            Ok(len) => len,
        };
        let mut bytes = piece[..len].to_vec();
        let holds = |place: usize| (passed..passed + len).contains(&place);
        let mut end = false;
        match fault {
            Some(Fault::Flip(place, bit)) if holds(place) => {
                bytes[place - passed] ^= 1 << (bit & 7)
            }
            Some(Fault::Cut(place)) if holds(place) => {
                bytes.truncate(place - passed);
                end = true;
            }
            Some(Fault::Twice(place)) if holds(place) => bytes.extend_from_within(..),
            Some(Fault::Swap(place)) if holds(place) => {
                passed += len;
                held = Some(bytes);
                let _ = from.set_read_timeout(Some(SOON));
                continue;
            }
            _ => {}
        }
        passed += len;
        if to.write_all(&bytes).is_err() {
            break;
        }
        if let Some(late) = held.take() {
            let _ = from.set_read_timeout(None);
            if to.write_all(&late).is_err() {
                break;
            }
        }
        if end {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}
