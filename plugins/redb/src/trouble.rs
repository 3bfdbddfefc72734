//! What went wrong with the file, for readiness: until a write succeeds, or for good when it is
//! damaged.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use accredit_seams::store::StoreError;

use crate::{lock_ignoring_poison, store_error};

/// What the last failure was.
#[derive(Debug, Default)]
pub(crate) struct FailureState {
    /// Whether redb refuses everything until the file is opened anew.
    latched: AtomicBool,
    failure: Mutex<Option<StoreFailure>>,
}

#[derive(Debug)]
struct StoreFailure {
    reason: String,
    /// Bytes that could not be written.
    bytes: usize,
    /// Whether no write can heal it.
    is_damage: bool,
}

impl FailureState {
    /// Whether the file must be opened anew.
    pub(crate) fn is_latched(&self) -> bool {
        self.latched.load(Ordering::Acquire)
    }

    /// The file must be opened anew, or was.
    pub(crate) fn set_latched(&self, latched: bool) {
        self.latched.store(latched, Ordering::Release);
    }

    /// Why the store cannot do its work.
    pub(crate) fn failure_reason(&self) -> Option<String> {
        lock_ignoring_poison(&self.failure).as_ref().map(|failure| failure.reason.clone())
    }

    /// How many bytes could not be written; none when nothing failed.
    pub(crate) fn failed_bytes(&self) -> Option<usize> {
        lock_ignoring_poison(&self.failure).as_ref().map(|failure| failure.bytes)
    }

    /// A batch of so many bytes could not be written.
    pub(crate) fn write_failed(&self, error: &StoreError, bytes: usize) {
        self.set_latched(true);
        let reason = format!(
            "the data file could not be written ({error}): make room or repair the disk; the \
                server tries again by itself"
        );
        self.record_failure(StoreFailure { reason, bytes, is_damage: false });
    }

    /// A write succeeded: what was wrong with writing is over.
    pub(crate) fn clear_write_failure(&self) {
        lock_ignoring_poison(&self.failure).take_if(|failure| !failure.is_damage);
    }

    /// A read failed: the error for its caller.
    pub(crate) fn read_failed(&self, error: impl Into<redb::Error>) -> StoreError {
        let error = error.into();
        match &error {
            // A view of the file as it was open before.
            redb::Error::DatabaseClosed => (),
            redb::Error::Corrupted(_) => {
                let reason = format!(
                    "the data file is damaged ({error}): stop the server and restore a backup"
                );
                self.record_failure(StoreFailure { reason, bytes: 0, is_damage: true });
                return store_error(error);
            }
            _ => {
                self.set_latched(true);
                let reason = format!(
                    "the data file could not be read ({error}): the server tries again by itself"
                );
                self.record_failure(StoreFailure { reason, bytes: 0, is_damage: false });
            }
        }

        StoreError::Failed(error.to_string())
    }

    fn record_failure(&self, failure: StoreFailure) {
        let mut known = lock_ignoring_poison(&self.failure);
        if known.as_ref().is_none_or(|known| !known.is_damage) {
            *known = Some(failure);
        }
    }
}
