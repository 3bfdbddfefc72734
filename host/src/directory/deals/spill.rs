//! Lists of records in a temporary file, many of which grow at the same time.
//!
//! The file has no name: nothing of it is left behind, even if the process is killed. Not what a record
//! is (`stored`). Called by `partitions` and `merge`.
//!
//! **Architecture invariant:** a list is read as it was written, record by record.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// A temporary file that threads append to.
#[derive(Debug)]
pub(super) struct SpillFile {
    file: File,
    /// For messages.
    folder: PathBuf,
    end: AtomicU64,
}

/// A piece of the file: where it begins, and its bytes.
#[derive(Debug, Clone, Copy)]
struct Extent {
    at: u64,
    length: usize,
}

/// Records in order, each behind its length.
#[derive(Debug, Default)]
pub(super) struct SpilledList {
    extents: Vec<Extent>,
    /// What is not yet written.
    buffer: Vec<u8>,
}

/// The bytes of a record's length.
const LENGTH_BYTES: usize = 4;

impl SpillFile {
    /// Makes a file in `folder`.
    ///
    /// # Errors
    /// When it cannot be made; the message says where.
    pub(super) fn create(folder: &Path) -> io::Result<SpillFile> {
        let file =
            tempfile::tempfile_in(folder).map_err(|error| explain(folder, "made", &error))?;
        Ok(SpillFile { file, folder: folder.to_owned(), end: AtomicU64::new(0) })
    }

    fn append(&self, bytes: &[u8]) -> io::Result<Extent> {
        let at = self.end.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        let written = self.file.write_all_at(bytes, at);
        written.map_err(|error| explain(&self.folder, "written", &error))?;
        Ok(Extent { at, length: bytes.len() })
    }
}

/// An error of the temporary file with its place.
fn explain(folder: &Path, done: &str, error: &io::Error) -> io::Error {
    let folder = folder.display();
    let message = format!("a temporary file of deals in {folder} cannot be {done}: {error}");
    io::Error::new(error.kind(), message)
}

impl SpilledList {
    /// Adds a record. It is written with others, once they have `buffer_bytes`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn push(
        &mut self,
        file: &SpillFile,
        record: &[u8],
        buffer_bytes: usize,
    ) -> io::Result<()> {
        if self.buffer.len() + LENGTH_BYTES + record.len() > buffer_bytes {
            self.flush(file)?;
        }
        push_record(&mut self.buffer, record)
    }

    /// Writes what is not yet written.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn flush(&mut self, file: &SpillFile) -> io::Result<()> {
        if !self.buffer.is_empty() {
            self.extents.push(file.append(&self.buffer)?);
            self.buffer.clear();
        }
        Ok(())
    }

    /// Writes what is not yet written, and gives the memory for it back.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn finish(&mut self, file: &SpillFile) -> io::Result<()> {
        self.flush(file)?;
        self.buffer = Vec::new();
        Ok(())
    }

    /// Its records from the first, after [`SpilledList::flush`].
    pub(super) fn read<'a>(&'a self, file: &'a SpillFile) -> ListReader<'a> {
        ListReader { file, extents: self.extents.iter(), buffer: Vec::new(), next: 0, record: 0..0 }
    }
}

/// Adds a record behind others.
///
/// # Errors
/// When it has more than four gigabytes.
pub(super) fn push_record(records: &mut Vec<u8>, record: &[u8]) -> io::Result<()> {
    let length = u32::try_from(record.len()).map_err(io::Error::other)?;
    records.extend_from_slice(&length.to_le_bytes());
    records.extend_from_slice(record);
    Ok(())
}

/// The record that begins at this byte; none at the end.
///
/// # Errors
/// When there is less than a record.
pub(super) fn record_at(records: &[u8], at: usize) -> io::Result<Option<std::ops::Range<usize>>> {
    let rest = records.get(at..).unwrap_or_default();
    if rest.is_empty() {
        return Ok(None);
    }
    let length = rest.first_chunk::<LENGTH_BYTES>().ok_or(ErrorKind::UnexpectedEof)?;
    let start = at + LENGTH_BYTES;
    let record = start..start + u32::from_le_bytes(*length) as usize;
    if record.end > records.len() {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(Some(record))
}

/// The records of a list, one after the other.
#[derive(Debug)]
pub(super) struct ListReader<'a> {
    file: &'a SpillFile,
    extents: std::slice::Iter<'a, Extent>,
    /// The extent that is being read.
    buffer: Vec<u8>,
    /// Where its next record begins.
    next: usize,
    /// The record that was read last.
    record: std::ops::Range<usize>,
}

impl ListReader<'_> {
    /// Goes to the next record; false at the end.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn advance(&mut self) -> io::Result<bool> {
        loop {
            if let Some(record) = record_at(&self.buffer, self.next)? {
                self.next = record.end;
                self.record = record;
                return Ok(true);
            }

            let Some(extent) = self.extents.next() else { return Ok(false) };
            self.buffer.resize(extent.length, 0);
            let read = self.file.file.read_exact_at(&mut self.buffer, extent.at);
            read.map_err(|error| explain(&self.file.folder, "read", &error))?;
            self.next = 0;
        }
    }

    /// The record that was read last.
    pub(super) fn record(&self) -> &[u8] {
        self.buffer.get(self.record.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_that_grow_together_are_read_apart_and_leave_nothing_behind() {
        let dir = tempfile::tempdir().unwrap();
        let file = SpillFile::create(dir.path()).unwrap();
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);

        for buffer_bytes in [1, 9, 100, 1 << 20] {
            let mut lists: Vec<SpilledList> = (0..3).map(|_| SpilledList::default()).collect();
            for number in 0..50_usize {
                let record = vec![b'x'; number % 7 * number];
                lists[number % 3].push(&file, &record, buffer_bytes).unwrap();
            }

            for (place, list) in lists.iter_mut().enumerate() {
                list.flush(&file).unwrap();
                let mut reader = list.read(&file);
                for number in (place..50).step_by(3) {
                    assert!(reader.advance().unwrap());
                    assert_eq!(reader.record().len(), number % 7 * number);
                }
                assert!(!reader.advance().unwrap());
            }
        }
    }

    #[test]
    fn a_folder_that_is_gone_is_named() {
        let error = SpillFile::create(Path::new("/nowhere")).unwrap_err().to_string();
        assert!(error.contains("in /nowhere cannot be made"), "{error}");
    }
}
