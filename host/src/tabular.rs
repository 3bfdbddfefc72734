//! Rows as CSV, Parquet and spreadsheets, the same on the command line and on the wire.
//!
//! **Architecture invariant:** no cell is a formula: text that a spreadsheet would run gets an
//! apostrophe in front.

pub(crate) mod arrow;
mod cells;
pub(crate) mod columns;
mod credits;
mod forms;
pub(crate) mod spreadsheet;
pub(crate) mod table_parquet;
pub(crate) mod writer;

use std::borrow::Cow;

use serde_json::Value as Json;

/// The header as CSV.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn csv_header(columns: &[&str]) -> Result<Vec<u8>, String> {
    write_csv(|writer| writer.write_record(columns))
}

/// `rows` (objects) with `columns` as CSV, without a header.
///
/// # Errors
/// When they cannot be written.
pub(crate) fn csv_rows(columns: &[&str], rows: &[Json]) -> Result<Vec<u8>, String> {
    write_csv(|writer| {
        rows.iter().try_for_each(|row| {
            writer.write_record(
                columns
                    .iter()
                    .map(|column| guard_formula(Cow::Owned(csv_cell(row, column))).into_owned()),
            )
        })
    })
}

fn write_csv(
    write: impl FnOnce(&mut csv::Writer<Vec<u8>>) -> csv::Result<()>,
) -> Result<Vec<u8>, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    write(&mut writer).map_err(|error| error.to_string())?;
    writer.into_inner().map_err(|error| error.to_string())
}

/// One cell: a list joined by `;`, an object of texts as `key=text` joined by `;`, nothing for null.
pub(crate) fn csv_cell(row: &Json, column: &str) -> String {
    match row.get(column) {
        None | Some(Json::Null) => String::new(),
        Some(Json::String(text)) => text.clone(),
        Some(Json::Array(items)) => {
            let items = items.iter().filter_map(Json::as_str);
            items.collect::<Vec<_>>().join(";")
        }

        Some(Json::Object(pairs)) if pairs.values().all(Json::is_string) => {
            let pairs = pairs.iter();
            let pairs = pairs.map(|(key, text)| format!("{key}={}", text.as_str().unwrap_or("")));
            pairs.collect::<Vec<_>>().join(";")
        }

        Some(other) => other.to_string(),
    }
}

fn guard_formula(cell: Cow<'_, str>) -> Cow<'_, str> {
    if cells::is_formula(&cell) { Cow::Owned(format!("'{cell}")) } else { cell }
}
