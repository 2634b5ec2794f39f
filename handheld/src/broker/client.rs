//! The app's end: asks the broker, and says in words when nobody is there any more.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::line::Line;
use super::wire::{Answer, Far, Request, Tune, decode, encode};

/// Every request on the first line is answered at once; this is for a machine that is out of breath.
const PATIENCE: Duration = Duration::from_secs(5);

/// Said on the connection screen.
const GONE: &str =
    "The part of this app that opens the link has ended. Quit and start the app again.";

/// Why the broker hands nothing over.
#[derive(Debug)]
pub enum Refusal {
    /// It is not there any more.
    Gone,
    /// It may not be: a sentence.
    Forbidden(String),
    /// The system did not.
    System(io::Error),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gone => f.write_str(GONE),
            Self::Forbidden(why) => f.write_str(why),
            Self::System(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for io::Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::System(error) => error,
            other => Self::other(other),
        }
    }
}

/// The broker, as the app knows it. Once it has not answered, nothing is asked any more: a late answer would be taken for another's.
#[derive(Clone, Debug)]
pub struct Broker(Arc<Mutex<Option<Line>>>);

impl Broker {
    /// Speaks to the broker at the other end of this line.
    #[must_use]
    pub fn new(line: Line) -> Self {
        if let Err(error) = line.set_patience(PATIENCE) {
            log::debug!("the broker is waited for without a limit: {error}");
        }
        Self(Arc::new(Mutex::new(Some(line))))
    }

    /// Whether it is there.
    ///
    /// # Errors
    /// It is not.
    pub fn is_there(&self) -> Result<(), Refusal> {
        self.done(&Request::Ping)
    }

    /// A connection to an address that was typed; it is being made.
    ///
    /// # Errors
    /// It may not be, or there is no way.
    pub fn dial(&self, address: SocketAddr) -> Result<OwnedFd, Refusal> {
        self.descriptor(&Request::Dial(Far::Typed(address)))
    }

    /// A connection to a link-local address on this interface; it is being made.
    ///
    /// # Errors
    /// It may not be, or there is no way.
    pub fn dial_link(
        &self,
        interface: &str,
        address: Ipv6Addr,
        port: u16,
    ) -> Result<OwnedFd, Refusal> {
        let interface = interface.to_owned();
        self.descriptor(&Request::Dial(Far::Link {
            interface,
            address,
            port,
        }))
    }

    /// A socket on which the kernel tells of changes of these groups (rtnetlink(7)).
    ///
    /// # Errors
    /// The kernel has none.
    pub fn changes(&self, groups: u32) -> Result<OwnedFd, Refusal> {
        self.descriptor(&Request::Changes(groups))
    }

    /// Switches a USB gadget on.
    ///
    /// # Errors
    /// It is none, or this user may not.
    pub fn raise(&self, interface: &str) -> Result<(), Refusal> {
        self.done(&Request::Raise(interface.to_owned()))
    }

    /// A line to the control socket of this name. First comes whether it is open.
    ///
    /// # Errors
    /// There is no such socket.
    pub fn door(&self, name: &str) -> Result<Line, Refusal> {
        let door = self.descriptor(&Request::Door(name.to_owned()))?;
        Ok(Line::from_descriptor(door))
    }

    /// A line on which comes where on this interface a laptop listens.
    ///
    /// # Errors
    /// The broker has too much to do.
    pub fn seek(&self, interface: &str, port: u16) -> Result<Line, Refusal> {
        let interface = interface.to_owned();
        let seeking = self.descriptor(&Request::Seek { interface, port })?;
        Ok(Line::from_descriptor(seeking))
    }

    /// Who sets interfaces for a quick join, and back.
    ///
    /// # Errors
    /// The broker has too much to do.
    pub fn tuner(&self) -> Result<Tuner, Refusal> {
        let line = self.descriptor(&Request::Tuner)?;
        Ok(Tuner(Line::from_descriptor(line)))
    }

    /// What is to be put back, as it was last remembered.
    #[must_use]
    pub fn recall(&self) -> String {
        match self.ask(&Request::Recall) {
            Ok((Answer::Text(text), _)) => text,
            _ => String::new(),
        }
    }

    /// Has what is to be put back written down.
    ///
    /// # Errors
    /// It is not.
    pub fn remember(&self, text: String) -> Result<(), Refusal> {
        self.done(&Request::Remember(text))
    }

    fn done(&self, request: &Request) -> Result<(), Refusal> {
        self.ask(request).map(drop)
    }

    fn descriptor(&self, request: &Request) -> Result<OwnedFd, Refusal> {
        match self.ask(request)? {
            (Answer::Here, Some(descriptor)) => Ok(descriptor),
            _ => Err(Refusal::Gone),
        }
    }

    fn ask(&self, request: &Request) -> Result<(Answer, Option<OwnedFd>), Refusal> {
        let mut line = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = line.as_ref().ok_or(Refusal::Gone)?;
        let came = asked
            .send(&encode(request), None)
            .and_then(|()| asked.receive());
        let Ok(Some((bytes, descriptor))) = came else {
            *line = None;
            return Err(Refusal::Gone);
        };
        match decode(&bytes) {
            Some(Answer::Refused(why)) => Err(Refusal::Forbidden(why)),
            Some(Answer::Failed(number)) => {
                Err(Refusal::System(io::Error::from_raw_os_error(number)))
            }
            Some(answer) => Ok((answer, descriptor)),
            None => Err(Refusal::Gone),
        }
    }
}

/// Sets interfaces for a quick join, and back. All of it blocks.
#[derive(Debug)]
pub struct Tuner(Line);

impl Tuner {
    /// Lets an interface have its link-local address without delay, and listen to nobody's router; switches it on if it is not.
    pub fn prepare(&self, interface: &str, raise: bool) {
        let interface = interface.to_owned();
        self.say(&Tune::Prepare { interface, raise });
    }

    /// Puts everything back as it was found.
    pub fn restore(&self) {
        self.say(&Tune::Restore);
    }

    fn say(&self, tune: &Tune) {
        let said = self.0.send(&encode(tune), None);
        if let Err(error) = said.and_then(|()| self.0.receive()) {
            log::warn!("the interface stays as it is: {error}");
        }
    }
}
