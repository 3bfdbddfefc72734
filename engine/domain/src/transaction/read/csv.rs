//! Rows of delimited text whose first row names the columns.
//!
//! Called by `read`.

use super::table::Table;
use super::{FileLayout, LineCounter, MalformedBody, ROW_BYTES_MAX, line_of};
use crate::delimited::{BrokenRow, DelimitedCell as Delimited, DelimitedRows};
use crate::transaction::Cell;

/// What may separate cells: commas, and what spreadsheets write instead in many countries.
const DELIMITERS: [(char, &str); 4] =
    [(',', "commas"), (';', "semicolons"), ('\t', "tabs"), ('|', "bars")];

/// The word for a delimiter.
pub fn delimiter_name(delimiter: char) -> String {
    let known = DELIMITERS.iter().find(|(sign, _)| *sign == delimiter);
    known.map_or_else(|| format!("`{delimiter}`"), |(_, name)| (*name).to_owned())
}

/// What separates the cells of a header instead of commas.
pub fn other_separator(text: &str) -> Option<&'static str> {
    let header = text.lines().next().unwrap_or_default();
    if header.contains(',') {
        return None;
    }
    let known = DELIMITERS.iter().find(|(sign, _)| header.contains(*sign));
    known.map(|(_, name)| *name)
}

/// What separates the cells of `text`: the delimiter of the layout; without one commas, or else the
/// first other delimiter by which all rows have as many cells as the header.
pub(super) fn detect_delimiter(text: &str, layout: &FileLayout) -> Result<char, MalformedBody> {
    if let Some(delimiter) = layout.delimiter {
        return Ok(delimiter);
    }

    let commas = count_columns(text, ',', layout);
    if commas.as_ref().is_ok_and(|columns| *columns > 1) {
        return Ok(',');
    }

    for (delimiter, _) in DELIMITERS.into_iter().skip(1) {
        if count_columns(text, delimiter, layout).is_ok_and(|columns| columns > 1) {
            return Ok(delimiter);
        }
    }

    if let Some(separator) = other_separator(text) {
        let message = format!(
            "cells are separated by {separator}, and not every row has as many as the header"
        );
        let help = "write commas, or repair the rows and set `delimiter` in [transactions]";
        return Err(MalformedBody {
            help: Some(help.to_owned()),
            ..MalformedBody::at_line(1, message)
        });
    }
    commas.map(|_| ',')
}

/// How many columns `text` has with this delimiter, where each of its rows has as many.
fn count_columns(text: &str, delimiter: char, layout: &FileLayout) -> Result<usize, MalformedBody> {
    let mut table = table(text, delimiter, layout)?;
    table.check_rows()?;
    Ok(table.columns().len())
}

/// The rows of `text` with this delimiter.
pub(super) fn table<'t>(
    text: &'t str,
    delimiter: char,
    layout: &FileLayout,
) -> Result<Table<'t>, MalformedBody> {
    let body = skip_lines(text, layout.skip_rows);
    let start = text.len() - body.len();
    let mut lines = LineCounter::new(text);
    let mut rows = DelimitedRows::new(body, delimiter).with_row_limit(ROW_BYTES_MAX);

    let cells = std::iter::from_fn(move || {
        let line = lines.line_at(start + rows.byte_offset());
        let row = rows.next_row().map_err(|broken| malformed_row(text, start, broken));
        let cells = |row: Vec<Delimited>| {
            row.into_iter().map(|cell| Cell::Text(strip_text_guard(cell.text))).collect()
        };
        row.map(|row| row.map(|row| (line, cells(row)))).transpose()
    });
    Table::new(cells, false, layout)
}

/// A cell without the guard `="…"`, by which spreadsheets are kept from reading it as a number.
fn strip_text_guard(text: String) -> String {
    let inner = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('"') => inner.to_owned(),
        _ => text,
    }
}

/// The text without its first lines.
pub(super) fn skip_lines(text: &str, lines: usize) -> &str {
    let mut rest = text;
    for _ in 0..lines {
        rest = rest.split_once('\n').map_or("", |(_, below)| below);
    }
    rest
}

/// What is no row, in a text whose rows begin at `start`.
fn malformed_row(text: &str, start: usize, broken: BrokenRow) -> MalformedBody {
    let (offset, message, help) = match broken {
        BrokenRow::OpenQuote(offset) => {
            let help = "close the quote, and write a quote inside a quoted cell twice";
            (offset, "a quoted cell does not end with its quote".to_owned(), help)
        }
        BrokenRow::TooLong(offset) => {
            let help = "shorten the row; if the cell begins with a quote, see whether it is closed";
            (offset, format!("the row has more than {ROW_BYTES_MAX} bytes"), help)
        }
    };

    let offset = start + offset;
    let before = text.get(..offset).unwrap_or_default();
    let line_start = before.rsplit(['\r', '\n']).next().unwrap_or_default();
    MalformedBody {
        line: line_of(text, offset),
        column: line_start.chars().count() as u64 + 1,
        message,
        help: Some(help.to_owned()),
    }
}
