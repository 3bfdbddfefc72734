//! How verbs print: data on standard output in the requested format, messages on standard error.
//!
//! Called by every verb. Source: LIBRARIES 5.1.

use std::io::{self, IsTerminal, Write};

use accredit_domain::credit::fields::CREDIT_COLUMNS;
use accredit_domain::credit::posted::PostedCredit;
use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value as Json;

use crate::tabular::credits::csv_credits;
use crate::tabular::{self, csv_cell};

/// A format of data on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DataFormat {
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// For people.
    Table,
}

/// Success.
pub(crate) const EXIT_OK: u8 = 0;
/// A check failed, or the work could not be done.
pub(crate) const EXIT_FAILED: u8 = 1;
/// Wrong usage.
pub(crate) const EXIT_USAGE: u8 = 2;
/// Nothing matched the request.
pub(crate) const EXIT_NOTHING: u8 = 3;
/// A preview found that something would change.
pub(crate) const EXIT_CHANGES: u8 = 4;

/// Prints a line, quietly ending when the reader has gone away.
pub(crate) fn print_line(text: &str) {
    // A closed pipe is the reader's decision, not a fault of ours.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints `data` as JSON.
pub(crate) fn print_json(data: &impl Serialize) {
    let text = if io::stdout().is_terminal() {
        serde_json::to_string_pretty(data)
    } else {
        serde_json::to_string(data)
    };
    print_line(&text.unwrap_or_default());
}

/// A view as JSON: the keys of every object are in alphabetical order, as a server answers. One that
/// cannot be written is null.
pub(crate) fn view_json(view: &impl Serialize) -> Json {
    serde_json::to_value(view).unwrap_or_default()
}

/// Prints `rows` (objects) with `columns` as CSV. A cell that a spreadsheet would run as a formula
/// gets an apostrophe in front.
pub(crate) fn print_csv(columns: &[&str], rows: &[Json]) {
    let head = tabular::csv_header(columns);
    let written = head.and_then(|head| Ok([head, tabular::csv_rows(columns, rows)?].concat()));
    if let Ok(bytes) = written {
        let _ = io::stdout().lock().write_all(&bytes);
    }
}

/// Prints the header of credits as CSV.
pub(crate) fn print_credits_header() {
    // A closed pipe is the reader's decision, not a fault of ours.
    let _ = tabular::csv_header(&CREDIT_COLUMNS).map(|head| io::stdout().lock().write_all(&head));
}

/// Prints credits as CSV without a header, row by row.
pub(crate) fn print_credits_csv(credits: &[PostedCredit]) {
    let mut out = io::stdout().lock();
    for block in credits.chunks(PRINT_BLOCK_CREDITS) {
        let _ = out.write_all(&csv_credits(block));
    }
}

/// Credits that are written at a time.
const PRINT_BLOCK_CREDITS: usize = 1 << 12;

/// Prints `rows` (objects) with `columns` as a table.
pub(crate) fn print_table(columns: &[&str], rows: &[Json]) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns);

    for row in rows {
        table.add_row(columns.iter().map(|column| csv_cell(row, column)));
    }
    print_line(&table.to_string());
}
