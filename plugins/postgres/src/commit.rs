//! Commits: one at a time on a database, with the lock of all of them first, and looked up when their answer
//! was lost.
//!
//! Why a lock and not `SERIALIZABLE`: a commit expects rows that must be absent as well as rows that are
//! there, and absent rows cannot be locked. Serializable transactions would find that out at their end and
//! be undone, again and again under load. With the lock each commit sees everything before it, at any
//! isolation, also where a database gives a stronger one than was asked for.
//!
//! **Architecture invariant:** the lock is held before the first change is sent. A commit whose answer was
//! lost is over once its successor has the lock, and its mark says how it ended.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::time::{Duration, Instant};

use accredit_seams::store::shared::HandlePurpose;
use accredit_seams::store::{RowChange, StoreError, StoreTable, WriteBatch};
use futures_util::future::{join, join_all};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Error, SimpleQueryMessage, Statement};

use crate::connection::{ANSWER_WAIT, Connection, ConnectionUse, await_answer, await_until};
use crate::failure::AskError;
use crate::schema::{self, STORE_VERSION};
use crate::statements::RowStatement;
use crate::{SharedParts, failure, lock_ignoring_poison};

/// Begins a commit: waits for all others, then reads who decides. The update is what locks.
pub(crate) const LOCK: &str = "BEGIN ISOLATION LEVEL READ COMMITTED; \
    UPDATE accredit_store SET commits = commits + 1 WHERE name = 'store' RETURNING version; \
    SELECT holder, term, address, CASE WHEN expires_at > clock_timestamp() THEN 1 ELSE 0 END \
    FROM accredit_leases WHERE name = 'decider'";

const MARK: &str = "INSERT INTO accredit_marks (host, number, at) VALUES ($1, $2, clock_timestamp()) \
    ON CONFLICT (host) DO UPDATE SET number = excluded.number, at = excluded.at";

/// A commit that the database undid for another's sake is tried so often.
const TRIES_MAX: u32 = 8;

/// How long after its first failure a commit is tried, and its outcome looked for, while the database cannot
/// be reached.
const RECONNECT_TIME: Duration = Duration::from_secs(10);

/// Between two attempts to reach it.
const RECONNECT_INTERVAL: Duration = Duration::from_millis(200);

/// A probe writes at most so much.
const PROBE_BYTES_MAX: usize = 64 << 20;

/// The commits of this process, one at a time.
#[derive(Default)]
pub(crate) struct CommitLine {
    connection: Option<Connection>,
    /// The number of the last one.
    number: u64,
}

/// How an attempt ended that did not succeed.
enum Attempt {
    /// For good: nothing was written.
    Refused(StoreError),
    /// Nothing was written, and it can be tried again.
    Undone(StoreError),
    /// The connection was lost before the first change was sent.
    Unreachable(StoreError),
    /// The connection was lost while the commit was under way.
    Lost(StoreError),
}

/// Who decides, as a commit finds it.
struct FoundLease {
    holder: String,
    term: u64,
    address: String,
    is_live: bool,
}

/// The changes of a batch in one table: of one row the last change counts.
#[derive(Default)]
struct TableChanges<'a> {
    put: BTreeMap<&'a [u8], &'a [u8]>,
    deleted: std::collections::BTreeSet<&'a [u8]>,
}

/// Makes all changes of the batch or none; what a lost connection leaves unknown is looked up.
pub(crate) fn commit_or_resolve(
    parts: &SharedParts,
    purpose: HandlePurpose,
    batch: &WriteBatch,
) -> Result<(), StoreError> {
    let mut line = lock_ignoring_poison(&parts.commits);
    line.number += 1;
    let committed = try_until_known(parts, &mut line, |connection, number| {
        attempt_commit(parts, connection, (purpose, number), batch)
    });
    drop(line);

    match &committed {
        Ok(()) => parts.trouble.clear_write_failure(),
        Err(StoreError::Failed(_) | StoreError::Unknown(_) | StoreError::Damaged(_)) => {
            if let Err(error) = &committed {
                parts.trouble.write_failed(error, bytes_of(batch));
            }
        }
        Err(_) => (),
    }
    committed
}

fn bytes_of(batch: &WriteBatch) -> usize {
    let size = |change: &RowChange| change.key.len() + change.value.as_ref().map_or(0, Vec::len);
    batch.changes.iter().map(size).sum()
}

/// Tries a commit until its outcome is known, or the database was away for too long.
fn try_until_known(
    parts: &SharedParts,
    line: &mut CommitLine,
    attempt: impl Fn(&Connection, u64) -> Result<(), Attempt>,
) -> Result<(), StoreError> {
    let (mut tries, mut is_unknown, mut end) = (0, false, None);
    loop {
        tries += 1;
        let outcome = match connect_line(parts, line) {
            Err(error) => Err(Attempt::Unreachable(error)),
            Ok(connection) => {
                // Under the lock the lost attempt is over, and the mark says how it ended.
                let known =
                    if is_unknown { has_mark(parts, &connection, line.number) } else { Ok(false) };
                let outcome = known.and_then(|is_there| {
                    is_unknown = false;
                    if is_there { Ok(()) } else { attempt(&connection, line.number) }
                });
                let is_kept = !matches!(outcome, Err(Attempt::Unreachable(_) | Attempt::Lost(_)));
                line.connection = Some(connection).filter(|_| is_kept);
                outcome
            }
        };

        let error = match outcome {
            Ok(()) => return Ok(()),
            Err(Attempt::Refused(error)) => return Err(error),
            Err(Attempt::Undone(error)) if tries >= TRIES_MAX => return Err(error),
            Err(Attempt::Undone(_)) => {
                // Longer each time, and not at the same time as the other.
                std::thread::sleep(Duration::from_millis(u64::from(5 * tries * tries)));
                continue;
            }
            Err(Attempt::Unreachable(error)) => error,
            Err(Attempt::Lost(error)) => {
                is_unknown = true;
                error
            }
        };
        // A commit that is lost after a long wait is looked up as well.
        let end = *end.get_or_insert_with(|| Instant::now() + RECONNECT_TIME);
        if Instant::now() >= end {
            return Err(match is_unknown {
                true => StoreError::Unknown(error.to_string()),
                false => error,
            });
        }
        std::thread::sleep(RECONNECT_INTERVAL);
    }
}

fn connect_line(parts: &SharedParts, line: &mut CommitLine) -> Result<Connection, StoreError> {
    match line.connection.take().filter(|kept| !kept.client.is_closed()) {
        Some(kept) => Ok(kept),
        None => parts.connector.connect(ConnectionUse::Writing),
    }
}

/// Whether a commit of this process with this number was made.
fn has_mark(parts: &SharedParts, connection: &Connection, number: u64) -> Result<bool, Attempt> {
    let lost = |error: AskError| Attempt::Lost(error.to_store_error(parts.connector.settings()));
    lock(parts, connection).map_err(|attempt| match attempt {
        // Still unknown.
        Attempt::Refused(error) | Attempt::Undone(error) | Attempt::Unreachable(error) => {
            Attempt::Lost(error)
        }
        lost @ Attempt::Lost(_) => lost,
    })?;
    let host: [&(dyn ToSql + Sync); 1] = [&parts.host_id];
    let found = connection.client.query("SELECT number FROM accredit_marks WHERE host = $1", &host);
    let found = await_answer(found).map_err(lost)?;
    let found = found.first().map(|row| row.try_get::<_, i64>(0)).transpose();
    let found = found.map_err(|error| lost(error.into()))?;
    connection.roll_back_later();
    Ok(found == Some(number.cast_signed()))
}

/// Begins the transaction with the lock of all commits.
fn lock(parts: &SharedParts, connection: &Connection) -> Result<FoundLease, Attempt> {
    let settings = parts.connector.settings();
    let end = Instant::now() + ANSWER_WAIT;
    let Some(locked) = await_until(connection.client.simple_query(LOCK), end) else {
        return Err(Attempt::Unreachable(failure::no_answer(settings)));
    };
    let answer = locked.map_err(|error| undone(parts, connection, &error.into()))?;

    let mut rows = answer.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    let version = rows.next().and_then(|row| row.get(0)).and_then(|text| text.parse().ok());
    if version != Some(STORE_VERSION) {
        connection.roll_back_later();
        return Err(Attempt::Refused(schema::version_error(version, settings)));
    }
    let lease = rows.next();
    let text = |column| lease.and_then(|row| row.get(column)).unwrap_or_default().to_owned();
    Ok(FoundLease {
        holder: text(0),
        term: text(1).parse().unwrap_or_default(),
        address: text(2),
        is_live: text(3) == "1",
    })
}

/// An error before the first change was sent.
fn undone(parts: &SharedParts, connection: &Connection, error: &AskError) -> Attempt {
    let told = error.to_store_error(parts.connector.settings());
    if error.is_lost() {
        return Attempt::Unreachable(told);
    }
    connection.roll_back_later();
    if error.is_retried() { Attempt::Undone(told) } else { Attempt::Refused(told) }
}

fn attempt_commit(
    parts: &SharedParts,
    connection: &Connection,
    (purpose, number): (HandlePurpose, u64),
    batch: &WriteBatch,
) -> Result<(), Attempt> {
    let lease = lock(parts, connection)?;
    if !batch.is_shared && !may_decide(parts, purpose, &lease) {
        connection.roll_back_later();
        return Err(Attempt::Refused(StoreError::Elsewhere(lease.address)));
    }
    match expected_rows_hold(connection, batch) {
        Ok(true) => (),
        Ok(false) => {
            connection.roll_back_later();
            return Err(Attempt::Refused(StoreError::Conflict));
        }
        Err(error) => return Err(undone(parts, connection, &error)),
    }
    write_changes(parts, connection, number, batch)
}

/// Whether a handle may commit what only the process that decides may.
fn may_decide(parts: &SharedParts, purpose: HandlePurpose, lease: &FoundLease) -> bool {
    match purpose {
        // An end that nobody has used does no harm: who takes the lease waits for the lock.
        HandlePurpose::Term(term) => lease.holder == parts.host_id && lease.term == term,
        HandlePurpose::Following => false,
        HandlePurpose::Alone => !lease.is_live,
    }
}

fn expected_rows_hold(connection: &Connection, batch: &WriteBatch) -> Result<bool, AskError> {
    let mut by_table: BTreeMap<StoreTable, Vec<&RowChange>> = BTreeMap::new();
    for expected in &batch.expected {
        by_table.entry(expected.table).or_default().push(expected);
    }

    let mut asked = Vec::new();
    for (table, rows) in by_table {
        let statement = connection.statement(table, RowStatement::GetMany)?;
        let keys: Vec<&[u8]> = rows.iter().map(|row| row.key.as_slice()).collect();
        asked.push((statement, keys, rows));
    }
    let client = &connection.client;
    let answers =
        asked.iter().map(async |(statement, keys, _)| client.query(statement, &[keys]).await);
    let answers = await_until(join_all(answers), Instant::now() + ANSWER_WAIT);
    let answers = answers.ok_or(AskError::Silent)?;

    for ((_, _, expected), answer) in asked.iter().zip(answers) {
        let mut found: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for row in answer? {
            found.insert(row.try_get(0)?, row.try_get(1)?);
        }
        if expected.iter().any(|row| found.get(&row.key) != row.value.as_ref()) {
            return Ok(false);
        }
    }
    Ok(true)
}

impl<'a> TableChanges<'a> {
    fn add(&mut self, change: &'a RowChange) {
        let key = change.key.as_slice();
        match &change.value {
            Some(value) => {
                self.deleted.remove(key);
                self.put.insert(key, value);
            }
            None => {
                self.put.remove(key);
                self.deleted.insert(key);
            }
        }
    }
}

/// Sends all changes at once with the mark of the commit, then ends the transaction.
fn write_changes(
    parts: &SharedParts,
    connection: &Connection,
    number: u64,
    batch: &WriteBatch,
) -> Result<(), Attempt> {
    let mut by_table: BTreeMap<StoreTable, TableChanges<'_>> = BTreeMap::new();
    for change in &batch.changes {
        match by_table.entry(change.table) {
            Entry::Occupied(known) => known.into_mut().add(change),
            Entry::Vacant(place) => place.insert(TableChanges::default()).add(change),
        }
    }

    let before = |error: AskError| undone(parts, connection, &error);
    let mut statements: Vec<(Statement, Vec<Vec<&[u8]>>)> = Vec::new();
    for (table, changes) in &by_table {
        if !changes.put.is_empty() {
            let statement = connection.statement(*table, RowStatement::Put).map_err(before)?;
            let keys = changes.put.keys().copied().collect();
            statements.push((statement, vec![keys, changes.put.values().copied().collect()]));
        }
        if !changes.deleted.is_empty() {
            let statement = connection.statement(*table, RowStatement::Delete).map_err(before)?;
            statements.push((statement, vec![changes.deleted.iter().copied().collect()]));
        }
    }
    let mark = connection.mark_statement(MARK).map_err(before)?;

    let number = number.cast_signed();
    let client = &connection.client;
    let changes = statements.iter().map(async |(statement, columns)| {
        let columns: Vec<&(dyn ToSql + Sync)> =
            columns.iter().map(|column| column as &(dyn ToSql + Sync)).collect();
        client.execute(statement, &columns).await.map(drop)
    });
    let marked: [&(dyn ToSql + Sync); 2] = [&parts.host_id, &number];
    let written = join(join_all(changes), client.execute(&mark, &marked));

    let settings = parts.connector.settings();
    let end = Instant::now() + ANSWER_WAIT;
    let Some((changes, marked)) = await_until(written, end) else {
        return Err(Attempt::Unreachable(failure::no_answer(settings)));
    };
    // The first error is the cause of the others.
    let written = changes.into_iter().collect::<Result<(), Error>>().and(marked.map(drop));
    written.map_err(|error| before(error.into()))?;

    // Sent alone: no change can be missing from what it makes durable.
    match await_until(client.batch_execute("COMMIT"), end) {
        None => Err(Attempt::Lost(failure::no_answer(settings))),
        Some(Ok(())) => Ok(()),
        Some(Err(error)) => {
            let told = failure::store_error(settings, &error);
            // Any other answer leaves open whether the changes are there, as CockroachDB's 40003 says.
            Err(if failure::is_retried(&error) {
                Attempt::Undone(told)
            } else {
                Attempt::Lost(told)
            })
        }
    }
}

/// Writes as many bytes as could not be written, and undoes it.
pub(crate) fn probe_writing(parts: &SharedParts) -> Result<(), StoreError> {
    let Some(bytes) = parts.trouble.failed_bytes() else { return Ok(()) };
    let bytes = bytes.clamp(1, PROBE_BYTES_MAX);
    let mut line = lock_ignoring_poison(&parts.commits);
    let probed = try_until_known(parts, &mut line, |connection, _| {
        lock(parts, connection)?;
        // Random bytes, which the database cannot make shorter.
        let mut value = vec![0_u8; bytes];
        getrandom::fill(&mut value)
            .map_err(|error| Attempt::Refused(StoreError::Failed(error.to_string())))?;
        let (keys, values) = (vec![format!("probe/{}", parts.host_id).into_bytes()], vec![value]);
        let row: [&(dyn ToSql + Sync); 2] = [&keys, &values];
        let put = connection.statement(StoreTable::Meta, RowStatement::Put);
        let put = put.map_err(|error| undone(parts, connection, &error))?;
        let wrote = await_answer(connection.client.execute(&put, &row));
        wrote.map_err(|error| undone(parts, connection, &error))?;
        connection.roll_back_later();
        Ok(())
    });
    drop(line);

    match &probed {
        Ok(()) => parts.trouble.clear_write_failure(),
        Err(error) => parts.trouble.write_failed(error, bytes),
    }
    probed
}
