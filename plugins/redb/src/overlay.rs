//! A file that is only read, under what redb wants to write to it: that stays in memory.
//!
//! Opening a file writes a little, and more when its last process ended without closing it. Called
//! by the reader.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redb::StorageBackend;

use accredit_seams::store::StoreError;

use super::failed_error;

/// Bytes that are kept together.
const PIECE_BYTES: usize = 4096;

#[derive(Debug)]
struct OverlayState {
    file: File,
    file_bytes: u64,
    /// As long as redb believes it to be.
    bytes: u64,
    /// What was written, by the number of the piece.
    pieces: BTreeMap<u64, Vec<u8>>,
}

/// A file and what was written since, which the file never gets.
#[derive(Debug)]
pub(crate) struct ReadOnlyOverlay(Mutex<OverlayState>);

impl ReadOnlyOverlay {
    /// Opens the file at `path`.
    pub(crate) fn open_file(path: &Path) -> Result<ReadOnlyOverlay, StoreError> {
        let file = File::open(path).map_err(failed_error)?;
        match file.try_lock_shared() {
            Ok(()) => (),
            Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
            Err(TryLockError::Error(error)) => return Err(failed_error(error)),
        }

        let bytes = file.metadata().map_err(failed_error)?.len();
        if bytes == 0 {
            return Err(StoreError::Damaged("it is empty".to_owned()));
        }
        let state = OverlayState { file, file_bytes: bytes, bytes, pieces: BTreeMap::new() };
        Ok(ReadOnlyOverlay(Mutex::new(state)))
    }

    fn lock_state(&self) -> MutexGuard<'_, OverlayState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OverlayState {
    /// What the file has of a piece; zeros behind its end.
    fn piece_of_file(&mut self, number: u64) -> io::Result<Vec<u8>> {
        let mut piece = vec![0; PIECE_BYTES];
        let start = number * PIECE_BYTES as u64;
        if start >= self.file_bytes {
            return Ok(piece);
        }

        self.file.seek(SeekFrom::Start(start))?;
        let left = usize::try_from(self.file_bytes - start).unwrap_or(usize::MAX);
        let inside = piece.get_mut(..left.min(PIECE_BYTES)).unwrap_or_default();
        self.file.read_exact(inside)?;
        Ok(piece)
    }

    /// The pieces of a range: the number, the place in it, and how many bytes.
    fn pieces_of(offset: u64, length: usize) -> impl Iterator<Item = (u64, usize, usize)> {
        let (piece, mut done) = (PIECE_BYTES as u64, 0);
        std::iter::from_fn(move || {
            let place = offset + done as u64;
            let start = usize::try_from(place % piece).unwrap_or_default();
            let count = (length - done).min(PIECE_BYTES - start);
            done += count;
            (count > 0).then_some((place / piece, start, count))
        })
    }
}

impl StorageBackend for ReadOnlyOverlay {
    fn len(&self) -> io::Result<u64> {
        Ok(self.lock_state().bytes)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let mut state = self.lock_state();
        if offset.checked_add(out.len() as u64).is_none_or(|end| end > state.bytes) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }

        let mut rest = out;
        for (number, start, count) in OverlayState::pieces_of(offset, rest.len()) {
            let (part, behind) = rest.split_at_mut(count);
            let piece = match state.pieces.get(&number) {
                Some(piece) => piece.clone(),
                None => state.piece_of_file(number)?,
            };
            let found = piece.get(start..start + count).ok_or(io::ErrorKind::UnexpectedEof)?;
            part.copy_from_slice(found);
            rest = behind;
        }
        Ok(())
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        let mut state = self.lock_state();
        state.bytes = bytes;
        state.file_bytes = state.file_bytes.min(bytes);
        state.pieces.retain(|number, _| number * (PIECE_BYTES as u64) < bytes);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut state = self.lock_state();
        let mut rest = data;
        for (number, start, count) in OverlayState::pieces_of(offset, data.len()) {
            let (part, behind) = rest.split_at(count);
            let mut piece = match state.pieces.remove(&number) {
                Some(piece) => piece,
                None => state.piece_of_file(number)?,
            };
            if let Some(place) = piece.get_mut(start..start + count) {
                place.copy_from_slice(part);
            }
            state.pieces.insert(number, piece);
            rest = behind;
        }
        Ok(())
    }
}
