//! A whole ledger, and everything that can be done to it.

use super::*;
use shared_proto::crypto::ring::{RingCrypto, RingSigner};
use shared_proto::crypto::{Crypto, PublicKey, Signer, sign_submit};

struct Book {
    signer: RingSigner,
    lines: Vec<String>,
    head: Head,
}

impl Book {
    fn new() -> Self {
        let (_, signer) = RingSigner::generate().unwrap();
        let mut book = Self {
            signer,
            lines: Vec::new(),
            head: Head::START,
        };
        book.write(Event::Started {
            version: "1".into(),
            key: Hex(book.signer.public_key().0),
        });
        book
    }

    fn write(&mut self, event: Event) {
        let (head, line) = append(self.head, 100 + self.head.number as i64, event).unwrap();
        self.head = head;
        self.lines.push(line);
    }

    fn request(&mut self, signer: &RingSigner, device: i64, request: u64) {
        let (exporter, digest) = ([5; 32], RingCrypto.sha256(&[&request.to_be_bytes()]));
        self.write(Event::Taken {
            device,
            request,
            digest: Hex(digest),
            exporter: Hex(exporter),
            key: Hex(signer.public_key().0),
            signature: Hex(sign_submit(signer, exporter, request, digest).0),
            wants: vec![Want {
                operation: "chat".into(),
                target: "ollama/llama3.1".into(),
            }],
            bound: Amounts::default(),
            verdict: "allow".into(),
        });
    }

    fn checkpoint(&mut self) {
        self.write(checkpoint(self.head, &self.signer));
    }

    fn bytes(&self) -> Vec<u8> {
        self.lines.concat().into_bytes()
    }
}

fn pocket(book: &mut Book) -> RingSigner {
    let (_, signer) = RingSigner::generate().unwrap();
    book.write(Event::Paired {
        device: 1,
        name: "Pocket".into(),
        key: Hex(signer.public_key().0),
    });
    signer
}

fn whole() -> Book {
    let mut book = Book::new();
    let signer = pocket(&mut book);
    book.request(&signer, 1, 1);
    book.write(Event::Ended {
        device: 1,
        request: 1,
        outcome: "done".into(),
        used: Amounts::default(),
    });
    book.checkpoint();
    book
}

/// Reads a file as the shell does: line by line, the last one as it is.
fn verify(bytes: &[u8], key: Option<PublicKey>) -> Result<Report, BadEntry> {
    let mut verifier = Verifier::new(key);
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        verifier.line(line)?;
    }
    Ok(verifier.report().clone())
}

#[test]
fn a_whole_ledger_holds_and_says_how_far_it_is_signed() {
    let book = whole();
    let report = verify(&book.bytes(), Some(book.signer.public_key())).unwrap();
    assert_eq!(
        (report.entries, report.first, report.head),
        (5, 1, book.head)
    );
    assert_eq!(
        (report.requests, report.checkpoints, report.signed_to),
        (1, 1, 4)
    );
}

#[test]
fn any_bit_changed_anywhere_is_found_at_its_entry_or_before() {
    let book = whole();
    let bytes = book.bytes();
    for bit in 0..bytes.len() * 8 {
        let mut bent = bytes.clone();
        bent[bit / 8] ^= 1 << (bit % 8);
        let number = bytes[..bit / 8].iter().filter(|b| **b == b'\n').count() as u64 + 1;
        let bad = verify(&bent, None).expect_err("found");
        assert_eq!(bad.number, number, "bit {bit}");
    }
}

#[test]
fn an_entry_that_is_missing_added_or_moved_is_named() {
    let book = whole();
    let lines = &book.lines;
    let join = |order: &[usize]| {
        order
            .iter()
            .map(|index| lines[*index].as_str())
            .collect::<String>()
            .into_bytes()
    };
    for (order, number) in [
        (&[0, 1, 3, 4][..], 3),
        (&[0, 1, 1, 2, 3, 4], 3),
        (&[0, 2, 1, 3, 4], 2),
        (&[0, 1, 2, 4, 3], 4),
    ] {
        assert_eq!(verify(&join(order), None).unwrap_err().number, number);
    }
    // A part from the middle holds by itself.
    assert_eq!(verify(&join(&[1, 2, 3, 4]), None).unwrap().first, 2);
}

#[test]
fn who_writes_the_chain_anew_lacks_the_key_of_its_checkpoints() {
    let book = whole();
    let mut forged = Book::new();
    let signer = pocket(&mut forged);
    forged.request(&signer, 1, 1);
    forged.checkpoint();
    let bad = verify(&forged.bytes(), Some(book.signer.public_key())).unwrap_err();
    assert_eq!((bad.number, bad.flaw), (1, Flaw::Checkpoint));
    // Its own key names itself; that is why a key can be given.
    verify(&forged.bytes(), None).unwrap();
}

#[test]
fn a_request_that_the_handheld_never_signed_is_found() {
    let mut book = Book::new();
    let signer = pocket(&mut book);
    let (_, other) = RingSigner::generate().unwrap();
    book.request(&other, 1, 1);
    let bad = verify(&book.bytes(), None).unwrap_err();
    assert_eq!((bad.number, bad.flaw), (3, Flaw::Stranger));

    let mut book = Book::new();
    let (_, line) = append(
        Head::START,
        1,
        Event::Taken {
            device: 1,
            request: 2,
            digest: Hex([1; 32]),
            exporter: Hex([2; 32]),
            key: Hex(signer.public_key().0),
            signature: Hex([3; 64]),
            wants: Vec::new(),
            bound: Amounts::default(),
            verdict: "allow".into(),
        },
    )
    .unwrap();
    book.lines = vec![line];
    let bad = verify(&book.bytes(), None).unwrap_err();
    assert_eq!(bad.flaw, Flaw::Stranger);
}

#[test]
fn time_never_goes_back() {
    let (head, first) = append(Head::START, 50, Event::Confirmed { device: 1 }).unwrap();
    let (_, second) = append(head, 49, Event::Confirmed { device: 1 }).unwrap();
    let bad = verify(format!("{first}{second}").as_bytes(), None).unwrap_err();
    assert_eq!((bad.number, bad.flaw), (2, Flaw::Time));
}

#[test]
fn what_a_device_saw_shows_a_ledger_that_was_put_back() {
    let mut book = Book::new();
    (0..5).for_each(|device| book.write(Event::Confirmed { device }));
    let seen = book.head;
    let whole = book.bytes();
    let check = |bytes: &[u8], seen: Head| {
        let mut verifier = Verifier::new(None).with_witnesses(vec![("Pocket".into(), seen)]);
        let mut bad = None;
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            bad = verifier.line(line).err();
            if bad.is_some() {
                break;
            }
        }
        let missed = verifier
            .missed()
            .map(|(name, number)| (name.to_owned(), number));
        (bad, missed)
    };
    assert_eq!(check(&whole, seen), (None, None));
    // Cut, or an older state: its end is missed.
    let cut: Vec<u8> = book.lines[..4].concat().into_bytes();
    assert_eq!(check(&cut, seen), (None, Some(("Pocket".into(), 6))));
    // An older state that was written on from.
    let mut other = Book {
        signer: book.signer,
        lines: book.lines[..4].to_vec(),
        head: read(book.lines[3].as_bytes()).unwrap().0,
    };
    (10..15).for_each(|device| other.write(Event::Confirmed { device }));
    let (bad, _) = check(&other.bytes(), seen);
    let bad = bad.unwrap();
    assert_eq!((bad.number, bad.flaw), (6, Flaw::Witness("Pocket".into())));
}
