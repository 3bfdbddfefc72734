//! How verbs print: data on standard output in the requested format, messages on standard error.
//!
//! Called by every verb. Source: LIBRARIES 5.1.

use std::io::{self, BufWriter, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value as Json;

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
    let pretty = io::stdout().is_terminal();
    let mut out = BufWriter::new(io::stdout().lock());
    let _ = write_json(&mut out, data, pretty).and_then(|()| out.flush());
}

/// Writes `data` as JSON: for people on many lines, for programs on one.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_json(
    mut out: impl Write,
    data: &impl Serialize,
    pretty: bool,
) -> io::Result<()> {
    if pretty {
        serde_json::to_writer_pretty(&mut out, data)?;
    } else {
        serde_json::to_writer(&mut out, data)?;
    }
    out.write_all(b"\n")
}

/// A view as JSON: the keys of every object are in alphabetical order, as a server answers. One that
/// cannot be written is null.
pub(crate) fn view_json(view: &impl Serialize) -> Json {
    serde_json::to_value(view).unwrap_or_default()
}

/// Prints `rows` (objects) with `columns` as CSV. A cell that a spreadsheet would run as a formula
/// gets an apostrophe in front.
pub(crate) fn print_csv(columns: &[&str], rows: &[Json]) {
    let _ = write_csv(io::stdout().lock(), columns, rows);
}

/// Writes the same.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_csv(mut out: impl Write, columns: &[&str], rows: &[Json]) -> io::Result<()> {
    let head = tabular::csv_header(columns);
    let bytes = head.and_then(|head| Ok([head, tabular::csv_rows(columns, rows)?].concat()));
    out.write_all(&bytes.map_err(io::Error::other)?)
}

/// Prints `rows` (objects) with `columns` as a table.
pub(crate) fn print_table(columns: &[&str], rows: &[Json]) {
    let _ = write_table(io::stdout().lock(), columns, rows);
}

/// Writes the same.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn write_table(mut out: impl Write, columns: &[&str], rows: &[Json]) -> io::Result<()> {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns);

    for row in rows {
        table.add_row(columns.iter().map(|column| csv_cell(row, column)));
    }
    writeln!(out, "{table}")
}
