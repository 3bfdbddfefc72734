//! Rows out of a spreadsheet: the first of its sheets that has any.
//!
//! Not decoding by type: a cell is text, digits, a boolean or nothing, as in the other formats; a
//! fraction in binary becomes its shortest decimal text. Cells are read one after the other, since a
//! sheet with one cell in its last corner would fill the memory as a table. Called by `formats`.

use std::io::Cursor;

use accredit_domain::transaction::Cell;
use accredit_domain::transaction::read::{self, FileLayout, Malformed, Sheet};
use calamine::{Data, ExcelDateTime, Reader, Xlsx};

/// Columns of a sheet that are read.
const COLUMNS_MAX: u32 = 4096;

/// A row of a sheet, with its number from 1.
type Line = (u64, Vec<Cell>);

/// Reads the first sheet with rows.
///
/// # Errors
/// Where it is not rows, and why.
pub(super) fn read(body: &[u8], layout: &FileLayout) -> Result<Sheet, Malformed> {
    let mut book: Xlsx<_> =
        calamine::open_workbook_from_rs(Cursor::new(body)).map_err(|error| malformed(1, &error))?;
    for name in book.sheet_names() {
        let rows = rows(&mut book, &name, layout)?;
        if !rows.is_empty() {
            return read::table(rows.into_iter().map(Ok), true, layout);
        }
    }
    Ok(Sheet::default())
}

/// The rows of a sheet that have cells, and an empty one in each gap between them.
fn rows(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
    layout: &FileLayout,
) -> Result<Vec<Line>, Malformed> {
    let mut cells = book.worksheet_cells_reader(name).map_err(|error| malformed(1, &error))?;
    let mut rows: Vec<Line> = Vec::new();

    while let Some(cell) = cells.next_cell().map_err(|error| malformed(1, &error))? {
        let (row, column) = cell.get_position();
        if (row as usize) < layout.skip_rows {
            continue;
        }

        if column >= COLUMNS_MAX {
            let message = format!("a sheet has at most {COLUMNS_MAX} columns");
            return Err(malformed(u64::from(row) + 1, &message));
        }

        let line = u64::from(row) + 1;
        let last = rows.last().map_or(line, |(last, _)| *last);

        if rows.is_empty() || last < line {
            if last + 1 < line {
                rows.push((last + 1, Vec::new()));
            }
            rows.push((line, Vec::new()));
        }

        if let Some((_, row)) = rows.last_mut() {
            row.resize(column as usize, Cell::Null);
            row.push(value(&Data::from(cell.get_value().clone())));
        }
    }

    Ok(rows)
}

fn value(data: &Data) -> Cell {
    match data {
        Data::Int(number) => Cell::Number(number.to_string()),
        Data::Float(number) => Cell::Number(number.to_string()),
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => {
            Cell::Text(text.clone())
        }
        Data::Bool(flag) => Cell::Bool(*flag),
        Data::DateTime(moment) => date(moment),
        Data::Error(error) => Cell::Text(error.to_string()),
        Data::Empty => Cell::Null,
    }
}

/// A date, or a date and time, in ISO.
fn date(moment: &ExcelDateTime) -> Cell {
    if moment.is_duration() {
        return Cell::Number(moment.as_f64().to_string());
    }

    let (year, month, day, hour, minute, second, _) = moment.to_ymd_hms_milli();
    let date = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) {
        return Cell::Text(date);
    }
    Cell::Text(format!("{date}T{hour:02}:{minute:02}:{second:02}"))
}

fn malformed(line: u64, error: &dyn std::fmt::Display) -> Malformed {
    Malformed { line, column: 1, message: error.to_string(), help: None }
}
