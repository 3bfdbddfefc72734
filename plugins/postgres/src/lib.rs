//! The store of several hosts: tables of bytes in a PostgreSQL database, or in one that speaks its protocol.
//!
//! A snapshot is a read-only transaction of its own. Every commit first locks the one row of
//! `accredit_store`: commits of all hosts are in one order, each sees all before it, and none has to be
//! undone because of another. The lock is a row and not an advisory one, and nothing here needs
//! notifications, sequences, temporary tables or extensions, so that Citus, YugabyteDB and CockroachDB can
//! serve it.
//!
//! **Architecture invariants:** a commit whose answer was lost is looked up under the same lock before
//! anything else is written; a process that lost the lease writes nothing but deliveries.

mod commit;
mod connection;
mod failure;
mod lease;
mod pool;
mod schema;
mod settings;
mod snapshot;
mod statements;
#[cfg(test)]
mod tests;
mod tls;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use accredit_seams::store::shared::{DecidingLease, HandlePurpose, LeaseClaim, SharedStore};
use accredit_seams::store::{Snapshot, Store, StoreError, WriteBatch};

use crate::commit::CommitLine;
use crate::connection::{Connection, ConnectionUse, Connector};
use crate::failure::FailureState;
use crate::pool::ConnectionPool;
pub use crate::settings::PostgresSettings;
use crate::snapshot::PostgresSnapshot;

/// A database that several processes use at a time.
pub struct PostgresStore {
    shared: Arc<SharedParts>,
}

/// What all handles of a process on one database share.
pub(crate) struct SharedParts {
    /// This process among those on the database: random, new at each start.
    host_id: String,
    /// Before the connections, which end when it is dropped.
    connector: Connector,
    pool: ConnectionPool,
    commits: Mutex<CommitLine>,
    /// The lease is renewed on a connection of its own: it must not wait for a commit of this process.
    leasing: Mutex<Option<Connection>>,
    trouble: FailureState,
}

/// The store for one purpose of this process.
struct StoreHandle {
    shared: Arc<SharedParts>,
    purpose: HandlePurpose,
}

fn lock_ignoring_poison<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic leaves nothing half done: a commit is whole or absent.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PostgresStore {
    /// Connects, and makes the tables of a database that has none.
    ///
    /// # Errors
    /// Why the database cannot be used and what to do about it; never with the password.
    pub fn open(settings: PostgresSettings) -> Result<PostgresStore, StoreError> {
        let pool = ConnectionPool::with_limit(settings.connections);
        let connector = Connector::new(settings)?;
        let connection = connector.connect(ConnectionUse::Writing)?;
        schema::prepare_database(&connection, connector.settings())?;
        PostgresStore::new(connector, pool, connection)
    }

    /// Connects to a database that has the tables.
    ///
    /// # Errors
    /// As [`PostgresStore::open`], and when it has no tables.
    pub fn open_existing(settings: PostgresSettings) -> Result<PostgresStore, StoreError> {
        let pool = ConnectionPool::with_limit(settings.connections);
        let connector = Connector::new(settings)?;
        let connection = connector.connect(ConnectionUse::Reading)?;
        schema::require_tables(&connection, connector.settings())?;
        PostgresStore::new(connector, pool, connection)
    }

    fn new(
        connector: Connector,
        pool: ConnectionPool,
        connection: Connection,
    ) -> Result<PostgresStore, StoreError> {
        let host_id = random_id()?;
        let shared = SharedParts {
            host_id,
            connector,
            pool,
            commits: Mutex::default(),
            leasing: Mutex::new(Some(connection)),
            trouble: FailureState::default(),
        };
        Ok(PostgresStore { shared: Arc::new(shared) })
    }
}

/// 16 random bytes as text.
fn random_id() -> Result<String, StoreError> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| StoreError::Failed(format!("no random bytes: {error}")))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

impl SharedStore for PostgresStore {
    fn claim_lease(&self, claim: &LeaseClaim) -> Result<DecidingLease, StoreError> {
        lease::claim(&self.shared, claim)
    }

    fn release_lease(&self, term: u64) -> Result<(), StoreError> {
        lease::release(&self.shared, term)
    }

    fn begin_copy(&self) -> Result<(), StoreError> {
        lease::note_copy(&self.shared, true)
    }

    fn end_copy(&self) -> Result<(), StoreError> {
        lease::note_copy(&self.shared, false)
    }

    fn open_handle(&self, purpose: HandlePurpose) -> Arc<dyn Store> {
        Arc::new(StoreHandle { shared: Arc::clone(&self.shared), purpose })
    }
}

impl Store for StoreHandle {
    fn snapshot(&self) -> Result<Box<dyn Snapshot>, StoreError> {
        Ok(Box::new(PostgresSnapshot::begin(&self.shared)?))
    }

    fn commit(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        commit::commit_or_resolve(&self.shared, self.purpose, batch)
    }

    fn shared_commit_count(&self) -> Result<Option<u64>, StoreError> {
        Ok(Some(PostgresSnapshot::begin(&self.shared)?.commit_count()))
    }

    fn check_health(&self) -> Result<(), StoreError> {
        let reason = self.shared.trouble.failure_reason();
        reason.map_or(Ok(()), |reason| Err(StoreError::Failed(reason)))
    }

    fn probe_writing(&self) -> Result<(), StoreError> {
        commit::probe_writing(&self.shared)
    }
}
