//! Both roles of pairing: people, storage, time and a carrier that loses, repeats, reorders, bends and makes up do anything in any
//! order. Nobody stores without both people, the handheld never alone, and one wrong entry ends the attempt.

use crate::octets::Octets;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, PublicKey, RelationshipKey, Signer};
use shared_proto::message::Screen;
use shared_proto::pairing::{
    Binding, Digits, Grant, HandheldPairing, HandheldPhase, Kept, LaptopPairing, LaptopPhase, Name,
    PairingError, Typing, WINDOW_MS,
};
use shared_proto::time::Millis;
use std::sync::LazyLock;

type Laptop = LaptopPairing<RingCrypto>;
type Handheld = HandheldPairing<RingCrypto>;

const START: Millis = Millis(1_000_000);

static KEYS: LazyLock<(PublicKey, PublicKey)> = LazyLock::new(|| {
    let public = |seed| RingSigner::new(&RelationshipKey::from_bytes([seed; 32])).public_key();
    (public(1), public(2))
});

fn binding(channel: u8) -> Binding {
    Binding::derive(KEYS.0, KEYS.1, |label, context| {
        Ok(RingCrypto.sha256(&[&[channel], label, context]))
    })
    .expect("the keys differ")
}

fn name(text: &str) -> Name {
    Name::try_from(text).expect("a short name")
}

struct World {
    laptop: Laptop,
    handheld: Handheld,
    to_laptop: Vec<Vec<u8>>,
    to_handheld: Vec<Vec<u8>>,
    now: Millis,
    /// Both sides sit on one channel; otherwise each talks to somebody in between.
    one_channel: bool,
    typed: Option<bool>,
    said_yes: bool,
    laptop_has: bool,
    handheld_has: bool,
}

/// The first octet says whether both are on one channel.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let one_channel = octets.byte() % 4 != 0;
    let screen = Screen {
        width: 640,
        height: 480,
    };
    let mut world = World {
        laptop: Laptop::new(
            RingCrypto,
            binding(0),
            [0x22; 32],
            name("Ada's ThinkPad"),
            START,
            START.after(WINDOW_MS),
        ),
        handheld: Handheld::new(
            RingCrypto,
            binding(u8::from(!one_channel)),
            [0x11; 32],
            name("Ada's RG35XX"),
            screen,
            START,
        ),
        to_laptop: Vec::new(),
        to_handheld: Vec::new(),
        now: START,
        one_channel,
        typed: None,
        said_yes: false,
        laptop_has: false,
        handheld_has: false,
    };
    world.collect();
    while let Some(what) = octets.next() {
        world.act(what, &mut octets);
        world.collect();
        world.check();
    }
}

impl World {
    fn collect(&mut self) {
        let mut out = Vec::new();
        self.laptop.transmit(&mut out);
        self.to_handheld.extend(frames(&out));
        out.clear();
        self.handheld.transmit(&mut out);
        self.to_laptop.extend(frames(&out));
        if matches!(self.laptop.phase(), LaptopPhase::Failed(_)) {
            self.laptop_has &= self.laptop.kept() != Kept::Nothing;
        }
    }

    fn queue(&mut self, up: bool) -> &mut Vec<Vec<u8>> {
        if up {
            &mut self.to_laptop
        } else {
            &mut self.to_handheld
        }
    }

    fn reach(&mut self, up: bool, bytes: &[u8]) {
        if up {
            self.laptop.receive(bytes, self.now);
        } else {
            self.handheld.receive(bytes, self.now);
        }
    }

    fn act(&mut self, what: u8, octets: &mut Octets<'_>) {
        let up = what & 0x80 != 0;
        match what % 16 {
            0..=3 => {
                if !self.queue(up).is_empty() {
                    let frame = self.queue(up).remove(0);
                    self.reach(up, &frame);
                }
            }
            4 => drop(self.queue(up).pop()),
            5 => {
                let again = self.queue(up).first().cloned();
                self.queue(up).extend(again);
            }
            6 => self.queue(up).reverse(),
            7 => {
                // One octet of the next frame is bent.
                let (place, mask) = (octets.below(512), octets.byte());
                if let Some(frame) = self.queue(up).first_mut() {
                    let place = place % frame.len();
                    frame[place] ^= mask;
                }
            }
            8 => {
                let bytes = octets.piece();
                self.reach(up, bytes);
            }
            // What the other side said is played back to it.
            9 => {
                let frame = self.queue(!up).first().cloned();
                self.reach(up, &frame.unwrap_or_default());
            }
            10 => {
                let shift = octets.byte();
                self.types(shift);
            }
            11 => self.said_yes |= self.handheld.confirm(self.now),
            12 => {
                if matches!(self.laptop.phase(), LaptopPhase::Store(_)) {
                    self.laptop_has = true;
                    self.laptop.stored(Grant::default(), self.now);
                }
                if let HandheldPhase::Store(outcome) = self.handheld.phase() {
                    assert_eq!(outcome.peer, KEYS.1);
                    self.handheld_has = true;
                    self.handheld.stored();
                }
            }
            13 => {
                let why = [
                    PairingError::Cancelled,
                    PairingError::NotStored,
                    PairingError::Crowded,
                    PairingError::Cut,
                ][usize::from(octets.byte() % 4)];
                match (up, why) {
                    (true, PairingError::Cut) => self.laptop.cut(),
                    (false, PairingError::Cut) => self.handheld.cut(),
                    (true, why) => self.laptop.stop(why),
                    (false, why) => self.handheld.stop(why),
                }
            }
            14 => {
                self.now = self.now.after(u64::from(octets.byte()) * 500);
                self.laptop.tick(self.now);
                self.handheld.tick(self.now);
            }
            _ => {
                let text = String::from_utf8_lossy(octets.piece()).into_owned();
                let parsed = Digits::parse(&text);
                let before = matches!(self.laptop.phase(), LaptopPhase::Typing { .. });
                match self.laptop.typed(&text, self.now) {
                    Typing::NotSixDigits => assert_eq!(parsed, None),
                    Typing::NotNow => {}
                    Typing::Right => self.note_typed(before, self.shown() == parsed),
                    Typing::Wrong => self.note_typed(before, false),
                }
            }
        }
    }

    fn shown(&self) -> Option<Digits> {
        match self.handheld.phase() {
            HandheldPhase::Showing { digits, .. } => Some(digits),
            _ => None,
        }
    }

    /// The person types what is shown, or another number.
    fn types(&mut self, shift: u8) {
        let Some(digits) = self.shown() else { return };
        let number: u32 = digits
            .to_string()
            .chars()
            .filter(char::is_ascii_digit)
            .fold(0, |all, c| all * 10 + c.to_digit(10).unwrap_or(0));
        let typed = (number + u32::from(shift % 3)) % 1_000_000;
        let before = matches!(self.laptop.phase(), LaptopPhase::Typing { .. });
        match self.laptop.typed(&format!("{typed:06}"), self.now) {
            Typing::Right => self.note_typed(before, shift.is_multiple_of(3)),
            Typing::Wrong => {
                self.note_typed(before, false);
                let phase = self.laptop.phase();
                assert_eq!(phase, LaptopPhase::Failed(PairingError::Mismatch));
            }
            Typing::NotNow => {}
            Typing::NotSixDigits => panic!("six digits were typed"),
        }
    }

    fn note_typed(&mut self, before: bool, right: bool) {
        assert!(before && self.typed.is_none(), "one entry for each attempt");
        self.typed = Some(right);
    }

    fn check(&self) {
        assert!(
            !self.handheld_has || self.laptop_has,
            "the handheld alone has it"
        );
        let agreed = self.typed == Some(true) && self.said_yes;
        assert!(
            !(self.laptop_has || self.handheld_has) || (agreed && self.one_channel),
            "stored without both people on one channel"
        );
        if self.laptop.phase() == LaptopPhase::Paired {
            assert!(self.handheld_has, "final too early");
        }
        let laptop_waits = !matches!(
            self.laptop.phase(),
            LaptopPhase::Paired | LaptopPhase::Failed(_)
        );
        assert!(!laptop_waits || self.laptop.deadline().is_some());
        let handheld_waits = !matches!(
            self.handheld.phase(),
            HandheldPhase::Paired | HandheldPhase::Failed(_) | HandheldPhase::Store(_)
        );
        assert!(!handheld_waits || self.handheld.deadline().is_some());
    }
}

/// Splits what a machine said into its frames.
fn frames(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let length = 2 + usize::from(u16::from_be_bytes([rest[0], rest[1]]));
        all.push(rest[..length].to_vec());
        rest = &rest[length..];
    }
    all
}
