//! Our channel in memory, both roles in one thread, beside ring's cipher alone (the limit) and Noise by snow.

use crate::measure::{Seen, Work, compare};
use crate::plot::Bars;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::rand::SystemRandom;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair};
use shared_proto::channel::{Acceptor, Channel, TlsChannel, connect};
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{PublicKey, RelationshipKey, Signer, TokenSecret};
use shared_proto::token::{TokenNonce, mint};
use snow::resolvers::{DefaultResolver, FallbackResolver, RingResolver};
use snow::{Builder, TransportState};
use std::hint::black_box;
use std::path::Path;

/// Octets of a whole piece, and of a streamed word's frame.
const PIECES: [(usize, &str); 2] = [(16 * 1024, "16 KiB"), (64, "64 octets")];

/// Prints and plots all of it.
pub fn table(folder: &Path) {
    let mut plot = Bars::new("A handshake, both sides together: time as a multiple of ours");
    println!("\n### Handshake, both sides together, in memory\n");
    println!("| | microseconds | times as long as ours | quartiles |\n|---|---|---|---|");
    let keys = Keys::new();
    let mut works: Vec<(&str, Work<'_>)> = vec![
        ("OfficeOS", Box::new(|n| repeat(n, || keys.shaken()))),
        (
            "of that: ML-KEM-768 alone",
            Box::new(|n| repeat(n, lattice)),
        ),
        (
            "of that: X25519 and Ed25519 of ring alone",
            Box::new(|n| repeat(n, classical)),
        ),
        (
            "Noise KK 25519 ChaChaPoly BLAKE2s, snow",
            Box::new(|n| repeat(n, || noise("KK", false))),
        ),
        (
            "Noise XX 25519 ChaChaPoly BLAKE2s, snow",
            Box::new(|n| repeat(n, || noise("XX", false))),
        ),
    ];
    for (name, seen) in measured(&mut works) {
        println!("| {name} | {:.1} | {} |", seen.nanos / 1e3, ratio(&seen));
        plot.add("handshake", name, seen.nanos);
    }
    plot.write(&folder.join("channel-handshake.svg"));

    let mut plot =
        Bars::new("Sealing and opening a piece: time as a multiple of ring's cipher alone");
    for (len, name) in PIECES {
        println!("\n### A piece of {name} sealed by one side and opened by the other, in memory\n");
        println!("| | nanoseconds | MB/s | times as long as ring alone | quartiles |");
        println!("|---|---|---|---|---|");
        let plain = vec![7; len];
        let mut works: Vec<(&str, Work<'_>)> = vec![
            ("ring ChaCha20-Poly1305 alone", raw(&plain)),
            ("OfficeOS", ours(&keys, &plain)),
            ("Noise, snow with ring's cipher", snowy(&plain, true)),
            ("Noise, snow as it comes", snowy(&plain, false)),
        ];
        for (contestant, seen) in measured(&mut works) {
            let speed = len as f64 * 1e3 / seen.nanos;
            println!(
                "| {contestant} | {:.0} | {speed:.0} | {} |",
                seen.nanos,
                ratio(&seen)
            );
            plot.add(name, contestant, seen.nanos);
        }
    }
    plot.write(&folder.join("channel-pieces.svg"));
}

fn measured<'a>(works: &mut [(&'a str, Work<'_>)]) -> Vec<(&'a str, Seen)> {
    let names: Vec<&str> = works.iter().map(|(name, _)| *name).collect();
    let mut alone: Vec<Work<'_>> = works
        .iter_mut()
        .map(|(_, work)| Box::new(move |n| work(n)) as Work<'_>)
        .collect();
    names.into_iter().zip(compare(&mut alone)).collect()
}

fn ratio(seen: &Seen) -> String {
    let (low, middle, high) = seen.ratio;
    format!("{middle:.2} | {low:.2} to {high:.2}")
}

fn repeat<T>(times: usize, work: impl Fn() -> T) {
    for _ in 0..times {
        black_box(work());
    }
}

/// The keys of a pair that has met.
pub struct Keys {
    pub here: RelationshipKey,
    pub there: RelationshipKey,
    secret: TokenSecret,
}

impl Keys {
    pub fn new() -> Self {
        Self {
            here: RelationshipKey::from_bytes([1; 32]),
            there: RelationshipKey::from_bytes([2; 32]),
            secret: TokenSecret::from_bytes([3; 32]),
        }
    }

    /// The handheld's side of a new channel.
    pub fn connect(&self) -> TlsChannel {
        let nonce = TokenNonce::generate(&RingCrypto).expect("a nonce");
        let name = mint(&RingCrypto, &self.secret, nonce);
        connect(&self.here, public(&self.there), &name).expect("a channel")
    }

    /// Both sides of a channel whose handshake is through.
    fn shaken(&self) -> (TlsChannel, TlsChannel) {
        let mut client = self.connect();
        let mut wire = Vec::new();
        client.transmit(&mut wire);
        let hello = Acceptor::new().receive(&wire).expect("ours");
        let mut server = hello
            .expect("it is whole")
            .accept(&self.there, public(&self.here))
            .expect("accepted");
        while client.is_handshaking() || server.is_handshaking() {
            pass(&mut server, &mut client);
            pass(&mut client, &mut server);
        }
        (client, server)
    }
}

pub fn public(key: &RelationshipKey) -> PublicKey {
    RingSigner::new(key).public_key()
}

fn pass(from: &mut TlsChannel, to: &mut TlsChannel) {
    let mut wire = Vec::new();
    from.transmit(&mut wire);
    to.receive(&wire).expect("honest");
}

fn ours<'a>(keys: &Keys, plain: &'a [u8]) -> Work<'a> {
    let (mut client, mut server) = keys.shaken();
    let (mut wire, mut read) = (Vec::new(), vec![0; 16 * 1024]);
    Box::new(move |times| {
        for _ in 0..times {
            let taken = client.write(plain).expect("open");
            assert_eq!(taken, plain.len(), "one record");
            wire.clear();
            client.transmit(&mut wire);
            let mut rest = &wire[..];
            while !rest.is_empty() {
                let taken = server.receive(rest).expect("honest");
                rest = &rest[taken..];
                while server.read(&mut read).expect("open") > 0 {}
            }
            black_box(&read);
        }
    })
}

fn raw(plain: &[u8]) -> Work<'_> {
    let key = || LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, &[7; 32]).expect("a key"));
    let (seal, open, mut number) = (key(), key(), 0u64);
    let mut buffer = Vec::new();
    Box::new(move |times| {
        for _ in 0..times {
            number += 1;
            let mut bytes = [0; 12];
            bytes[4..].copy_from_slice(&number.to_be_bytes());
            let nonce = || Nonce::assume_unique_for_key(bytes);
            buffer.clear();
            buffer.extend_from_slice(plain);
            seal.seal_in_place_append_tag(nonce(), Aad::empty(), &mut buffer)
                .expect("sealed");
            open.open_in_place(nonce(), Aad::empty(), &mut buffer)
                .expect("its own");
            black_box(&buffer);
        }
    })
}

fn builder(pattern: &str, ring: bool) -> Builder<'static> {
    let name = format!("Noise_{pattern}_25519_ChaChaPoly_BLAKE2s");
    let name = name.parse().expect("a pattern");
    if ring {
        let both = FallbackResolver::new(Box::new(RingResolver), Box::new(DefaultResolver));
        Builder::with_resolver(name, Box::new(both))
    } else {
        Builder::with_resolver(name, Box::new(DefaultResolver))
    }
}

/// Both sides of a Noise channel, each of which knows the other's key beforehand (KK) or learns it (XX).
fn noise(pattern: &str, ring: bool) -> (TransportState, TransportState) {
    thread_local! {
        static KEYS: (snow::Keypair, snow::Keypair) = {
            let pair = || builder("XX", false).generate_keypair().expect("a key");
            (pair(), pair())
        };
    }
    KEYS.with(|(here, there)| {
        let start = |own: &snow::Keypair, peer: &snow::Keypair, first: bool| {
            let (own, peer) = (own.private.clone(), peer.public.clone());
            let mut side = builder(pattern, ring);
            side = side.local_private_key(&own).expect("a key");
            if pattern == "KK" {
                side = side.remote_public_key(&peer).expect("a key");
            }
            if first {
                side.build_initiator()
            } else {
                side.build_responder()
            }
            .expect("a side")
        };
        let (mut client, mut server) = (start(here, there, true), start(there, here, false));
        let (mut wire, mut read) = ([0; 1024], [0; 1024]);
        while !client.is_handshake_finished() || !server.is_handshake_finished() {
            let (from, to) = if client.is_my_turn() {
                (&mut client, &mut server)
            } else {
                (&mut server, &mut client)
            };
            let len = from.write_message(&[], &mut wire).expect("its turn");
            to.read_message(&wire[..len], &mut read).expect("honest");
        }
        let through = "the handshake is through";
        (
            client.into_transport_mode().expect(through),
            server.into_transport_mode().expect(through),
        )
    })
}

fn snowy(plain: &[u8], ring: bool) -> Work<'_> {
    let (mut client, mut server) = noise("KK", ring);
    let (mut wire, mut read) = (vec![0; 65_535], vec![0; 65_535]);
    Box::new(move |times| {
        for _ in 0..times {
            let len = client.write_message(plain, &mut wire).expect("it fits");
            server
                .read_message(&wire[..len], &mut read)
                .expect("honest");
            black_box(&read);
        }
    })
}

/// What a handshake needs of X25519 and Ed25519: a fresh key and an agreement on each side, a signature made and checked by each.
fn classical() {
    let random = SystemRandom::new();
    let fresh = || {
        let key = EphemeralPrivateKey::generate(&X25519, &random).expect("a key");
        let public = key.compute_public_key().expect("a key");
        (key, public)
    };
    let ((here, my_half), (there, your_half)) = (fresh(), fresh());
    for (own, peer) in [(here, your_half), (there, my_half)] {
        let peer = UnparsedPublicKey::new(&X25519, peer);
        agree_ephemeral(own, &peer, |secret| {
            black_box(secret.len());
        })
        .expect("agreed");
    }
    for seed in [[1; 32], [2; 32]] {
        let signer = Ed25519KeyPair::from_seed_unchecked(&seed).expect("a key");
        let signature = signer.sign(&[7; 130]);
        ring::signature::UnparsedPublicKey::new(&ED25519, signer.public_key().as_ref())
            .verify(&[7; 130], signature.as_ref())
            .expect("its own");
    }
}

/// What a handshake needs of ML-KEM-768: a key made, a secret wrapped to it and unwrapped.
fn lattice() {
    use ml_kem::kem::{Decapsulate, Key, KeyExport};
    use ml_kem::{B32, DecapsulationKey, EncapsulationKey, MlKem768, Seed};
    let own = DecapsulationKey::<MlKem768>::from_seed(black_box(Seed::default()));
    let share = own.encapsulation_key().to_bytes();
    let key = Key::<EncapsulationKey<MlKem768>>::try_from(&share[..]).expect("its length");
    let key = EncapsulationKey::<MlKem768>::new(&key).expect("reduced");
    let (wrapped, secret) = key.encapsulate_deterministic(&B32::default());
    assert_eq!(own.decapsulate(&wrapped), secret);
}
