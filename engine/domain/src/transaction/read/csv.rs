//! Rows of delimited text whose first row names the columns.
//!
//! Called by `read`.

use super::table::table;
use super::{FileLayout, Lines, Malformed, Sheet, line_of};
use crate::delimited::{Cell as Delimited, OpenQuote, Rows};
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

/// Reads `text` with the delimiter of the layout; without one with commas, or else with the first
/// other delimiter by which all rows have as many cells as the header.
pub(super) fn sheet(text: &str, layout: &FileLayout) -> Result<Sheet, Malformed> {
    if let Some(delimiter) = layout.delimiter {
        return with(text, delimiter, layout);
    }
    let commas = with(text, ',', layout);
    let one_column = |sheet: &Sheet| sheet.columns.len() < 2;
    if !commas.as_ref().map_or(true, one_column) {
        return commas;
    }

    for (delimiter, _) in DELIMITERS.into_iter().skip(1) {
        if let Ok(sheet) = with(text, delimiter, layout)
            && !one_column(&sheet)
        {
            return Ok(Sheet { detected: Some(delimiter), ..sheet });
        }
    }
    if let Some(separator) = other_separator(text) {
        let message = format!(
            "cells are separated by {separator}, and not every row has as many as the header"
        );
        let help = "write commas, or repair the rows and set `delimiter` in [transactions]";
        return Err(Malformed { help: Some(help.to_owned()), ..Malformed::at(1, message) });
    }
    commas
}

/// Reads `text` with this delimiter.
fn with(text: &str, delimiter: char, layout: &FileLayout) -> Result<Sheet, Malformed> {
    let body = below(text, layout.skip_rows);
    let start = text.len() - body.len();
    let mut lines = Lines::new(text);
    let mut rows = Rows::new(body, delimiter);
    let cells = std::iter::from_fn(|| {
        let line = lines.of(start + rows.offset());
        let row = rows.next_row().map_err(|OpenQuote(offset)| open_quote(text, start + offset));
        let cells = |row: Vec<Delimited>| {
            row.into_iter().map(|cell| Cell::Text(unguarded(cell.text))).collect()
        };
        row.map(|row| row.map(|row| (line, cells(row)))).transpose()
    });
    table(cells, false, layout)
}

/// A cell without the guard `="…"`, by which spreadsheets are kept from reading it as a number.
fn unguarded(text: String) -> String {
    let inner = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    match inner {
        Some(inner) if !inner.contains('"') => inner.to_owned(),
        _ => text,
    }
}

/// The text without its first lines.
fn below(text: &str, lines: usize) -> &str {
    let mut rest = text;
    for _ in 0..lines {
        rest = rest.split_once('\n').map_or("", |(_, below)| below);
    }
    rest
}

fn open_quote(text: &str, offset: usize) -> Malformed {
    let before = text.get(..offset).unwrap_or_default();
    let start = before.rsplit(['\r', '\n']).next().unwrap_or_default();
    Malformed {
        line: line_of(text, offset),
        column: start.chars().count() as u64 + 1,
        message: "a quoted cell does not end with its quote".to_owned(),
        help: Some("close the quote, and write a quote inside a quoted cell twice".to_owned()),
    }
}
