//! The laptop's store: whatever stands in the database's fields, the ledger's files and the spool, it opens or says in words why not, and
//! what it then gives keeps to its types and caps.

use crate::octets::Octets;
use laptop::policy::{Profile, Usage};
use laptop::store::{
    Author, Claim, NewRelationship, NewRequest, Outcome, RequestState, Retention, Store,
};
use rusqlite::types::Value;
use shared_proto::crypto::ring::RingSigner;
use shared_proto::crypto::{PublicKey, RelationshipKey, Signature, Signer, TokenSecret};
use shared_proto::renewal::Credentials;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

const NOW: i64 = 1_700_000_000;

/// Memory where there is some that looks like a disk: what is forced there costs nothing.
fn scratch(name: &str) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    };
    base.join(format!("officeos-fuzz-{}-{name}", std::process::id()))
}

/// A store in which a little has happened: its files.
static TEMPLATE: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
    let folder = scratch("template");
    let _ = fs::remove_dir_all(&folder);
    let store = Store::open(&folder).expect("a new store");
    for seed in 1..3 {
        let signer = RingSigner::new(&RelationshipKey::from_bytes([seed; 32]));
        let new = NewRelationship {
            name: format!("Pocket {seed}"),
            keys: Credentials {
                own: RelationshipKey::from_bytes([seed + 10; 32]),
                peer: signer.public_key(),
                token: TokenSecret::from_bytes([seed; 32]),
            },
            screen: (640, 480),
            created_at: NOW,
            expires_at: NOW + 1_000_000,
            provisional_until: NOW + 100,
        };
        let added = store
            .add_relationship(&new, &Profile::of_new_device())
            .expect("added");
        for id in 1..4 {
            store.admit(&request(added.id, id)).expect("admitted");
        }
        let mut spool = store.spool(added.id, 1, 0).expect("a spool");
        spool.append(b"a few words").expect("written");
        let outcome = Outcome {
            state: RequestState::Done,
            used: Usage::default(),
            estimated: false,
            results: vec![spool],
        };
        store
            .end_request(added.id, 1, &outcome, NOW)
            .expect("ended");
    }
    store.publish_ledger().expect("published");
    drop(store);
    let files = files(&folder);
    let _ = fs::remove_dir_all(&folder);
    files
});

fn request(relationship: i64, id: u64) -> NewRequest {
    NewRequest {
        relationship,
        id,
        digest: [id as u8; 32],
        author: Author::Device {
            key: PublicKey([2; 32]),
            signature: Signature([4; 64]),
            exporter: [5; 32],
        },
        claim: Claim {
            wants: Vec::new(),
            asks: false,
        },
        reserved: Usage::default(),
        now: NOW,
        day: 20_000,
    }
}

/// Every file below a folder, by its path from there.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut to_visit = vec![folder.to_owned()];
    while let Some(each) = to_visit.pop() {
        for entry in fs::read_dir(&each).expect("a folder of ours").flatten() {
            let path = entry.path();
            if path.is_dir() {
                to_visit.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below it").to_owned();
                found.push((name, fs::read(&path).expect("a file of ours")));
            }
        }
    }
    found.sort();
    found
}

/// Fields that the octets may fill.
const FIELDS: [(&str, &str); 34] = [
    ("relationships", "name"),
    ("relationships", "folder"),
    ("relationships", "our_key"),
    ("relationships", "peer_key"),
    ("relationships", "token_secret"),
    ("relationships", "next_our_key"),
    ("relationships", "screen_width"),
    ("relationships", "created_at"),
    ("relationships", "expires_at"),
    ("relationships", "revoked_at"),
    ("relationships", "provisional_until"),
    ("relationships", "floor"),
    ("relationships", "highest"),
    ("relationships", "kind"),
    ("profiles", "language_models"),
    ("profiles", "urls"),
    ("profiles", "requests_per_minute"),
    ("profiles", "tokens_per_day"),
    ("profiles", "generation"),
    ("requests", "state"),
    ("requests", "op"),
    ("requests", "code"),
    ("requests", "detail"),
    ("requests", "digest"),
    ("requests", "reserved_tokens"),
    ("requests", "used_bytes"),
    ("requests", "day"),
    ("requests", "ended_at"),
    ("results", "slot"),
    ("results", "length"),
    ("results", "body"),
    ("settings", "value"),
    ("usage", "day"),
    ("usage", "tokens"),
];

/// Spoils a store that was whole, then opens and reads it.
pub fn drive(bytes: &[u8]) {
    let mut octets = Octets(bytes);
    let folder = scratch("run");
    let _ = fs::remove_dir_all(&folder);
    for (name, content) in TEMPLATE.iter() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs::write(path, content).expect("written");
    }
    for _ in 0..=octets.byte() % 6 {
        spoil(&folder, &mut octets);
    }
    match Store::open(&folder) {
        Ok(store) => look(&store),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let _ = fs::remove_dir_all(&folder);
}

fn value(octets: &mut Octets<'_>) -> Value {
    match octets.byte() % 6 {
        0 => Value::Null,
        1 => Value::Integer(octets.number() as i64),
        2 => Value::Integer(-(octets.byte() as i64)),
        3 => Value::Text(String::from_utf8_lossy(octets.piece()).into_owned()),
        4 => Value::Blob(vec![octets.byte(); 32]),
        _ => Value::Blob(octets.piece().to_vec()),
    }
}

fn spoil(folder: &Path, octets: &mut Octets<'_>) {
    let ledger = || {
        let mut names = files(&folder.join("ledger"));
        names
            .pop()
            .map(|(name, bytes)| (folder.join("ledger").join(name), bytes))
    };
    match octets.byte() % 8 {
        0..=4 => {
            let (table, column) = FIELDS[usize::from(octets.byte()) % FIELDS.len()];
            let value = value(octets);
            let connection =
                rusqlite::Connection::open(folder.join("officeos.db")).expect("the database");
            let _ = connection.execute_batch("PRAGMA ignore_check_constraints = ON");
            // All rows, or those that hold what the first or the second one does: where each has to be another, only one can be spoiled.
            let rows = match octets.byte() % 3 {
                2 => String::new(),
                place => format!(
                    "WHERE {column} IS (SELECT {column} FROM {table} LIMIT 1 OFFSET {place})"
                ),
            };
            // What the table itself refuses, it refuses.
            let _ =
                connection.execute(&format!("UPDATE {table} SET {column} = ?1 {rows}"), [value]);
        }
        5 => {
            if let Some((path, mut bytes)) = ledger() {
                let place = octets.below(bytes.len().max(1));
                match octets.byte() % 3 {
                    0 => bytes.truncate(place),
                    1 => bytes[place..]
                        .iter_mut()
                        .take(1)
                        .for_each(|octet| *octet ^= 1),
                    _ => bytes.extend(octets.piece()),
                }
                fs::write(path, bytes).expect("written");
            }
        }
        6 => {
            if let Some((path, bytes)) = ledger() {
                let name: String = String::from_utf8_lossy(octets.piece())
                    .chars()
                    .filter(|c| !matches!(c, '/' | '\0'))
                    .take(40)
                    .collect();
                let other = path.with_file_name(format!("{name}.jsonl"));
                let _ = fs::write(other, &bytes[..octets.below(bytes.len() + 1)]);
            }
        }
        _ => {
            let name: String = String::from_utf8_lossy(octets.piece())
                .chars()
                .filter(|c| !matches!(c, '/' | '\0'))
                .take(40)
                .collect();
            let _ = fs::write(folder.join("spool").join(name), octets.piece());
        }
    }
}

/// Reads all that the daemon reads.
fn look(store: &Store) {
    let Ok(all) = store.relationships() else {
        return;
    };
    for each in &all {
        let _ = (store.profile(each.id), each.standing(NOW));
        let _ = store.usage(each.id, 20_000);
        for id in [0, 1, 2, 3, u64::MAX] {
            if let Ok(Some(record)) = store.request(each.id, id) {
                for (slot, len) in record.results {
                    for from in [0, len, u64::MAX] {
                        if let Ok(piece) = store.read_result(each.id, id, slot, from, 4096) {
                            assert!(piece.len() <= 4096);
                        }
                    }
                }
            }
        }
        // Nothing that was taken in before is dispatched a second time, unless its row is gone.
        if let Ok(Some(_)) = store.request(each.id, 2) {
            let again = store.admit(&request(each.id, 2));
            assert!(!matches!(again, Ok(laptop::store::Admission::New)));
        }
    }
    let _ = (store.callers(), store.ledger_head(), store.ledger_seen());
    let _ = (store.attempts(NOW), store.clock_high_water());
    let retention = Retention {
        max_bytes: 1,
        max_age_s: 1,
    };
    let _ = store.retain(retention, NOW);
    let _ = (store.forget_overdue(NOW), store.publish_ledger());
    let _ = store.end_ledger();
}
