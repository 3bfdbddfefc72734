//! Connections for snapshots: kept between two of them, and bounded in number.
//!
//! **Architecture invariant:** a thread that has a snapshot open never waits for a connection, so that
//! threads cannot wait for each other; it goes beyond the limit instead, by one for each snapshot inside
//! another.

use std::cell::Cell;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use accredit_seams::store::StoreError;

use crate::connection::{Connection, ConnectionUse, Connector};
use crate::lock_ignoring_poison;

/// How long a thread waits for a connection that others have.
const POOL_WAIT: Duration = Duration::from_secs(30);

thread_local! {
    /// Snapshots that this thread has open.
    static OPEN: Cell<usize> = const { Cell::new(0) };
}

/// Connections for snapshots.
pub(crate) struct ConnectionPool {
    limit: usize,
    state: Mutex<PoolState>,
    returned: Condvar,
}

#[derive(Default)]
struct PoolState {
    idle: Vec<Connection>,
    /// Connections that snapshots have.
    taken: usize,
}

impl ConnectionPool {
    pub(crate) fn with_limit(limit: usize) -> ConnectionPool {
        ConnectionPool { limit, state: Mutex::default(), returned: Condvar::new() }
    }

    /// A connection for a snapshot of this thread, kept or new; and whether it is new.
    pub(crate) fn take(&self, connector: &Connector) -> Result<(Connection, bool), StoreError> {
        let is_inner = OPEN.get() > 0;
        let end = Instant::now() + POOL_WAIT;
        let mut state = lock_ignoring_poison(&self.state);
        while !is_inner && state.taken >= self.limit {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(StoreError::Failed(format!(
                    "all {} connections to the database {} are in use: give a larger `connections=` in \
                     the address",
                    self.limit,
                    connector.settings()
                )));
            }
            let waited = self.returned.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }

        state.taken += 1;
        let kept = loop {
            match state.idle.pop() {
                Some(ended) if ended.client.is_closed() => drop(ended),
                kept => break kept,
            }
        };
        drop(state);

        let connection = match kept {
            Some(kept) => Ok((kept, false)),
            None => connector.connect(ConnectionUse::Reading).map(|connection| (connection, true)),
        };
        match connection {
            Ok(taken) => {
                OPEN.set(OPEN.get() + 1);
                Ok(taken)
            }
            Err(error) => {
                self.count_return(None);
                Err(error)
            }
        }
    }

    /// Takes a connection back; none where it is of no use any more.
    pub(crate) fn give_back(&self, connection: Option<Connection>) {
        OPEN.set(OPEN.get().saturating_sub(1));
        self.count_return(connection);
    }

    /// Forgets the connections that nobody has: the server has ended them.
    pub(crate) fn forget_idle(&self) {
        let idle = std::mem::take(&mut lock_ignoring_poison(&self.state).idle);
        drop(idle);
    }

    fn count_return(&self, connection: Option<Connection>) {
        let mut state = lock_ignoring_poison(&self.state);
        state.taken = state.taken.saturating_sub(1);
        let spare = connection.filter(|_| state.idle.len() < self.limit);
        state.idle.extend(spare);
        drop(state);
        self.returned.notify_one();
    }
}
