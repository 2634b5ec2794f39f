//! Where carriers meet daemons: whatever a carrier says goes to every daemon that is there, and to each that comes.

use super::Carrier;
use super::handover::{self, HandoverError, MAX_WINDOW_S, Wish};
use super::network::Network;
use super::packet::PacketSocket;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Daemons at a time: one, and one that takes its place.
const MAX_DAEMONS: usize = 2;

/// Told how long the pairing window stays open from now on; `None` closes it.
pub(super) type WindowShade = Box<dyn Fn(Option<Duration>) + Send>;

/// A daemon and the number it goes by.
type Daemon = (u64, Arc<PacketSocket>);

#[derive(Default)]
struct Inner {
    /// Number of the next carrier or daemon; none is used twice.
    next: u64,
    carriers: Vec<(u32, Carrier)>,
    network: Option<Network>,
    trouble: Option<String>,
    daemons: Vec<Daemon>,
    /// Until when the window is open, and the daemon that opened it.
    window: Option<(Instant, u64)>,
    shade: Option<WindowShade>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Exchange {
    inner: Mutex<Inner>,
}

impl Exchange {
    /// Offers a carrier; the number is for [`withdraw`](Self::withdraw).
    pub(super) fn offer(&self, carrier: Carrier) -> u32 {
        let mut inner = self.lock();
        inner.next += 1;
        // Four thousand million carriers later the oldest number is long forgotten.
        let id = inner.next as u32;
        inner.tell(|daemon| handover::offer(daemon, id, &carrier));
        inner.carriers.push((id, carrier));
        id
    }

    /// Takes a carrier back and closes its socket.
    pub(super) fn withdraw(&self, id: u32) {
        let mut inner = self.lock();
        inner.carriers.retain(|(one, _)| *one != id);
        inner.tell(|daemon| handover::withdraw(daemon, id));
    }

    /// The radio network from now on.
    pub(super) fn set_network(&self, network: Option<Network>) {
        let mut inner = self.lock();
        inner.network.clone_from(&network);
        inner.tell(|daemon| handover::radio(daemon, network.clone()));
    }

    /// What keeps the radio down from now on.
    pub(super) fn set_trouble(&self, words: Option<String>) {
        let mut inner = self.lock();
        inner.tell(|daemon| handover::trouble(daemon, words.as_deref()));
        inner.trouble = words;
    }

    /// Has `shade` told from now on when the pairing window opens and closes.
    pub(super) fn follow_window(&self, shade: WindowShade) {
        self.lock().shade = Some(shade);
    }

    /// Tells the one who follows the window how it is now.
    pub(super) fn repeat_window(&self) {
        let inner = self.lock();
        if let Some(shade) = &inner.shade {
            shade(inner.window_left());
        }
    }

    /// Closes every socket and tells nobody anything any more.
    pub(super) fn close(&self) {
        let mut inner = self.lock();
        inner.shade = None;
        inner.carriers.clear();
        inner.daemons.drain(..).for_each(|(_, daemon)| daemon.end());
    }

    /// Tells a daemon how things are, then listens to it until it goes. Blocks.
    ///
    /// # Errors
    /// Why it could not be told, or what it said wrong.
    pub(super) fn serve(&self, daemon: PacketSocket) -> Result<(), HandoverError> {
        let daemon = Arc::new(daemon);
        let number = self.lock().join(&daemon)?;
        let end = loop {
            match handover::heed(&daemon) {
                Ok(Wish::Window { seconds }) => self.lock().window(number, seconds),
                Err(HandoverError::Ended) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        self.lock().leave(number);
        end
    }

    /// Goes through once: returns where nobody holds it up.
    pub(super) fn pass(&self) {
        drop(self.lock());
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn join(&mut self, daemon: &Arc<PacketSocket>) -> Result<u64, HandoverError> {
        for (id, carrier) in &self.carriers {
            handover::offer(daemon, *id, carrier)?;
        }
        handover::radio(daemon, self.network.clone())?;
        handover::trouble(daemon, self.trouble.as_deref())?;
        self.next += 1;
        let number = self.next;
        self.daemons.push((number, Arc::clone(daemon)));
        if self.daemons.len() > MAX_DAEMONS {
            let (oldest, socket) = self.daemons.remove(0);
            socket.end();
            self.leave(oldest);
        }
        Ok(number)
    }

    fn leave(&mut self, number: u64) {
        self.daemons.retain(|(one, _)| *one != number);
        // Nobody is there any more who would let a handheld in.
        if self.window.is_some_and(|(_, opener)| opener == number) {
            self.window(number, 0);
        }
    }

    fn window(&mut self, number: u64, seconds: u32) {
        let seconds = Duration::from_secs(seconds.min(MAX_WINDOW_S).into());
        self.window = (!seconds.is_zero()).then(|| (Instant::now() + seconds, number));
        if let Some(shade) = &self.shade {
            shade((!seconds.is_zero()).then_some(seconds));
        }
    }

    fn window_left(&self) -> Option<Duration> {
        let (until, _) = self.window?;
        let left = until.saturating_duration_since(Instant::now());
        (!left.is_zero()).then_some(left)
    }

    /// Tells every daemon. One that cannot be told is dropped: it sees the end, comes back, and is told everything.
    fn tell(&mut self, say: impl Fn(&PacketSocket) -> Result<(), HandoverError>) {
        self.daemons.retain(|(_, daemon)| match say(daemon) {
            Ok(()) => true,
            Err(error) => {
                log::warn!("link-service: laptop-daemon could not be told: {error}");
                daemon.end();
                false
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::super::handover::{News, hear, wish};
    use super::super::network::testing::network;
    use super::*;
    use proptest::prelude::*;
    use std::net::{IpAddr, TcpStream};
    use std::sync::mpsc::{Receiver, channel};
    use std::thread::JoinHandle;

    type Serving = JoinHandle<Result<(), HandoverError>>;

    fn carrier() -> Carrier {
        Carrier::open(None, IpAddr::from([127, 0, 0, 1]), 0).expect("a carrier")
    }

    fn join(exchange: &Arc<Exchange>) -> (PacketSocket, Serving) {
        let (theirs, ours) = PacketSocket::pair();
        let exchange = Arc::clone(exchange);
        (ours, std::thread::spawn(move || exchange.serve(theirs)))
    }

    fn shade(exchange: &Exchange) -> Receiver<Option<Duration>> {
        let (sender, windows) = channel();
        exchange.follow_window(Box::new(move |window| {
            sender.send(window).expect("somebody looks");
        }));
        windows
    }

    fn listening(daemon: &PacketSocket) -> (u32, Carrier) {
        match hear(daemon).expect("heard") {
            News::Listening { id, carrier } => (id, carrier),
            other => panic!("no carrier: {other:?}"),
        }
    }

    #[test]
    fn a_daemon_hears_how_things_are_and_then_what_changes() {
        let exchange = Arc::new(Exchange::default());
        let loopback = carrier();
        let address = loopback.address;
        exchange.offer(loopback);
        exchange.set_trouble(Some("no radio".into()));
        let (daemon, _serving) = join(&exchange);
        let (first, heard) = listening(&daemon);
        assert_eq!(heard.address, address);
        assert!(matches!(hear(&daemon), Ok(News::Radio(None))));
        assert!(matches!(hear(&daemon), Ok(News::Trouble(Some(words))) if words == "no radio"));

        let radio = carrier();
        let address = radio.address;
        exchange.set_trouble(None);
        let id = exchange.offer(radio);
        exchange.set_network(Some(network()));
        assert!(matches!(hear(&daemon), Ok(News::Trouble(None))));
        let (second, heard) = listening(&daemon);
        assert_eq!((second, heard.address), (id, address));
        assert_ne!(first, second);
        assert!(matches!(hear(&daemon), Ok(News::Radio(Some(heard))) if heard == network()));

        exchange.withdraw(id);
        exchange.set_network(None);
        assert!(matches!(hear(&daemon), Ok(News::Gone { id }) if id == second));
        assert!(matches!(hear(&daemon), Ok(News::Radio(None))));
        drop(heard);
        assert!(
            TcpStream::connect(address).is_err(),
            "the carrier still listens"
        );
    }

    #[test]
    fn the_window_closes_with_the_daemon_that_opened_it() {
        let exchange = Arc::new(Exchange::default());
        let windows = shade(&exchange);
        let (daemon, serving) = join(&exchange);
        let (other, _) = join(&exchange);
        wish(&daemon, Wish::Window { seconds: 120 }).expect("sent");
        let two_minutes = Some(Duration::from_secs(120));
        assert_eq!(windows.recv().expect("opened"), two_minutes);
        drop(other);
        drop(daemon);
        assert_eq!(windows.recv().expect("closed"), None);
        assert!(serving.join().expect("no panic").is_ok());
    }

    #[test]
    fn a_radio_that_comes_late_hears_of_the_open_window() {
        let exchange = Arc::new(Exchange::default());
        let windows = shade(&exchange);
        let repeated = || {
            exchange.repeat_window();
            windows.recv().expect("told")
        };
        assert_eq!(repeated(), None);
        let (daemon, _serving) = join(&exchange);
        wish(&daemon, Wish::Window { seconds: 120 }).expect("sent");
        windows.recv().expect("opened");
        let left = repeated().expect("open");
        assert!(left > Duration::from_secs(60) && left <= Duration::from_secs(120));
        wish(&daemon, Wish::Window { seconds: 0 }).expect("sent");
        assert_eq!(windows.recv().expect("closed"), None);
        assert_eq!(repeated(), None);
    }

    #[test]
    fn a_third_daemon_takes_the_place_of_the_first() {
        let exchange = Arc::new(Exchange::default());
        let (first, serving) = join(&exchange);
        hear(&first).expect("the network");
        let (second, _) = join(&exchange);
        hear(&second).expect("the network");
        let (third, _) = join(&exchange);
        hear(&third).expect("the network");
        assert!(serving.join().expect("no panic").is_ok());
        hear(&first).expect("the trouble");
        assert!(matches!(hear(&first), Err(HandoverError::Ended)));
        exchange.set_trouble(Some("words".into()));
        hear(&second).expect("the trouble");
        assert!(matches!(hear(&second), Ok(News::Trouble(Some(_)))));
    }

    #[test]
    fn nonsense_from_a_daemon_ends_its_conversation() {
        let exchange = Arc::new(Exchange::default());
        let (daemon, serving) = join(&exchange);
        daemon.send(b"nonsense", None).expect("sent");
        assert!(matches!(
            serving.join().expect("no panic"),
            Err(HandoverError::Malformed(_))
        ));
    }

    #[derive(Debug, Clone)]
    enum Change {
        Offer,
        Withdraw(usize),
        Network(bool),
        Trouble(bool),
    }

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            Just(Change::Offer),
            (0..4usize).prop_map(Change::Withdraw),
            any::<bool>().prop_map(Change::Network),
            any::<bool>().prop_map(Change::Trouble),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn a_daemon_knows_how_things_are_whenever_it_came(
            changes in proptest::collection::vec(change(), 0..24),
            comes_at in 0..24usize,
        ) {
            let exchange = Arc::new(Exchange::default());
            let (mut offered, mut is_up, mut is_troubled) = (Vec::new(), false, false);
            let mut daemon = None;
            for (index, change) in changes.iter().enumerate() {
                if index == comes_at {
                    daemon = Some(join(&exchange));
                }
                match change {
                    Change::Offer => offered.push(exchange.offer(carrier())),
                    Change::Withdraw(which) if *which < offered.len() => {
                        exchange.withdraw(offered.remove(*which));
                    }
                    Change::Withdraw(_) => {}
                    Change::Network(up) => {
                        is_up = *up;
                        exchange.set_network(up.then(network));
                    }
                    Change::Trouble(troubled) => {
                        is_troubled = *troubled;
                        exchange.set_trouble(troubled.then(|| "no radio".to_owned()));
                    }
                }
            }
            let (daemon, _serving) = daemon.unwrap_or_else(|| join(&exchange));
            let (mut listening, mut network, mut trouble) = (Vec::new(), None, None);
            let mut is_told = false;
            loop {
                match hear(&daemon).expect("heard") {
                    News::Listening { id, .. } => listening.push(id),
                    News::Gone { id } => listening.retain(|one| *one != id),
                    News::Radio(told) => network = told,
                    News::Trouble(Some(words)) if words == "last" => break,
                    News::Trouble(told) => {
                        trouble = told;
                        // The first is the end of the greeting: from here on nothing can be missed.
                        if !std::mem::replace(&mut is_told, true) {
                            exchange.set_trouble(Some("last".to_owned()));
                        }
                    }
                }
            }
            prop_assert_eq!(listening, offered);
            prop_assert_eq!(network.is_some(), is_up);
            prop_assert_eq!(trouble.is_some(), is_troubled);
        }
    }
}
