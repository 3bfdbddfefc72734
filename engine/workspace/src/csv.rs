//! CSV with places: rows of an organisation's file, each cell with the offset it was read at.
//!
//! Not transactions (`transaction::read`), and not telling cells apart (`delimited`). Called by
//! `organization`.
//!
//! **Architecture invariant:** a row that reaches its reader has a cell for every column of the
//! header; any other row was reported.

use jiff::civil::Date;

use super::report::suggest_names;
use super::toml::DefinitionText;
use accredit_domain::calendar::Validity;
pub(super) use accredit_domain::delimited::DelimitedCell;
use accredit_domain::delimited::{BrokenRow, DelimitedRows};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::organization::compose_id;
use accredit_domain::transaction;
use accredit_domain::transaction::read::other_separator;

/// A CSV file, read, with the places of its cells.
pub(super) struct DefinitionSheet<'a> {
    source: DefinitionText<'a>,
    columns: Vec<&'a str>,
    rows: Vec<Vec<DelimitedCell>>,
    whole: bool,
}

impl<'a> DefinitionSheet<'a> {
    /// Reads a file whose columns are among `known`, with at least those of `needed`.
    pub(super) fn read(source: DefinitionText<'a>, known: &[&'a str], needed: &[&'a str]) -> Self {
        let before = source.report.len();
        if let Some(separator) = other_separator(source.text) {
            let message = format!("the cells of this file are separated by {separator}");
            let help = "write commas; a spreadsheet asks for the separator when it exports CSV";
            source.report.error(Code::CR030, Place::new(source.file, 1, 1), message, help);
            return DefinitionSheet { source, columns: Vec::new(), rows: Vec::new(), whole: false };
        }

        let (mut rows, malformed) = split_rows(source.text);
        if let Some(offset) = malformed {
            let message = "a quoted cell does not end with its quote".to_owned();
            let help = "close the quote, and write a quote inside a quoted cell twice";
            source.report.error(Code::CR030, source.place(offset), message, help);
        }

        let header = if rows.is_empty() { Vec::new() } else { rows.remove(0) };
        let columns = header_columns(source, &header, known);

        for missing in needed.iter().filter(|needed| !columns.contains(needed)) {
            let message = format!("the column `{missing}` is missing");
            let help = format!("the columns are {}", known.join(", "));
            source.report.error(Code::CR031, Place::new(source.file, 1, 1), message, &help);
        }

        rows.retain(|row| {
            let whole = row.len() == columns.len();

            if !whole && malformed.is_none() {
                let beyond = row.get(columns.len()).or(row.first());
                let offset = beyond.map_or(0, |cell| cell.offset);
                let message =
                    format!("the row has {} cells, the header {}", row.len(), columns.len());
                let help = "put a cell that contains a comma in quotes";
                source.report.error(Code::CR030, source.place(offset), message, help);
            }
            whole
        });

        // Without a needed column every row would be reported once more.
        if needed.iter().any(|needed| !columns.contains(needed)) {
            rows.clear();
        }

        let whole = source.report.len() == before;
        DefinitionSheet { source, columns, rows, whole }
    }

    /// Whether no row was left out.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// The rows below the header.
    pub(super) fn rows(&self) -> impl Iterator<Item = DefinitionRow<'_, 'a>> {
        self.rows.iter().map(|cells| DefinitionRow { sheet: self, cells })
    }
}

fn header_columns<'a>(
    source: DefinitionText<'_>,
    header: &[DelimitedCell],
    known: &[&'a str],
) -> Vec<&'a str> {
    let mut columns: Vec<&'a str> = Vec::new();
    for cell in header {
        let column = known.iter().find(|known| **known == cell.text).copied();
        let fault = match column {
            Some(column) if columns.contains(&column) => Some("stands in the header twice"),
            Some(_) => None,
            None => Some("is not a column of this file"),
        };

        if let Some(fault) = fault {
            let message = format!("`{}` {fault}", cell.text);
            let error = Diagnostic::error(Code::CR031, source.place(cell.offset), message);
            source.report.push(error.with_help(suggest_names(&cell.text, "column", known)));
        }
        // A column that is unknown keeps its place, so that the cells after it keep theirs.
        columns.push(column.unwrap_or(""));
    }

    columns
}

/// One row, with the file that it is a row of.
#[derive(Clone, Copy)]
pub(super) struct DefinitionRow<'r, 'a> {
    sheet: &'r DefinitionSheet<'a>,
    cells: &'r [DelimitedCell],
}

impl<'r, 'a> DefinitionRow<'r, 'a> {
    /// The file it stands in.
    pub(super) fn source(&self) -> DefinitionText<'a> {
        self.sheet.source
    }

    /// The cell of a column that is there and not blank.
    pub(super) fn get(&self, column: &str) -> Option<&'r DelimitedCell> {
        let index = self.sheet.columns.iter().position(|known| *known == column)?;
        self.cells.get(index).filter(|cell| !cell.text.is_empty())
    }

    /// The text of a cell; blank where there is none.
    pub(super) fn text(&self, column: &str) -> &'r str {
        self.get(column).map_or("", |cell| cell.text.as_str())
    }

    /// The place of a cell, blank or not; else that of the row.
    pub(super) fn cell_offset(&self, column: &str) -> usize {
        let index = self.sheet.columns.iter().position(|known| *known == column);
        let cell = index.and_then(|index| self.cells.get(index)).or(self.cells.first());
        cell.map_or(0, |cell| cell.offset)
    }

    /// The cell of a column that must not be blank, which is reported.
    pub(super) fn need_cell(&self, column: &str) -> Option<&'r DelimitedCell> {
        let found = self.get(column);
        if found.is_none() {
            let message = format!("`{column}` is blank");
            self.report_error(Code::CR032, self.cell_offset(column), message, "every row needs it");
        }
        found
    }

    /// `from` and `to`, inclusive; nothing where something is wrong with them, which is reported.
    pub(super) fn read_validity(&self) -> Option<Validity> {
        let found = self.parse_dates();
        if let Err((offset, message)) = &found {
            let help = "dates are ISO, 2017-03-31, and both are included";
            self.report_error(Code::CR032, *offset, message.clone(), help);
        }
        found.ok()
    }

    /// The same; what is wrong is returned with its place, not reported.
    pub(super) fn parse_dates(&self) -> Result<Validity, (usize, String)> {
        let day = |column: &str| -> Result<Option<Date>, (usize, String)> {
            let Some(cell) = self.get(column) else { return Ok(None) };
            let day = transaction::dates::parse_iso_date(&cell.text);
            let fault = || (cell.offset, format!("`{}` is not a date", cell.text));
            day.map(Some).ok_or_else(fault)
        };

        let (from, to) = (day("from")?, day("to")?);
        if let (Some(from), Some(to)) = (from, to)
            && to < from
        {
            let message = format!("`to` is {to}, before `from`, which is {from}");
            return Err((self.cell_offset("to"), message));
        }

        Ok(Validity::from_inclusive(from, to))
    }

    /// Reports an error at a byte offset of the file.
    pub(super) fn report_error(&self, code: Code, offset: usize, message: String, help: &str) {
        let source = self.source();
        source.report.error(code, source.place(offset), message, help);
    }
}

/// The rows of a text, cells without the blanks around them, and where a cell begins whose quote
/// does not end it.
fn split_rows(text: &str) -> (Vec<Vec<DelimitedCell>>, Option<usize>) {
    let mut rows = DelimitedRows::new(text, ',');
    let mut read = Vec::new();
    loop {
        let row = match rows.next_row() {
            Ok(Some(row)) => row,
            Ok(None) => return (read, None),
            Err(BrokenRow::OpenQuote(offset) | BrokenRow::TooLong(offset)) => {
                return (read, Some(offset));
            }
        };

        let row: Vec<DelimitedCell> = row.into_iter().map(normalize_cell).collect();
        // Spreadsheets export the empty rows below a table.
        if row.iter().any(|cell| !cell.text.is_empty()) {
            read.push(row);
        }
    }
}

fn normalize_cell(cell: DelimitedCell) -> DelimitedCell {
    let blanks = cell.text.len() - cell.text.trim_start().len();
    DelimitedCell { text: compose_id(&cell.text), offset: cell.offset + blanks }
}
