//! What link-service has said: the carriers there are, the laptop's own network, and what keeps the radio down.

use super::session::CarrierFacts;
use crate::control::api;
use crate::link::{Kind, Network, PacketSocket, Wish, wish};
use shared_proto::pairing::LinkInfo;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A carrier that listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) kind: Kind,
    pub(super) address: SocketAddr,
    pub(super) interface: Option<String>,
}

#[derive(Default)]
struct Inner {
    service: Option<Arc<PacketSocket>>,
    places: Vec<(u32, Place)>,
    network: Option<Network>,
    trouble: Option<String>,
    /// Until when the pairing window is open.
    window: Option<Instant>,
}

impl Inner {
    /// For `systemctl status`.
    fn words(&self) -> String {
        let places = self.places.iter();
        let named = places.map(|(_, place)| format!("{} {}", place.kind.name(), place.address));
        match named.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "Waits for link-service to open a carrier".to_owned(),
            places => format!("Reached by handhelds over {places}"),
        }
    }
}

/// See the module.
#[derive(Default)]
pub(super) struct Carriers {
    inner: Mutex<Inner>,
}

impl Carriers {
    /// Talks to this link-service from now on, and tells it of a pairing window that is open.
    pub(super) fn attach(&self, service: Arc<PacketSocket>) {
        let mut inner = self.lock();
        inner.service = Some(service);
        if inner.window.is_some() {
            inner.tell_window();
        }
    }

    /// Says how things stand before any link-service is reached.
    pub(super) fn show(&self) {
        crate::systemd::status(&self.lock().words());
    }

    /// link-service has gone, and with it all that it had said.
    pub(super) fn detach(&self) {
        let mut inner = self.lock();
        let window = inner.window;
        *inner = Inner {
            window,
            ..Inner::default()
        };
        crate::systemd::status(&inner.words());
    }

    pub(super) fn add(&self, id: u32, place: Place) {
        let mut inner = self.lock();
        inner.places.push((id, place));
        crate::systemd::status(&inner.words());
    }

    pub(super) fn remove(&self, id: u32) {
        let mut inner = self.lock();
        inner.places.retain(|(one, _)| *one != id);
        crate::systemd::status(&inner.words());
    }

    pub(super) fn set_network(&self, network: Option<Network>) {
        self.lock().network = network;
    }

    pub(super) fn set_trouble(&self, words: Option<String>) {
        self.lock().trouble = words;
    }

    /// The pairing window is open for so long from now on; `None` where it is closed.
    pub(super) fn set_window(&self, open_for: Option<Duration>) {
        let mut inner = self.lock();
        inner.window = open_for.map(|open_for| Instant::now() + open_for);
        inner.tell_window();
    }

    /// For the greeting of a session over the carrier `kind` that listens on `port`.
    pub(super) fn facts(&self, kind: Kind, port: u16) -> CarrierFacts {
        let link = self.link_info(port);
        CarrierFacts {
            carrier: kind.name().to_owned(),
            ssid: link.ssid.to_vec(),
            passphrase: link.passphrase.as_str().to_owned(),
            frequency: link.frequency,
            port: link.port,
        }
    }

    /// Where the laptop is found again: in its own network where it has one, else only on `port`.
    pub(super) fn link_info(&self, port: u16) -> LinkInfo {
        let inner = self.lock();
        let found = inner.network.as_ref().and_then(|network| {
            Some(LinkInfo {
                // link-service's word, but its lengths were checked when it came.
                ssid: network.ssid.as_slice().try_into().ok()?,
                passphrase: network.passphrase.as_str().try_into().ok()?,
                frequency: network.frequency,
                port: network.port,
                ..LinkInfo::default()
            })
        });
        found.unwrap_or(LinkInfo {
            port,
            ..LinkInfo::default()
        })
    }

    /// The carriers, for `status`: never a passphrase.
    pub(super) fn list(&self) -> Vec<api::Carrier> {
        let inner = self.lock();
        let places = inner.places.iter().map(|(_, place)| {
            let network = inner
                .network
                .as_ref()
                .filter(|_| place.kind == Kind::WifiDirect);
            api::Carrier {
                carrier: place.kind.name().to_owned(),
                address: place.address.to_string(),
                interface: place.interface.clone(),
                network: network.map(Network::name),
                frequency: network.map(|network| network.frequency),
            }
        });
        places.collect()
    }

    /// What keeps the radio down.
    pub(super) fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    /// The laptop's own network with its passphrase, for the person who pairs.
    pub(super) fn network(&self) -> Option<api::Network> {
        let inner = self.lock();
        inner.network.as_ref().map(|network| api::Network {
            name: network.name(),
            passphrase: network.passphrase.clone(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn tell_window(&self) {
        let Some(service) = &self.service else { return };
        let left = self.window.map_or(Duration::ZERO, |until| {
            until.saturating_duration_since(Instant::now())
        });
        // Rounded up: the radio's window may close a moment late, never early.
        let seconds = u32::try_from(left.as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
        if let Err(error) = wish(service, Wish::Window { seconds }) {
            log::warn!("link-service was not told of the pairing window: {error}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::testing::{Service, network};

    fn carriers() -> Carriers {
        let carriers = Carriers::default();
        carriers.add(
            1,
            Place {
                kind: Kind::Loopback,
                address: SocketAddr::from(([127, 0, 0, 1], 8080)),
                interface: None,
            },
        );
        carriers.add(
            2,
            Place {
                kind: Kind::WifiDirect,
                address: SocketAddr::from(([0; 8], 8144)),
                interface: Some("p2p-wlan0-0".into()),
            },
        );
        carriers
    }

    #[test]
    fn the_network_goes_into_every_greeting_whatever_the_carrier() {
        let carriers = carriers();
        let without = carriers.facts(Kind::Loopback, 8080);
        assert_eq!(
            (without.ssid.len(), without.frequency, without.port),
            (0, 0, 8080)
        );
        carriers.set_network(Some(network()));
        for kind in [Kind::Loopback, Kind::WifiDirect] {
            let facts = carriers.facts(kind, 8080);
            assert_eq!(facts.carrier, kind.name());
            assert_eq!(facts.ssid, network().ssid);
            assert_eq!(facts.passphrase, network().passphrase);
            assert_eq!((facts.frequency, facts.port), (2437, 8144));
        }
        let granted = carriers.link_info(8080);
        assert_eq!(granted.ssid.as_slice(), network().ssid);
        assert_eq!(granted.port, 8144);
        carriers.set_network(None);
        assert_eq!(carriers.link_info(8080).port, 8080);
    }

    #[test]
    fn the_list_has_every_carrier_and_no_passphrase() {
        let carriers = carriers();
        carriers.set_network(Some(network()));
        let list = carriers.list();
        assert_eq!(list[0].network, None);
        assert_eq!(list[1].network.as_deref(), Some("DIRECT-ab-Ada's ThinkPad"));
        assert_eq!(list[1].frequency, Some(2437));
        assert!(!format!("{list:?}").contains(&network().passphrase));
        carriers.remove(1);
        assert_eq!(carriers.list().len(), 1);
        carriers.detach();
        assert!(carriers.list().is_empty() && carriers.network().is_none());
    }

    #[test]
    fn link_service_hears_of_the_window_also_when_it_comes_later() {
        let told = |service: &Service| match service.heed().expect("told") {
            Wish::Window { seconds } => seconds,
        };
        let conversation = || {
            let (theirs, ours) = PacketSocket::pair();
            (Service(theirs), Arc::new(ours))
        };
        let carriers = Carriers::default();
        carriers.set_window(Some(Duration::from_secs(120)));
        let (service, ours) = conversation();
        carriers.attach(ours);
        assert!((100..=120).contains(&told(&service)));
        carriers.set_window(None);
        assert_eq!(told(&service), 0);
        carriers.detach();
        let (service, ours) = conversation();
        carriers.attach(ours);
        carriers.set_window(Some(Duration::from_secs(60)));
        assert_eq!(told(&service), 60);
    }
}
