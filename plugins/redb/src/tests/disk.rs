//! A disk in memory that fails when it is told to.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

#[derive(Debug, Default)]
struct State {
    bytes: Vec<u8>,
    /// Writes, syncs and changes of length until one of them fails.
    countdown: Option<u32>,
    has_failed: bool,
    limit: Option<usize>,
    fail_reads: bool,
}

/// Handles of one disk: a copy is the same disk, opened anew.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk(Arc<Mutex<State>>);

impl Disk {
    pub(super) fn fail_once_after(&self, operations: u32) {
        let mut state = self.0.lock().unwrap();
        (state.countdown, state.has_failed) = (Some(operations), false);
    }

    pub(super) fn has_failed(&self) -> bool {
        self.0.lock().unwrap().has_failed
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.lock().unwrap().bytes.len()
    }

    /// No byte behind the limit can be written.
    pub(super) fn limit(&self, bytes: Option<usize>) {
        self.0.lock().unwrap().limit = bytes;
    }

    pub(super) fn fail_reads(&self, fail: bool) {
        self.0.lock().unwrap().fail_reads = fail;
    }
}

impl State {
    fn spend(&mut self) -> io::Result<()> {
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

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().bytes.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock().unwrap();
        if state.fail_reads {
            return Err(io::Error::other("the disk does not read"));
        }
        let start = usize::try_from(offset).unwrap();
        let found = state.bytes.get(start..start + out.len());
        out.copy_from_slice(found.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.spend()?;
        let len = usize::try_from(len).unwrap();
        if state.limit.is_some_and(|limit| len > limit) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.bytes.resize(len, 0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.lock().unwrap().spend()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.spend()?;
        let start = usize::try_from(offset).unwrap();
        state.bytes[start..start + data.len()].copy_from_slice(data);
        Ok(())
    }
}
