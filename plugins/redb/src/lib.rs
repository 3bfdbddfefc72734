//! The embedded store: one redb file.
//!
//! Every commit is durable, in two phases with its allocator state, so that opening after a power
//! cut is quick and rows from strangers cannot pass for a whole commit. After an I/O error redb
//! refuses everything until the file is opened anew: the store does that by itself, looks whether the
//! commit became durable, and tries once more. The first opening compares the checksum of every page,
//! since redb trusts what it reads later. Source: RELIABILITY 3.
//!
//! **Architecture invariants:** no script and no waiting happens inside a write transaction; a panic
//! of redb over a damaged page leaves here as [`StoreError::Damaged`].

pub mod failing;
mod file;
mod guard;
mod overlay;
mod packing;
mod recover;
mod trouble;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

use redb::{
    Database, DatabaseError, Durability, ReadOnlyTable, ReadTransaction, ReadableDatabase,
    ReadableTable, ReadableTableMetadata, StorageBackend, TableDefinition, TableHandle,
    WriteTransaction,
};

use accredit_seams::store::{
    RowChange, Snapshot, Store, StoreError, StoreRow, StoreTable, WriteBatch,
};

use crate::file::DataFile;
use crate::guard::guarded;
use crate::overlay::ReadOnlyOverlay;
use crate::recover::DatabaseOpener;
use crate::trouble::FailureState;

/// Memory that redb may use for pages.
const CACHE_BYTES: usize = 128 << 20;

/// The number of the last commit, so that it can be looked up whether one became durable.
const MARKS: TableDefinition<'static, &'static [u8], u64> = TableDefinition::new("marks");
const LAST_MARK: &[u8] = b"last";

/// A data file of redb.
pub struct RedbStore {
    /// None while the file cannot be opened anew.
    database: RwLock<Option<Database>>,
    opener: DatabaseOpener,
    trouble: Arc<FailureState>,
    /// One commit at a time, with the number of the last one.
    commits: Mutex<u64>,
    /// When the last attempt to open the file anew failed.
    tried: Mutex<Option<Instant>>,
}

/// A table of rows that are bytes, open for reading.
type OpenTable = ReadOnlyTable<&'static [u8], &'static [u8]>;

struct RedbSnapshot {
    transaction: ReadTransaction,
    /// Tables that were read: finding one by its name takes longer than finding a row in it.
    open: RefCell<BTreeMap<StoreTable, OpenTable>>,
    trouble: Arc<FailureState>,
}

fn table_definition(table: StoreTable) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.table_name())
}

fn failed_error(error: impl ToString) -> StoreError {
    StoreError::Failed(error.to_string())
}

fn lock_ignoring_poison<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves nothing half done: a commit is whole or absent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What redb could not do, as an error of ours.
fn store_error(error: impl Into<redb::Error>) -> StoreError {
    match error.into() {
        redb::Error::DatabaseAlreadyOpen => StoreError::Busy,
        redb::Error::Corrupted(what) => StoreError::Damaged(what),
        redb::Error::UpgradeRequired(version) => {
            StoreError::Damaged(format!("its pages have the unknown version {version}"))
        }
        redb::Error::TableTypeMismatch { table, .. } => {
            StoreError::Damaged(format!("table `{table}` is of another type"))
        }
        redb::Error::Io(error)
            if error.kind() == std::io::ErrorKind::UnexpectedEof
                || error.kind() == std::io::ErrorKind::InvalidData =>
        {
            StoreError::Damaged(format!("its length or its header is wrong ({error})"))
        }
        other => failed_error(other),
    }
}

fn with_tables(database: Result<Database, DatabaseError>) -> Result<Database, StoreError> {
    let database = database.map_err(store_error)?;
    make_tables(&database)?;
    Ok(database)
}

/// Every table exists from the start, so that reading never has to ask. A file that has all of them
/// is not written to: it can be read when its disk is full.
fn make_tables(database: &Database) -> Result<(), StoreError> {
    let reading = database.begin_read().map_err(store_error)?;
    let known = reading.list_tables().map_err(store_error)?;
    let known: Vec<String> = known.map(|table| table.name().to_owned()).collect();
    drop(reading);
    let is_known = |name: &str| known.iter().any(|known| known == name);
    if StoreTable::ALL.iter().all(|(_, name)| is_known(name)) && is_known(MARKS.name()) {
        return Ok(());
    }

    let mut transaction = database.begin_write().map_err(store_error)?;
    // Quick repair: after a crash a file of any size opens at once.
    transaction.set_quick_repair(true);
    for (table, _) in StoreTable::ALL {
        transaction.open_table(table_definition(table)).map_err(store_error)?;
    }
    transaction.open_table(MARKS).map_err(store_error)?;
    transaction.commit().map_err(store_error)
}

impl RedbStore {
    /// Opens or makes the file at `path`.
    ///
    /// # Errors
    /// [`StoreError::Busy`] when another process has it open; [`StoreError::Damaged`] when redb
    /// cannot make sense of it.
    pub fn open(path: &Path) -> Result<RedbStore, StoreError> {
        let (file, database) = guarded(|| {
            let (file, database) = DataFile::open_or_create(path)?;
            make_tables(&database)?;
            Ok((file, database))
        })?;
        RedbStore::new(database, DatabaseOpener::File(file))
    }

    /// Opens the file at `path` for reading alone: it may be one without write permission, and one
    /// whose last process ended without closing it. What is written stays in memory.
    ///
    /// # Errors
    /// As [`RedbStore::open`].
    pub fn open_read_only(path: &Path) -> Result<RedbStore, StoreError> {
        let database = guarded(|| {
            let mut builder = Database::builder();
            builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(true);
            with_tables(builder.create_with_backend(ReadOnlyOverlay::open_file(path)?))
        })?;
        RedbStore::new(database, DatabaseOpener::Once)
    }

    /// The store on a backend of one's own, such as a disk that fails. After a commit of unknown
    /// outcome it refuses to write.
    ///
    /// # Errors
    /// When what is on it cannot be opened.
    pub fn with_backend(backend: impl StorageBackend) -> Result<RedbStore, StoreError> {
        RedbStore::new(on_backend(backend)?, DatabaseOpener::Once)
    }

    /// The store on a backend that is made anew after every I/O error.
    ///
    /// # Errors
    /// When what is on it cannot be opened.
    pub fn with_backends<B: StorageBackend>(
        make: impl Fn() -> B + Send + Sync + 'static,
    ) -> Result<RedbStore, StoreError> {
        let database = on_backend(make())?;
        RedbStore::new(database, DatabaseOpener::Made(Box::new(move || on_backend(make()))))
    }

    fn new(database: Database, opener: DatabaseOpener) -> Result<RedbStore, StoreError> {
        let last = guarded(|| last_mark(&database))?;
        Ok(RedbStore::with_last_mark(database, opener, last))
    }

    fn with_last_mark(database: Database, opener: DatabaseOpener, last: u64) -> RedbStore {
        RedbStore {
            database: RwLock::new(Some(database)),
            opener,
            trouble: Arc::default(),
            commits: Mutex::new(last),
            tried: Mutex::default(),
        }
    }
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // What was committed is durable: there is nothing to tell about the closing.
        let _ = guarded(|| {
            drop(database);
            Ok(())
        });
    }
}

fn on_backend(backend: impl StorageBackend) -> Result<Database, StoreError> {
    guarded(|| {
        let mut builder = Database::builder();
        with_tables(builder.set_cache_size(CACHE_BYTES).create_with_backend(backend))
    })
}

fn last_mark(database: &Database) -> Result<u64, StoreError> {
    let table = database.begin_read().map_err(store_error)?;
    let table = table.open_table(MARKS).map_err(store_error)?;
    let mark = table.get(LAST_MARK).map_err(store_error)?;
    Ok(mark.map_or(0, |mark| mark.value()))
}

/// Writes the batch with its mark.
fn write_batch(database: &Database, batch: &WriteBatch, mark: u64) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(store_error)?;
    // Durable when the call returns: deliveries are acknowledged on the word of this commit.
    transaction.set_durability(Durability::Immediate).map_err(failed_error)?;
    transaction.set_quick_repair(true);
    for expected in &batch.expected {
        let table =
            transaction.open_table(table_definition(expected.table)).map_err(store_error)?;
        let found = table.get(expected.key.as_slice()).map_err(store_error)?;
        if found.map(|value| value.value().to_vec()) != expected.value {
            return Err(StoreError::Conflict);
        }
    }

    write_changes(&transaction, batch)?;
    transaction
        .open_table(MARKS)
        .map_err(store_error)?
        .insert(LAST_MARK, mark)
        .map_err(store_error)?;
    transaction.commit().map_err(|error| StoreError::Unknown(error.to_string()))
}

fn write_changes(transaction: &WriteTransaction, batch: &WriteBatch) -> Result<(), StoreError> {
    let mut by_table: BTreeMap<StoreTable, Vec<&RowChange>> = BTreeMap::new();
    for change in &batch.changes {
        by_table.entry(change.table).or_default().push(change);
    }

    for (kind, mut changes) in by_table {
        // Rows with neighbouring keys share pages. Of one row the last change stays the last.
        changes.sort_by(|one, other| one.key.cmp(&other.key));
        let mut table = transaction.open_table(table_definition(kind)).map_err(store_error)?;
        packing::change_rows(&mut table, &changes)?;
    }
    Ok(())
}

impl Store for RedbStore {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        if self.trouble.is_latched() {
            let _one_at_a_time = lock_ignoring_poison(&self.commits);
            self.reopen_when_latched()?;
        }

        let transaction = self.begin_read()?;
        let (open, trouble) = (RefCell::default(), Arc::clone(&self.trouble));
        Ok(Box::new(RedbSnapshot { transaction, open, trouble }))
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        self.commit_or_recover(batch)
    }

    fn check_health(&self) -> Result<(), StoreError> {
        let fault = self.opener.missing_reason().or_else(|| self.trouble.failure_reason());
        fault.map_or(Ok(()), |reason| Err(StoreError::Failed(reason)))
    }

    fn probe_writing(&self) -> Result<(), StoreError> {
        self.write_as_much_again()
    }
}

impl RedbSnapshot {
    fn read_failed(&self, error: impl Into<redb::Error>) -> StoreError {
        self.trouble.read_failed(error)
    }

    /// Reads something of a table.
    fn with_table<T>(
        &self,
        table: StoreTable,
        read: impl FnOnce(&OpenTable) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        guarded(|| match self.open.borrow_mut().entry(table) {
            Entry::Occupied(open) => read(open.get()),
            Entry::Vacant(place) => {
                let opened = self.transaction.open_table(table_definition(table));
                read(place.insert(opened.map_err(|error| self.read_failed(error))?))
            }
        })
    }
}

impl Snapshot for RedbSnapshot {
    fn get(&self, table: StoreTable, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.with_table(table, |table| {
            let value = table.get(key).map_err(|error| self.read_failed(error))?;
            Ok(value.map(|value| value.value().to_vec()))
        })
    }

    fn scan_prefix(
        &self,
        table: StoreTable,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<StoreRow>, StoreError> {
        self.with_table(table, |table| {
            let mut rows = Vec::new();
            for row in table.range(from.max(prefix)..).map_err(|error| self.read_failed(error))? {
                let (key, value) = row.map_err(|error| self.read_failed(error))?;
                if rows.len() >= limit || !key.value().starts_with(prefix) {
                    break;
                }
                rows.push((key.value().to_vec(), value.value().to_vec()));
            }
            Ok(rows)
        })
    }

    fn last_row(&self, table: StoreTable) -> Result<Option<StoreRow>, StoreError> {
        self.with_table(table, |table| {
            let last = table.last().map_err(|error| self.read_failed(error))?;
            Ok(last.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
        })
    }

    fn row_count(&self, table: StoreTable) -> Result<u64, StoreError> {
        self.with_table(table, |table| table.len().map_err(|error| self.read_failed(error)))
    }
}

#[cfg(test)]
mod tests;
