//! How verbs print: data on standard output in the format asked for, talk on standard error.
//!
//! Called by every verb. Source: LIBRARIES 5.1.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;
use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;
use serde_json::Value as Json;

/// A format of data on standard output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
    /// For people.
    Table,
}

/// Everything fine.
pub(crate) const EXIT_OK: u8 = 0;
/// A check failed, or the work could not be done.
pub(crate) const EXIT_FAILED: u8 = 1;
/// Wrong usage.
pub(crate) const EXIT_USAGE: u8 = 2;
/// Nothing matched.
pub(crate) const EXIT_NOTHING: u8 = 3;
/// A preview found that something would change.
pub(crate) const EXIT_CHANGES: u8 = 4;

/// Prints a line, quietly ending when the reader has gone away.
pub(crate) fn line(text: &str) {
    // A closed pipe is the reader's decision, not a fault of ours.
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Prints `data` as JSON.
pub(crate) fn json(data: &impl Serialize) {
    let text = if io::stdout().is_terminal() {
        serde_json::to_string_pretty(data)
    } else {
        serde_json::to_string(data)
    };
    line(&text.unwrap_or_default());
}

/// Prints `rows` (objects) with `columns` as CSV. A cell that a spreadsheet would run as a formula
/// gets an apostrophe in front.
pub(crate) fn csv(columns: &[&str], rows: &[Json]) {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut written = writer.write_record(columns);
    for row in rows {
        let cells = columns.iter().map(|column| guarded(&cell(row, column)));
        written = written.and_then(|()| writer.write_record(cells));
    }
    if let (Ok(()), Ok(bytes)) = (written, writer.into_inner()) {
        let _ = io::stdout().lock().write_all(&bytes);
    }
}

/// Prints `rows` (objects) with `columns` as a table.
pub(crate) fn table(columns: &[&str], rows: &[Json]) {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY);
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(columns);
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(row, column)));
    }
    line(&table.to_string());
}

fn cell(row: &Json, column: &str) -> String {
    match row.get(column) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(items)) => {
            let items = items.iter().filter_map(Json::as_str);
            items.collect::<Vec<_>>().join(";")
        }
        Some(other) => other.to_string(),
    }
}

fn guarded(cell: &str) -> String {
    let risky = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let number = cell.parse::<rust_decimal::Decimal>().is_ok();
    if risky && !number { format!("'{cell}") } else { cell.to_owned() }
}
