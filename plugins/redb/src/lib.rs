//! The embedded store: one redb file.
//!
//! Every commit is durable, in two phases with its allocator state, so that opening after a power
//! cut is quick and rows from strangers cannot pass for a whole commit. After an I/O error redb
//! refuses everything until the file is opened anew: the store does that by itself, looks whether the
//! commit became durable, and tries once more. The first opening compares the checksum of every page,
//! since redb trusts what it reads later. Source: RELIABILITY 3.
//!
//! **Architecture invariants:** no script and no waiting happens inside a write transaction; a panic
//! of redb over a damaged page leaves here as [`Error::Damaged`].

pub mod failing;
mod file;
mod guard;
mod overlay;
mod recover;
mod trouble;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use redb::{
    Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageBackend, TableDefinition, TableHandle, WriteTransaction,
};

use accredit_seams::store::{Batch, Error, Row, Snapshot, Store, Table};

use crate::file::DataFile;
use crate::guard::guarded;
use crate::overlay::Overlay;
use crate::recover::Opener;
use crate::trouble::Trouble;

/// Memory that redb may use for pages.
const CACHE_BYTES: usize = 128 << 20;

/// The number of the last commit, so that it can be looked up whether one became durable.
const MARKS: TableDefinition<'static, &'static [u8], u64> = TableDefinition::new("marks");
const LAST_MARK: &[u8] = b"last";

/// A data file of redb.
pub struct Redb {
    /// None while the file cannot be opened anew.
    database: RwLock<Option<Database>>,
    opener: Opener,
    trouble: Arc<Trouble>,
    /// One commit at a time, with the number of the last one.
    commits: Mutex<u64>,
    /// When the last attempt to open the file anew failed.
    tried: Mutex<Option<Instant>>,
}

struct View {
    transaction: ReadTransaction,
    trouble: Arc<Trouble>,
}

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

fn failed(error: impl ToString) -> Error {
    Error::Failed(error.to_string())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves nothing half done: a commit is whole or absent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What redb could not do, as an error of ours.
fn cause(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => Error::Busy,
        redb::Error::Corrupted(what) => Error::Damaged(what),
        redb::Error::UpgradeRequired(version) => {
            Error::Damaged(format!("its pages have the unknown version {version}"))
        }
        redb::Error::TableTypeMismatch { table, .. } => {
            Error::Damaged(format!("table `{table}` is of another type"))
        }
        redb::Error::Io(error)
            if error.kind() == std::io::ErrorKind::UnexpectedEof
                || error.kind() == std::io::ErrorKind::InvalidData =>
        {
            Error::Damaged(format!("its length or its head is another ({error})"))
        }
        other => failed(other),
    }
}

fn opened(database: Result<Database, DatabaseError>) -> Result<Database, Error> {
    let database = database.map_err(cause)?;
    make_tables(&database)?;
    Ok(database)
}

/// Every table exists from the start, so that reading never has to ask. A file that has all of them
/// is not written to: it can be read when its disk is full.
fn make_tables(database: &Database) -> Result<(), Error> {
    let reading = database.begin_read().map_err(cause)?;
    let known = reading.list_tables().map_err(cause)?;
    let known: Vec<String> = known.map(|table| table.name().to_owned()).collect();
    drop(reading);
    let is_known = |name: &str| known.iter().any(|known| known == name);
    if Table::ALL.iter().all(|(_, name)| is_known(name)) && is_known(MARKS.name()) {
        return Ok(());
    }

    let mut transaction = database.begin_write().map_err(cause)?;
    // Quick repair: after a crash the file opens at once, whatever its size.
    transaction.set_quick_repair(true);
    for (table, _) in Table::ALL {
        transaction.open_table(definition(table)).map_err(cause)?;
    }
    transaction.open_table(MARKS).map_err(cause)?;
    transaction.commit().map_err(cause)
}

impl Redb {
    /// Opens or makes the file at `path`.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it open; [`Error::Damaged`] when redb cannot make
    /// sense of it.
    pub fn open(path: &Path) -> Result<Redb, Error> {
        let (file, database) = guarded(|| {
            let (file, database) = DataFile::open(path)?;
            make_tables(&database)?;
            Ok((file, database))
        })?;
        Redb::new(database, Opener::File(file))
    }

    /// Opens the file at `path` for reading alone: it may be one without write permission, and one
    /// whose last process ended without closing it. What is written stays in memory.
    ///
    /// # Errors
    /// As [`Redb::open`].
    pub fn open_read_only(path: &Path) -> Result<Redb, Error> {
        let database = guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
            opened(builder.create_with_backend(Overlay::open(path)?))
        })?;
        Redb::new(database, Opener::Once)
    }

    /// The store on a backend of one's own, such as a disk that fails. After a commit of unknown
    /// outcome it refuses to write.
    ///
    /// # Errors
    /// When what is on it cannot be opened.
    pub fn with_backend(backend: impl StorageBackend) -> Result<Redb, Error> {
        Redb::new(on_backend(backend)?, Opener::Once)
    }

    /// The store on a backend that is made anew after every I/O error.
    ///
    /// # Errors
    /// When what is on it cannot be opened.
    pub fn with_backends<B: StorageBackend>(
        make: impl Fn() -> B + Send + Sync + 'static,
    ) -> Result<Redb, Error> {
        let database = on_backend(make())?;
        Redb::new(database, Opener::Made(Box::new(move || on_backend(make()))))
    }

    fn new(database: Database, opener: Opener) -> Result<Redb, Error> {
        let last = guarded(|| last_mark(&database))?;
        Ok(Redb::of(database, opener, last))
    }

    fn of(database: Database, opener: Opener, last: u64) -> Redb {
        Redb {
            database: RwLock::new(Some(database)),
            opener,
            trouble: Arc::default(),
            commits: Mutex::new(last),
            tried: Mutex::default(),
        }
    }
}

impl Drop for Redb {
    fn drop(&mut self) {
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // What was committed is durable: there is nothing to tell about the closing.
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

fn on_backend(backend: impl StorageBackend) -> Result<Database, Error> {
    guarded(|| {
        let mut builder = Database::builder();
        opened(builder.set_cache_size(CACHE_BYTES).create_with_backend(backend))
    })
}

fn last_mark(database: &Database) -> Result<u64, Error> {
    let table = database.begin_read().map_err(cause)?;
    let table = table.open_table(MARKS).map_err(cause)?;
    let mark = table.get(LAST_MARK).map_err(cause)?;
    Ok(mark.map_or(0, |mark| mark.value()))
}

/// Writes the batch with its mark.
fn write(database: &Database, batch: &Batch, mark: u64) -> Result<(), Error> {
    let mut transaction = database.begin_write().map_err(cause)?;
    // Durable when the call returns: deliveries are acknowledged on the word of this commit.
    transaction.set_durability(Durability::Immediate).map_err(failed)?;
    transaction.set_quick_repair(true);
    for expected in &batch.expected {
        let table = transaction.open_table(definition(expected.table)).map_err(cause)?;
        let found = table.get(expected.key.as_slice()).map_err(cause)?;
        if found.map(|value| value.value().to_vec()) != expected.value {
            return Err(Error::Conflict);
        }
    }

    write_changes(&transaction, batch)?;
    transaction.open_table(MARKS).map_err(cause)?.insert(LAST_MARK, mark).map_err(cause)?;
    transaction.commit().map_err(|error| Error::Unknown(error.to_string()))
}

fn write_changes(transaction: &WriteTransaction, batch: &Batch) -> Result<(), Error> {
    for (kind, _) in Table::ALL {
        let mut changes = batch.changes.iter().filter(|c| c.table == kind).peekable();
        if changes.peek().is_none() {
            continue;
        }

        let mut table = transaction.open_table(definition(kind)).map_err(cause)?;
        for change in changes {
            let key = change.key.as_slice();
            match &change.value {
                Some(value) => table.insert(key, value.as_slice()).map_err(cause)?,
                None => table.remove(key).map_err(cause)?,
            };
        }
    }
    Ok(())
}

impl Store for Redb {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        if self.trouble.is_latched() {
            let _one_at_a_time = lock(&self.commits);
            self.reopen_when_latched()?;
        }

        let transaction = self.begin_read()?;
        Ok(Box::new(View { transaction, trouble: Arc::clone(&self.trouble) }))
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        self.commit_or_recover(batch)
    }

    fn health(&self) -> Result<(), Error> {
        let fault = self.opener.missing().or_else(|| self.trouble.reason());
        fault.map_or(Ok(()), |reason| Err(Error::Failed(reason)))
    }

    fn probe(&self) -> Result<(), Error> {
        self.write_as_much_again()
    }
}

impl View {
    fn failed(&self, error: impl Into<redb::Error>) -> Error {
        self.trouble.read_failed(error)
    }
}

impl Snapshot for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        guarded(|| {
            let table = self.transaction.open_table(definition(table));
            let table = table.map_err(|error| self.failed(error))?;
            let value = table.get(key).map_err(|error| self.failed(error))?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        guarded(|| {
            let table = self.transaction.open_table(definition(table));
            let table = table.map_err(|error| self.failed(error))?;

            let mut rows = Vec::new();
            for row in table.range(from.max(prefix)..).map_err(|error| self.failed(error))? {
                let (key, value) = row.map_err(|error| self.failed(error))?;
                if rows.len() >= limit || !key.value().starts_with(prefix) {
                    break;
                }
                rows.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(rows)
        })
    }

    fn last(&self, table: Table) -> Result<Option<Row>, Error> {
        guarded(|| {
            let table = self.transaction.open_table(definition(table));
            let table = table.map_err(|error| self.failed(error))?;
            let last = table.last().map_err(|error| self.failed(error))?;
            Ok(last.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
        })
    }
}

#[cfg(test)]
mod tests;
