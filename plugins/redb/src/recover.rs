//! After an I/O error: the file is opened anew, and what became of the commit is looked up.
//!
//! Every commit writes its number. One that failed, and whose number is there after opening anew, was
//! durable all the same; one whose number is not there is tried once more, as a disk that failed once
//! may have room again.
//!
//! **Architecture invariant:** an error that says that nothing was written is true.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use accredit_seams::store::{Batch, Error};
use redb::{Database, ReadTransaction, ReadableDatabase};

use crate::file::DataFile;
use crate::guard::guarded;
use crate::{Redb, failed, last_mark, lock, write};

/// How the file is opened anew.
pub(crate) enum Opener {
    /// By its path.
    File(DataFile),
    /// By making its backend.
    Made(Box<dyn Fn() -> Result<Database, Error> + Send + Sync>),
    /// It cannot be opened again.
    Once,
}

/// Between two attempts to open a file that could not be opened.
const AGAIN: Duration = Duration::from_millis(200);

/// A probe writes at most so much.
const PROBE_BYTES_MAX: usize = 64 << 20;

const PROBE: redb::TableDefinition<'static, &'static [u8], &'static [u8]> =
    redb::TableDefinition::new("probe");

impl Opener {
    /// Why the file is not where it was opened.
    pub(crate) fn missing(&self) -> Option<String> {
        match self {
            Opener::File(file) => file.missing(),
            Opener::Made(_) | Opener::Once => None,
        }
    }

    fn open(&self) -> Result<Database, Error> {
        match self {
            Opener::File(file) => guarded(|| file.open_again()),
            Opener::Made(make) => make(),
            Opener::Once => {
                Err(Error::Unknown("an earlier commit failed; open the file anew".to_owned()))
            }
        }
    }
}

fn closed() -> Error {
    Error::Failed("it could not be opened anew after an error".to_owned())
}

fn bytes_of(batch: &Batch) -> usize {
    let size = |change: &accredit_seams::store::Change| {
        change.key.len() + change.value.as_ref().map_or(0, Vec::len)
    };
    batch.changes.iter().map(size).sum()
}

impl Redb {
    /// A view of the last commit, while the file is open.
    pub(crate) fn begin_read(&self) -> Result<ReadTransaction, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        guarded(|| {
            let reading = database.as_ref().ok_or_else(closed)?.begin_read();
            reading.map_err(|error| self.trouble.read_failed(error))
        })
    }

    /// Does something with the database while it is open for writing.
    fn with_database<T>(
        &self,
        work: impl FnOnce(&Database) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let database = database.as_ref().ok_or_else(closed)?;
        guarded(|| work(database))
    }

    /// Opens the file anew if it must be; the caller holds the turn of commits.
    pub(crate) fn reopen_when_latched(&self) -> Result<(), Error> {
        if !self.trouble.is_latched() {
            return Ok(());
        }

        let mut tried = lock(&self.tried);
        if tried.is_some_and(|at| at.elapsed() < AGAIN) {
            return Err(Error::Failed("it is opened anew in a moment".to_owned()));
        }

        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if !matches!(self.opener, Opener::Once) {
            // The old one holds the lock of the file until it is closed.
            database.take();
        }

        match self.opener.open() {
            Ok(opened) => {
                *database = Some(opened);
                *tried = None;
                self.trouble.latch(false);
                Ok(())
            }
            Err(error) => {
                *tried = Some(Instant::now());
                Err(error)
            }
        }
    }

    /// Makes all changes of the batch or none, also over an I/O error.
    pub(crate) fn commit_or_recover(&self, batch: &Batch) -> Result<(), Error> {
        let mut last = lock(&self.commits);
        if let Some(missing) = self.opener.missing() {
            return Err(Error::Failed(missing));
        }
        // A disk that failed a moment ago has no second try: the next commit is one.
        let was_well = self.trouble.reason().is_none();
        self.reopen_when_latched()?;

        *last += 1;
        match self.attempt(batch, *last) {
            Err(Error::Failed(_) | Error::Unknown(_) | Error::Damaged(_)) if was_well => {
                self.attempt(batch, *last)
            }
            other => other,
        }
    }

    /// Writes once; after an error the file is opened anew, and the commit is looked up.
    fn attempt(&self, batch: &Batch, mark: u64) -> Result<(), Error> {
        self.reopen_when_latched()?;
        let error = match self.with_database(|database| write(database, batch, mark)) {
            Ok(()) => {
                self.trouble.written();
                return Ok(());
            }
            Err(Error::Conflict) => return Err(Error::Conflict),
            Err(error) => error,
        };

        self.trouble.write_failed(&error, bytes_of(batch));
        if self.reopen_when_latched().is_err() {
            return Err(error);
        }
        match self.with_database(last_mark) {
            Ok(found) if found == mark => {
                self.trouble.written();
                Ok(())
            }
            Ok(_) => Err(Error::Failed(error.to_string())),
            Err(_) => Err(error),
        }
    }

    /// Writes as many bytes as could not be written, and takes them away again.
    pub(crate) fn write_as_much_again(&self) -> Result<(), Error> {
        let Some(bytes) = self.trouble.bytes() else { return Ok(()) };
        let _one_at_a_time = lock(&self.commits);
        if let Some(missing) = self.opener.missing() {
            return Err(Error::Failed(missing));
        }
        self.reopen_when_latched()?;

        let bytes = bytes.clamp(1, PROBE_BYTES_MAX);
        let value = vec![0_u8; bytes];
        let probed = self.with_database(|database| {
            probe(database, Some(&value)).and_then(|()| probe(database, None))
        });
        match probed {
            Ok(()) => {
                self.trouble.written();
                Ok(())
            }
            Err(error) => {
                self.trouble.write_failed(&error, bytes);
                Err(error)
            }
        }
    }
}

fn probe(database: &Database, value: Option<&[u8]>) -> Result<(), Error> {
    let mut transaction = database.begin_write().map_err(failed)?;
    transaction.set_quick_repair(true);
    let mut table = transaction.open_table(PROBE).map_err(failed)?;
    match value {
        Some(value) => table.insert(&b"probe"[..], value).map_err(failed)?,
        None => table.remove(&b"probe"[..]).map_err(failed)?,
    };
    drop(table);
    transaction.commit().map_err(failed)
}
