//! The embedded store: one redb file.
//!
//! Every commit is durable, in two phases with its allocator state, so that opening after a power
//! cut is quick and rows from strangers cannot pass for a whole commit. After an I/O error redb
//! refuses everything until the file is opened anew: the store does that by itself, looks whether the
//! commit became durable, and tries once more. Source: RELIABILITY 3.
//!
//! **Architecture invariants:** no script and no waiting happens inside a write transaction; a panic
//! of redb over a damaged page leaves here as [`Error::Damaged`].

pub mod failing;
mod file;
mod recover;
mod trouble;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use redb::{
    Database, DatabaseError, Durability, ReadOnlyDatabase, ReadTransaction, ReadableDatabase,
    ReadableTable, StorageBackend, TableDefinition, TableHandle, WriteTransaction,
};

use accredit_seams::store::{Batch, Error, Row, Snapshot, Store, Table};

use crate::file::DataFile;
use crate::recover::Opener;
use crate::trouble::Trouble;

/// Memory that redb may use for pages.
const CACHE_BYTES: usize = 128 << 20;

/// The number of the last commit, so that it can be looked up whether one became durable.
const MARKS: TableDefinition<'static, &'static [u8], u64> = TableDefinition::new("marks");
const LAST_MARK: &[u8] = b"last";

/// A database that is open for reading and writing, or for reading alone.
enum Opened {
    Writable(Database),
    ReadOnly(ReadOnlyDatabase),
}

/// A redb file.
pub struct Redb {
    /// None while the file cannot be opened anew.
    database: RwLock<Option<Opened>>,
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

/// Does something with redb; a panic over a damaged page becomes an error.
fn guarded<T>(work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Damaged("a page of the file".to_owned())))
}

fn opened(database: Result<Database, DatabaseError>) -> Result<Database, Error> {
    let database = database.map_err(|error| match error {
        DatabaseError::DatabaseAlreadyOpen => Error::Busy,
        other => failed(other),
    })?;
    make_tables(&database)?;
    Ok(database)
}

/// Every table exists from the start, so that reading never has to ask. A file that has all of them
/// is not written to: it can be read when its disk is full.
fn make_tables(database: &Database) -> Result<(), Error> {
    let reading = database.begin_read().map_err(failed)?;
    let known = reading.list_tables().map_err(failed)?;
    let known: Vec<String> = known.map(|table| table.name().to_owned()).collect();
    drop(reading);
    let is_known = |name: &str| known.iter().any(|known| known == name);
    if Table::ALL.iter().all(|(_, name)| is_known(name)) && is_known(MARKS.name()) {
        return Ok(());
    }

    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_quick_repair(true);
    for (table, _) in Table::ALL {
        transaction.open_table(definition(table)).map_err(failed)?;
    }
    transaction.open_table(MARKS).map_err(failed)?;
    transaction.commit().map_err(failed)
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

    /// Opens the file at `path` for reading alone, for a file that may not be written; it must have
    /// been closed in order.
    ///
    /// # Errors
    /// As [`Redb::open`].
    pub fn open_read_only(path: &Path) -> Result<Redb, Error> {
        let database = guarded(|| {
            ReadOnlyDatabase::open(path).map_err(|error| match error {
                DatabaseError::DatabaseAlreadyOpen => Error::Busy,
                other => failed(other),
            })
        })?;
        Ok(Redb::of(Opened::ReadOnly(database), Opener::Once, 0))
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
        Ok(Redb::of(Opened::Writable(database), opener, last))
    }

    fn of(database: Opened, opener: Opener, last: u64) -> Redb {
        Redb {
            database: RwLock::new(Some(database)),
            opener,
            trouble: Arc::default(),
            commits: Mutex::new(last),
            tried: Mutex::default(),
        }
    }
}

fn on_backend(backend: impl StorageBackend) -> Result<Database, Error> {
    guarded(|| {
        let mut builder = Database::builder();
        opened(builder.set_cache_size(CACHE_BYTES).create_with_backend(backend))
    })
}

fn last_mark(database: &Database) -> Result<u64, Error> {
    let table = database.begin_read().map_err(failed)?;
    let table = table.open_table(MARKS).map_err(failed)?;
    let mark = table.get(LAST_MARK).map_err(failed)?;
    Ok(mark.map_or(0, |mark| mark.value()))
}

/// Writes the batch with its mark.
fn write(database: &Database, batch: &Batch, mark: u64) -> Result<(), Error> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_durability(Durability::Immediate).map_err(failed)?;
    transaction.set_quick_repair(true);
    for expected in &batch.expected {
        let table = transaction.open_table(definition(expected.table)).map_err(failed)?;
        let found = table.get(expected.key.as_slice()).map_err(failed)?;
        if found.map(|value| value.value().to_vec()) != expected.value {
            return Err(Error::Conflict);
        }
    }

    write_changes(&transaction, batch)?;
    transaction.open_table(MARKS).map_err(failed)?.insert(LAST_MARK, mark).map_err(failed)?;
    transaction.commit().map_err(|error| Error::Unknown(error.to_string()))
}

fn write_changes(transaction: &WriteTransaction, batch: &Batch) -> Result<(), Error> {
    for (kind, _) in Table::ALL {
        let mut changes = batch.changes.iter().filter(|c| c.table == kind).peekable();
        if changes.peek().is_none() {
            continue;
        }
        let mut table = transaction.open_table(definition(kind)).map_err(failed)?;
        for change in changes {
            let key = change.key.as_slice();
            match &change.value {
                Some(value) => table.insert(key, value.as_slice()).map_err(failed)?,
                None => table.remove(key).map_err(failed)?,
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
