//! Files of plain lines on a disk, read twice a part at a time: once to see that all lines are plain and to
//! count them, and once for their deals.
//!
//! Not what is plain (`transaction::read`). Called by `deals`.
//!
//! **Architecture invariant:** a file whose second reading may differ from the first is refused.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use accredit_domain::transaction::read::{FileLayout, PlainLines};

use super::RowVolume;
use super::line_parts::LineParts;
use crate::directory::read_failure;

/// Bytes that are read at a time.
const PART_BYTES: usize = 4 << 20;

/// A file of plain lines, which is read again when its deals are.
#[derive(Debug)]
pub(super) struct PlainFile {
    path: PathBuf,
    pub(super) lines: PlainLines,
    state: FileState,
}

/// What changes when a file is written.
#[derive(Debug, PartialEq, Eq)]
struct FileState {
    bytes: u64,
    modified: Option<SystemTime>,
}

impl PlainFile {
    /// Opens a file if all of it is plain, and adds its rows to `volume`.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn open(
        path: &Path,
        layout: &FileLayout,
        volume: &mut RowVolume,
    ) -> io::Result<Option<PlainFile>> {
        // What is read from a pipe cannot be read again, and to open one is noticed at its other end.
        if !fs::metadata(path)?.is_file() {
            return Ok(None);
        }
        let file = File::open(path)?;
        let state = FileState::of(&file)?;

        let mut parts = LineParts::new(&file, PART_BYTES);
        let first = parts.next_part()?.unwrap_or_default();
        let Some(lines) = PlainLines::find_header(&first, layout) else { return Ok(None) };
        let columns = lines.columns().len();

        let mut counted = *volume;
        let mut part = first.get(lines.start()..).map(<[u8]>::to_vec);
        while let Some(text) = part {
            let Some(rows) = lines.count_rows(&text) else { return Ok(None) };
            counted.add(rows, rows * columns, text.len());
            part = parts.next_part()?;
        }

        *volume = counted;
        Ok(Some(PlainFile { path: path.to_owned(), lines, state }))
    }

    /// Reads the rows again, some lines at a time.
    ///
    /// # Errors
    /// What to tell the user: what `take` says, or why the file cannot be read.
    pub(super) fn read_lines(
        &self,
        take: &mut dyn FnMut(&str) -> Result<(), String>,
    ) -> Result<(), String> {
        let failed = |error: io::Error| read_failure(&self.path, error).to_string();
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(self.lines.start() as u64)).map_err(failed)?;

        let mut parts = LineParts::new(&file, PART_BYTES);
        while let Some(part) = parts.next_part().map_err(failed)? {
            let text = str::from_utf8(&part).map_err(|_| failed(changed()))?;
            take(text)?;
        }

        // Its lines were looked at before.
        let state = FileState::of(&file).map_err(failed)?;
        if state == self.state { Ok(()) } else { Err(failed(changed())) }
    }
}

impl FileState {
    fn of(file: &File) -> io::Result<FileState> {
        let metadata = file.metadata()?;
        Ok(FileState { bytes: metadata.len(), modified: metadata.modified().ok() })
    }
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it was changed while it was read; calculate again")
}
