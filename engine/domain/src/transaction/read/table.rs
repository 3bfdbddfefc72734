//! Rows of cells below a header become records, be they lines of text or rows of a sheet.
//!
//! Called by the readers of delimited text and, in the host, of spreadsheets.

use std::collections::BTreeSet;

use super::{FileLayout, Malformed, Row, Sheet, column_name};
use crate::transaction::{Cell, Record, trimmed};

/// What a row that is no row may be.
const ADVICE: &str = "put a cell that contains a comma in quotes; a blank cell needs its comma; of a \
                      title or a footer see `skip_rows` and `stop_at_blank` in [transactions]";

/// Reads rows with their lines; the first one names the columns, and blank ones are passed over.
/// In a `ragged` table blank cells at the end of a row may be left out.
///
/// # Errors
/// At a column that the header names twice, and at the first row that has not as many cells as it.
pub fn table(
    mut rows: impl Iterator<Item = Result<(u64, Vec<Cell>), Malformed>>,
    ragged: bool,
    layout: &FileLayout,
) -> Result<Sheet, Malformed> {
    let mut sheet = Sheet::default();
    let Some((line, names)) = first_row(&mut rows)? else { return Ok(sheet) };
    sheet.columns = header(&names, line)?;

    let mut after_blank = false;
    while let Some(row) = rows.next() {
        let (line, mut cells) = row?;
        if cells.iter().all(is_blank) {
            if layout.stop_at_blank {
                break;
            }
            after_blank = true;
            continue;
        }

        if ragged {
            let filled = cells.iter().rposition(|cell| !is_blank(cell)).map_or(0, |last| last + 1);
            cells.resize(filled.max(sheet.columns.len()), Cell::Null);
        }

        if cells.len() != sheet.columns.len() {
            // The next row tells a title above the header from one row that is wrong.
            let next = rows.next().and_then(Result::ok).map(|(_, cells)| cells.len());
            return Err(unequal((cells.len(), next), sheet.columns.len(), line, after_blank));
        }

        let cells = sheet.columns.iter().cloned().zip(cells).collect();
        sheet.rows.push(Row { line, record: Record { cells } });
    }
    Ok(sheet)
}

/// The first row with cells: a header without any name is one all the same.
fn first_row(
    rows: &mut impl Iterator<Item = Result<(u64, Vec<Cell>), Malformed>>,
) -> Result<Option<(u64, Vec<Cell>)>, Malformed> {
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
fn header(row: &[Cell], line: u64) -> Result<Vec<String>, Malformed> {
    let names: Vec<&str> = row
        .iter()
        .map(|cell| match cell {
            Cell::Text(text) | Cell::Number(text) => trimmed(text),
            _ => "",
        })
        .collect();

    let mut known = BTreeSet::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if !known.insert(name) {
            let message = format!("the column `{name}` stands in the header twice");
            let help = Some("rename one of the two".to_owned());
            return Err(Malformed { help, ..Malformed::at(line, message) });
        }
    }

    Ok(names.into_iter().map(column_name).collect())
}

/// The error at a row with another number of cells than the header, with a way out: lines above the
/// header are a title, and what comes below a blank row is a footer.
fn unequal(
    (cells, next): (usize, Option<usize>),
    header: usize,
    line: u64,
    after_blank: bool,
) -> Malformed {
    let help = if header == 1 && cells > 1 && next.is_none_or(|next| next == cells) {
        let above = line.saturating_sub(1);
        format!(
            "if the header stands in line {line}, write `skip_rows = {above}` in [transactions]"
        )
    } else if after_blank {
        "if the rows end at the blank row above, write `stop_at_blank = true` in [transactions]"
            .to_owned()
    } else {
        ADVICE.to_owned()
    };

    let message = format!("{cells} cells where the header has {header}");
    Malformed { help: Some(help), ..Malformed::at(line, message) }
}
