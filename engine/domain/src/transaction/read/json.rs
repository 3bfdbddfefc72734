//! Rows of JSON: objects and arrays of them, one a line, one after the other, or one in all.
//!
//! Called by `read`.

use serde_json::{Deserializer, Value as Json};

use super::{Lines, Malformed, Row, Sheet, column_name};
use crate::transaction::{Cell, Record};

/// Reads `text`, one value a line; where a line is none, as values that follow each other.
pub(super) fn lines(text: &str) -> Result<Sheet, Malformed> {
    let mut sheet = Sheet::default();
    for (line, written) in (1..).zip(text.split('\n')) {
        if written.trim().is_empty() {
            continue;
        }

        let json: Json = match serde_json::from_str(written) {
            Ok(json) => json,
            Err(error) => {
                let column = characters(written, error.column());
                let malformed = Malformed { column, ..Malformed::at(line, reason(&error)) };
                // Pretty-printed values run over several lines.
                return values(text).map_err(|_| malformed);
            }
        };

        let not_rows = || Malformed::at(line, "not a JSON object".to_owned());
        add(&mut sheet, line, &json).ok_or_else(not_rows)?;
    }
    Ok(sheet)
}

/// Reads `text` as values that follow each other; most often it is only one.
pub(super) fn values(text: &str) -> Result<Sheet, Malformed> {
    let mut sheet = Sheet::default();
    let mut places = Lines::new(text);
    let mut values = Deserializer::from_str(text).into_iter::<Json>();

    loop {
        let before = values.byte_offset();
        let blank = text.get(before..).unwrap_or_default();
        let line = places.of(before + (blank.len() - blank.trim_start().len()));

        let Some(value) = values.next() else { break };
        let json = value.map_err(|error| {
            let line = error.line().max(1);
            let written = text.split('\n').nth(line - 1).unwrap_or_default();
            let column = characters(written, error.column());
            Malformed { column, ..Malformed::at(line as u64, reason(&error)) }
        })?;

        let message = "expected one transaction as a JSON object, or an array of them";
        let not_rows = || Malformed::at(line, message.to_owned());
        add(&mut sheet, line, &json).ok_or_else(not_rows)?;
    }

    // A body without anything is most likely cut off, and no list of no rows.
    if sheet.rows.is_empty() && text.trim().is_empty() {
        return Err(Malformed::at(1, "EOF while parsing a value".to_owned()));
    }
    Ok(sheet)
}

/// Adds the rows of a value, all of which begin on `line` as far as it is known; none when it is no
/// object and no array of objects.
fn add(sheet: &mut Sheet, line: u64, json: &Json) -> Option<()> {
    let rows = match json {
        Json::Array(rows) => rows.as_slice(),
        one => std::slice::from_ref(one),
    };
    for row in rows {
        sheet.rows.push(Row { line, record: record(row)? });
    }
    Some(())
}

/// A column that was counted in bytes, in characters.
fn characters(line: &str, column: usize) -> u64 {
    let before = line.as_bytes().get(..column.saturating_sub(1)).unwrap_or(line.as_bytes());
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
    let cells = object.iter().map(|(column, value)| (column_name(column), cell(value)));
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
