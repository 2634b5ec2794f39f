//! The driver beside a radio that is played by the test.

use super::*;
use crate::app::model::laptop::{Nearby, Signal};
use crate::app::msg::RadioAbility;
use crate::link::carrier::{Called, Calling, Connecting, Way, tcp};

/// What the driver asked of the radio.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    Dial(Carrier, Option<Vec<u8>>),
    Look(bool),
    Watch(bool),
    Rest,
    CallOff,
    GiveWay,
}

/// A radio whose network leads to one address, or nowhere.
struct Played {
    asked: Sender<Asked>,
    way: Mutex<Result<String, String>>,
    /// What answers at the cable; `None` where none is plugged in.
    cable: Mutex<Option<String>>,
}

impl Dialer for Played {
    fn dial<'a>(&'a self, way: Way<'a>) -> Connecting<'a> {
        let ssid = way.network.map(|network| network.ssid.clone());
        let _ = self.asked.try_send(Asked::Dial(way.carrier.clone(), ssid));
        Box::pin(async move {
            let address = match way.carrier {
                Carrier::Tcp(address) => address.clone(),
                Carrier::Usb => match &*self.cable.lock().unwrap() {
                    Some(address) => address.clone(),
                    None => return Err("No cable.".into()),
                },
                _ => self.way.lock().unwrap().clone()?,
            };
            tcp(&super::dialer().0, &address).await
        })
    }

    fn call<'a>(&'a self, call: &'a Call) -> Calling<'a> {
        Box::pin(async move {
            let (carrier, network) = match call {
                Call::Carrier(carrier) => (carrier.clone(), None),
                _ => (Carrier::WifiDirect, Some(joined())),
            };
            let stream = self
                .dial(Way {
                    carrier: &carrier,
                    network: network.as_ref(),
                })
                .await?;
            Ok(Called {
                stream,
                carrier,
                network,
            })
        })
    }

    fn radio(&self) -> Option<Carrier> {
        Some(Carrier::WifiDirect)
    }

    fn cable(&self) -> bool {
        self.cable.lock().unwrap().is_some()
    }

    fn look(&self, on: bool) {
        let _ = self.asked.try_send(Asked::Look(on));
    }

    fn watch_signal(&self, on: bool) {
        let _ = self.asked.try_send(Asked::Watch(on));
    }

    fn give_way(&self) {
        let _ = self.asked.try_send(Asked::GiveWay);
    }

    fn rest(&self) {
        let _ = self.asked.try_send(Asked::Rest);
    }

    fn call_off(&self) {
        let _ = self.asked.try_send(Asked::CallOff);
    }
}

fn joined() -> Network {
    Network {
        ssid: b"DIRECT-ab-Ada".to_vec(),
        passphrase: "abcd2345efgh".into(),
        frequency: 2412,
        port: 8144,
    }
}

struct Radio {
    bench: Bench,
    asked: Receiver<Asked>,
    say: Sender<RadioNews>,
    played: Arc<Played>,
}

impl Radio {
    fn new(way: Result<String, String>) -> Self {
        let (ask, asked) = unbounded();
        let (say, news) = unbounded();
        let played = Arc::new(Played {
            asked: ask,
            way: Mutex::new(way),
            cable: Mutex::default(),
        });
        let bench = Bench::with(played.clone(), news);
        Self {
            bench,
            asked,
            say,
            played,
        }
    }

    fn hears(&self, news: RadioNews) {
        self.say.send_blocking(news).unwrap();
    }

    fn asked(&self) -> Asked {
        self.asked.recv_blocking().unwrap()
    }
}

fn lost(bench: &Bench) -> Vec<(Carrier, String)> {
    bench.wait(|e| match e {
        LinkEvent::Lost { attempts, .. } => {
            Some(attempts.into_iter().map(|a| (a.carrier, a.why)).collect())
        }
        _ => None,
    })
}

fn welcomed(bench: &Bench) -> Box<crate::app::msg::Welcome> {
    bench.wait(|e| match e {
        LinkEvent::Welcome(welcome) => Some(welcome),
        _ => None,
    })
}

/// A laptop that greets whoever comes, as often as it is called.
fn hospitable(listener: TcpListener) {
    std::thread::spawn(move || {
        while let Some(far) = Far::accept(&listener, &KEYS) {
            far.serve(|_, _, _| true);
        }
    });
}

#[test]
fn what_the_radio_says_and_is_asked_passes_through_with_and_without_a_laptop() {
    let (listener, address) = listen();
    hospitable(listener);
    let radio = Radio::new(Ok(address));
    for linked in [false, true] {
        if linked {
            radio
                .bench
                .link_by(vec![Carrier::WifiDirect], Some(joined()), &KEYS);
            let ssid = Some(b"DIRECT-ab-Ada".to_vec());
            assert_eq!(radio.asked(), Asked::Dial(Carrier::WifiDirect, ssid));
            welcomed(&radio.bench);
        }
        radio.bench.say(Command::Look(true));
        radio.bench.say(Command::WatchSignal(true));
        assert_eq!(
            (radio.asked(), radio.asked()),
            (Asked::Look(true), Asked::Watch(true))
        );
        radio.hears(RadioNews::Ability(RadioAbility::default()));
        radio.hears(RadioNews::Nearby(Vec::<Nearby>::new()));
        radio.hears(RadioNews::Signal(Some(Signal::default())));
        let mut said = Vec::new();
        radio.bench.wait(|e| {
            said.push(e);
            (said.len() == 3).then_some(())
        });
        assert!(matches!(
            said[..],
            [
                LinkEvent::Radio(_),
                LinkEvent::Nearby(_),
                LinkEvent::Signal(Some(_))
            ]
        ));
    }
}

#[test]
fn a_lost_network_ends_the_session_at_once_and_its_return_is_tried_at_once() {
    let (listener, address) = listen();
    hospitable(listener);
    let radio = Radio::new(Ok(address.clone()));
    radio
        .bench
        .link_by(vec![Carrier::WifiDirect], Some(joined()), &KEYS);
    welcomed(&radio.bench);
    *radio.played.way.lock().unwrap() = Err("Out of range.".into());
    radio.hears(RadioNews::Lost("The laptop's signal is gone.".into()));
    assert_eq!(
        lost(&radio.bench),
        [(Carrier::WifiDirect, "The laptop's signal is gone.".into())]
    );
    // Wait until tries have become rare; then it comes back.
    for _ in 0..3 {
        assert_eq!(lost(&radio.bench)[0].1, "Out of range.");
    }
    *radio.played.way.lock().unwrap() = Ok(address);
    radio.hears(RadioNews::Back);
    welcomed(&radio.bench);
}

#[test]
fn a_session_over_another_carrier_does_not_mind_the_radio() {
    let (listener, address) = listen();
    hospitable(listener);
    let radio = Radio::new(Err("Nobody there.".into()));
    radio.bench.link(&address, &KEYS);
    welcomed(&radio.bench);
    radio.hears(RadioNews::Lost("Some other network.".into()));
    radio.hears(RadioNews::Signal(None));
    radio.bench.wait(|e| match e {
        LinkEvent::Lost { .. } => panic!("the session lives"),
        LinkEvent::Signal(None) => Some(()),
        _ => None,
    });
}

#[test]
fn the_last_failure_of_each_carrier_of_a_round_is_told() {
    let (closed, address) = listen();
    drop(closed);
    let radio = Radio::new(Err("Out of range.".into()));
    let tcp = Carrier::Tcp(address);
    radio.bench.link_by(
        vec![Carrier::WifiDirect, tcp.clone()],
        Some(joined()),
        &KEYS,
    );
    let attempts = lost(&radio.bench);
    assert_eq!(attempts.len(), 2);
    assert_eq!(
        attempts[0],
        (Carrier::WifiDirect, "Out of range.".to_owned())
    );
    assert_eq!(attempts[1].0, tcp);
}

#[test]
fn a_network_that_the_laptop_tells_of_is_a_way_from_then_on() {
    let (listener, address) = listen();
    std::thread::spawn(move || {
        let far = Far::accept(&listener, &KEYS).unwrap();
        let told = shared_proto::message::Link {
            carrier: "tcp",
            ssid: b"DIRECT-ab-Ada",
            passphrase: "abcd2345efgh",
            frequency: 2437,
            port: 8144,
        };
        far.serve_with(told, |_, _, _| true);
    });
    let radio = Radio::new(Err("Out of range.".into()));
    let tcp = Carrier::Tcp(address);
    radio.bench.link_by(vec![tcp.clone()], None, &KEYS);
    assert_eq!(radio.asked(), Asked::Dial(tcp.clone(), None));
    let network = welcomed(&radio.bench)
        .network
        .expect("it is handed to the app");
    assert_eq!((network.frequency, network.port), (2437, 8144));
    // The laptop leaves; the next round tries both.
    radio.bench.say(Command::Reconnect);
    let known = Some(b"DIRECT-ab-Ada".to_vec());
    radio.bench.say(Command::Rest);
    assert_eq!(radio.asked(), Asked::Rest);
    radio.bench.say(Command::Reconnect);
    assert_eq!(radio.asked(), Asked::Dial(tcp, known.clone()));
    assert_eq!(radio.asked(), Asked::Dial(Carrier::WifiDirect, known));
}

#[test]
fn asleep_nothing_is_dialled_until_somebody_asks() {
    let (listener, address) = listen();
    hospitable(listener);
    let radio = Radio::new(Ok(address));
    radio
        .bench
        .link_by(vec![Carrier::WifiDirect], Some(joined()), &KEYS);
    welcomed(&radio.bench);
    radio.asked();
    radio.bench.say(Command::Rest);
    radio
        .bench
        .wait(|e| matches!(e, LinkEvent::Asleep).then_some(()));
    assert_eq!(radio.asked(), Asked::Rest);
    radio.hears(RadioNews::Back);
    radio.hears(RadioNews::Lost("It sleeps.".into()));
    radio.bench.say(Command::Look(true));
    assert_eq!(
        radio.asked(),
        Asked::Look(true),
        "looking does not wake the link"
    );
    radio.bench.say(Command::Reconnect);
    assert!(matches!(radio.asked(), Asked::Dial(..)));
    welcomed(&radio.bench);
}

#[test]
fn a_pairing_by_radio_keeps_the_network_and_its_carrier_first() {
    let (listener, address) = listen();
    let radio = Radio::new(Ok(address));
    let (type_there, typed) = unbounded();
    let laptop = meet(listener, typed);
    let nearby = Nearby {
        name: "Ada".into(),
        ssid: joined().ssid,
        bssid: [2; 6],
        device: Some([3; 6]),
        frequency: 2412,
        signal_dbm: -40,
        push: true,
    };
    radio.bench.say(Command::Pair(Call::Push(nearby)));
    let kept = radio.bench.wait(|e| match e {
        LinkEvent::Pairing(PairingEvent::Digits { digits, .. }) => {
            let text: String = digits.iter().map(|d| char::from(b'0' + d)).collect();
            type_there.send_blocking(text).unwrap();
            None
        }
        LinkEvent::Pairing(PairingEvent::Matched { .. }) => {
            radio.bench.say(Command::PairConfirm);
            None
        }
        LinkEvent::Pairing(PairingEvent::Kept(kept)) => Some(kept),
        LinkEvent::Pairing(PairingEvent::Failed(fault)) => panic!("{fault:?}"),
        _ => None,
    });
    assert!(laptop.join().unwrap().is_some());
    assert_eq!(kept.carriers, [Carrier::WifiDirect]);
    assert_eq!(kept.network, Some(joined()));
}

#[test]
fn a_pairing_that_comes_to_nothing_lets_the_radio_go() {
    let radio = Radio::new(Err("Nobody pushed the button.".into()));
    let call = Call::Carrier(Carrier::WifiDirect);
    radio.bench.say(Command::Pair(call));
    radio.bench.wait(|e| {
        matches!(
            e,
            LinkEvent::Pairing(PairingEvent::Failed(PairingFault::Unreachable(_)))
        )
        .then_some(())
    });
    assert!(matches!(radio.asked(), Asked::Dial(..)));
    assert_eq!(radio.asked(), Asked::Rest);
}

#[test]
fn a_laptop_that_knows_us_no_more_is_told_once_and_asked_again_later() {
    let (listener, address) = listen();
    std::thread::spawn(move || {
        let mut other = KEYS;
        other.handheld = [9; 32];
        // Whoever does not know the token refuses; here, all that ever call.
        loop {
            let own = RelationshipKey::from_bytes(other.laptop);
            let _ = Far::accept_by(&listener, &own, public(other.handheld), [6; 32]);
        }
    });
    let bench = Bench::new();
    bench.link(&address, &KEYS);
    bench.wait(|e| matches!(e, LinkEvent::Ended { expired: false }).then_some(()));
    for _ in 0..2 {
        let attempts = bench.wait(|e| match e {
            LinkEvent::Lost { attempts, next_try } => Some((attempts, next_try)),
            LinkEvent::Ended { .. } => panic!("once is enough"),
            _ => None,
        });
        assert!(attempts.1.is_some() && attempts.0[0].why.contains("does not know this handheld"));
        bench.say(Command::Reconnect);
    }
}

#[test]
fn what_the_radio_says_is_kept_while_the_app_is_busy() {
    let (_commands, incoming) = unbounded();
    let (outgoing, events) = bounded(1);
    let (say, radio) = unbounded();
    let driver = Driver {
        commands: incoming,
        events: outgoing,
        dialer: Arc::new(super::dialer()),
        radio,
        library: Arc::new(Shelf::default()),
        introduction: Introduction {
            name: "Bench".into(),
            screen: (640, 480),
        },
        clock,
        heard: Default::default(),
        others_first: Default::default(),
    };
    smol::block_on(async {
        driver.tell(LinkEvent::Asleep).await;
        say.send(RadioNews::Signal(None)).await.unwrap();
        // There is no room for it, and something else happens first, twice.
        for _ in 0..2 {
            let heard = or(async { Some(driver.hear().await) }, async { None }).await;
            assert_eq!(heard, None);
        }
        assert!(matches!(events.recv().await, Ok(LinkEvent::Asleep)));
        say.send(RadioNews::Back).await.unwrap();
        assert_eq!(driver.hear().await, RadioNews::Back);
        assert!(matches!(events.recv().await, Ok(LinkEvent::Signal(None))));
        assert!(events.is_empty(), "told once");
    });
}

#[test]
fn a_radio_call_that_comes_to_nothing_is_called_off_beside_a_link() {
    let radio = Radio::new(Err("Nobody pushed the button.".into()));
    radio
        .bench
        .link_by(vec![Carrier::WifiDirect], Some(joined()), &KEYS);
    assert!(matches!(radio.asked(), Asked::Dial(..)));
    let nearby = crate::app::model::laptop::Nearby {
        name: "Ada".into(),
        ssid: b"DIRECT-ab-Ada".to_vec(),
        bssid: [2; 6],
        device: Some([2; 6]),
        frequency: 2412,
        signal_dbm: -40,
        push: true,
    };
    radio.bench.say(Command::Pair(Call::Push(nearby)));
    loop {
        match radio.asked() {
            Asked::Dial(..) => {}
            other => break assert_eq!(other, Asked::CallOff),
        }
    }
}

#[test]
fn a_radio_that_reaches_nobody_gives_way_to_the_others_and_lets_them_go_first_once() {
    let radio = Radio::new(Err("Out of range.".into()));
    let (listener, address) = listen();
    drop(listener);
    let tcp = Carrier::Tcp(address);
    let ways = vec![Carrier::WifiDirect, tcp.clone()];
    radio.bench.link_by(ways, Some(joined()), &KEYS);
    let ssid = Some(joined().ssid);
    let dial = |carrier: &Carrier| Asked::Dial(carrier.clone(), ssid.clone());
    let by_radio = dial(&Carrier::WifiDirect);
    for expected in [
        by_radio.clone(),
        Asked::GiveWay,
        dial(&tcp),
        // The next round.
        dial(&tcp),
        by_radio.clone(),
        Asked::GiveWay,
        // And the one after it.
        by_radio,
        Asked::GiveWay,
        dial(&tcp),
    ] {
        assert_eq!(radio.asked(), expected);
    }
}

#[test]
fn a_cable_goes_before_the_radio_and_the_radio_follows_when_it_is_pulled() {
    let (listener, address) = listen();
    hospitable(listener);
    let radio = Radio::new(Ok(address.clone()));
    *radio.played.cable.lock().unwrap() = Some(address);
    let ways = vec![Carrier::WifiDirect, Carrier::Usb];
    radio.bench.link_by(ways, Some(joined()), &KEYS);
    assert_eq!(welcomed(&radio.bench).carrier, Some(Carrier::Usb));
    let ssid = Some(b"DIRECT-ab-Ada".to_vec());
    assert_eq!(radio.asked(), Asked::Dial(Carrier::Usb, ssid.clone()));
    // What the radio loses meanwhile is no concern of a cable.
    radio.hears(RadioNews::Lost("Out of range.".into()));
    *radio.played.cable.lock().unwrap() = None;
    radio.hears(RadioNews::Cable(false));
    let failed = lost(&radio.bench);
    assert_eq!(failed, [(Carrier::Usb, PULLED.to_owned())]);
    assert_eq!(welcomed(&radio.bench).carrier, Some(Carrier::WifiDirect));
    assert_eq!(radio.asked(), Asked::Dial(Carrier::WifiDirect, ssid));
    // One that is pulled is no concern of a link by radio.
    radio.hears(RadioNews::Cable(false));
    radio
        .bench
        .wait(|e| matches!(e, LinkEvent::Cable(false)).then_some(()));
    radio.hears(RadioNews::Lost("Out of range.".into()));
    let failed = lost(&radio.bench);
    assert_eq!(failed, [(Carrier::WifiDirect, "Out of range.".to_owned())]);
}

#[test]
fn a_cable_that_comes_is_tried_at_once_and_what_it_says_is_told_beside_the_radio_s_words() {
    let (listener, address) = listen();
    hospitable(listener);
    let radio = Radio::new(Err("Nobody is in range.".into()));
    let (closed, nobody) = listen();
    drop(closed);
    *radio.played.cable.lock().unwrap() = Some(nobody);
    radio
        .bench
        .link_by(vec![Carrier::WifiDirect], Some(joined()), &KEYS);
    let failed = lost(&radio.bench);
    assert_eq!(failed[0].0, Carrier::Usb);
    assert!(failed[0].1.contains("does not run there"), "{failed:?}");
    let by_radio = (Carrier::WifiDirect, "Nobody is in range.".to_owned());
    assert_eq!(failed[1], by_radio);
    *radio.played.cable.lock().unwrap() = Some(address);
    radio.hears(RadioNews::Cable(true));
    assert_eq!(welcomed(&radio.bench).carrier, Some(Carrier::Usb));
}

#[test]
fn a_cable_that_is_not_there_is_named_only_where_it_is_the_only_way() {
    let radio = Radio::new(Err("Nobody is in range.".into()));
    let ways = vec![Carrier::WifiDirect, Carrier::Usb];
    radio.bench.link_by(ways, Some(joined()), &KEYS);
    let by_radio = (Carrier::WifiDirect, "Nobody is in range.".to_owned());
    assert_eq!(lost(&radio.bench), [by_radio]);
    let radio = Radio::new(Err("Nobody is in range.".into()));
    radio.bench.link_by(vec![Carrier::Usb], None, &KEYS);
    let cable = (Carrier::Usb, "No cable.".to_owned());
    assert_eq!(lost(&radio.bench), [cable]);
}
