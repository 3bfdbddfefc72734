//! Rows out of files and bodies: CSV, NDJSON, one JSON object or an array of them.
//!
//! Not decoding by type: cells stay as delivered. Called by the command line and by intake.

use std::collections::BTreeSet;

use serde_json::Value as Json;

use super::{Cell, Record, trimmed};

/// A body that is not rows: where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct Malformed {
    /// Line in the body, from 1.
    pub line: u64,
    /// Column in characters, from 1; 1 where the whole line is meant.
    pub column: u64,
    /// What is wrong.
    pub message: String,
}

/// Rows of a CSV body whose first row names the columns, without spaces at their ends; rows without
/// any text are passed over.
///
/// # Errors
/// [`Malformed`] at a column that the header names twice, and at the first row that has not as many
/// cells as the header.
pub fn csv(body: &[u8]) -> Result<Vec<Record>, Malformed> {
    let body = unmarked(body);
    if let Some(separator) = other_separator(&String::from_utf8_lossy(body)) {
        let message = format!("cells are separated by {separator}; write commas");
        return Err(Malformed { line: 1, column: 1, message });
    }
    if let Some(records) = unquoted(body) {
        return Ok(records);
    }
    if let Some(byte) = open_quote(body) {
        let start = body.get(..byte).unwrap_or_default();
        let start = start.rsplit(|byte| matches!(byte, b'\r' | b'\n')).next().unwrap_or_default();
        let message = "a quoted cell does not end with its quote".to_owned();
        let column = String::from_utf8_lossy(start).chars().count() as u64 + 1;
        return Err(Malformed { line: line(body, byte as u64), column, message });
    }
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body);
    let malformed = |at: Option<&csv::Position>, message: String| Malformed {
        line: at.map_or(1, |at| line(body, at.byte())),
        column: 1,
        message,
    };
    let plain = |error: csv::Error| malformed(error.position(), plain(&error));
    let header: Vec<String> =
        reader.headers().map_err(plain)?.iter().map(|name| trimmed(name).to_owned()).collect();
    if let Some(column) = twice(header.iter().map(String::as_str)) {
        let message = format!("the column `{column}` stands in the header twice");
        return Err(malformed(None, message));
    }
    let mut records = Vec::new();
    for row in reader.records() {
        let row = row.map_err(plain)?;
        if row.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        if row.len() != header.len() {
            let message = format!("{} cells where the header has {}", row.len(), header.len());
            return Err(malformed(row.position(), message));
        }
        let cells = header.iter().zip(row.iter());
        let cells = cells.map(|(column, cell)| (column.clone(), Cell::Text(cell.to_owned())));
        records.push(Record { cells: cells.collect() });
    }
    Ok(records)
}

/// A body without the byte order mark that Windows puts before it.
fn unmarked(body: &[u8]) -> &[u8] {
    body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)
}

/// What separates the cells of a header instead of commas, as spreadsheets write it in many countries.
pub fn other_separator(text: &str) -> Option<&'static str> {
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
    let header: Vec<&str> = lines.next()?.split(',').map(trimmed).collect();
    if twice(header.iter().copied()).is_some() {
        return None;
    }
    let lines = lines.filter(|line| !line.split(',').all(|cell| cell.trim().is_empty()));
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
    let body = unmarked(body);
    let mut reader = csv::ReaderBuilder::new().from_reader(body);
    let names =
        |header: &csv::StringRecord| header.iter().map(trimmed).map(str::to_owned).collect();
    reader.headers().map(names).unwrap_or_default()
}

/// The line of the row that begins at this byte, or behind the line break that stands there.
fn line(body: &[u8], byte: u64) -> u64 {
    let (before, rest) = body.split_at(usize::try_from(byte).unwrap_or(0).min(body.len()));
    let breaks = rest.iter().take_while(|byte| matches!(**byte, b'\r' | b'\n'));
    let count = before.iter().chain(breaks).filter(|byte| **byte == b'\n').count();
    count as u64 + 1
}

/// Where a cell begins whose quote is never closed: the library reads all that follows into it.
fn open_quote(body: &[u8]) -> Option<usize> {
    let (mut begins, mut open) = (true, None);
    let mut bytes = body.iter().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'"' if open.is_some() => {
                // Twice, it is a quote in the text.
                let twice = bytes.next_if(|(_, next)| **next == b'"').is_some();
                open = open.filter(|_| twice);
            }
            b'"' if begins => open = Some(at),
            _ => {}
        }
        begins = open.is_none() && matches!(byte, b',' | b'\r' | b'\n');
    }
    open
}

/// The first name that stands in a header twice; columns without a name are not told apart.
fn twice<'a>(header: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut names = BTreeSet::new();
    header.filter(|name| !name.is_empty()).find(|name| !names.insert(*name))
}

fn plain(error: &csv::Error) -> String {
    match error.kind() {
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
    for (index, line) in unmarked(body).split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let at = |column: usize, message: String| Malformed {
            line: index as u64 + 1,
            column: characters(line, column),
            message,
        };
        let json: Json =
            serde_json::from_slice(line).map_err(|error| at(error.column(), reason(&error)))?;
        records.push(record(&json).ok_or_else(|| at(1, "not a JSON object".to_owned()))?);
    }
    Ok(records)
}

/// Rows of a body that is one JSON object, or an array of them.
///
/// # Errors
/// [`Malformed`] when it is neither.
pub fn json(body: &[u8]) -> Result<Vec<Record>, Malformed> {
    let body = unmarked(body);
    let json: Json = serde_json::from_slice(body).map_err(|error| {
        let row = body.split(|byte| *byte == b'\n').nth(error.line().max(1) - 1);
        let column = characters(row.unwrap_or_default(), error.column());
        Malformed { line: error.line().max(1) as u64, column, message: reason(&error) }
    })?;
    let neither = || Malformed {
        line: 1,
        column: 1,
        message: "expected one transaction as a JSON object, or an array of them".to_owned(),
    };
    match &json {
        Json::Array(rows) => rows.iter().map(|row| record(row).ok_or_else(neither)).collect(),
        other => Ok(vec![record(other).ok_or_else(neither)?]),
    }
}

/// A column that was counted in bytes, in characters.
fn characters(line: &[u8], column: usize) -> u64 {
    let before = line.get(..column.saturating_sub(1)).unwrap_or(line);
    String::from_utf8_lossy(before).chars().count() as u64 + 1
}

/// What is wrong, without the place: lines are counted in the whole body.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(what, _)| what.to_owned())
}

/// One row out of a JSON object.
pub fn record(json: &Json) -> Option<Record> {
    let object = json.as_object()?;
    let cells = object.iter().map(|(column, value)| (trimmed(column).to_owned(), cell(value)));
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
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(body.as_bytes());
        let header = reader.headers().ok()?.clone();
        let blank = |row: &csv::StringRecord| row.iter().all(|cell| cell.trim().is_empty());
        let rows = reader.records().filter(|row| !row.as_ref().is_ok_and(blank)).map(|row| {
            let row = row.ok().filter(|row| row.len() == header.len())?;
            let cells = header.iter().zip(row.iter());
            let cells =
                cells.map(|(name, cell)| (trimmed(name).to_owned(), Cell::Text(cell.to_owned())));
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

    /// Rows as `column=cell`, or what is malformed and where.
    #[track_caller]
    fn check(body: &str, expected: &str) {
        let cell = |(column, cell): &(String, Cell)| match cell {
            Cell::Text(text) => format!("{column}={text}"),
            other => format!("{column}={other:?}"),
        };
        let row = |record: &Record| record.cells.iter().map(cell).collect::<Vec<_>>().join(" ");
        let shown = match csv(body.as_bytes()) {
            Ok(records) => records.iter().map(row).collect::<Vec<_>>().join(" / "),
            Err(error) => format!("{}:{} {}", error.line, error.column, error.message),
        };
        assert_eq!(shown, expected, "{body:?}");
    }

    #[test]
    fn rows_without_text_are_passed_over() {
        // Spreadsheets export the empty rows below a table, with their commas or without.
        check("a,b\n1,2\n,\n  \n\n3,4\n", "a=1 b=2 / a=3 b=4");
        check("a,b\r\n\"1\",2\r\n,\r\n \r\n", "a=1 b=2");
        check("a,b\n1,2\n3\n", "3:1 1 cells where the header has 2");
        check("a,b\r\n\"1\",2,\r\n", "2:1 3 cells where the header has 2");
    }

    #[test]
    fn a_quote_that_is_never_closed_swallows_no_deal() {
        // The row and all below it were one deal of nobody, and the deals below were gone.
        let open = "a quoted cell does not end with its quote";
        check("a,b\n1,\"x\n2,y\n3,z\n", &format!("2:3 {open}"));
        check("a,b\r\n1,\"x\r\n2,y", &format!("2:3 {open}"));
        check("a,b\n1,\"x\"\"\n2,y\n", &format!("2:3 {open}"));
        check("a,b\n1,\"x\"\"\"\n2,y\"\n", "a=1 b=x\" / a=2 b=y\"");
        check("a,b\n\"\",\"x, y\nz\"\n2,\"\"\n", "a= b=x, y\nz / a=2 b=");
    }

    #[test]
    fn a_column_that_is_named_twice_is_refused() {
        // Whichever of the two was read, the deal would have been credited with the other's amount.
        check("id,amount,amount\n1,2,3\n", "1:1 the column `amount` stands in the header twice");
        check("id,a,,\n1,2,,\n", "id=1 a=2 = =");
    }
}
