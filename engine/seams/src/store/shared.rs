//! A store that several processes use at a time, and the lease by which one of them decides.
//!
//! Not what a process does with the lease (the host's). The time of a lease is the database's, so that
//! clocks of machines need not agree.
//!
//! **Architecture invariant:** a lease that another process took fences every commit of the one before, also
//! one that was under way: [`Store::commit`] of its handle answers [`StoreError::Elsewhere`].

use std::sync::Arc;
use std::time::Duration;

use super::{Store, StoreError};

/// What a process asks for when it takes or renews the lease.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseClaim {
    /// Where the process can be reached by the others, such as `http://10.0.0.5:8080`.
    pub address: String,
    /// How long the lease lasts without a renewal.
    pub duration: Duration,
}

/// Who decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidingLease {
    /// This process, in this term: every process that takes the lease from another begins a term.
    Held(u64),
    /// The process that can be reached at this address.
    Elsewhere(String),
}

/// What a handle on a shared store is for, which decides what the store lets it commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandlePurpose {
    /// What this process does in this term of the lease: every commit, until another process takes the lease.
    Term(u64),
    /// What a process does beside the one that decides: commits of rows that all may write
    /// ([`WriteBatch::is_shared`](super::WriteBatch::is_shared)), also while nobody decides.
    Following,
    /// What a process does alone, such as a copy: every commit, as long as no process decides.
    Alone,
}

/// A store that several processes use at a time.
pub trait SharedStore: Send + Sync {
    /// Takes the lease where no other process has it, or renews it.
    ///
    /// # Errors
    /// When the store cannot be reached: who decides is unknown then.
    fn claim_lease(&self, claim: &LeaseClaim) -> Result<DecidingLease, StoreError>;

    /// Lets another process take the lease at once.
    ///
    /// # Errors
    /// When the store cannot be reached: the lease ends by itself.
    fn release_lease(&self, term: u64) -> Result<(), StoreError>;

    /// Notes that rows are being copied into the store: until [`SharedStore::end_copy`] nobody else opens it,
    /// since a part of the rows would look like all of them.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn begin_copy(&self) -> Result<(), StoreError>;

    /// Every row is there.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn end_copy(&self) -> Result<(), StoreError>;

    /// The store for one purpose.
    fn open_handle(&self, purpose: HandlePurpose) -> Arc<dyn Store>;
}
