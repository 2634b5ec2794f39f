//! A renewal that succeeds, ones that must not, and a crash at every step of one after the other.
#![allow(clippy::unwrap_used)] // Helpers of tests are not tests to the lint.

use std::collections::HashSet;

use super::*;
use crate::channel::{Acceptor, Channel, ChannelError, PeerReason, TlsChannel, connect};
use crate::crypto::ring::{RingCrypto, RingSigner};
use crate::token::{TokenNonce, find, mint};

fn signer(seed: u8) -> RingSigner {
    RingSigner::new(&RelationshipKey::from_bytes([seed; 32]))
}

fn fresh(seed: u8) -> Fresh {
    Fresh {
        key: RelationshipKey::from_bytes([seed; 32]),
        public: signer(seed).public_key(),
    }
}

/// The pair of `handheld` and `laptop` as one side, `own`, holds it.
fn credentials(own: u8, peer: u8, token: u8) -> Credentials {
    Credentials {
        own: RelationshipKey::from_bytes([own; 32]),
        peer: signer(peer).public_key(),
        token: TokenSecret::from_bytes([token; 32]),
    }
}

/// The binding of a session on these keys.
fn binding_on(handheld: &RingSigner, laptop: &RingSigner, session: u8) -> RenewalBinding {
    RenewalBinding::new(
        [session; 32],
        [session ^ 0x80; 32],
        handheld.public_key(),
        laptop.public_key(),
    )
}

fn machines() -> (
    HandheldRenewal<RingCrypto>,
    Vec<u8>,
    LaptopRenewal<RingCrypto>,
) {
    let binding = binding_on(&signer(1), &signer(2), 7);
    let (handheld, propose) = HandheldRenewal::start(RingCrypto, binding.clone(), fresh(11));
    (
        handheld,
        propose,
        LaptopRenewal::new(RingCrypto, binding, fresh(12)),
    )
}

fn sent(renewing: Renewing) -> Vec<u8> {
    match renewing {
        Renewing::Send(step) => step,
        Renewing::Store(_) => panic!("nothing is to be stored yet"),
    }
}

fn stored(renewing: Renewing) -> Credentials {
    match renewing {
        Renewing::Store(pair) => pair,
        Renewing::Send(_) => panic!("a pair is to be stored"),
    }
}

#[test]
fn both_sides_end_with_the_two_halves_of_one_new_pair() {
    let (mut handheld, propose, mut laptop) = machines();
    let offer = sent(laptop.receive(&propose).unwrap());
    let sign = sent(handheld.receive(&offer, &signer(1)).unwrap());
    let there = stored(laptop.receive(&sign).unwrap());
    let sign = laptop.stored(&signer(2)).unwrap();
    assert_eq!(laptop.stored(&signer(2)), None);
    let here = stored(handheld.receive(&sign, &signer(1)).unwrap());
    assert_eq!(here.own, fresh(11).key);
    assert_eq!(there.own, fresh(12).key);
    assert_eq!(here.peer, fresh(12).public);
    assert_eq!(there.peer, fresh(11).public);
    assert_eq!(here.token, there.token);
    assert_ne!(here.token, credentials(1, 2, 7).token);
}

#[test]
fn the_steps_have_their_published_bytes() {
    let (mut handheld, propose, mut laptop) = machines();
    assert_eq!(propose, [&[0][..], &fresh(11).public.0].concat());
    let offer = sent(laptop.receive(&propose).unwrap());
    assert_eq!(offer, [&[1][..], &fresh(12).public.0].concat());
    let sign = sent(handheld.receive(&offer, &signer(1)).unwrap());
    let input = [
        b"OfficeOS renew v1\0H",
        &[7; 32][..],
        &fresh(11).public.spki(),
        &fresh(12).public.spki(),
    ]
    .concat();
    assert_eq!(sign, [&[2][..], &signer(1).sign(&input).0].concat());
    assert_eq!(decline(), [3]);
}

#[test]
fn a_signature_by_another_key_on_another_channel_or_of_the_other_side_is_refused() {
    for (signed_by, session, role) in [
        (1, 7, HANDHELD),
        (3, 7, HANDHELD),
        (1, 8, HANDHELD),
        (1, 7, LAPTOP),
    ] {
        let (_, propose, mut laptop) = machines();
        laptop.receive(&propose).unwrap();
        let input = binding_on(&signer(1), &signer(2), session).signed(
            role,
            &fresh(11).public,
            &fresh(12).public,
        );
        let step = Step::Sign(signer(signed_by).sign(&input)).bytes();
        let result = laptop.receive(&step);
        if (signed_by, session, role) == (1, 7, HANDHELD) {
            assert!(matches!(result, Ok(Renewing::Store(_))));
        } else {
            assert_eq!(result, Err(RenewalError::BadSignature));
            assert_eq!(laptop.stored(&signer(2)), None);
        }
    }
}

#[test]
fn the_handheld_refuses_its_own_signature_played_back() {
    let (mut handheld, propose, mut laptop) = machines();
    let offer = sent(laptop.receive(&propose).unwrap());
    let own = sent(handheld.receive(&offer, &signer(1)).unwrap());
    assert_eq!(
        handheld.receive(&own, &signer(1)),
        Err(RenewalError::BadSignature)
    );
}

#[test]
fn old_and_equal_keys_are_refused() {
    for seed in [1, 2, 12] {
        let (_, _, mut laptop) = machines();
        let step = Step::Propose(signer(seed).public_key()).bytes();
        assert_eq!(laptop.receive(&step), Err(RenewalError::NotFresh), "{seed}");
    }
    for seed in [1, 2, 11] {
        let (mut handheld, _, _) = machines();
        let step = Step::Offer(signer(seed).public_key()).bytes();
        assert_eq!(
            handheld.receive(&step, &signer(1)),
            Err(RenewalError::NotFresh),
            "{seed}"
        );
    }
}

#[test]
fn every_step_out_of_turn_and_every_damaged_one_ends_the_renewal() {
    let (mut handheld, propose, mut laptop) = machines();
    let offer = sent(laptop.receive(&propose).unwrap());
    let sign_h = sent(handheld.receive(&offer, &signer(1)).unwrap());
    laptop.receive(&sign_h).unwrap();
    let sign_l = laptop.stored(&signer(2)).unwrap();
    let all = [
        &propose,
        &offer,
        &sign_h,
        &sign_l,
        &decline(),
        &vec![],
        &vec![9],
    ]
    .map(Vec::clone);

    for step in all.iter().filter(|step| **step != propose) {
        let (_, _, mut laptop) = machines();
        assert!(laptop.receive(step).is_err());
        assert_eq!(laptop.receive(&propose), Err(RenewalError::OutOfOrder));
    }
    for step in all.iter().filter(|step| **step != sign_h) {
        let (_, _, mut laptop) = machines();
        laptop.receive(&propose).unwrap();
        assert!(laptop.receive(step).is_err());
        assert_eq!(laptop.stored(&signer(2)), None);
    }
    for step in all.iter().filter(|step| **step != offer) {
        let (mut handheld, _, _) = machines();
        assert!(handheld.receive(step, &signer(1)).is_err());
        assert_eq!(
            handheld.receive(&offer, &signer(1)),
            Err(RenewalError::OutOfOrder)
        );
    }
    for step in all.iter().filter(|step| **step != sign_l) {
        let (mut handheld, _, _) = machines();
        handheld.receive(&offer, &signer(1)).unwrap();
        assert!(handheld.receive(step, &signer(1)).is_err());
    }
    for bit in 0..sign_l.len() * 8 {
        let (mut handheld, _, _) = machines();
        handheld.receive(&offer, &signer(1)).unwrap();
        let mut wrong = sign_l.clone();
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(handheld.receive(&wrong, &signer(1)).is_err(), "bit {bit}");
    }
}

#[test]
fn declining_leaves_everything_as_it_was() {
    let (mut handheld, _, _) = machines();
    assert_eq!(
        handheld.receive(&decline(), &signer(1)),
        Err(RenewalError::Declined)
    );
}

#[test]
fn a_ring_gives_the_newest_first_and_erases_the_old_only_when_the_new_is_proven() {
    let (old, new) = (credentials(1, 2, 3), credentials(11, 12, 13));
    let mut ring = KeyRing::new(old.clone());
    assert!(!ring.proven(Which::Current) && !ring.proven(Which::Next));
    ring.adopt(new.clone());
    assert_eq!(ring.which(&old), Some(Which::Current));
    assert_eq!(ring.which(&new), Some(Which::Next));
    let order: Vec<_> = ring
        .pairs()
        .map(|(which, pair)| (which, pair.clone()))
        .collect();
    assert_eq!(
        order,
        [(Which::Next, new.clone()), (Which::Current, old.clone())]
    );
    assert!(!ring.proven(Which::Current), "the old one goes on working");
    assert_eq!(ring.next, Some(new.clone()));
    assert!(ring.proven(Which::Next));
    assert_eq!(
        ring.which(&old),
        None,
        "what was erased vouches for nothing"
    );
    assert_eq!(ring, KeyRing::new(new));
}

/// Both sides: what is on their disks, and what a session holds in memory.
#[derive(Clone, Debug)]
struct World {
    handheld: KeyRing,
    laptop: KeyRing,
    session: Option<Session>,
    /// Keys made so far, and sessions opened.
    made: u8,
    renewals_left: u8,
    crashes_left: u8,
}

#[derive(Clone, Debug)]
struct Session {
    /// Which pair each side runs it on.
    handheld_on: Which,
    laptop_on: Which,
    /// Whether each side has drawn the consequence.
    handheld_proved: bool,
    laptop_proved: bool,
    handheld: Option<HandheldRenewal<RingCrypto>>,
    laptop: Option<LaptopRenewal<RingCrypto>>,
    to_handheld: Option<Vec<u8>>,
    to_laptop: Option<Vec<u8>>,
    handheld_stores: Option<Credentials>,
    laptop_stores: Option<Credentials>,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Connect,
    HandheldProves,
    LaptopProves,
    Begin,
    ReachLaptop,
    ReachHandheld,
    LaptopStores,
    HandheldStores,
    /// Either side dies, or the carrier breaks: the session and all memory of it are gone on both.
    Crash,
}

const ACTS: [Act; 9] = [
    Act::Connect,
    Act::HandheldProves,
    Act::LaptopProves,
    Act::Begin,
    Act::ReachLaptop,
    Act::ReachHandheld,
    Act::LaptopStores,
    Act::HandheldStores,
    Act::Crash,
];

fn public(key: &RelationshipKey) -> PublicKey {
    RingSigner::new(key).public_key()
}

impl World {
    fn new() -> Self {
        Self {
            handheld: KeyRing::new(credentials(1, 2, 3)),
            laptop: KeyRing::new(credentials(2, 1, 3)),
            session: None,
            made: 100,
            renewals_left: 3,
            crashes_left: 4,
        }
    }

    /// The first pair that the handheld tries and the laptop accepts, by token and then by both keys.
    fn usable(&self) -> Option<(Which, Which)> {
        self.handheld.pairs().find_map(|(handheld_on, mine)| {
            let (laptop_on, theirs) = self
                .laptop
                .pairs()
                .find(|(_, theirs)| theirs.token == mine.token)?;
            (mine.peer == public(&theirs.own) && theirs.peer == public(&mine.own))
                .then_some((handheld_on, laptop_on))
        })
    }

    fn pair(ring: &KeyRing, which: Which) -> &Credentials {
        ring.pairs()
            .find(|(each, _)| *each == which)
            .expect("a session runs on a pair of the ring")
            .1
    }

    /// Applies an act; `None` where it is impossible.
    fn apply(mut self, act: Act) -> Option<Self> {
        if matches!(act, Act::Connect) {
            if self.session.is_some() {
                return None;
            }
            let (handheld_on, laptop_on) = self.usable()?;
            self.session = Some(Session {
                handheld_on,
                laptop_on,
                handheld_proved: false,
                laptop_proved: false,
                handheld: None,
                laptop: None,
                to_handheld: None,
                to_laptop: None,
                handheld_stores: None,
                laptop_stores: None,
            });
            return Some(self);
        }
        let mut session = self.session.take()?;
        match act {
            Act::Connect => return None,
            Act::Crash => {
                self.crashes_left = self.crashes_left.checked_sub(1)?;
                return Some(self);
            }
            // The handheld's end of the handshake is complete before the laptop's.
            Act::HandheldProves if !session.handheld_proved => {
                if self.handheld.proven(session.handheld_on) {
                    session.handheld_on = Which::Current;
                }
                session.handheld_proved = true;
            }
            Act::LaptopProves if session.handheld_proved && !session.laptop_proved => {
                if self.laptop.proven(session.laptop_on) {
                    session.laptop_on = Which::Current;
                }
                session.laptop_proved = true;
            }
            Act::Begin if session.laptop_proved && session.handheld.is_none() => {
                self.renewals_left = self.renewals_left.checked_sub(1)?;
                self.made += 2;
                let mine = Self::pair(&self.handheld, session.handheld_on);
                let binding = RenewalBinding::new(
                    [self.made; 32],
                    [self.made ^ 0x80; 32],
                    public(&mine.own),
                    mine.peer,
                );
                let (machine, propose) =
                    HandheldRenewal::start(RingCrypto, binding.clone(), fresh(self.made));
                session.handheld = Some(machine);
                session.laptop = Some(LaptopRenewal::new(
                    RingCrypto,
                    binding,
                    fresh(self.made + 1),
                ));
                session.to_laptop = Some(propose);
            }
            Act::ReachLaptop => {
                let step = session.to_laptop.take()?;
                match session.laptop.as_mut()?.receive(&step).unwrap() {
                    Renewing::Send(step) => session.to_handheld = Some(step),
                    Renewing::Store(pair) => session.laptop_stores = Some(pair),
                }
            }
            Act::ReachHandheld => {
                let step = session.to_handheld.take()?;
                let old = RingSigner::new(&Self::pair(&self.handheld, session.handheld_on).own);
                match session.handheld.as_mut()?.receive(&step, &old).unwrap() {
                    Renewing::Send(step) => session.to_laptop = Some(step),
                    Renewing::Store(pair) => session.handheld_stores = Some(pair),
                }
            }
            Act::LaptopStores => {
                self.laptop.adopt(session.laptop_stores.take()?);
                let old = RingSigner::new(&Self::pair(&self.laptop, session.laptop_on).own);
                session.to_handheld = session.laptop.as_mut()?.stored(&old);
            }
            Act::HandheldStores => self.handheld.adopt(session.handheld_stores.take()?),
            Act::HandheldProves | Act::LaptopProves | Act::Begin => return None,
        }
        self.session = Some(session);
        Some(self)
    }

    /// What distinguishes one world from another: secrets do not print, public keys do.
    fn print(&self) -> String {
        let ring = |ring: &KeyRing| -> Vec<_> {
            ring.pairs()
                .map(|(which, pair)| (which, public(&pair.own), pair.peer))
                .collect()
        };
        format!(
            "{:?} {:?} {:?} {} {}",
            ring(&self.handheld),
            ring(&self.laptop),
            self.session,
            self.renewals_left,
            self.crashes_left
        )
    }
}

#[test]
fn a_crash_at_any_step_leaves_a_pair_that_works() {
    let mut seen = HashSet::new();
    let mut renewed_twice = 0;
    let mut fell_back = 0;
    let mut to_visit = vec![(World::new(), Vec::<Act>::new())];
    while let Some((world, path)) = to_visit.pop() {
        let usable = world.usable();
        assert!(usable.is_some(), "locked out after {path:?}");
        if !seen.insert(world.print()) {
            continue;
        }
        // A handheld that holds a pair which the laptop has never heard of must fall back.
        if usable == Some((Which::Current, Which::Current)) && world.handheld.next.is_some() {
            fell_back += 1;
        }
        if world.handheld.current.own == fresh(104).key {
            renewed_twice += 1;
        }
        for act in ACTS {
            if let Some(next) = world.clone().apply(act) {
                to_visit.push((next, [&path[..], &[act]].concat()));
            }
        }
    }
    println!("{} states", seen.len());
    assert!(renewed_twice > 0, "two renewals in a row were reached");
    assert!(seen.len() > 150, "{}", seen.len());
    // The laptop stores first, so that falling back is only ever needed against an older laptop's backup.
    assert_eq!(fell_back, 0);
}

#[test]
fn a_handheld_ahead_of_its_laptop_falls_back_on_the_old_pair() {
    // The laptop came back from a backup made before the renewal.
    let mut world = World::new();
    world.handheld.adopt(credentials(11, 12, 13));
    assert_eq!(world.usable(), Some((Which::Current, Which::Current)));
    let mut world = world.apply(Act::Connect).unwrap();
    assert!(!world.handheld.proven(Which::Current));
    assert!(
        world.handheld.next.is_some(),
        "nothing is erased by falling back"
    );
}

/// A channel on one pair of the handheld's, as far as the laptop's ring lets it come.
fn open(
    mine: &Credentials,
    laptop: &KeyRing,
) -> Result<(TlsChannel, TlsChannel, Which), ChannelError> {
    let nonce = TokenNonce::generate(&RingCrypto).unwrap();
    let name = mint(&RingCrypto, &mine.token, nonce);
    let mut client = connect(&mine.own, mine.peer, &name).unwrap();
    let mut bytes = Vec::new();
    client.transmit(&mut bytes);
    let hello = Acceptor::new().receive(&bytes).unwrap().unwrap();
    let tokens: Vec<_> = laptop.pairs().map(|(_, pair)| &pair.token).collect();
    let Some(found) = find(&RingCrypto, &hello.server_name(), tokens) else {
        let refused = hello.refuse_unknown();
        return Err(client.receive(&refused.alert).unwrap_err());
    };
    let (which, pair) = laptop.pairs().nth(found.index).unwrap();
    let mut server = hello.accept(&pair.own, pair.peer).unwrap();
    let mut bytes = Vec::new();
    server.transmit(&mut bytes);
    client.receive(&bytes)?;
    let mut bytes = Vec::new();
    client.transmit(&mut bytes);
    server.receive(&bytes)?;
    Ok((client, server, which))
}

#[test]
fn after_a_renewal_over_a_real_channel_the_new_keys_open_it_and_then_the_old_ones_do_not() {
    let mut here = KeyRing::new(credentials(1, 2, 3));
    let mut there = KeyRing::new(credentials(2, 1, 3));
    let (client, server, which) = open(&here.current, &there).unwrap();
    assert_eq!(which, Which::Current);

    let (mine, theirs) = (signer(1), signer(2));
    let (mut handheld, propose) = HandheldRenewal::start(
        RingCrypto,
        RenewalBinding::on_handheld(&client, mine.public_key()).unwrap(),
        Fresh::generate().unwrap(),
    );
    let mut laptop = LaptopRenewal::new(
        RingCrypto,
        RenewalBinding::on_laptop(&server, theirs.public_key()).unwrap(),
        Fresh::generate().unwrap(),
    );
    let offer = sent(laptop.receive(&propose).unwrap());
    let sign = sent(handheld.receive(&offer, &mine).unwrap());
    there.adopt(stored(laptop.receive(&sign).unwrap()));
    // The handheld may have crashed here: the old pair still works.
    assert_eq!(open(&here.current, &there).unwrap().2, Which::Current);
    let sign = laptop.stored(&theirs).unwrap();
    here.adopt(stored(handheld.receive(&sign, &mine).unwrap()));

    let newest = here.pairs().next().unwrap();
    assert_eq!(newest.0, Which::Next);
    assert_eq!(open(newest.1, &there).unwrap().2, Which::Next);
    let old = here.current.clone();
    assert!(here.proven(Which::Next) && there.proven(Which::Next));
    assert_eq!(open(&here.current, &there).unwrap().2, Which::Current);
    assert_eq!(
        open(&old, &there).err(),
        Some(ChannelError::RefusedByPeer(PeerReason::UnknownRelationship)),
        "a copy of the old card is a stranger"
    );
}

#[test]
fn the_published_vectors_are_what_the_machines_say() {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let (mut handheld, propose, mut laptop) = machines();
    let offer = sent(laptop.receive(&propose).unwrap());
    let sign_h = sent(handheld.receive(&offer, &signer(1)).unwrap());
    let there = stored(laptop.receive(&sign_h).unwrap());
    let sign_l = laptop.stored(&signer(2)).unwrap();
    let published = [
        format!("Propose       {}", hex(&propose)),
        format!("Offer         {}", hex(&offer)),
        format!("Sign handheld {}", hex(&sign_h)),
        format!("Sign laptop   {}", hex(&sign_l)),
        format!("token secret  {}", hex(there.token.expose())),
    ];
    let spec = include_str!("../../SPEC.md");
    assert!(
        published.iter().all(|line| spec.contains(line.as_str())),
        "SPEC.md lacks these lines:\n{}",
        published.join("\n")
    );
}
