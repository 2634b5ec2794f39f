//! The ledger's reader: any lines, with hash, number and predecessor put right where the octets say so, so that what is behind them is
//! reached too. What is read is written alike, and one changed bit is found.

use laptop::ledger::{Entry, Head, MAX_LINE_LEN, Verifier, append, read};
use shared_proto::crypto::Crypto;
use shared_proto::crypto::ring::RingCrypto;

/// What the hash of an entry begins with.
const LABEL: &[u8] = b"OfficeOS ledger v1\0";

/// Lines, each behind an octet that says how it is put right.
pub fn drive(bytes: &[u8]) {
    let mut verifier = Verifier::new(None);
    let mut head = Head::START;
    let mut rest = bytes;
    while let Some((how, behind)) = rest.split_first() {
        let end = behind.iter().position(|octet| *octet == b'\n');
        let (line, behind) = behind.split_at(end.unwrap_or(behind.len()));
        rest = behind.get(1..).unwrap_or_default();
        let line = put_right(line, *how, head);
        let alone = read(&line);
        match verifier.line(&line) {
            Ok(entry) => {
                let (found, same) = alone.expect("it was read just now");
                assert!(same == entry && found == verifier.report().head);
                changed(&line, *how);
                again(&entry);
                head = found;
            }
            Err(bad) => {
                let words = bad.flaw.to_string();
                assert!(!words.contains('\u{1b}'));
                return;
            }
        }
    }
    let report = verifier.report();
    assert!(report.signed_to <= report.head.number);
    assert!(report.checkpoints <= report.entries && report.requests <= report.entries);
}

/// The line with an end, and by the bits of `how` with its number, predecessor and hash.
fn put_right(line: &[u8], how: u8, head: Head) -> Vec<u8> {
    let mut json = line.to_vec();
    if how & 1 != 0 {
        // An event alone becomes an entry that follows.
        let hex: String = head
            .hash
            .iter()
            .map(|octet| format!("{octet:02x}"))
            .collect();
        let start = format!(
            "{{\"number\":{},\"at\":{},\"previous\":\"{hex}\",\"event\":",
            head.number + 1,
            head.number,
        );
        json = [start.as_bytes(), line, b"}"].concat();
    }
    if how & 2 != 0 {
        let hash = RingCrypto.sha256(&[LABEL, &json]);
        json.push(b' ');
        json.extend(
            hash.iter()
                .flat_map(|octet| format!("{octet:02x}").into_bytes()),
        );
    }
    json.push(b'\n');
    json
}

/// One bit of a line that holds is changed: it holds no more.
fn changed(line: &[u8], how: u8) {
    let mut bent = line.to_vec();
    let place = usize::from(how >> 2) * 7 % bent.len();
    bent[place] ^= 1;
    assert!(read(&bent).is_err(), "a changed line was read");
}

/// What was read can be written again and reads the same.
fn again(entry: &Entry) {
    let before = Head {
        number: entry.number - 1,
        hash: entry.previous.0,
    };
    // An entry in its shortest form is never longer than one that was read.
    let (_, line) = append(before, entry.at, entry.event.clone()).expect("it fits a line");
    assert!(line.len() <= MAX_LINE_LEN);
    let (_, same) = read(line.as_bytes()).expect("our own line");
    assert_eq!(same, *entry);
}
