//! What the laptop remembers: relationships, permissions, requests, results, usage and settings.
//!
//! One SQLite database (write-ahead log, `synchronous=FULL`, `STRICT` tables) and a spool folder for what is large.
//! Every method is one transaction; what a method has returned survives a kill at any later instant. One process
//! writes: a second [`Store::open`] on the same folder is refused. Nothing here runs or re-runs anything.

mod book;
mod caller;
mod ledger;
mod profile;
mod recovery;
mod relationship;
mod request;
mod reserve;
mod result;
mod schema;
mod setting;
mod spool;
mod usage;

#[cfg(test)]
mod kill_test;
#[cfg(test)]
mod ledger_tests;
#[cfg(test)]
mod request_tests;

pub use book::{files as ledger_files, first_of as ledger_first_of};
pub use caller::{Kind, NEVER, NewCaller};
pub use relationship::{NewRelationship, Relationship, RelationshipId};
pub use request::{
    Admission, Author, Claim, NewRequest, Outcome, RequestRecord, RequestState, WINDOW,
};
pub use reserve::Purpose;
pub use result::Retention;
pub use setting::Setting;
pub use spool::{Spool, Unforced};

use nix::fcntl::{Flock, FlockArg};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The laptop's memory. Shared between threads; each call locks it for one transaction.
pub struct Store {
    connection: Mutex<Connection>,
    spool: PathBuf,
    ledger_folder: PathBuf,
    scribe: ledger::Scribe,
    /// Taken before the connection, never after it.
    book: Mutex<book::Book>,
    /// Taken before the connection, never after it.
    reserve: Mutex<reserve::Reserve>,
    _lock: Flock<File>,
}

/// Why the store could not do it.
#[derive(Debug)]
pub enum StoreError {
    /// Another process has this folder open.
    InUse(PathBuf),
    /// The database is damaged; what `integrity_check` said.
    Damaged(PathBuf, String),
    /// The database was written by a later version of this program.
    TooNew {
        /// Version found.
        found: i64,
        /// Latest version known here.
        known: i64,
    },
    /// SQLite failed.
    Database(rusqlite::Error),
    /// A file could not be read or written.
    File(PathBuf, io::Error),
    /// The ledger could not go on; why.
    Ledger(String),
    /// A value that was kept does not read; what it is.
    Unreadable(&'static str),
    /// There is no such relationship, request or result.
    Unknown,
}

impl StoreError {
    /// Whether there is no room left on the disk: nothing is damaged, and whoever frees some mends it.
    pub fn is_full(&self) -> bool {
        match self {
            Self::Database(error) => error.sqlite_error().is_some_and(|error| {
                // The index of the log cannot grow: SQLite has no name of its own for a full disk there.
                error.code == rusqlite::ErrorCode::DiskFull
                    || error.extended_code == rusqlite::ffi::SQLITE_IOERR_SHMSIZE
            }),
            Self::File(_, error) => matches!(
                error.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            ),
            _ => false,
        }
    }
}

impl std::fmt::Display for StoreError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InUse(path) => write!(
                f,
                "{} is in use by another laptop-daemon; end that one first",
                path.display()
            ),
            Self::Damaged(path, what) => write!(
                f,
                "the database {} is damaged ({what}); move it away to start anew, or restore a backup",
                path.display()
            ),
            Self::TooNew { found, known } => {
                write!(
                    f,
                    "the database has version {found}, this program knows up to {known}; install a newer one"
                )
            }
            full if full.is_full() => {
                f.write_str("the disk with the laptop's own state is full; delete something there")
            }
            Self::Database(error) => write!(f, "database: {error}"),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::Ledger(why) => write!(f, "the ledger cannot go on: {why}"),
            Self::Unreadable(what) => write!(
                f,
                "{what} in the database does not read; restore a backup, or move the database away to start anew"
            ),
            Self::Unknown => f.write_str("there is no such entry"),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Database(error) => Some(error),
            Self::File(_, error) => Some(error),
            _ => None,
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::QueryReturnedNoRows => Self::Unknown,
            other => Self::Database(other),
        }
    }
}

impl Store {
    /// Opens the store in `folder`, which is made if it is missing, checks it whole, brings it to the present version
    /// and ends what was running when the last process went away: such requests become
    /// failed with `Interrupted` and keep what had arrived.
    ///
    /// # Errors
    /// [`StoreError::InUse`], [`StoreError::Damaged`], [`StoreError::TooNew`], or what the disk said.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        make_private_folder(folder)?;
        let spool = folder.join("spool");
        make_private_folder(&spool)?;
        let lock_path = folder.join("lock");
        let lock_file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&lock_path)
            .map_err(|error| StoreError::File(lock_path, error))?;
        let lock = Flock::lock(lock_file, FlockArg::LockExclusiveNonblock)
            .map_err(|_| StoreError::InUse(folder.to_owned()))?;

        let path = folder.join("officeos.db");
        // Created before SQLite sees it, so that the keys inside are never readable by others, not for an instant.
        OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|error| StoreError::File(path.clone(), error))?;
        let mut connection = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        schema::prepare(&mut connection, &path)?;
        let ledger_folder = folder.join("ledger");
        make_private_folder(&ledger_folder)?;
        let (waiting, end) = (
            ledger::waiting(&connection)?,
            ledger::head(&connection)?.number,
        );
        let book = book::Book::open(&ledger_folder, waiting, end)?;
        let store = Self {
            scribe: ledger::Scribe::open(&connection)?,
            connection: Mutex::new(connection),
            spool,
            ledger_folder,
            book: Mutex::new(book),
            reserve: Mutex::new(reserve::Reserve::of(folder)),
            _lock: lock,
        };
        store.open_ledger()?;
        store.recover()?;
        if let Err(error) = store.keep_room() {
            log::warn!("no room is kept aside for decisions on a full disk: {error}");
        }
        Ok(store)
    }

    /// Keeps room aside for what the owner decides on a full disk, again after it was used.
    ///
    /// # Errors
    /// What the disk said; there is less of it then, or none.
    pub fn keep_room(&self) -> Result<(), StoreError> {
        self.lock_reserve().fill()
    }

    /// Writes a decision of the owner down: on a full disk in the room that is kept aside, as far as `purpose` may use it.
    /// What runs meanwhile may be quicker to take the room, which is why there are several steps of it.
    fn insist<T>(
        &self,
        purpose: Purpose,
        write: impl Fn() -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match write() {
            Err(error) if error.is_full() => {}
            outcome => return outcome,
        }
        let reserve = self.lock_reserve();
        loop {
            // Another decision may have freed enough a moment ago.
            match write() {
                Err(error) if error.is_full() && reserve.give(purpose) => {}
                outcome => return outcome,
            }
        }
    }

    fn lock_reserve(&self) -> MutexGuard<'_, reserve::Reserve> {
        self.reserve.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fills the database, as a full disk does: it grows no further, and no entry fits any more.
    #[cfg(test)]
    pub(crate) fn fill(&self) {
        self.bound(|there| there);
        while self.note_answered(0, 0, "").is_ok() {}
    }

    /// Lets it grow again.
    #[cfg(test)]
    pub(crate) fn make_room(&self) {
        self.bound(|_| i64::from(u32::MAX) - 1);
    }

    #[cfg(test)]
    fn bound(&self, pages: impl Fn(i64) -> i64) {
        let connection = self.lock();
        let there = connection.pragma_query_value(None, "page_count", |row| row.get(0));
        let most = pages(there.expect("a number of pages"));
        let set =
            connection.pragma_update_and_check(None, "max_page_count", most, |row| row.get(0));
        assert_eq!(set, Ok(most));
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A panic in another thread rolled its transaction back; the connection itself stays sound.
        self.connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes `folder` and its parents, readable by the owner alone.
fn make_private_folder(folder: &Path) -> Result<(), StoreError> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .map_err(|error| StoreError::File(folder.to_owned(), error))
}

#[cfg(test)]
pub(crate) mod testing {
    //! A store in a folder of its own that goes away with it.
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    pub(crate) struct TempFolder(pub(crate) PathBuf);

    impl TempFolder {
        pub(crate) fn new(name: &str) -> Self {
            static NEXT: AtomicU32 = AtomicU32::new(0);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir()
                .join(format!("officeos-{name}-{}-{number}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).expect("a temporary folder");
            Self(path)
        }
    }

    impl Drop for TempFolder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    pub(crate) fn new_request(relationship: RelationshipId, id: u64) -> NewRequest {
        NewRequest {
            relationship,
            id,
            digest: [id as u8; 32],
            author: Author::Device {
                key: shared_proto::crypto::PublicKey([2; 32]),
                signature: shared_proto::crypto::Signature([4; 64]),
                exporter: [5; 32],
            },
            claim: Claim {
                wants: Vec::new(),
                asks: false,
            },
            reserved: crate::policy::Usage::default(),
            now: 1_000,
            day: 20_000,
        }
    }

    pub(crate) fn new_relationship(name: &str) -> NewRelationship {
        use shared_proto::crypto::{PublicKey, RelationshipKey, TokenSecret};
        use shared_proto::renewal::Credentials;
        NewRelationship {
            name: name.into(),
            keys: Credentials {
                own: RelationshipKey::from_bytes([1; 32]),
                peer: PublicKey([2; 32]),
                token: TokenSecret::from_bytes([3; 32]),
            },
            screen: (640, 480),
            created_at: 1_000,
            expires_at: 2_000,
            provisional_until: 1_500,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::testing::TempFolder;
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_second_process_is_refused_while_the_first_has_it_open() {
        let folder = TempFolder::new("in-use");
        let first = Store::open(&folder.0).expect("the first");
        assert!(matches!(Store::open(&folder.0), Err(StoreError::InUse(_))));
        drop(first);
        Store::open(&folder.0).expect("after the first has gone");
    }

    #[test]
    fn nobody_else_may_read_the_keys() {
        let folder = TempFolder::new("mode");
        let state = folder.0.join("state");
        let _store = Store::open(&state).expect("a store");
        for path in [
            state.clone(),
            state.join("officeos.db"),
            state.join("spool"),
        ] {
            let mode = fs::metadata(&path).expect("there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
        }
    }

    #[test]
    fn a_damaged_database_is_refused_by_name_and_not_overwritten() {
        let folder = TempFolder::new("damaged");
        drop(Store::open(&folder.0).expect("a store"));
        let path = folder.0.join("officeos.db");
        let mut bytes = fs::read(&path).expect("the database");
        for byte in &mut bytes[40..120] {
            *byte ^= 0x5a;
        }
        fs::write(&path, &bytes).expect("written");
        match Store::open(&folder.0) {
            Err(StoreError::Damaged(named, _)) => assert_eq!(named, path),
            Err(other) => panic!("expected damage, got {other}"),
            Ok(_) => panic!("a damaged database was opened"),
        }
        assert_eq!(fs::read(&path).expect("still there"), bytes);
    }
}
