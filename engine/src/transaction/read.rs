//! Rows out of files and bodies: CSV, NDJSON, one JSON object or an array of them.
//!
//! Not decoding by type: cells stay as delivered. Called by the command line and by intake.

use serde_json::Value as Json;

use super::{Cell, Record};

/// A body that is not rows: where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Malformed {
    /// Line in the body, from 1.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

/// Rows of a CSV body whose first row names the columns.
///
/// # Errors
/// [`Malformed`] at the first row that has not as many cells as the header.
pub fn csv(body: &[u8]) -> Result<Vec<Record>, Malformed> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    if let Some(separator) = other_separator(&String::from_utf8_lossy(body)) {
        let message = format!("cells are separated by {separator}; write commas");
        return Err(Malformed { line: 1, message });
    }
    if let Some(records) = unquoted(body) {
        return Ok(records);
    }
    let mut reader = csv::ReaderBuilder::new().from_reader(body);
    let malformed = |error: &csv::Error| Malformed {
        line: error.position().map_or(1, csv::Position::line),
        message: plain(error),
    };
    let header = reader.headers().map_err(|error| malformed(&error))?.clone();
    let mut records = Vec::new();
    for row in reader.records() {
        let row = row.map_err(|error| malformed(&error))?;
        let cells = header.iter().zip(row.iter());
        let cells = cells.map(|(column, cell)| (column.to_owned(), Cell::Text(cell.to_owned())));
        records.push(Record { cells: cells.collect() });
    }
    Ok(records)
}

/// What separates the cells of a header instead of commas, as spreadsheets write it in many countries.
pub(crate) fn other_separator(text: &str) -> Option<&'static str> {
    let header = text.lines().next().unwrap_or_default();
    if header.contains(',') {
        return None;
    }
    [(';', "semicolons"), ('\t', "tabs")]
        .iter()
        .find_map(|(sign, word)| header.contains(*sign).then_some(*word))
}

/// The rows of a body that has nothing but commas and line feeds. Setting up a reader takes longer
/// than reading the few rows of a case; everything else, and everything wrong, is for the reader.
fn unquoted(body: &[u8]) -> Option<Vec<Record>> {
    let text = std::str::from_utf8(body).ok()?;
    if text.contains(['"', '\r']) {
        return None;
    }
    let mut lines = text.split('\n').filter(|line| !line.is_empty());
    let header: Vec<&str> = lines.next()?.split(',').collect();
    let rows = lines.map(|line| {
        let cells = header.iter().zip(line.split(','));
        let cells: Vec<(String, Cell)> = cells
            .map(|(column, cell)| ((*column).to_owned(), Cell::Text(cell.to_owned())))
            .collect();
        let whole = line.split(',').count() == header.len();
        whole.then_some(Record { cells })
    });
    rows.collect()
}

/// The columns that the first row of a CSV body names, even when no other row follows.
pub fn csv_columns(body: &[u8]) -> Vec<String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut reader = csv::ReaderBuilder::new().from_reader(body);
    let header = reader.headers().map(|header| header.iter().map(str::to_owned).collect());
    header.unwrap_or_default()
}

fn plain(error: &csv::Error) -> String {
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            format!("{len} cells where the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { .. } => "not UTF-8 text".to_owned(),
        _ => error.to_string(),
    }
}

/// Rows of a body with one JSON object a line; blank lines are passed over.
///
/// # Errors
/// [`Malformed`] at the first line that is not a JSON object.
pub fn ndjson(body: &[u8]) -> Result<Vec<Record>, Malformed> {
    let mut records = Vec::new();
    for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let at = |message: String| Malformed { line: index as u64 + 1, message };
        let json: Json = serde_json::from_slice(line).map_err(|error| at(reason(&error)))?;
        records.push(record(&json).ok_or_else(|| at("not a JSON object".to_owned()))?);
    }
    Ok(records)
}

/// Rows of a body that is one JSON object, or an array of them.
///
/// # Errors
/// [`Malformed`] when it is neither.
pub fn json(body: &[u8]) -> Result<Vec<Record>, Malformed> {
    let json: Json = serde_json::from_slice(body)
        .map_err(|error| Malformed { line: error.line() as u64, message: reason(&error) })?;
    let neither = || Malformed {
        line: 1,
        message: "expected one transaction as a JSON object, or an array of them".to_owned(),
    };
    match &json {
        Json::Array(rows) => rows.iter().map(|row| record(row).ok_or_else(neither)).collect(),
        other => Ok(vec![record(other).ok_or_else(neither)?]),
    }
}

/// What is wrong, without the place: lines are counted in the whole body.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(what, _)| what.to_owned())
}

/// One row out of a JSON object.
pub fn record(json: &Json) -> Option<Record> {
    let object = json.as_object()?;
    let cells = object.iter().map(|(column, value)| (column.clone(), cell(value)));
    Some(Record { cells: cells.collect() })
}

fn cell(json: &Json) -> Cell {
    match json {
        Json::Null => Cell::Null,
        Json::Bool(flag) => Cell::Bool(*flag),
        Json::Number(number) => Cell::Number(number.to_string()),
        Json::String(text) => Cell::Text(text.clone()),
        Json::Array(_) | Json::Object(_) => Cell::Nested(json.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the reader of the library makes of a body.
    fn with_library(body: &str) -> Option<Vec<Record>> {
        let mut reader = csv::ReaderBuilder::new().from_reader(body.as_bytes());
        let header = reader.headers().ok()?.clone();
        let rows = reader.records().map(|row| {
            let row = row.ok()?;
            let cells = header.iter().zip(row.iter());
            let cells =
                cells.map(|(column, cell)| (column.to_owned(), Cell::Text(cell.to_owned())));
            Some(Record { cells: cells.collect() })
        });
        rows.collect()
    }

    proptest! {
        #[test]
        fn bodies_without_quotes_are_read_as_the_library_reads_them(
            body in "[a,\n \"\r\u{feff}\u{e4}]{0,24}"
        ) {
            let body = body.trim_start_matches('\u{feff}');
            if let Some(records) = unquoted(body.as_bytes()) {
                prop_assert_eq!(Some(records), with_library(body));
            }
        }
    }
}
