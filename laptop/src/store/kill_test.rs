//! A real process that writes to the store and is killed at arbitrary instants.

use super::testing::{TempFolder, new_relationship, new_request};
use super::*;
use crate::policy::Usage;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

const FOLDER: &str = "OFFICEOS_STORE_KILL_FOLDER";

/// The part that runs in the child: without the variable there is nothing to do.
#[test]
fn child_that_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let store = Store::open(Path::new(&folder)).expect("a store");
    let device = match store.relationships().expect("listed").first() {
        Some(relationship) => relationship.id,
        None => {
            store
                .add_relationship(
                    &new_relationship("a"),
                    &crate::policy::Profile::of_new_device(),
                )
                .expect("added")
                .id
        }
    };
    let mut out = std::io::stdout();
    let first = store.relationship(device).expect("there").highest + 1;
    for number in first.. {
        assert_eq!(
            store.admit(&new_request(device, number)).expect("taken in"),
            Admission::New
        );
        writeln!(out, "taken {number}").expect("told");
        let mut spool = store.spool(device, number, 0).expect("a spool");
        let body = body_of(number);
        for part in body.chunks(10_000) {
            spool.append(part).expect("written");
        }
        let used = Usage {
            tokens: 1,
            ..Usage::default()
        };
        let outcome = Outcome {
            state: RequestState::Done,
            used,
            estimated: false,
            results: vec![spool],
        };
        store
            .end_request(device, number, &outcome, number as i64)
            .expect("ended");
        writeln!(out, "done {number}").expect("told");
    }
}

/// Every third body is large enough for the spool folder.
fn body_of(number: u64) -> Vec<u8> {
    let len = if number.is_multiple_of(3) {
        90_000
    } else {
        900
    };
    (0..len)
        .map(|place| (place as u64 * 31 + number) as u8)
        .collect()
}

#[test]
fn nothing_told_is_lost_and_nothing_is_torn_when_the_process_is_killed() {
    let folder = TempFolder::new("kill");
    let mut told_done = std::collections::BTreeSet::new();
    let mut highest_taken = 0;
    for round in 0..12_usize {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args([
                "--exact",
                "store::kill_test::child_that_is_killed",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(FOLDER, &folder.0)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a child");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        // The kill comes after a different count of lines each round, then at whatever instant that is.
        let mut left = 3 + round * 5;
        for line in lines.by_ref() {
            note(&line.expect("a line"), &mut told_done, &mut highest_taken);
            left -= 1;
            if left == 0 {
                break;
            }
        }
        child.kill().expect("killed");
        child.wait().expect("gone");
        for line in lines.map_while(Result::ok) {
            note(&line, &mut told_done, &mut highest_taken);
        }

        let store = Store::open(&folder.0).expect("opens after a kill");
        let device = store.relationships().expect("listed")[0].clone();
        assert!(
            device.highest >= highest_taken,
            "round {round}: request {highest_taken} was told and is gone"
        );
        for number in 1..=device.highest {
            let record = store
                .request(device.id, number)
                .expect("read")
                .expect("remembered");
            let body = body_of(number);
            if told_done.contains(&number) {
                assert_eq!(record.state, RequestState::Done, "request {number}");
            }
            match record.state {
                RequestState::Done => {
                    assert_eq!(record.results, [(0, body.len() as u64)]);
                    assert!(
                        store
                            .read_result(device.id, number, 0, 0, body.len())
                            .expect("read")
                            == body
                    );
                }
                RequestState::Failed { .. } => {
                    for (slot, len) in record.results {
                        let part = store
                            .read_result(device.id, number, slot, 0, len as usize)
                            .expect("read");
                        assert!(body.starts_with(&part), "request {number} is torn");
                    }
                }
                RequestState::Taken => panic!("request {number} still runs after the start"),
            }
        }
    }
    assert!(
        told_done.len() > 20,
        "the child did too little to prove anything: {}",
        told_done.len()
    );
}

fn note(line: &str, done: &mut std::collections::BTreeSet<u64>, highest: &mut u64) {
    // The test harness writes its own words in front of the first line.
    let words: Vec<&str> = line.split_whitespace().collect();
    let [.., verb, number] = words.as_slice() else {
        return;
    };
    let Ok(number) = number.parse() else { return };
    match *verb {
        "taken" => *highest = number,
        "done" => {
            done.insert(number);
        }
        _ => {}
    }
}
