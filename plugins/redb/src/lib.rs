//! The embedded store: one redb file.
//!
//! Every commit is durable, in two phases with its allocator state, so that opening after a power
//! cut is quick and rows from strangers cannot pass for a whole commit. After an I/O error redb
//! refuses every further write; the store then closes the file and opens it anew, at the next commit
//! or look at its health, until the disk lets it. The first opening compares the checksum of every
//! page, since redb trusts what it reads later. Source: RELIABILITY 3.
//!
//! **Architecture invariants:** no script and no waiting happens inside a write transaction; a panic
//! of redb over a damaged page leaves here as [`Error::Damaged`].

mod guard;
mod overlay;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use accredit_seams::store::{Batch, Error, Row, Snapshot, Store, Table};
use redb::{
    CommitError, Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase,
    ReadableTable, SetDurabilityError, StorageBackend, StorageError, TableDefinition, TableError,
    TransactionError,
};

use guard::guarded;
use overlay::Overlay;

/// Memory that redb may use for pages.
const CACHE_BYTES: usize = 128 << 20;

/// Between two attempts to open the file anew.
const REOPEN_INTERVAL: Duration = Duration::from_millis(200);

/// How a store opens its database, also again.
type Opener = Box<dyn Fn() -> Result<Database, Error> + Send + Sync>;

/// Why the database cannot be used at the moment.
#[derive(Debug)]
struct Broken {
    reason: String,
    tried: Instant,
}

/// A redb file.
pub struct Redb {
    /// Absent for the moment in which a broken database is closed and opened anew.
    database: RwLock<Option<Database>>,
    broken: Mutex<Option<Broken>>,
    opener: Option<Opener>,
    /// The file, to notice that its name means another one or none.
    file: Option<(PathBuf, FileIdentity)>,
}

impl std::fmt::Debug for Redb {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Redb").field("file", &self.file).finish_non_exhaustive()
    }
}

/// Which file a name means: device and inode where the system has them.
type FileIdentity = (u64, u64);

fn identity_of(path: &Path) -> Result<FileIdentity, Error> {
    let metadata = std::fs::metadata(path).map_err(failed)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Ok((metadata.dev(), metadata.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        Ok((0, 0))
    }
}

struct View(ReadTransaction);

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

fn failed(error: impl ToString) -> Error {
    Error::Failed(error.to_string())
}

/// What redb could not do, as an error of ours.
trait Cause: ToString + Sized {
    /// What the storage below says, if it is the cause.
    fn storage(&self) -> Option<&StorageError>;

    fn into_error(self) -> Error {
        match self.storage() {
            Some(StorageError::Corrupted(what)) => Error::Damaged(what.clone()),
            Some(StorageError::Io(error))
                if error.kind() == std::io::ErrorKind::UnexpectedEof
                    || error.kind() == std::io::ErrorKind::InvalidData =>
            {
                Error::Damaged(format!("the file has another length or head ({error})"))
            }
            _ => failed(self),
        }
    }
}

impl Cause for StorageError {
    fn storage(&self) -> Option<&StorageError> {
        Some(self)
    }
}

impl Cause for SetDurabilityError {
    fn storage(&self) -> Option<&StorageError> {
        None
    }
}

/// Errors that hold one of the storage.
macro_rules! caused_by_storage {
    ($($error:ident),*) => {
        $(impl Cause for $error {
            fn storage(&self) -> Option<&StorageError> {
                match self {
                    $error::Storage(error) => Some(error),
                    _ => None,
                }
            }
        })*
    };
}

caused_by_storage!(CommitError, DatabaseError, TableError, TransactionError);

fn cause(error: impl Cause) -> Error {
    error.into_error()
}

/// Why a file cannot be opened.
fn opening(error: DatabaseError) -> Error {
    match error {
        DatabaseError::DatabaseAlreadyOpen => Error::Busy,
        DatabaseError::UpgradeRequired(version) => {
            Error::Damaged(format!("its pages have the unknown version {version}"))
        }
        other => cause(other),
    }
}

fn open_file(path: &Path, is_checked: bool) -> Result<Database, Error> {
    let mut builder = Database::builder();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(is_checked);
    builder.create(path).map_err(opening)
}

/// Whether every table exists already, so that opening needs no commit.
fn has_tables(database: &Database) -> Result<bool, Error> {
    let transaction = database.begin_read().map_err(cause)?;
    for (table, _) in Table::ALL {
        match transaction.open_table(definition(table)) {
            Ok(_) => (),
            Err(TableError::TableDoesNotExist(_)) => return Ok(false),
            Err(error) => return Err(cause(error)),
        }
    }
    Ok(true)
}

/// Every table exists from the start, so that reading never has to ask.
fn with_tables(database: Database) -> Result<Database, Error> {
    if has_tables(&database)? {
        return Ok(database);
    }
    let mut transaction = database.begin_write().map_err(cause)?;
    transaction.set_quick_repair(true);
    for (table, _) in Table::ALL {
        transaction.open_table(definition(table)).map_err(cause)?;
    }
    transaction.commit().map_err(cause)?;
    Ok(database)
}

impl Redb {
    /// Opens or makes the file at `path`.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it open; [`Error::Damaged`] when redb cannot make
    /// sense of it.
    pub fn open(path: &Path) -> Result<Redb, Error> {
        let new = !path.exists();
        let database = guarded(|| with_tables(open_file(path, true)?))?;
        if new {
            sync_folder(path)?;
        }

        let (file, again) = (path.to_owned(), path.to_owned());
        let opener: Opener = Box::new(move || {
            // A file that is gone must not come back as an empty one.
            identity_of(&again)?;
            guarded(|| with_tables(open_file(&again, false)?))
        });
        let file = (file, identity_of(path)?);
        Ok(Redb::with_database(database, Some(opener), Some(file)))
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
            with_tables(builder.create_with_backend(Overlay::open(path)?).map_err(opening)?)
        })?;
        Ok(Redb::with_database(database, None, None))
    }

    /// The store on a backend of one's own, such as a disk that fails.
    ///
    /// # Errors
    /// When what is on it cannot be opened.
    pub fn with_backend(backend: impl StorageBackend) -> Result<Redb, Error> {
        let database = guarded(|| {
            let mut builder = Database::builder();
            let database = builder.set_cache_size(CACHE_BYTES).create_with_backend(backend);
            with_tables(database.map_err(opening)?)
        })?;
        Ok(Redb::with_database(database, None, None))
    }

    /// The store on backends that `make` makes, at the start and whenever it must open anew.
    ///
    /// # Errors
    /// When what is on the first one cannot be opened.
    pub fn with_backends<B: StorageBackend>(
        make: impl Fn() -> B + Send + Sync + 'static,
    ) -> Result<Redb, Error> {
        let opener: Opener = Box::new(move || {
            guarded(|| {
                let mut builder = Database::builder();
                let database = builder.set_cache_size(CACHE_BYTES).create_with_backend(make());
                with_tables(database.map_err(opening)?)
            })
        });
        let database = opener()?;
        Ok(Redb::with_database(database, Some(opener), None))
    }

    fn with_database(
        database: Database,
        opener: Option<Opener>,
        file: Option<(PathBuf, FileIdentity)>,
    ) -> Redb {
        Redb { database: RwLock::new(Some(database)), broken: Mutex::new(None), opener, file }
    }

    /// Refuses when the file's name means another file, or none: what is written would be lost.
    fn check_file(&self) -> Result<(), Error> {
        let Some((path, known)) = &self.file else { return Ok(()) };
        match identity_of(path) {
            Ok(found) if found == *known => Ok(()),
            _ => {
                let path = path.display();
                let advice = "put it back and restart the server";
                Err(Error::Failed(format!("`{path}` was deleted or replaced; {advice}")))
            }
        }
    }

    fn set_broken(&self, reason: String) {
        let broken = Broken { reason, tried: Instant::now() };
        *self.broken.lock().unwrap_or_else(PoisonError::into_inner) = Some(broken);
    }

    /// Opens the database anew when it is broken, but not at every call.
    fn reopen_if_broken(&self) -> Result<(), Error> {
        let mut broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(known) = broken.as_mut() else { return Ok(()) };
        let unusable = |reason: &str| Error::Failed(format!("an earlier commit failed: {reason}"));
        let Some(opener) = &self.opener else { return Err(unusable(&known.reason)) };
        if known.tried.elapsed() < REOPEN_INTERVAL {
            return Err(unusable(&known.reason));
        }

        // The old handle holds the lock of the file, so that it must go first.
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        known.tried = Instant::now();
        drop(database.take());
        match opener() {
            Ok(anew) => {
                *database = Some(anew);
                *broken = None;
                Ok(())
            }
            Err(error) => {
                known.reason = error.to_string();
                Err(unusable(&known.reason))
            }
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

/// Makes the new file's name durable, which redb leaves to us.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::fs::File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    folder.sync_all().map_err(failed)
}

/// Writes a batch in one transaction.
fn write(database: &Database, batch: &Batch) -> Result<(), Error> {
    let mut transaction = database.begin_write().map_err(cause)?;
    transaction.set_durability(Durability::Immediate).map_err(cause)?;
    transaction.set_quick_repair(true);

    change_rows(&transaction, batch)?;
    transaction.commit().map_err(|error| Error::Unknown(error.to_string()))
}

fn change_rows(transaction: &redb::WriteTransaction, batch: &Batch) -> Result<(), Error> {
    for expected in &batch.expected {
        let table = transaction.open_table(definition(expected.table)).map_err(cause)?;
        let found = table.get(expected.key.as_slice()).map_err(cause)?;
        if found.map(|value| value.value().to_vec()) != expected.value {
            return Err(Error::Conflict);
        }
    }
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
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let closed = || Error::Failed("the file is being opened anew".to_owned());
        let view = guarded(|| database.as_ref().ok_or_else(closed)?.begin_read().map_err(cause));
        Ok(Box::new(View(view?)))
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        self.check_file()?;
        self.reopen_if_broken()?;
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        let Some(database) = database.as_ref() else {
            return Err(Error::Failed("the file is being opened anew".to_owned()));
        };

        match guarded(|| write(database, batch)) {
            Ok(()) => Ok(()),
            Err(Error::Conflict) => Err(Error::Conflict),
            Err(error) => {
                // Also when it came before the commit: redb accepts nothing more after an I/O error.
                self.set_broken(error.to_string());
                Err(error)
            }
        }
    }

    fn health(&self) -> Result<(), Error> {
        self.check_file()?;
        self.reopen_if_broken()
    }
}

impl Snapshot for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        guarded(|| {
            let table = self.0.open_table(definition(table)).map_err(cause)?;
            Ok(table.get(key).map_err(cause)?.map(|value| value.value().to_vec()))
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
            let table = self.0.open_table(definition(table)).map_err(cause)?;
            let mut rows = Vec::new();
            for row in table.range(from.max(prefix)..).map_err(cause)? {
                let (key, value) = row.map_err(cause)?;
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
            let table = self.0.open_table(definition(table)).map_err(cause)?;
            let last = table.last().map_err(cause)?;
            Ok(last.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::{Arc, MutexGuard};

    use accredit_seams::store::conformance::check;

    use super::*;

    #[test]
    fn redb_conforms() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.redb");
        let store = Redb::open(&path).unwrap();
        check(&store).unwrap();
        assert!(matches!(Redb::open(&path), Err(Error::Busy)));
        drop(store);
        let again = Redb::open(&path).unwrap();
        let kept = again.snapshot().unwrap().get(Table::Keys, b"b").unwrap();
        assert_eq!(kept.as_deref(), Some(&b"second"[..]));
    }

    fn put(store: &Redb, key: &str) -> Result<(), Error> {
        let mut batch = Batch::default();
        batch.put(Table::Keys, key, "value");
        store.commit(&batch)
    }

    /// A disk in memory that refuses everything while it is told to.
    #[derive(Debug, Clone, Default)]
    struct Disk {
        bytes: Arc<Mutex<Vec<u8>>>,
        is_full: Arc<AtomicBool>,
    }

    impl Disk {
        fn change(&self) -> io::Result<MutexGuard<'_, Vec<u8>>> {
            if self.is_full.load(Ordering::Relaxed) {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            Ok(self.bytes.lock().unwrap())
        }
    }

    impl StorageBackend for Disk {
        fn len(&self) -> io::Result<u64> {
            Ok(self.bytes.lock().unwrap().len() as u64)
        }

        fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
            let start = usize::try_from(offset).unwrap();
            out.copy_from_slice(&self.bytes.lock().unwrap()[start..start + out.len()]);
            Ok(())
        }

        fn set_len(&self, len: u64) -> io::Result<()> {
            self.change()?.resize(usize::try_from(len).unwrap(), 0);
            Ok(())
        }

        fn sync_data(&self) -> io::Result<()> {
            self.change().map(drop)
        }

        fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
            let start = usize::try_from(offset).unwrap();
            self.change()?[start..start + data.len()].copy_from_slice(data);
            Ok(())
        }
    }

    /// After one full disk, or one failed write, the server answered 503 until it was restarted.
    #[test]
    fn a_disk_that_was_full_is_used_again_when_there_is_room() {
        let disk = Disk::default();
        let shared = disk.clone();
        let store = Redb::with_backends(move || shared.clone()).unwrap();
        put(&store, "before").unwrap();

        disk.is_full.store(true, Ordering::Relaxed);
        assert!(put(&store, "lost").is_err());
        std::thread::sleep(REOPEN_INTERVAL);
        assert!(store.health().is_err());
        assert!(put(&store, "lost").is_err());

        disk.is_full.store(false, Ordering::Relaxed);
        std::thread::sleep(REOPEN_INTERVAL);
        store.health().unwrap();
        put(&store, "after").unwrap();
        let view = store.snapshot().unwrap();
        assert!(view.get(Table::Keys, b"before").unwrap().is_some());
        assert!(view.get(Table::Keys, b"lost").unwrap().is_none());
        assert!(view.get(Table::Keys, b"after").unwrap().is_some());
    }

    /// The data file was deleted while the server ran: deliveries were acknowledged into nothing.
    #[test]
    #[cfg(unix)]
    fn nothing_is_written_to_a_file_that_has_lost_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.redb");
        let store = Redb::open(&path).unwrap();
        put(&store, "k").unwrap();
        let elsewhere = dir.path().join("b.redb");

        std::fs::rename(&path, &elsewhere).unwrap();
        assert!(put(&store, "k").unwrap_err().to_string().contains("deleted or replaced"));
        assert!(store.health().is_err());
        std::fs::write(&path, "another file").unwrap();
        assert!(store.health().is_err());

        std::fs::rename(&elsewhere, &path).unwrap();
        store.health().unwrap();
        put(&store, "k").unwrap();
    }

    #[test]
    fn a_file_can_be_opened_for_reading_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.redb");
        put(&Redb::open(&path).unwrap(), "k").unwrap();

        let before = std::fs::read(&path).unwrap();
        let store = Redb::open_read_only(&path).unwrap();
        assert!(store.snapshot().unwrap().get(Table::Keys, b"k").unwrap().is_some());
        put(&store, "in memory").unwrap();
        assert!(store.snapshot().unwrap().get(Table::Keys, b"in memory").unwrap().is_some());
        assert_eq!(std::fs::read(&path).unwrap(), before, "nothing is written to the file");
    }
}
