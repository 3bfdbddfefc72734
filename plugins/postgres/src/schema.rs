//! The tables in the database: made once, and refused when another version of the program made them.
//!
//! A database that has them is only read at a start, so that its user then needs no right to make tables.

use accredit_seams::store::{StoreError, StoreTable};
use tokio_postgres::error::SqlState;
use tokio_postgres::{SimpleQueryMessage, SimpleQueryRow};

use crate::connection::{Connection, await_answer};
use crate::failure::AskError;
use crate::settings::PostgresSettings;
use crate::statements::sql_name;

/// The version of these tables.
pub(crate) const STORE_VERSION: i64 = 1;

/// Hosts that start at the same time may make the tables at the same time: one of them has to look again.
const TRIES_MAX: usize = 20;

/// The row of all commits, the marks by which hosts find a commit again, and the lease.
const OWN_TABLES: &str = "
CREATE TABLE IF NOT EXISTS accredit_store (
    name text PRIMARY KEY, version bigint NOT NULL, commits bigint NOT NULL);
CREATE TABLE IF NOT EXISTS accredit_marks (
    host text PRIMARY KEY, number bigint NOT NULL, at timestamptz NOT NULL);
CREATE TABLE IF NOT EXISTS accredit_leases (
    name text PRIMARY KEY, holder text NOT NULL, address text NOT NULL, term bigint NOT NULL,
    expires_at timestamptz NOT NULL)";

const OWN_ROWS: &str = "
INSERT INTO accredit_leases (name, holder, address, term, expires_at)
    VALUES ('decider', '', '', 0, '2000-01-01T00:00:00Z') ON CONFLICT (name) DO NOTHING;
INSERT INTO accredit_store (name, version, commits)
    VALUES ('store', 1, 0) ON CONFLICT (name) DO NOTHING";

/// The marks of hosts that are long gone.
const FORGET_MARKS: &str =
    "DELETE FROM accredit_marks WHERE at < clock_timestamp() - INTERVAL '7 days'";

/// The first row of an answer.
pub(crate) fn first_row(answer: &[SimpleQueryMessage]) -> Option<&SimpleQueryRow> {
    answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    })
}

/// Makes the tables where there are none, and refuses those of another version.
pub(crate) fn prepare_database(
    connection: &Connection,
    settings: &PostgresSettings,
) -> Result<(), StoreError> {
    let failed = |error: AskError| error.to_store_error(settings);
    for _ in 0..TRIES_MAX {
        if let Some(version) = find_version(connection).map_err(failed)? {
            if version != STORE_VERSION {
                return Err(version_error(Some(version), settings));
            }
            refuse_part(connection, settings)?;
            return await_answer(connection.client.batch_execute(FORGET_MARKS)).map_err(failed);
        }
        match make_tables(connection) {
            Ok(()) => (),
            Err(error) if is_race(&error) => {
                std::thread::sleep(std::time::Duration::from_millis(100));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Err(StoreError::Failed(format!("the tables of the database {settings} could not be made")))
}

/// Refuses a database without the tables, or with those of another version.
pub(crate) fn require_tables(
    connection: &Connection,
    settings: &PostgresSettings,
) -> Result<(), StoreError> {
    let found = find_version(connection).map_err(|error| error.to_store_error(settings))?;
    match found {
        Some(STORE_VERSION) => refuse_part(connection, settings),
        None => Err(StoreError::Failed(format!(
            "the database {settings} has no tables of accredit: check its name; `accredit serve --store` \
             makes them"
        ))),
        other => Err(version_error(other, settings)),
    }
}

/// Refuses a database into which a copy has not ended.
fn refuse_part(connection: &Connection, settings: &PostgresSettings) -> Result<(), StoreError> {
    let asked = "SELECT name FROM accredit_store WHERE name = 'copy'";
    let answer = await_answer(connection.client.simple_query(asked));
    let answer = answer.map_err(|error| error.to_store_error(settings))?;
    if first_row(&answer).is_none() {
        return Ok(());
    }
    Err(StoreError::Failed(format!(
        "the database {settings} has a part of the rows of another store: `accredit migrate` has not \
         ended; drop the database, create it and copy again"
    )))
}

/// The version of the tables; none where there are none, or not all.
fn find_version(connection: &Connection) -> Result<Option<i64>, AskError> {
    let asked = "SELECT version FROM accredit_store WHERE name = 'store'";
    match await_answer(connection.client.simple_query(asked)) {
        Ok(answer) => {
            Ok(first_row(&answer).and_then(|row| row.get(0)).and_then(|text| text.parse().ok()))
        }
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes every table; the row that tells that all are there comes last.
fn make_tables(connection: &Connection) -> Result<(), AskError> {
    let run = |text: &str| await_answer(connection.client.batch_execute(text));
    for table in OWN_TABLES.split(';') {
        run(table)?;
    }
    for (table, _) in StoreTable::ALL {
        let name = sql_name(table);
        let columns = "(key bytea PRIMARY KEY, value bytea NOT NULL)";
        run(&format!("CREATE TABLE IF NOT EXISTS {name} {columns}"))?;
    }
    for row in OWN_ROWS.split(';') {
        run(row)?;
    }
    Ok(())
}

/// Whether another host made the same thing at the same time.
fn is_race(error: &AskError) -> bool {
    let code = error.code().map(SqlState::code);
    code.is_some_and(|code| ["23505", "42P07", "42710", "40001", "XX000"].contains(&code))
}

/// A commit that returned must survive a crash of the database, whatever its defaults are: they may change
/// between two connections.
pub(crate) fn require_durable_commits(
    connection: &Connection,
    settings: &PostgresSettings,
) -> Result<(), StoreError> {
    let answer = await_answer(connection.client.simple_query("SHOW synchronous_commit"));
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) if error.is_lost() => return Err(error.to_store_error(settings)),
        // Other databases have no such setting: their commits are durable.
        Err(_) => return Ok(()),
    };
    if first_row(&answer).and_then(|row| row.get(0)) == Some("off") {
        return Err(StoreError::Failed(format!(
            "the database {settings} has `synchronous_commit = off`, with which a crash loses what was \
             acknowledged: set it to `on` for this database or user"
        )));
    }
    Ok(())
}

/// The tables are of another version.
pub(crate) fn version_error(found: Option<i64>, settings: &PostgresSettings) -> StoreError {
    StoreError::Failed(match found {
        Some(found) if found > STORE_VERSION => format!(
            "the database {settings} has tables of version {found}, and this program knows \
             {STORE_VERSION}: start a later version of the program"
        ),
        Some(found) => format!(
            "the database {settings} has tables of version {found}, and this program knows \
             {STORE_VERSION}: copy it with `accredit migrate` of the version that made it"
        ),
        None => format!("the tables of the database {settings} are gone: restore a backup"),
    })
}
