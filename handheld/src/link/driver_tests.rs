//! The driver against a laptop made of the same machines, over real loopback sockets.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use shared_proto::channel::{Acceptor, Channel, Purpose, TlsChannel};
use shared_proto::crypto::{PublicKey, Signature, Signer, TokenSecret, submit_signature_input};
use shared_proto::error::ErrorCode;
use shared_proto::message::{
    Credit, Data, Done, RequestId, UPLOAD_SLOT, Usage, Welcome as Greeting,
};
use shared_proto::pairing::{Binding, Grant, LaptopPairing, LaptopPhase, Name};
use shared_proto::session::{ServerEvent, ServerSession};
use smol::channel::{Receiver, Sender, bounded, unbounded};

use super::*;
use crate::app::model::{Laptop, Network, Source, Upload};
use crate::app::msg::{PairingEvent, PairingFault};
use crate::card::Relationship;
use crate::link::carrier::TcpDialer;
use crate::link::{Kept, Piece};

#[path = "driver_far_tests.rs"]
mod far;
#[path = "driver_pairing_tests.rs"]
mod pairing;
#[path = "driver_radio_tests.rs"]
mod radio;

use far::{Far, Owned, data, listen};
use pairing::meet;

const SECRET: [u8; 32] = [5; 32];

fn clock() -> u64 {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_millis() as u64 + 1
}

/// A card with one upload of 100 000 octets, and room for one pairing.
#[derive(Default)]
struct Shelf(Mutex<Option<Relationship>>);

impl Library for Shelf {
    fn piece<'a>(&'a self, _: &'a Source, offset: u64, len: usize) -> Piece<'a> {
        let bytes: Vec<u8> = (offset..(offset + len as u64).min(100_000))
            .map(|n| n as u8)
            .collect();
        Box::pin(async move { Some((bytes, 100_000)) })
    }

    fn pair(&self, relationship: Relationship, laptop: Laptop) -> Kept<'_> {
        *self.0.lock().unwrap() = Some(relationship);
        Box::pin(async move { Ok(laptop) })
    }

    fn rekey(&self, relationship: Relationship) -> crate::link::Rekeyed<'_> {
        *self.0.lock().unwrap() = Some(relationship);
        Box::pin(async { true })
    }
}

struct Bench {
    commands: Sender<Command>,
    events: Receiver<LinkEvent>,
    driver: Option<JoinHandle<()>>,
    shelf: Arc<Shelf>,
}

/// TCP by a broker in a thread, which lets this machine itself be reached.
fn dialer() -> TcpDialer {
    TcpDialer(crate::broker::in_thread(crate::broker::Settings {
        loopback: true,
        ..Default::default()
    }))
}

impl Bench {
    fn new() -> Self {
        let news = crate::link::carrier::no_radio("There is none.");
        Self::with(Arc::new(dialer()), news)
    }

    fn with(dialer: Arc<dyn Dialer>, radio: Receiver<RadioNews>) -> Self {
        let (commands, incoming) = unbounded();
        let (outgoing, events) = bounded(64);
        let shelf = Arc::new(Shelf::default());
        let driver = Driver {
            commands: incoming,
            events: outgoing,
            dialer,
            radio,
            library: shelf.clone(),
            introduction: Introduction {
                name: "Bench".into(),
                screen: (640, 480),
            },
            clock,
            heard: Default::default(),
            others_first: Default::default(),
        };
        let driver = Some(std::thread::spawn(move || smol::block_on(driver.run())));
        Self {
            commands,
            events,
            driver,
            shelf,
        }
    }

    fn say(&self, command: Command) {
        self.commands.send_blocking(command).unwrap();
    }

    /// The next event that is wanted; others pass by. Fails after ten seconds.
    fn wait<T>(&self, mut wanted: impl FnMut(LinkEvent) -> Option<T>) -> T {
        smol::block_on(or(
            async {
                loop {
                    if let Some(found) = wanted(self.events.recv().await.expect("the driver lives"))
                    {
                        return found;
                    }
                }
            },
            async {
                Timer::after(Duration::from_secs(10)).await;
                panic!("nothing came in ten seconds")
            },
        ))
    }

    fn link(&self, address: &str, keys: &Keys) {
        self.link_by(vec![Carrier::Tcp(address.to_owned())], None, keys);
    }

    fn link_by(&self, carriers: Vec<Carrier>, network: Option<Network>, keys: &Keys) {
        self.say(Command::Target(Some(Box::new(Target {
            relationship: Relationship {
                id: 1,
                seed: keys.handheld,
                peer: public(keys.laptop).0,
                token_secret: SECRET,
                next: None,
            },
            carriers,
            network,
            last_id: 3,
            ledger: Default::default(),
        }))));
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.commands.close();
        self.events.close();
        if let Some(driver) = self.driver.take() {
            driver.join().unwrap();
        }
    }
}

#[derive(Clone, Copy)]
struct Keys {
    handheld: [u8; 32],
    laptop: [u8; 32],
}

const KEYS: Keys = Keys {
    handheld: [1; 32],
    laptop: [2; 32],
};

fn public(seed: [u8; 32]) -> PublicKey {
    RingSigner::new(&RelationshipKey::from_bytes(seed)).public_key()
}

const ID: RequestId = RequestId(4);

#[test]
fn a_signed_submit_streams_its_answer_and_is_acknowledged() {
    let (listener, address) = listen();
    let bench = Bench::new();
    bench.link(&address, &KEYS);
    let laptop = std::thread::spawn(move || {
        let mut acked = false;
        Far::accept(&listener, &KEYS)
            .unwrap()
            .serve(|session, event, exporter| {
                match event {
                    Owned::Submit(id, program, signature) => {
                        let hash = RingCrypto.sha256(&[program]);
                        let input = submit_signature_input(exporter, id.0, hash);
                        let signature = Signature(signature.as_slice().try_into().unwrap());
                        RingCrypto
                            .verify(&public(KEYS.handheld), &input, &signature)
                            .expect("signed over this channel");
                        session.accepted(*id).unwrap();
                        session.data(&data(*id, 0, b"Dear ", false)).unwrap();
                        session.data(&data(*id, 5, b"neighbour", true)).unwrap();
                        session
                            .done(Done {
                                id: *id,
                                usage: Usage::default(),
                            })
                            .unwrap();
                    }
                    Owned::Ack(id) => acked = *id == ID,
                    _ => {}
                }
                !acked
            });
        acked
    });
    let welcome = bench.wait(|e| {
        if let LinkEvent::Welcome(w) = e {
            Some(w)
        } else {
            None
        }
    });
    assert_eq!(
        (welcome.name.as_str(), welcome.floor),
        ("Ada's ThinkPad", ID)
    );
    assert_eq!(welcome.clock.unwrap().unix, 1_700_000_000);
    bench.say(Command::Submit {
        id: ID,
        program: b"program".to_vec(),
        uploads: vec![],
    });
    let mut text = Vec::new();
    bench.wait(|e| match e {
        LinkEvent::Data { bytes, .. } => {
            text.extend(bytes);
            None
        }
        LinkEvent::Done(id) => {
            assert_eq!(id, ID);
            Some(())
        }
        _ => None,
    });
    assert_eq!(text, b"Dear neighbour");
    bench.say(Command::Ack(ID));
    assert!(laptop.join().unwrap());
}

#[test]
fn a_cut_link_is_told_and_the_result_goes_on_at_its_octet() {
    let (listener, address) = listen();
    let bench = Bench::new();
    bench.link(&address, &KEYS);
    let laptop = std::thread::spawn(move || {
        // The first session ends in the middle of an answer, without a word.
        Far::accept(&listener, &KEYS)
            .unwrap()
            .serve(|session, event, _| {
                if let Owned::Submit(id, ..) = event {
                    session.accepted(*id).unwrap();
                    session.data(&data(*id, 0, b"half an ", false)).unwrap();
                    return false;
                }
                true
            });
        let mut from = 0;
        Far::accept(&listener, &KEYS)
            .unwrap()
            .serve(|session, event, _| {
                if let Owned::Resume(resume) = event {
                    from = resume.offsets[0].offset;
                    session.accepted(resume.id).unwrap();
                    session
                        .data(&data(resume.id, from, b"answer", true))
                        .unwrap();
                    session
                        .done(Done {
                            id: resume.id,
                            usage: Usage::default(),
                        })
                        .unwrap();
                }
                true
            });
        from
    });
    bench.wait(|e| matches!(e, LinkEvent::Welcome(_)).then_some(()));
    bench.say(Command::Submit {
        id: ID,
        program: vec![1],
        uploads: vec![],
    });
    let mut text = Vec::new();
    bench.wait(|e| match e {
        LinkEvent::Data { bytes, .. } => {
            text.extend(bytes);
            None
        }
        LinkEvent::Lost { next_try, .. } => {
            assert!(next_try.is_some());
            Some(())
        }
        _ => None,
    });
    assert_eq!(text, b"half an ");
    bench.wait(|e| matches!(e, LinkEvent::Welcome(_)).then_some(()));
    bench.say(Command::Resume {
        id: ID,
        offsets: vec![(0, 8)],
        uploads: vec![],
    });
    bench.wait(|e| match e {
        LinkEvent::Data { bytes, offset, .. } => {
            assert_eq!(offset, 8);
            text.extend(bytes);
            None
        }
        LinkEvent::Done(_) => Some(()),
        _ => None,
    });
    assert_eq!(text, b"half an answer");
    bench.say(Command::Target(None));
    assert_eq!(laptop.join().unwrap(), 8);
}

#[test]
fn an_upload_is_read_from_the_card_as_the_laptop_gives_room() {
    let (listener, address) = listen();
    let bench = Bench::new();
    bench.link(&address, &KEYS);
    let laptop = std::thread::spawn(move || {
        let mut got = Vec::new();
        Far::accept(&listener, &KEYS)
            .unwrap()
            .serve(|session, event, _| {
                let slot = UPLOAD_SLOT + 2;
                let ask = |from, limit| Credit {
                    id: ID,
                    slot,
                    from,
                    limit,
                };
                match event {
                    // As if the first 1000 octets had come before.
                    Owned::Submit(id, ..) => {
                        session.accepted(*id).unwrap();
                        session.want_upload(ask(1000, 30_000)).unwrap();
                    }
                    Owned::Upload(offset, bytes, fin) => {
                        assert_eq!(*offset, 1000 + got.len() as u64);
                        got.extend_from_slice(bytes);
                        let end = 1000 + got.len() as u64;
                        if *fin {
                            session
                                .done(Done {
                                    id: ID,
                                    usage: Usage::default(),
                                })
                                .unwrap();
                        } else if end == 30_000 {
                            session.want_upload(ask(end, 200_000)).unwrap();
                        }
                    }
                    _ => {}
                }
                true
            });
        got
    });
    bench.wait(|e| matches!(e, LinkEvent::Welcome(_)).then_some(()));
    let uploads = vec![Upload {
        constant: 2,
        source: Source::File("walk.jpg".into()),
    }];
    bench.say(Command::Submit {
        id: ID,
        program: vec![1],
        uploads,
    });
    let mut sent = 0;
    bench.wait(|e| match e {
        LinkEvent::Uploaded { sent: now, len, .. } => {
            assert!(now > sent && len == 100_000);
            sent = now;
            None
        }
        LinkEvent::Done(_) => Some(()),
        _ => None,
    });
    assert_eq!(sent, 100_000);
    bench.say(Command::Target(None));
    let expected: Vec<u8> = (1000..100_000u64).map(|n| n as u8).collect();
    assert_eq!(laptop.join().unwrap(), expected);
}

#[test]
fn a_cancel_reaches_the_laptop_and_its_failure_comes_back() {
    let (listener, address) = listen();
    let bench = Bench::new();
    bench.link(&address, &KEYS);
    std::thread::spawn(move || {
        Far::accept(&listener, &KEYS)
            .unwrap()
            .serve(|session, event, _| {
                match event {
                    Owned::Submit(id, ..) => session.accepted(*id).unwrap(),
                    Owned::Cancel(id) => {
                        session.failed(*id, None, ErrorCode::Cancelled, "").unwrap()
                    }
                    _ => {}
                }
                true
            });
    });
    bench.wait(|e| matches!(e, LinkEvent::Welcome(_)).then_some(()));
    bench.say(Command::Submit {
        id: ID,
        program: vec![1],
        uploads: vec![],
    });
    bench.wait(|e| matches!(e, LinkEvent::Accepted(_)).then_some(()));
    bench.say(Command::Cancel(ID));
    let failure = bench.wait(|e| {
        if let LinkEvent::Failed { failure, .. } = e {
            Some(failure)
        } else {
            None
        }
    });
    assert_eq!(failure.code, ErrorCode::Cancelled as u16);
}

#[test]
fn strangers_and_closed_ports_are_told_in_words_and_another_laptop_can_be_chosen_meanwhile() {
    let bench = Bench::new();
    let (closed, address) = listen();
    drop(closed);
    bench.link(&address, &KEYS);
    let why = |bench: &Bench| {
        bench.wait(|e| match e {
            LinkEvent::Lost { attempts, .. } => Some(attempts[0].why.clone()),
            _ => None,
        })
    };
    assert!(why(&bench).contains("does not run there"));
    // A laptop that has forgotten this handheld.
    let (listener, address) = listen();
    let forgetful = std::thread::spawn(move || {
        let mut other = KEYS;
        other.handheld = [9; 32];
        Far::accept(&listener, &other).is_none()
    });
    let mut relationship_of_another_card = KEYS;
    relationship_of_another_card.laptop = [8; 32];
    bench.link(&address, &relationship_of_another_card);
    let said = bench.wait(|e| match e {
        LinkEvent::Lost { attempts, .. } if !attempts[0].why.contains("does not run") => {
            Some(attempts[0].why.clone())
        }
        _ => None,
    });
    assert!(said.contains("Another laptop answers there"), "{said}");
    let _ = forgetful.join().unwrap();
    // What it says while it waits patiently can be ended at once.
    let (listener, address) = listen();
    std::thread::spawn(move || Far::accept(&listener, &KEYS).unwrap().serve(|_, _, _| true));
    bench.link(&address, &KEYS);
    bench.wait(|e| matches!(e, LinkEvent::Welcome(_)).then_some(()));
}

#[test]
fn renewed_keys_are_on_the_card_before_they_are_told_and_open_the_next_session() {
    let (listener, address) = listen();
    let bench = Bench::new();
    bench.link(&address, &KEYS);
    let laptop = std::thread::spawn(move || {
        let far = Far::accept(&listener, &KEYS).unwrap();
        let old = RingSigner::new(&RelationshipKey::from_bytes(KEYS.laptop));
        let binding = RenewalBinding::on_laptop(&far.channel, old.public_key()).unwrap();
        let fresh = shared_proto::renewal::Fresh::generate().unwrap();
        let mut machine = shared_proto::renewal::LaptopRenewal::new(RingCrypto, binding, fresh);
        let mut agreed = None;
        far.serve(|session, event, _| {
            if let Owned::Renew(step) = event {
                let answer = match machine.receive(step).unwrap() {
                    shared_proto::renewal::Renewing::Send(answer) => answer,
                    shared_proto::renewal::Renewing::Store(next) => {
                        agreed = Some(next);
                        machine.stored(&old).unwrap()
                    }
                };
                session.renewed(&answer).unwrap();
            }
            true
        });
        let next = agreed.expect("both agreed");
        let far = Far::accept_by(&listener, &next.own, next.peer, *next.token.expose());
        far.expect("the handheld tries its new keys first")
            .serve(|_, _, _| true);
        next
    });
    bench.wait(|e| matches!(e, LinkEvent::Welcome(_)).then_some(()));
    bench.say(Command::Renew);
    bench.wait(|e| matches!(e, LinkEvent::Renewed { .. }).then_some(()));
    let both = bench.shelf.0.lock().unwrap().clone().unwrap();
    assert_eq!(
        both.seed, KEYS.handheld,
        "the old keys stay until the new ones are proven"
    );
    // The same relationship, as the card has it now.
    bench.say(Command::Target(Some(Box::new(Target {
        relationship: both.clone(),
        carriers: vec![Carrier::Tcp(address)],
        network: None,
        last_id: 3,
        ledger: Default::default(),
    }))));
    bench.wait(|e| matches!(e, LinkEvent::Welcome(_)).then_some(()));
    bench.say(Command::Target(None));
    let next = laptop.join().unwrap();
    let card = bench.shelf.0.lock().unwrap().clone().unwrap();
    assert_eq!(
        (card.next, public(card.seed)),
        (None, next.peer),
        "the old keys are gone"
    );
    assert_eq!(card.token_secret, *next.token.expose());
}
