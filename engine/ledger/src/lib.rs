//! What arrived and what was decided: inbox, transactions with their credits, releases,
//! activations, audit; as typed operations over a [`Store`].
//!
//! Not deciding and no clock: times come in. Rows are a version byte and postcard; what people read
//! (definitions, activations, audit) is JSON. A deal with its credits is one row of packed bytes (`packed`),
//! and each payee and period has the numbers of its deals. Called by the host. Every operation fails if the
//! data file cannot be read or written; functions document only further errors. Source: DESIGN
//! sections 6 and 7, PERFORMANCE E.
//!
//! **Architecture invariant:** each operation is one commit; a transaction's credits, statements,
//! holds and counts change together or not at all.

pub mod alerts;
pub mod approvals;
pub mod assignees;
pub mod audit;
pub mod backup;
mod begun_imports;
pub mod calculations;
pub mod changes;
mod codec;
mod deal_rows;
pub mod deals;
pub mod definitions;
pub mod dump;
pub mod enquiries;
pub mod fetches;
pub mod frozen_rewards;
pub mod import_rows;
pub mod inbox;
pub mod integrity;
mod layout;
pub mod manual_credits;
pub mod manual_rewards;
mod names;
pub mod notes;
pub mod outbox;
mod packed;
pub mod periods;
pub mod quarantine;
pub mod query;
pub mod record;
pub mod recredit;
pub mod releases;
pub mod republished;
pub mod request_keys;
pub mod resolutions;
pub mod runs;
pub mod scope;
pub mod sealed;
mod statements;
pub mod terms;
#[cfg(test)]
mod tests;
pub mod voids;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use accredit_domain::decision::Approval;
use accredit_domain::events::EventRoutes;
use accredit_seams::store::{Snapshot, Store, StoreError, StoreTable, WriteBatch};

use self::audit::AuditChain;
use self::deal_rows::DealRows;
use self::names::Names;
use self::outbox::EventNumbers;
use self::sealed::SealedStore;

/// The ledger of one data file.
pub struct Ledger {
    store: SealedStore,
    /// Texts that rows refer to by number.
    names: Names,
    /// One decision at a time is recorded: blocks are read, changed and written.
    records: Mutex<()>,
    /// One group of deliveries at a time gets its sequence numbers.
    deliveries: Mutex<()>,
    /// One definition or resolution at a time.
    others: Mutex<()>,
    /// Which destinations want which events.
    event_routes: RwLock<Arc<EventRoutes>>,
    event_numbers: EventNumbers,
    /// One move of events from state to state at a time: each begins with where they are.
    event_moves: Mutex<()>,
    /// Commits since the ledger was opened.
    commits: AtomicU64,
    /// The number of commits of all processes that was last seen.
    noticed: AtomicU64,
}

/// What operations return: a value, or why the data could not be read or written.
pub type LedgerResult<T> = std::result::Result<T, StoreError>;

impl Ledger {
    /// The ledger in `store`. Rows of an earlier version of the program become those of today first:
    /// they get their seals, and deals rows of their own.
    ///
    /// # Errors
    /// When the store cannot be read, or its rows cannot be written anew.
    pub fn open(store: Arc<dyn Store>) -> LedgerResult<Ledger> {
        sealed::seal_former_rows(&*store)?;
        let ledger = Ledger::new(store);
        ledger.move_former_blocks()?;
        Ok(ledger)
    }

    /// The ledger in a `store` that is empty, or was opened by [`Ledger::open`] before.
    pub fn new(store: Arc<dyn Store>) -> Ledger {
        let (records, deliveries, others) = (Mutex::new(()), Mutex::new(()), Mutex::new(()));
        let (store, names) = (SealedStore::new(store), Names::default());
        let (event_routes, event_numbers) = (RwLock::default(), EventNumbers::default());
        let event_moves = Mutex::new(());
        Ledger {
            store,
            names,
            records,
            deliveries,
            others,
            event_routes,
            event_numbers,
            event_moves,
            commits: AtomicU64::new(0),
            noticed: AtomicU64::new(0),
        }
    }

    /// Whether the store can be written, and no row that was read is damaged.
    ///
    /// # Errors
    /// Why it cannot be used as it is.
    pub fn health(&self) -> LedgerResult<()> {
        self.store.check_health()
    }

    fn commit_changes(&self, batch: &WriteBatch) -> LedgerResult<()> {
        self.store.commit(batch)?;
        self.commits.fetch_add(1, Ordering::Release);
        Ok(())
    }

    /// How many commits there were since the ledger was opened, those of other processes included so far as
    /// they were noticed: as long as it is the same, so is what is recorded.
    pub fn commit_count(&self) -> u64 {
        self.commits.load(Ordering::Acquire)
    }

    /// Looks for commits of other processes on the same store; how many commits there were ever, none for a
    /// store that this process has for itself.
    pub fn notice_commits(&self) -> LedgerResult<Option<u64>> {
        let Some(count) = self.store.shared_commit_count()? else { return Ok(None) };
        if self.noticed.swap(count, Ordering::AcqRel) != count {
            self.commits.fetch_add(1, Ordering::Release);
        }
        Ok(Some(count))
    }

    /// The rows of deals in a view.
    fn deal_rows<'a>(&'a self, snapshot: &'a dyn Snapshot) -> DealRows<'a> {
        DealRows::new(snapshot, &self.names)
    }

    fn snapshot(&self) -> LedgerResult<Box<dyn Snapshot>> {
        self.store.snapshot()
    }

    /// Tries whether the store can write again after a fault.
    ///
    /// # Errors
    /// When it cannot.
    pub fn probe_store(&self) -> LedgerResult<()> {
        self.store.probe_writing()
    }

    /// A value that the host keeps, such as the hash of a token.
    pub fn get_meta(&self, key: &str) -> LedgerResult<Option<Vec<u8>>> {
        self.snapshot()?.get(StoreTable::Meta, key.as_bytes())
    }

    /// The values that the host keeps under keys with this beginning, by the rest of the key.
    pub fn meta_under(&self, prefix: &str) -> LedgerResult<Vec<(String, Vec<u8>)>> {
        let prefix = prefix.as_bytes();
        let rows = self.snapshot()?.scan_prefix(StoreTable::Meta, prefix, b"", usize::MAX)?;
        let rest = |key: &[u8]| {
            String::from_utf8_lossy(key.get(prefix.len()..).unwrap_or_default()).into_owned()
        };
        Ok(rows.into_iter().map(|(key, value)| (rest(&key), value)).collect())
    }

    /// Keeps a value for the host, in one commit with a row of the trail: who, what, and the rest.
    pub fn set_meta_audited(
        &self,
        (key, value): (&str, &[u8]),
        at_ms: i64,
        said: (&str, &str, serde_json::Value),
    ) -> LedgerResult<()> {
        self.change_meta_audited(&[(key, Some(value))], at_ms, said)
    }

    /// Keeps values for the host, or forgets those that are none, in one commit with a row of the
    /// trail: who, what, and the rest.
    pub fn change_meta_audited(
        &self,
        changes: &[(&str, Option<&[u8]>)],
        at_ms: i64,
        said: (&str, &str, serde_json::Value),
    ) -> LedgerResult<()> {
        self.change_meta_approved(changes, at_ms, said, None)
    }

    /// The same, with the approval of a request where a second person had to approve it. The row then
    /// names that person and the request, since its origin is that of the approval.
    pub fn change_meta_approved(
        &self,
        changes: &[(&str, Option<&[u8]>)],
        at_ms: i64,
        (who, what, mut detail): (&str, &str, serde_json::Value),
        approved: Option<&Approval>,
    ) -> LedgerResult<()> {
        if let (Some(approved), Some(fields)) = (approved, detail.as_object_mut()) {
            fields.insert("approved_by".to_owned(), approved.who.as_str().into());
            fields.insert("request".to_owned(), approved.request.into());
        }

        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();
        for (key, value) in changes {
            match value {
                Some(value) => batch.put_row(StoreTable::Meta, *key, *value),
                None => batch.delete_row(StoreTable::Meta, *key),
            }
        }
        let mut chain = AuditChain::from_snapshot(&*snapshot)?;
        chain.append_row(&mut batch, at_ms, (who, what), detail)?;
        approvals::record_approval(&*snapshot, &mut batch, &mut chain, approved, at_ms)?;
        self.commit_changes(&batch)
    }

    /// Keeps a value for the host.
    pub fn set_meta(&self, key: &str, value: &[u8]) -> LedgerResult<()> {
        let mut batch = WriteBatch::default();
        batch.put_row(StoreTable::Meta, key, value);
        self.commit_changes(&batch)
    }
}

/// Locks; a panic elsewhere leaves nothing half done, since a commit is whole or absent.
fn lock_mutex(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next number of a table whose keys are numbers, from 1.
fn next_number(snapshot: &dyn Snapshot, table: StoreTable) -> LedgerResult<u64> {
    let last = snapshot.last_row(table)?;
    Ok(last.map_or(0, |(key, _)| codec::key_number(&key)) + 1)
}
