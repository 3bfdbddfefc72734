//! After an I/O error: the file is opened anew, and what became of the commit is looked up.
//!
//! Every commit writes its number. One that failed, and whose number is there after opening anew, was
//! durable all the same; one whose number is not there is tried once more, as a disk that failed once
//! may have room again.
//!
//! **Architecture invariant:** an error that says that nothing was written is true.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use accredit_seams::store::{StoreError, WriteBatch};
use redb::{Database, ReadTransaction, ReadableDatabase};

use crate::file::DataFile;
use crate::guard::guarded;
use crate::{
    RedbStore, failed_error, last_mark, lock_ignoring_poison, packing, store_error, write_batch,
};

/// How the file is opened anew.
pub(crate) enum DatabaseOpener {
    /// A data file, opened by its path.
    File(DataFile),
    /// By making its backend.
    Made(Box<dyn Fn() -> Result<Database, StoreError> + Send + Sync>),
    /// It cannot be opened again.
    Once,
}

/// Between two attempts to open a file that could not be opened.
const REOPEN_INTERVAL: Duration = Duration::from_millis(200);

/// A probe writes at most so much.
const PROBE_BYTES_MAX: usize = 64 << 20;

const PROBE: redb::TableDefinition<'static, &'static [u8], &'static [u8]> =
    redb::TableDefinition::new("probe");

impl DatabaseOpener {
    /// Why the file is not where it was opened.
    pub(crate) fn missing_reason(&self) -> Option<String> {
        match self {
            DatabaseOpener::File(file) => file.missing_reason(),
            DatabaseOpener::Made(_) | DatabaseOpener::Once => None,
        }
    }

    fn open_database(&self) -> Result<Database, StoreError> {
        match self {
            DatabaseOpener::File(file) => guarded(|| file.open_again()),
            DatabaseOpener::Made(make) => make(),
            DatabaseOpener::Once => {
                Err(StoreError::Unknown("an earlier commit failed; reopen the file".to_owned()))
            }
        }
    }
}

fn closed_error() -> StoreError {
    StoreError::Failed("it could not be reopened after an error".to_owned())
}

fn bytes_of(batch: &WriteBatch) -> usize {
    let size = |change: &accredit_seams::store::RowChange| {
        change.key.len() + change.value.as_ref().map_or(0, Vec::len)
    };
    batch.changes.iter().map(size).sum()
}

impl RedbStore {
    /// A view of the last commit, while the file is open.
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        guarded(|| {
            let reading = database.as_ref().ok_or_else(closed_error)?.begin_read();
            reading.map_err(|error| self.trouble.read_failed(error))
        })
    }

    /// Does something with the database while it is open for writing.
    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(closed_error)?;
        guarded(|| work(database))
    }

    /// Writes the rows of the file in full pages, moves them together, and gives what is behind them back to the disk. No view may
    /// be open.
    ///
    /// # Errors
    /// When it cannot be read or written: every row is there all the same.
    pub fn compact(&self) -> Result<(), StoreError> {
        let _one_at_a_time = lock_ignoring_poison(&self.commits);
        self.reopen_when_latched()?;

        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_mut().ok_or_else(closed_error)?;
        guarded(|| {
            packing::write_tables_anew(database)?;
            database.compact().map(drop).map_err(store_error)
        })
    }

    /// Opens the file anew if it must be; the caller holds the turn of commits.
    pub(crate) fn reopen_when_latched(&self) -> Result<(), StoreError> {
        if !self.trouble.is_latched() {
            return Ok(());
        }

        let mut tried = lock_ignoring_poison(&self.tried);
        if tried.is_some_and(|at| at.elapsed() < REOPEN_INTERVAL) {
            return Err(StoreError::Failed("it is being reopened".to_owned()));
        }

        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(self.opener, DatabaseOpener::Once) {
            // The old one holds the lock of the file until it is closed.
            database.take();
        }

        match self.opener.open_database() {
            Ok(opened) => {
                *database = Some(opened);
                *tried = None;
                self.trouble.set_latched(false);
                Ok(())
            }
            Err(error) => {
                *tried = Some(Instant::now());
                Err(error)
            }
        }
    }

    /// Makes all changes of the batch or none, also over an I/O error.
    pub(crate) fn commit_or_recover(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let mut last = lock_ignoring_poison(&self.commits);
        if let Some(missing) = self.opener.missing_reason() {
            return Err(StoreError::Failed(missing));
        }
        // A disk that failed a moment ago has no second try: the next commit is one.
        let was_well = self.trouble.failure_reason().is_none();
        self.reopen_when_latched()?;

        *last += 1;
        match self.attempt_commit(batch, *last) {
            Err(StoreError::Failed(_) | StoreError::Unknown(_) | StoreError::Damaged(_))
                if was_well =>
            {
                self.attempt_commit(batch, *last)
            }
            other => other,
        }
    }

    /// Writes once; after an error the file is opened anew, and the commit is looked up.
    fn attempt_commit(&self, batch: &WriteBatch, mark: u64) -> Result<(), StoreError> {
        self.reopen_when_latched()?;
        let error = match self.with_database(|database| write_batch(database, batch, mark)) {
            Ok(()) => {
                self.trouble.clear_write_failure();
                return Ok(());
            }
            Err(StoreError::Conflict) => return Err(StoreError::Conflict),
            Err(error) => error,
        };

        self.trouble.write_failed(&error, bytes_of(batch));
        if self.reopen_when_latched().is_err() {
            return Err(error);
        }
        match self.with_database(last_mark) {
            Ok(found) if found == mark => {
                self.trouble.clear_write_failure();
                Ok(())
            }
            Ok(_) => Err(StoreError::Failed(error.to_string())),
            Err(_) => Err(error),
        }
    }

    /// Writes as many bytes as could not be written, and takes them away again.
    pub(crate) fn write_as_much_again(&self) -> Result<(), StoreError> {
        let Some(bytes) = self.trouble.failed_bytes() else { return Ok(()) };
        let _one_at_a_time = lock_ignoring_poison(&self.commits);
        if let Some(missing) = self.opener.missing_reason() {
            return Err(StoreError::Failed(missing));
        }
        self.reopen_when_latched()?;

        let bytes = bytes.clamp(1, PROBE_BYTES_MAX);
        let value = vec![0_u8; bytes];
        let probed = self.with_database(|database| {
            write_probe(database, Some(&value)).and_then(|()| write_probe(database, None))
        });
        match probed {
            Ok(()) => {
                self.trouble.clear_write_failure();
                Ok(())
            }
            Err(error) => {
                self.trouble.write_failed(&error, bytes);
                Err(error)
            }
        }
    }
}

fn write_probe(database: &Database, value: Option<&[u8]>) -> Result<(), StoreError> {
    let mut transaction = database.begin_write().map_err(failed_error)?;
    transaction.set_quick_repair(true);
    let mut table = transaction.open_table(PROBE).map_err(failed_error)?;
    match value {
        Some(value) => table.insert(&b"probe"[..], value).map_err(failed_error)?,
        None => table.remove(&b"probe"[..]).map_err(failed_error)?,
    };
    drop(table);
    transaction.commit().map_err(failed_error)
}
