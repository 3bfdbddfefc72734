//! Rows of delimited text whose first row names the columns.
//!
//! Called by `read`.

use std::collections::BTreeSet;

use super::{Layout, Lines, Malformed, Row, Sheet, line_of};
use crate::delimited::{Cell as Delimited, OpenQuote, Rows};
use crate::transaction::{Cell, Record};

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
pub(super) fn sheet(text: &str, layout: &Layout) -> Result<Sheet, Malformed> {
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
fn with(text: &str, delimiter: char, layout: &Layout) -> Result<Sheet, Malformed> {
    let body = below(text, layout.skip_rows);
    let start = text.len() - body.len();
    let mut lines = Lines::new(text);
    let mut rows = Rows::new(body, delimiter);
    let mut counts = Counts::default();
    let mut sheet = Sheet::default();
    loop {
        let line = lines.of(start + rows.offset());
        let row = rows.next_row().map_err(|OpenQuote(offset)| open_quote(text, start + offset))?;
        let Some(row) = row else { break };
        if row.iter().all(|cell| cell.text.trim().is_empty()) {
            counts.blank |= counts.header.is_some();
            if layout.stop_at_blank && counts.header.is_some() {
                break;
            }
            // A header without any name is one all the same.
            if row.is_empty() || counts.header.is_some() {
                continue;
            }
        }
        if counts.header.is_none() {
            counts.header = Some(row.len());
            sheet.columns = header(&row, line)?;
            continue;
        }
        if row.len() != sheet.columns.len() {
            return Err(counts.unequal(row.len(), line, rows));
        }
        sheet.rows.push(Row { line: line, record: record(&sheet.columns, row) });
    }
    Ok(sheet)
}

/// The text without its first lines.
fn below(text: &str, lines: usize) -> &str {
    let mut rest = text;
    for _ in 0..lines {
        rest = rest.split_once('\n').map_or("", |(_, below)| below);
    }
    rest
}

/// Names of columns without the blanks around them.
fn header(row: &[Delimited], line: u64) -> Result<Vec<String>, Malformed> {
    let mut known = BTreeSet::new();
    for cell in row.iter().filter(|cell| !cell.text.trim().is_empty()) {
        let name = cell.text.trim();
        if !known.insert(name) {
            let message = format!("the column `{name}` stands in the header twice");
            let help = Some("rename one of the two".to_owned());
            return Err(Malformed { help, ..Malformed::at(line, message) });
        }
    }
    Ok(row.iter().map(|cell| super::column_name(cell.text.trim())).collect())
}

fn record(columns: &[String], row: Vec<Delimited>) -> Record {
    let cells = columns.iter().cloned().zip(row.into_iter().map(|cell| Cell::Text(cell.text)));
    Record { cells: cells.collect() }
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

/// What was seen before a row that has not as many cells as the header.
#[derive(Default)]
struct Counts {
    /// Cells of the header, once it was read.
    header: Option<usize>,
    /// Whether there was a blank row below it.
    blank: bool,
}

impl Counts {
    /// The error at a row of `cells`, with a way out: lines above the header are a title, and what
    /// comes below a blank row is a footer.
    fn unequal(&self, cells: usize, line: u64, mut rest: Rows<'_>) -> Malformed {
        let header = self.header.unwrap_or_default();
        let next = rest.next_row().ok().flatten().map(|row| row.len());
        let help = if header == 1 && cells > 1 && next.is_none_or(|next| next == cells) {
            format!(
                "if the header stands in line {line}, write `skip_rows = {}` in [transactions]",
                line.saturating_sub(1)
            )
        } else if self.blank {
            "if the rows end at the blank row above, write `stop_at_blank = true` in [transactions]"
                .to_owned()
        } else {
            "put a cell that contains a comma in quotes; a blank cell needs its comma; of a title \
             or a footer see `skip_rows` and `stop_at_blank` in [transactions]"
                .to_owned()
        };
        let message = format!("{cells} cells where the header has {header}");
        Malformed { help: Some(help), ..Malformed::at(line, message) }
    }
}
