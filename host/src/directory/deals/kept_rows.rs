//! The rows of a file that is not plain lines, as delivered, until their deals are read: in memory, or in a
//! temporary file where there is no room for them.
//!
//! Called by `deals`.
//!
//! **Architecture invariant:** the rows come in their order, wherever they were kept.

use std::io;
use std::path::Path;

use accredit_domain::transaction::{Cell, Record};

use super::spill::{SpillFile, SpilledList};

/// What a row needs in memory beside its cells, and a cell beside its name and text.
const ROW_BYTES: u64 = 40;
const CELL_BYTES: u64 = 112;

/// Bytes that are collected before they are written.
const BUFFER_BYTES: usize = 64 << 10;

/// The rows of a file.
#[derive(Debug, Default)]
pub(super) struct KeptRows {
    /// The first ones.
    spilled: Option<(SpillFile, SpilledList)>,
    /// Those behind them.
    in_memory: Vec<Record>,
}

impl KeptRows {
    /// Adds the next rows.
    pub(super) fn add(&mut self, rows: &mut Vec<Record>) {
        self.in_memory.append(rows);
    }

    /// Moves all rows into a temporary file in `folder`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn spill(&mut self, folder: &Path) -> io::Result<()> {
        let (file, mut list) = match self.spilled.take() {
            Some(spilled) => spilled,
            None => (SpillFile::create(folder)?, SpilledList::default()),
        };
        let mut bytes = Vec::new();
        for row in self.in_memory.drain(..) {
            bytes.clear();
            bytes = postcard::to_extend(&row, bytes).map_err(io::Error::other)?;
            list.push(&file, &bytes, BUFFER_BYTES)?;
        }
        list.flush(&file)?;
        self.in_memory.shrink_to_fit();
        self.spilled = Some((file, list));
        Ok(())
    }

    /// Gives away every row in order.
    ///
    /// # Errors
    /// When the temporary file cannot be read, or what `take` says.
    pub(super) fn read(self, take: &mut dyn FnMut(&Record) -> io::Result<()>) -> io::Result<()> {
        if let Some((file, list)) = &self.spilled {
            let mut rows = list.read(file);
            while rows.advance()? {
                take(&postcard::from_bytes(rows.record()).map_err(io::Error::other)?)?;
            }
        }
        self.in_memory.iter().try_for_each(take)
    }
}

/// What a row needs in memory, by estimate.
pub(super) fn row_bytes(row: &Record) -> u64 {
    let cells = row.cells.iter();
    let texts = cells.map(|cell| CELL_BYTES + (cell.0.len() + text_bytes(cell)) as u64);
    ROW_BYTES + texts.sum::<u64>()
}

/// Bytes of a cell's text.
pub(super) fn text_bytes((_, cell): &(String, Cell)) -> usize {
    match cell {
        Cell::Text(text) | Cell::Number(text) | Cell::Nested(text) => text.len(),
        Cell::Null | Cell::Bool(_) => 0,
    }
}
