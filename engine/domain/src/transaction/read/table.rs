//! Rows of cells below a header become records, be they lines of text or rows of a sheet.
//!
//! Called by the readers of delimited text and, in the host, of spreadsheets.

use std::collections::BTreeSet;

use super::{FileLayout, MalformedBody, RecordRow, column_name};
use crate::transaction::{Cell, Record, trim_cell};

/// What a row that is no row may be.
const ADVICE: &str = "quote a cell that contains a comma; a blank cell needs its comma; for a \
    title or a footer see `skip_rows` and `stop_at_blank` in [transactions]";

/// Columns that a header may have.
pub const COLUMNS_MAX: usize = 4096;

/// Rows of cells with their lines.
type Lines<'t> = Box<dyn Iterator<Item = Result<(u64, Vec<Cell>), MalformedBody>> + 't>;

/// A table that is read row by row: the first row names the columns, and blank ones are passed over.
pub struct Table<'t> {
    rows: Lines<'t>,
    columns: Vec<String>,
    /// Whether blank cells at the end of a row may be left out.
    is_ragged: bool,
    stop_at_blank: bool,
    after_blank: bool,
    is_over: bool,
}

impl<'t> Table<'t> {
    /// Reads the header of `rows`. In a ragged table blank cells at the end of a row may be left out.
    ///
    /// # Errors
    /// At a header that names a column twice, or more than [`COLUMNS_MAX`] of them.
    pub fn new(
        rows: impl Iterator<Item = Result<(u64, Vec<Cell>), MalformedBody>> + 't,
        is_ragged: bool,
        layout: &FileLayout,
    ) -> Result<Self, MalformedBody> {
        let mut rows: Lines<'t> = Box::new(rows);
        let first = first_row(&mut rows)?;
        let is_over = first.is_none();
        let (line, names) = first.unwrap_or_default();

        if names.len() > COLUMNS_MAX {
            let message =
                format!("the header has {} columns, more than {COLUMNS_MAX}", names.len());
            return Err(MalformedBody::at_line(line, message));
        }

        let columns = read_header(&names, line)?;
        let stop_at_blank = layout.stop_at_blank;
        Ok(Table { rows, columns, is_ragged, stop_at_blank, after_blank: false, is_over })
    }

    /// The columns of its header.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Goes through all rows and keeps none.
    ///
    /// # Errors
    /// At the first row that has not as many cells as the header.
    pub(super) fn check_rows(&mut self) -> Result<(), MalformedBody> {
        while self.next_cells()?.is_some() {}
        Ok(())
    }

    /// The cells of the next row that is not blank, as many as the header has.
    fn next_cells(&mut self) -> Result<Option<(u64, Vec<Cell>)>, MalformedBody> {
        while !self.is_over {
            let Some((line, mut cells)) = self.rows.next().transpose()? else { break };
            if cells.iter().all(is_blank) {
                if self.stop_at_blank {
                    break;
                }
                self.after_blank = true;
                continue;
            }

            if self.is_ragged {
                let last = cells.iter().rposition(|cell| !is_blank(cell));
                let filled = last.map_or(0, |last| last + 1);
                cells.resize(filled.max(self.columns.len()), Cell::Null);
            }

            if cells.len() != self.columns.len() {
                // The next row tells a title above the header from one row that is wrong.
                let next = self.rows.next().and_then(Result::ok).map(|(_, cells)| cells.len());
                let counts = (cells.len(), next);
                return Err(wrong_cell_count(counts, self.columns.len(), line, self.after_blank));
            }
            return Ok(Some((line, cells)));
        }

        self.is_over = true;
        Ok(None)
    }
}

impl Iterator for Table<'_> {
    type Item = Result<RecordRow, MalformedBody>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.next_cells() {
            Ok(cells) => {
                let (line, cells) = cells?;
                let cells = self.columns.iter().cloned().zip(cells).collect();
                Some(Ok(RecordRow { line, record: Record { cells } }))
            }
            Err(malformed) => {
                self.is_over = true;
                Some(Err(malformed))
            }
        }
    }
}

/// The first row with cells: a header without any name is one all the same.
fn first_row(
    rows: &mut impl Iterator<Item = Result<(u64, Vec<Cell>), MalformedBody>>,
) -> Result<Option<(u64, Vec<Cell>)>, MalformedBody> {
    rows.find(|row| row.as_ref().map_or(true, |(_, cells)| !cells.is_empty())).transpose()
}

fn is_blank(cell: &Cell) -> bool {
    match cell {
        Cell::Null => true,
        Cell::Text(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// Names of columns without the blanks around them.
fn read_header(row: &[Cell], line: u64) -> Result<Vec<String>, MalformedBody> {
    let names: Vec<&str> = row
        .iter()
        .map(|cell| match cell {
            Cell::Text(text) | Cell::Number(text) => trim_cell(text),
            _ => "",
        })
        .collect();

    let mut known = BTreeSet::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if !known.insert(name) {
            let message = format!("the header has the column `{name}` twice");
            let help = Some("rename one of the two".to_owned());
            return Err(MalformedBody { help, ..MalformedBody::at_line(line, message) });
        }
    }

    Ok(names.into_iter().map(column_name).collect())
}

/// The error at a row with another number of cells than the header, with a way out: lines above the
/// header are a title, and what comes below a blank row is a footer.
fn wrong_cell_count(
    (cells, next): (usize, Option<usize>),
    header: usize,
    line: u64,
    after_blank: bool,
) -> MalformedBody {
    let help = if header == 1 && cells > 1 && next.is_none_or(|next| next == cells) {
        let above = line.saturating_sub(1);
        format!("if the header is on line {line}, write `skip_rows = {above}` in [transactions]")
    } else if after_blank {
        "if the rows end at the blank row above, write `stop_at_blank = true` in [transactions]"
            .to_owned()
    } else {
        ADVICE.to_owned()
    };

    let message = format!("{cells} cells where the header has {header}");
    MalformedBody { help: Some(help), ..MalformedBody::at_line(line, message) }
}
