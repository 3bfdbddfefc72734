//! What arrived and what was decided: inbox, transactions with their credits, releases,
//! activations, audit; as typed operations over a [`Store`].
//!
//! Not deciding and no clock: times come in. Rows are a version byte and postcard; what people
//! read (definitions, activations, audit) is JSON. Credits are packed per block of 64 transactions
//! and, once more, as statements per payee and period. Called by the host. Source: DESIGN
//! sections 6 and 7, PERFORMANCE E.
//!
//! **Architecture invariant:** each operation is one commit; a transaction's credits, statements,
//! holds and counts change together or not at all.

pub mod approvals;
pub mod audit;
pub mod calculations;
pub mod changes;
mod code;
pub mod deals;
pub mod definitions;
pub mod dump;
pub mod enquiries;
pub mod inbox;
pub mod integrity;
pub mod notes;
pub mod periods;
pub mod query;
pub mod record;
pub mod recredit;
pub mod releases;
pub mod resolutions;
pub mod runs;
pub mod sealed;
mod statements;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accredit_seams::store::{Batch, Error, Snapshot, Store, Table};

use self::sealed::SealedStore;

/// The ledger of one data file.
pub struct Ledger {
    store: SealedStore,
    /// One decision at a time is recorded: blocks are read, changed and written.
    records: Mutex<()>,
    /// One group of deliveries at a time gets its sequence numbers.
    deliveries: Mutex<()>,
    /// One definition or resolution at a time.
    others: Mutex<()>,
}

/// What operations return: a value, or why the data could not be read or written.
pub type Result<T> = std::result::Result<T, Error>;

impl Ledger {
    /// The ledger in `store`, whose rows are sealed first when an earlier version of the program
    /// wrote them without seals.
    ///
    /// # Errors
    /// When the store cannot be read, or its rows cannot be sealed.
    pub fn open(store: Arc<dyn Store>) -> Result<Ledger> {
        sealed::seal_former_rows(&*store)?;
        Ok(Ledger::new(store))
    }

    /// The ledger in a `store` that is empty, or was opened by [`Ledger::open`] before.
    pub fn new(store: Arc<dyn Store>) -> Ledger {
        let (records, deliveries, others) = (Mutex::new(()), Mutex::new(()), Mutex::new(()));
        Ledger { store: SealedStore::new(store), records, deliveries, others }
    }

    /// Whether the store can be written, and no row that was read is damaged.
    ///
    /// # Errors
    /// Why it cannot be used as it is.
    pub fn health(&self) -> Result<()> {
        self.store.health()
    }

    fn commit(&self, batch: &Batch) -> Result<()> {
        self.store.commit(batch)
    }

    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.store.snapshot()
    }

    /// Tries whether the store can write again after a fault.
    ///
    /// # Errors
    /// When it cannot.
    pub fn probe_store(&self) -> Result<()> {
        self.store.probe()
    }

    /// A value that the host keeps, such as the hash of a token.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.snapshot()?.get(Table::Meta, key.as_bytes())
    }

    /// Keeps a value for the host, in one commit with a row of the trail: who, what, and the rest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_meta_noted(
        &self,
        (key, value): (&str, &[u8]),
        at_ms: i64,
        (who, what, detail): (&str, &str, serde_json::Value),
    ) -> Result<()> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = Batch::default();
        batch.put(Table::Meta, key, value);
        self.append_audit(&*snapshot, &mut batch, at_ms, who, what, detail)?;
        self.commit(&batch)
    }

    /// Keeps a value for the host.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn set_meta(&self, key: &str, value: &[u8]) -> Result<()> {
        let mut batch = Batch::default();
        batch.put(Table::Meta, key, value);
        self.commit(&batch)
    }
}

/// Locks; a panic elsewhere leaves nothing half done, since a commit is whole or absent.
fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next number of a table whose keys are numbers, from 1.
fn next_number(snapshot: &dyn Snapshot, table: Table) -> Result<u64> {
    let last = snapshot.last(table)?;
    Ok(last.map_or(0, |(key, _)| code::number(&key)) + 1)
}
