//! The schema: numbered, changed forwards only, checked on every connection.
//!
//! The table `schema_state` has one row: the number of the schema, and the number of the oldest program that works with it. A change
//! that earlier programs can live with leaves the second as it is; they may go on while nodes are replaced one by one.

use ports::Fault;
use sqlx::mysql::MySqlRow;
use sqlx::{Connection as _, Executor as _, MySqlConnection, Row as _};

use crate::access::Access;
use crate::failure::{Failure, NO_SUCH_TABLE};
use crate::pool::{Purpose, open};

/// A step from one schema to the next.
struct Migration {
    version: u32,
    /// Programs that know this schema work with the next as well.
    readable_from: u32,
    /// May run again after it was interrupted: changes of tables are no transactions.
    text: &'static str,
}

/// All of them, in order. A row that was released is never changed.
const MIGRATIONS: &[Migration] =
    &[Migration { version: 1, readable_from: 1, text: include_str!("../migrations/0001_records.sql") }];

/// The schema that this program was built for.
pub const SCHEMA: u32 = last().version;

/// How long another migration is waited for, in seconds.
const WAIT_SECONDS: u32 = 60;

const STATE: &str = "CREATE TABLE IF NOT EXISTS schema_state (
    one TINYINT UNSIGNED NOT NULL PRIMARY KEY,
    version INT UNSIGNED NOT NULL,
    readable_from INT UNSIGNED NOT NULL
) ENGINE = InnoDB";

const fn last() -> &'static Migration {
    match MIGRATIONS {
        [.., last] => last,
        [] => unreachable!(),
    }
}

/// The schema of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    version: u32,
    readable_from: u32,
}

/// What a migration did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migrated {
    /// The schema before; 0 if there was none.
    pub from: u32,
    /// The schema now.
    pub to: u32,
}

/// Brings a database to the schema of this program. Several may try at once: the others find nothing to do. One that is
/// interrupted is taken up by the next.
///
/// # Errors
/// `Unavailable` if the server cannot be used, if another migration takes longer than a minute, or if the database is newer.
pub async fn migrate(access: &Access) -> Result<Migrated, Fault> {
    let mut connection = open(access, Purpose::Migration).await?;
    // The name is the server's, not the database's.
    let lock = format!("SELECT GET_LOCK(CONCAT('whimbrel ', MD5(DATABASE())), {WAIT_SECONDS})");
    let rows = run(&mut connection, &lock).await?;
    if rows.first().and_then(|row| row.try_get(0).ok()) != Some(1_i64) {
        return Err(Fault::Unavailable("MySQL: another migration is under way".to_owned()));
    }
    run(&mut connection, STATE).await?;
    let from = match read(&mut connection).await? {
        Some(state) if state.version > SCHEMA => return Err(newer(state)),
        state => state.map_or(0, |state| state.version),
    };
    for Migration { version, readable_from, text } in MIGRATIONS {
        if *version > from {
            run(&mut connection, text).await?;
            let done = format!("REPLACE INTO schema_state VALUES (1, {version}, {readable_from})");
            run(&mut connection, &done).await?;
        }
    }
    // The lock ends with the connection.
    connection.close().await.map_err(Failure::from)?;
    Ok(Migrated { from, to: SCHEMA })
}

/// Whether this program works with the schema.
pub(crate) async fn check(connection: &mut MySqlConnection) -> Result<(), Fault> {
    judge(match read(connection).await {
        Err(Failure::Refused(NO_SUCH_TABLE)) => None,
        state => state?,
    })
}

fn judge(state: Option<State>) -> Result<(), Fault> {
    match state {
        None => Err(Fault::Unavailable("the database has no schema of Whimbrel yet: migrate it".to_owned())),
        Some(state) if state.version < SCHEMA => Err(Fault::Unavailable(format!(
            "the database has schema {}, this program needs {SCHEMA}: migrate it",
            state.version
        ))),
        Some(state) if state.readable_from > SCHEMA => Err(newer(state)),
        Some(_) => Ok(()),
    }
}

fn newer(state: State) -> Fault {
    Fault::Unavailable(format!(
        "the database has schema {}, for programs that know schema {}; this one knows {SCHEMA}: install a newer one",
        state.version, state.readable_from
    ))
}

async fn read(connection: &mut MySqlConnection) -> Result<Option<State>, Failure> {
    let rows = run(connection, "SELECT version, readable_from FROM schema_state").await?;
    let Some(row) = rows.first() else { return Ok(None) };
    Ok(Some(State { version: row.try_get(0)?, readable_from: row.try_get(1)? }))
}

async fn run(connection: &mut MySqlConnection, text: &str) -> Result<Vec<MySqlRow>, Failure> {
    Ok(connection.fetch_all(text).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_numbered_without_a_gap() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            assert_eq!(usize::try_from(migration.version).unwrap(), index + 1);
            assert!((1..=migration.version).contains(&migration.readable_from));
        }
    }

    #[test]
    fn older_ones_and_those_that_are_too_new_are_refused() {
        let state = |version, readable_from| Some(State { version, readable_from });
        assert!(judge(state(SCHEMA, 1)).is_ok());
        assert!(judge(state(SCHEMA + 5, SCHEMA)).is_ok(), "marked as one that this program works with");
        for (state, says) in [
            (None, "no schema"),
            (state(SCHEMA - 1, 1), "migrate it"),
            (state(SCHEMA + 5, SCHEMA + 1), "install a newer one"),
        ] {
            let fault = judge(state).unwrap_err().to_string();
            assert!(fault.contains(says), "{fault}");
        }
    }
}
