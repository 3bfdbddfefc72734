//! A disk in memory that fails when it is told to, for tests of what is built on the store.
//!
//! Not a power failure: what was written is there (the ledger's tests lose unsynced sectors).

use std::io;
use std::sync::{Arc, Mutex, MutexGuard};

use redb::StorageBackend;

use crate::lock_ignoring_poison;

#[derive(Debug, Default)]
struct DiskState {
    bytes: Vec<u8>,
    /// Writes, syncs and changes of length until one of them fails.
    countdown: Option<u32>,
    has_failed: bool,
    limit: Option<usize>,
    fail_reads: bool,
}

/// A handle of the disk: a copy is the same disk, opened anew.
#[derive(Debug, Clone, Default)]
pub struct FailingDisk(Arc<Mutex<DiskState>>);

impl FailingDisk {
    fn lock_state(&self) -> MutexGuard<'_, DiskState> {
        lock_ignoring_poison(&self.0)
    }

    /// Lets one operation fail after so many others.
    pub fn fail_once_after(&self, operations: u32) {
        let mut state = self.lock_state();
        (state.countdown, state.has_failed) = (Some(operations), false);
    }

    /// Whether that operation came.
    pub fn has_failed(&self) -> bool {
        self.lock_state().has_failed
    }

    /// How long the file is.
    pub fn file_bytes(&self) -> usize {
        self.lock_state().bytes.len()
    }

    /// No byte behind the limit can be written: the disk is full.
    pub fn limit_bytes(&self, bytes: Option<usize>) {
        self.lock_state().limit = bytes;
    }

    /// Lets every read fail, or none.
    pub fn fail_reads(&self, fail: bool) {
        self.lock_state().fail_reads = fail;
    }
}

impl DiskState {
    fn spend_operation(&mut self) -> io::Result<()> {
        match &mut self.countdown {
            Some(0) => {
                (self.countdown, self.has_failed) = (None, true);
                Err(io::Error::other("the disk failed once"))
            }
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn byte_range(offset: u64, length: usize) -> io::Result<std::ops::Range<usize>> {
    let start = usize::try_from(offset).map_err(io::Error::other)?;
    Ok(start..start.saturating_add(length))
}

impl StorageBackend for FailingDisk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock_state().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.lock_state();
        if state.fail_reads {
            return Err(io::Error::other("the disk does not read"));
        }
        let found = state.bytes.get(byte_range(offset, out.len())?);
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.lock_state();
        state.spend_operation()?;
        let len = usize::try_from(len).map_err(io::Error::other)?;
        if state.limit.is_some_and(|limit| len > limit) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.bytes.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.lock_state().spend_operation()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.lock_state();
        state.spend_operation()?;
        let found = state.bytes.get_mut(byte_range(offset, data.len())?);
        found.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(data);
        Ok(())
    }
}
