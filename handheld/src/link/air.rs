//! The shell around the radio's machine: it hands in what the system shows and what wpa_supplicant says, and carries out what the
//! machine wants. One task of the link's thread; it sleeps until something happens.

mod work;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use smol::Executor;
use smol::channel::{Receiver, Sender, bounded, unbounded};

use super::cable;
use super::carrier::{Called, Calling, Connecting, Dialer, RadioNews, Way, tcp};
use super::reach::{Learned, reach};
use crate::app::model::laptop::Nearby;
use crate::app::model::{Call, Carrier, Network};
use crate::app::msg::RadioAbility;
use crate::app::words::radio::passphrase;
use crate::broker::Broker;
use crate::radio::{Order, Place};
use work::Work;

pub use crate::broker::FOLDERS;

/// Said where no network is known.
const NO_NETWORK: &str = "This laptop has told of no network of its own. Link with it over another way once, or pair anew by radio.";

/// Where the radio is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Folders of control sockets; [`FOLDERS`] if there are none.
    pub folders: Vec<PathBuf>,
    /// The only interface to use.
    pub interface: Option<String>,
    /// The only interface to take for the USB cable, whatever it looks like.
    pub usb: Option<String>,
}

/// What the driver wants, and where the answer goes.
enum Wanted {
    Join(Network, Sender<Result<Place, String>>),
    Push(Nearby, Sender<Result<Place, String>>),
    Order(Order),
}

/// The driver's end.
pub struct AirDialer {
    broker: Broker,
    wants: Sender<Wanted>,
    ability: Arc<Mutex<Option<RadioAbility>>>,
    learned: Learned,
    usb: Option<String>,
}

/// The radio's end: to be [run](Air::run) beside the driver.
pub struct Air {
    settings: Settings,
    wants: Receiver<Wanted>,
    news: Sender<RadioNews>,
    ability: Arc<Mutex<Option<RadioAbility>>>,
    clock: fn() -> u64,
    broker: Broker,
}

/// Makes both ends, and what the radio says.
pub fn open(
    settings: Settings,
    broker: Broker,
    clock: fn() -> u64,
) -> (AirDialer, Air, Receiver<RadioNews>) {
    let (wants, wanted) = unbounded();
    let (news, heard) = unbounded();
    let ability = Arc::new(Mutex::new(None));
    let dialer = AirDialer {
        broker: broker.clone(),
        wants,
        ability: ability.clone(),
        learned: Learned::default(),
        usb: settings.usb.clone(),
    };
    let air = Air {
        settings,
        wants: wanted,
        news,
        ability,
        clock,
        broker,
    };
    (dialer, air, heard)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl AirDialer {
    async fn wait(
        &self,
        wanted: Wanted,
        answer: Receiver<Result<Place, String>>,
    ) -> Result<Place, String> {
        let gone = || "The radio is not driven any more.".to_owned();
        self.broker.is_there().map_err(|e| e.to_string())?;
        self.wants.send(wanted).await.map_err(|_| gone())?;
        answer.recv().await.map_err(|_| gone())?
    }

    async fn join(&self, network: &Network) -> Result<Place, String> {
        let (tell, answer) = bounded(1);
        self.wait(Wanted::Join(network.clone(), tell), answer).await
    }

    fn order(&self, order: Order) {
        // Without anybody to take it there is no radio to be ordered.
        let _ = self.wants.try_send(Wanted::Order(order));
    }
}

impl Dialer for AirDialer {
    fn dial<'a>(&'a self, way: Way<'a>) -> Connecting<'a> {
        Box::pin(async move {
            match way.carrier {
                Carrier::Tcp(address) => tcp(&self.broker, address).await,
                Carrier::Usb => {
                    let port = way.network.map_or(0, |network| network.port);
                    cable::reach(&self.broker, self.usb.as_deref(), port).await
                }
                Carrier::WifiDirect | Carrier::Station => {
                    let network = way.network.ok_or(NO_NETWORK)?;
                    let place = self.join(network).await?;
                    reach(&self.broker, &place, &self.learned).await
                }
            }
        })
    }

    fn call<'a>(&'a self, call: &'a Call) -> Calling<'a> {
        Box::pin(async move {
            let (carrier, place) = match call {
                Call::Carrier(carrier) => {
                    let network = None;
                    let stream = self.dial(Way { carrier, network }).await?;
                    return Ok(Called {
                        stream,
                        carrier: carrier.clone(),
                        network: None,
                    });
                }
                Call::Push(nearby) => {
                    let (tell, answer) = bounded(1);
                    let wanted = Wanted::Push(nearby.clone(), tell);
                    (Carrier::WifiDirect, self.wait(wanted, answer).await?)
                }
                Call::Passphrase(nearby, typed) => {
                    let network = typed_network(nearby, typed)?;
                    let place = self.join(&network).await?;
                    let carrier = self.radio().unwrap_or(Carrier::Station);
                    (carrier, place)
                }
            };
            let stream = reach(&self.broker, &place, &self.learned).await?;
            let network = Some(Network {
                port: stream
                    .peer_addr()
                    .map_or(super::reach::PORT, |at| at.port()),
                ..place.network
            });
            Ok(Called {
                stream,
                carrier,
                network,
            })
        })
    }

    fn radio(&self) -> Option<Carrier> {
        let ability = locked(&self.ability).clone()?;
        match (ability.p2p, ability.station) {
            (true, _) => Some(Carrier::WifiDirect),
            (false, true) => Some(Carrier::Station),
            (false, false) => None,
        }
    }

    fn proved(&self) {
        self.learned.prove();
    }

    fn cable(&self) -> bool {
        cable::is_plugged(self.usb.as_deref())
    }

    fn look(&self, on: bool) {
        self.order(Order::Look(on));
    }

    fn watch_signal(&self, on: bool) {
        self.order(Order::WatchSignal(on));
    }

    fn give_way(&self) {
        self.order(Order::GiveWay);
    }

    fn rest(&self) {
        self.order(Order::Rest);
    }

    fn call_off(&self) {
        self.order(Order::CallOff);
    }
}

/// A network as a person joins it: what was heard, with what was typed.
fn typed_network(nearby: &Nearby, typed: &str) -> Result<Network, String> {
    let passphrase = passphrase(typed).ok_or(
        "A passphrase has 8 to 63 letters, digits and signs. Look at the laptop's screen again.",
    )?;
    Ok(Network {
        ssid: nearby.ssid.clone(),
        passphrase,
        frequency: nearby.frequency,
        port: 0,
    })
}

impl Air {
    /// Runs until the driver's end is dropped; then puts everything back.
    pub async fn run(self) {
        let executor = Executor::new();
        let (tell, told) = unbounded();
        let mut work = Work::new(&self, &executor, tell);
        executor.run(work.run(told)).await;
    }
}

impl Settings {
    /// The folders to look in.
    #[must_use]
    pub fn folders(&self) -> Vec<PathBuf> {
        if !self.folders.is_empty() {
            return self.folders.clone();
        }
        FOLDERS.iter().map(PathBuf::from).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use smol::future::or;

    fn network(ssid: &str, passphrase: &str) -> Network {
        Network {
            ssid: ssid.into(),
            passphrase: passphrase.into(),
            ..Network::default()
        }
    }

    #[test]
    fn what_is_typed_is_checked_before_the_radio_hears_of_it() {
        let nearby = Nearby {
            name: "Ada".into(),
            ssid: b"DIRECT-ab-Ada".to_vec(),
            bssid: [2; 6],
            device: None,
            frequency: 2437,
            signal_dbm: -40,
            push: false,
        };
        assert_eq!(
            typed_network(&nearby, " Abcd 2345 efgh ").unwrap(),
            Network {
                frequency: 2437,
                ..network("DIRECT-ab-Ada", "abcd2345efgh")
            }
        );
        let other = typed_network(&nearby, "Somebody Else's").unwrap();
        assert_eq!(other.passphrase, "Somebody Else's");
        // Zero and one are in none of ours, so its capitals count; a key in place of a passphrase passes.
        for taken in ["Tr0ub4dor123".into(), "0a".repeat(32)] {
            assert_eq!(typed_network(&nearby, &taken).unwrap().passphrase, taken);
        }
        for bad in ["", "short", "käsekäse", &"x".repeat(64)] {
            assert!(typed_network(&nearby, bad).unwrap_err().contains("8 to 63"));
        }
    }

    #[test]
    fn a_device_without_a_radio_says_so_and_fails_with_that() {
        let settings = Settings {
            folders: vec!["/nowhere/at/all".into()],
            interface: Some("nowhere9".into()),
            usb: Some("nowhere9".into()),
        };
        let clock = || 1;
        let broker = crate::broker::in_thread(Default::default());
        let (dialer, air, news) = open(settings, broker, clock);
        smol::block_on(or(air.run(), async {
            let Ok(RadioNews::Ability(ability)) = news.recv().await else {
                panic!("the ability comes first")
            };
            assert!(!ability.station && ability.why.contains("nowhere9"));
            assert_eq!(dialer.radio(), None);
            let network = network("DIRECT-ab-Ada", "abcd2345efgh");
            let carrier = &Carrier::WifiDirect;
            let network = Some(&network);
            let why = dialer.dial(Way { carrier, network }).await.unwrap_err();
            assert!(why.contains("nowhere9"), "{why}");
            let network = None;
            let why = dialer.dial(Way { carrier, network }).await.unwrap_err();
            assert_eq!(why, NO_NETWORK);
            let carrier = &Carrier::Usb;
            let why = dialer.dial(Way { carrier, network }).await.unwrap_err();
            assert_eq!(why, cable::NO_GADGET);
            assert!(!dialer.cable());
        }));
    }
}
