//! Carriers: ways to open a byte stream to the laptop. What runs over it is the same for all of them.

use std::io;
use std::net::SocketAddr;
use std::net::TcpStream as Stream;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::time::Duration;

use smol::channel::{Receiver, bounded};
use smol::net::TcpStream;

use crate::app::model::{Call, Carrier, Network};
use crate::app::msg::RadioAbility;
use crate::broker::{Broker, Refusal};

pub use crate::radio::RadioNews;

/// How long opening a carrier may take: three SYNs on a direct link.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);

/// A connection under way.
pub type Connecting<'a> = Pin<Box<dyn Future<Output = Result<TcpStream, String>> + Send + 'a>>;

/// One way to a laptop.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// Over what.
    pub carrier: &'a Carrier,
    /// The network that the laptop opens, if it has told of one: carriers by radio need it.
    pub network: Option<&'a Network>,
}

/// A laptop that was called to pair.
pub struct Called {
    /// The connection.
    pub stream: TcpStream,
    /// Over what it runs.
    pub carrier: Carrier,
    /// The network that was joined for it.
    pub network: Option<Network>,
}

/// A call under way.
pub type Calling<'a> = Pin<Box<dyn Future<Output = Result<Called, String>> + Send + 'a>>;

/// Opens carriers. Errors are sentences for the connection screen.
pub trait Dialer: Send + Sync {
    /// Opens this way; ends by itself within some seconds, whatever the network does.
    fn dial<'a>(&'a self, way: Way<'a>) -> Connecting<'a>;

    /// Reaches a laptop for the first time. Joining by the push of a button waits for that button, two minutes at most.
    fn call<'a>(&'a self, call: &'a Call) -> Calling<'a>;

    /// The carrier by which this device joins a network that a laptop opens; `None` where it has no radio.
    fn radio(&self) -> Option<Carrier> {
        None
    }

    /// Whether a laptop may be at the USB cable.
    fn cable(&self) -> bool {
        false
    }

    /// The channel has shown that whoever was dialled or called last is the laptop.
    fn proved(&self) {}

    /// Looks for laptops by radio until told otherwise.
    fn look(&self, _on: bool) {}

    /// Measures the signal now and then until told otherwise.
    fn watch_signal(&self, _on: bool) {}

    /// Lets the firmware's own networks have the radio again: a carrier that may run over them is next.
    fn give_way(&self) {}

    /// Leaves the laptop's network and lets the radio sleep until something is dialled.
    fn rest(&self) {}

    /// Nobody waits any more for the radio call that was dropped; what is joined stays.
    fn call_off(&self) {}
}

/// The news of a device without a radio: that it has none, and why.
pub fn no_radio(why: &str) -> Receiver<RadioNews> {
    let (say, news) = bounded(1);
    let why = why.to_owned();
    // There is room for one, and nothing ever follows.
    let _ = say.try_send(RadioNews::Ability(RadioAbility {
        station: false,
        p2p: false,
        why,
    }));
    news
}

/// Plain TCP to a numeric address. There is no resolver here: the handheld speaks no DNS.
#[derive(Clone, Debug)]
pub struct TcpDialer(pub Broker);

impl Dialer for TcpDialer {
    fn dial<'a>(&'a self, way: Way<'a>) -> Connecting<'a> {
        Box::pin(async move {
            match way.carrier {
                Carrier::Tcp(address) => tcp(&self.0, address).await,
                Carrier::WifiDirect | Carrier::Station => Err(NO_RADIO.into()),
                Carrier::Usb => Err(NO_USB.into()),
            }
        })
    }

    fn call<'a>(&'a self, call: &'a Call) -> Calling<'a> {
        Box::pin(async move {
            let Call::Carrier(carrier) = call else {
                return Err(NO_RADIO.into());
            };
            let network = None;
            let stream = self.dial(Way { carrier, network }).await?;
            Ok(Called {
                stream,
                carrier: carrier.clone(),
                network: None,
            })
        })
    }
}

/// Said where a carrier needs a radio and none is driven.
pub const NO_RADIO: &str = "The radio of this device is not used here.";

/// Said where the cable is asked for and neither radio nor cable are driven.
pub const NO_USB: &str = "The USB link is not used here.";

/// Connects to a numeric address.
///
/// # Errors
/// A sentence for the connection screen.
pub async fn tcp(broker: &Broker, address: &str) -> Result<TcpStream, String> {
    let address: SocketAddr = address.parse().map_err(|_| {
        format!(
            "{} is not an address like 192.168.7.1:8144.",
            address.escape_debug()
        )
    })?;
    match broker.dial(address) {
        Ok(descriptor) => in_time(connected(descriptor)).await,
        Err(Refusal::System(error)) => Err(sentence(&error)),
        Err(refusal) => Err(refusal.to_string()),
    }
}

/// Waits until a connection that the broker has begun is made.
///
/// # Errors
/// It is not.
pub async fn connected(descriptor: OwnedFd) -> io::Result<TcpStream> {
    let stream = smol::Async::new(Stream::from(descriptor))?;
    stream.writable().await?;
    match stream.get_ref().take_error()? {
        None => Ok(TcpStream::from(stream)),
        Some(error) => Err(error),
    }
}

/// Waits for a connection under way, not for ever.
///
/// # Errors
/// A sentence for the connection screen.
pub async fn in_time(
    connect: impl Future<Output = io::Result<TcpStream>>,
) -> Result<TcpStream, String> {
    let timeout = async {
        smol::Timer::after(CONNECT_TIMEOUT).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    smol::future::or(connect, timeout)
        .await
        .map_err(|e| sentence(&e))
}

fn sentence(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            "OfficeOS does not run there, or listens on another port.".into()
        }
        io::ErrorKind::TimedOut => "Nothing answered at that address.".into(),
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "There is no way to that address from here.".into()
        }
        _ => format!("The connection failed: {error}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialer() -> TcpDialer {
        TcpDialer(crate::broker::in_thread(crate::broker::Settings {
            loopback: true,
            ..Default::default()
        }))
    }

    fn dial(carrier: &Carrier) -> Result<TcpStream, String> {
        let network = None;
        smol::block_on(dialer().dial(Way { carrier, network }))
    }

    #[test]
    fn a_name_is_refused_because_nothing_here_resolves_names() {
        let refused = dial(&Carrier::Tcp("laptop.local:8144".into()));
        assert!(refused.unwrap_err().contains("is not an address"));
    }

    #[test]
    fn without_a_radio_its_carriers_say_so_and_its_news_are_that_alone() {
        for carrier in [Carrier::WifiDirect, Carrier::Station] {
            assert_eq!(dial(&carrier).unwrap_err(), NO_RADIO);
        }
        assert_eq!(dialer().radio(), None);
        let news = no_radio("None was found.");
        let Ok(RadioNews::Ability(ability)) = news.try_recv() else {
            panic!("the ability comes first")
        };
        assert_eq!(ability.why, "None was found.");
        assert!(!ability.station && !ability.p2p && news.try_recv().is_err());
    }

    #[test]
    fn a_closed_port_says_what_to_look_at_and_an_open_one_connects() {
        let listener = smol::block_on(smol::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = Carrier::Tcp(listener.local_addr().unwrap().to_string());
        dial(&address).unwrap();
        drop(listener);
        let refused = dial(&address).unwrap_err();
        assert!(refused.contains("does not run there"), "{refused}");
    }
}
