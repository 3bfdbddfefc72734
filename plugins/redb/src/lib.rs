//! The embedded store: one redb file.
//!
//! Every commit is durable, in two phases with its allocator state, so that opening after a power
//! cut is quick and rows from strangers cannot pass for a whole commit. After a commit of unknown
//! outcome the store refuses to write until the process opens the file anew. Source: RELIABILITY 3.
//!
//! **Architecture invariant:** no script and no waiting happens inside a write transaction.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use redb::{
    Database, DatabaseError, Durability, ReadTransaction, ReadableDatabase, ReadableTable,
    StorageBackend, TableDefinition,
};

use accredit_seams::store::{Batch, Error, Row, Snapshot, Store, Table};

/// Memory that redb may use for pages.
const CACHE_BYTES: usize = 128 << 20;

/// A redb file.
#[derive(Debug)]
pub struct Redb {
    database: Database,
    broken: AtomicBool,
}

struct View(ReadTransaction);

fn definition(table: Table) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(table.name())
}

fn failed(error: impl ToString) -> Error {
    Error::Failed(error.to_string())
}

impl Redb {
    /// Opens or makes the file at `path`.
    ///
    /// # Errors
    /// [`Error::Busy`] when another process has it open.
    pub fn open(path: &Path) -> Result<Redb, Error> {
        let new = !path.exists();
        let database = Database::builder().set_cache_size(CACHE_BYTES).create(path);
        let database = database.map_err(|error| match error {
            DatabaseError::DatabaseAlreadyOpen => Error::Busy,
            other => failed(other),
        })?;
        let store = Redb::with_tables(database)?;
        if new {
            sync_folder(path)?;
        }
        Ok(store)
    }

    /// The store on a backend of one's own, such as a disk that fails.
    ///
    /// # Errors
    /// When what is on it cannot be opened.
    pub fn with_backend(backend: impl StorageBackend) -> Result<Redb, Error> {
        let mut builder = Database::builder();
        let database = builder.set_cache_size(CACHE_BYTES).create_with_backend(backend);
        Redb::with_tables(database.map_err(failed)?)
    }

    /// Every table exists from the start, so that reading never has to ask.
    fn with_tables(database: Database) -> Result<Redb, Error> {
        let mut transaction = database.begin_write().map_err(failed)?;
        transaction.set_quick_repair(true);
        for (table, _) in Table::ALL {
            transaction.open_table(definition(table)).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(Redb { database, broken: AtomicBool::new(false) })
    }
}

/// Makes the new file's name durable, which redb leaves to us.
fn sync_folder(path: &Path) -> Result<(), Error> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = std::fs::File::open(folder.unwrap_or(Path::new("."))).map_err(failed)?;
    folder.sync_all().map_err(failed)
}

impl Store for Redb {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, Error> {
        Ok(Box::new(View(self.database.begin_read().map_err(failed)?)))
    }

    fn commit(&self, batch: &Batch) -> Result<(), Error> {
        if self.broken.load(Ordering::Acquire) {
            return Err(Error::Unknown("an earlier commit failed; open the file anew".to_owned()));
        }
        let mut transaction = self.database.begin_write().map_err(failed)?;
        transaction.set_durability(Durability::Immediate).map_err(failed)?;
        transaction.set_quick_repair(true);
        for expected in &batch.expected {
            let table = transaction.open_table(definition(expected.table)).map_err(failed)?;
            let found = table.get(expected.key.as_slice()).map_err(failed)?;
            if found.map(|value| value.value().to_vec()) != expected.value {
                return Err(Error::Conflict);
            }
        }
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
        transaction.commit().map_err(|error| {
            self.broken.store(true, Ordering::Release);
            Error::Unknown(error.to_string())
        })
    }
}

impl Snapshot for View {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let table = self.0.open_table(definition(table)).map_err(failed)?;
        Ok(table.get(key).map_err(failed)?.map(|value| value.value().to_vec()))
    }

    fn scan(
        &self,
        table: Table,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, Error> {
        let table = self.0.open_table(definition(table)).map_err(failed)?;
        let mut rows = Vec::new();
        for row in table.range(from.max(prefix)..).map_err(failed)? {
            let (key, value) = row.map_err(failed)?;
            if rows.len() >= limit || !key.value().starts_with(prefix) {
                break;
            }
            rows.push((key.value().to_vec(), value.value().to_vec()));
        }
        Ok(rows)
    }

    fn last(&self, table: Table) -> Result<Option<Row>, Error> {
        let table = self.0.open_table(definition(table)).map_err(failed)?;
        let last = table.last().map_err(failed)?;
        Ok(last.map(|(key, value)| (key.value().to_vec(), value.value().to_vec())))
    }
}

#[cfg(test)]
mod tests {
    use accredit_seams::store::conformance::check;
    use accredit_seams::store::{Error, Store, Table};

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
}
