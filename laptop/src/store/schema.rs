//! Tables, their versions, and the check on start.

use super::StoreError;
use rusqlite::{Connection, ErrorCode};
use std::path::Path;

/// Steps from one version of the tables to the next. Never edited once released, only added to.
const MIGRATIONS: [&str; 4] = [
    include_str!("v1.sql"),
    include_str!("v2.sql"),
    include_str!("v3.sql"),
    include_str!("v4.sql"),
];

/// Sets the connection up, checks the whole database and brings it to the present version.
pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let damaged = |error: rusqlite::Error| match error.sqlite_error_code() {
        // A header that SQLite cannot make sense of is reported as a plain error.
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt | ErrorCode::Unknown) => {
            StoreError::Damaged(path.to_owned(), error.to_string())
        }
        _ => StoreError::Database(error),
    };
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;
             PRAGMA secure_delete = ON; PRAGMA busy_timeout = 2000;",
        )
        .map_err(damaged)?;
    let verdict: String = connection
        .query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))
        .map_err(damaged)?;
    if verdict != "ok" {
        return Err(StoreError::Damaged(path.to_owned(), verdict));
    }
    migrate(connection)
}

fn migrate(connection: &mut Connection) -> Result<(), StoreError> {
    let known = MIGRATIONS.len() as i64;
    let found: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found > known || found < 0 {
        return Err(StoreError::TooNew { found, known });
    }
    for version in found..known {
        let transaction = connection.transaction()?;
        transaction.execute_batch(MIGRATIONS[version as usize])?;
        transaction.pragma_update(None, "user_version", version + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory() -> Connection {
        Connection::open_in_memory().expect("a database in memory")
    }

    #[test]
    fn every_table_is_strict() {
        let mut connection = memory();
        prepare(&mut connection, Path::new("memory")).expect("prepared");
        let loose: i64 = connection
            .query_row(
                "SELECT count(*) FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%' AND strict = 0",
                [],
                |row| row.get(0),
            )
            .expect("a count");
        assert_eq!(loose, 0);
    }

    #[test]
    fn preparing_twice_changes_nothing() {
        let mut connection = memory();
        prepare(&mut connection, Path::new("memory")).expect("prepared");
        connection
            .execute("INSERT INTO settings VALUES ('a', x'01')", [])
            .expect("inserted");
        prepare(&mut connection, Path::new("memory")).expect("prepared again");
        let kept: i64 = connection
            .query_row("SELECT count(*) FROM settings", [], |row| row.get(0))
            .expect("a count");
        assert_eq!(kept, 1);
    }

    #[test]
    fn a_database_from_the_future_is_refused() {
        let mut connection = memory();
        connection
            .pragma_update(None, "user_version", 99)
            .expect("set");
        match prepare(&mut connection, Path::new("memory")) {
            Err(StoreError::TooNew { found: 99, known }) => {
                assert_eq!(known, MIGRATIONS.len() as i64)
            }
            other => panic!("expected a refusal, got {other:?}"),
        }
    }
}
