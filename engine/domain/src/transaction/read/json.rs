//! Rows of JSON: objects and arrays of them, one a line, one after the other, or one in all.
//!
//! Called by `read`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Deserializer, Value as Json};

use super::{LineCounter, MalformedBody, ROW_BYTES_MAX, RecordRow, column_name};
use crate::transaction::{Cell, Record};

/// The message for a value that is not a row.
const EXPECTED: &str = "expected one transaction as a JSON object, or an array of them";

/// Rows of values that follow each other, and of the arrays among them, each read when it is asked
/// for.
pub(super) struct JsonRows<'t> {
    text: &'t str,
    at: usize,
    /// Where the value begins whose rows are read.
    line: u64,
    is_in_array: bool,
    places: LineCounter<'t>,
    /// The message for a value that is not a row.
    not_a_row: &'static str,
    is_over: bool,
}

/// Checks the syntax of `text`, one value a line; where a line is none, as values that follow each
/// other. What is then said of a value that is no row.
pub(super) fn check_lines(text: &str) -> Result<&'static str, MalformedBody> {
    for (line, written) in (1..).zip(text.split('\n')) {
        if written.trim().is_empty() {
            continue;
        }
        if let Err(error) = serde_json::from_str::<IgnoredAny>(written) {
            let column = character_column(written, error.column());
            let malformed =
                MalformedBody { column, ..MalformedBody::at_line(line, error_reason(&error)) };
            // Pretty-printed values run over several lines.
            return check_syntax(text).map_err(|_| malformed);
        }
    }
    Ok("not a JSON object")
}

/// Checks the syntax of `text` as values that follow each other; most often it is only one.
pub(super) fn check_syntax(text: &str) -> Result<&'static str, MalformedBody> {
    // A body without anything is most likely cut off, and no list of no rows.
    if text.trim().is_empty() {
        return Err(MalformedBody::at_line(1, "EOF while parsing a value".to_owned()));
    }

    for value in Deserializer::from_str(text).into_iter::<IgnoredAny>() {
        value.map_err(|error| {
            let line = error.line().max(1);
            let written = text.split('\n').nth(line - 1).unwrap_or_default();
            let column = character_column(written, error.column());
            MalformedBody { column, ..MalformedBody::at_line(line as u64, error_reason(&error)) }
        })?;
    }
    Ok(EXPECTED)
}

impl<'t> JsonRows<'t> {
    /// The rows of a text whose syntax was checked.
    pub(super) fn new(text: &'t str, not_a_row: &'static str) -> Self {
        let (places, is_in_array) = (LineCounter::new(text), false);
        JsonRows { text, at: 0, line: 1, is_in_array, places, not_a_row, is_over: false }
    }

    fn next_row(&mut self) -> Result<Option<RecordRow>, MalformedBody> {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let blank = rest.len() - rest.trim_start().len();
            self.at += blank;

            let sign = rest.as_bytes().get(blank).copied();
            match (sign, self.is_in_array) {
                (None, _) => return Ok(None),
                (Some(b','), true) => self.at += 1,
                (Some(b']'), true) => {
                    self.is_in_array = false;
                    self.at += 1;
                }
                (Some(b'['), false) => {
                    self.line = self.places.line_at(self.at);
                    self.is_in_array = true;
                    self.at += 1;
                }
                (Some(_), true) => return self.read_object().map(Some),
                (Some(_), false) => {
                    self.line = self.places.line_at(self.at);
                    return self.read_object().map(Some);
                }
            }
        }
    }

    /// The object that begins here.
    fn read_object(&mut self) -> Result<RecordRow, MalformedBody> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        if !rest.starts_with('{') {
            return Err(MalformedBody::at_line(self.line, self.not_a_row.to_owned()));
        }

        let window = rest.get(..rest.floor_char_boundary(ROW_BYTES_MAX)).unwrap_or(rest);
        let mut objects = Deserializer::from_str(window).into_iter::<ObjectCells>();
        match objects.next() {
            Some(Ok(cells)) => {
                self.at += objects.byte_offset();
                Ok(RecordRow { line: self.line, record: record_from_cells(cells) })
            }

            Some(Err(error)) if error.is_eof() && window.len() < rest.len() => {
                let message = format!("the row has more than {ROW_BYTES_MAX} bytes");
                Err(MalformedBody::at_line(self.places.line_at(self.at), message))
            }

            // What the check of the whole text lets pass: values nested too deep, halves of characters.
            Some(Err(error)) => {
                let first = self.places.line_at(self.at);
                let line = first.saturating_add(error.line() as u64).saturating_sub(1);
                Err(MalformedBody::at_line(line, error_reason(&error)))
            }

            None => Err(MalformedBody::at_line(self.line, self.not_a_row.to_owned())),
        }
    }
}

impl Iterator for JsonRows<'_> {
    type Item = Result<RecordRow, MalformedBody>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.next_row().transpose();
        self.is_over = !matches!(row, Some(Ok(_)));
        row
    }
}

/// A column that was counted in bytes, in characters.
fn character_column(line: &str, column: usize) -> u64 {
    let before = line.as_bytes().get(..column.saturating_sub(1)).unwrap_or(line.as_bytes());
    String::from_utf8_lossy(before).chars().count() as u64 + 1
}

/// What is wrong, without the place: lines are counted in the whole body.
fn error_reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.rsplit_once(" at line ").map_or_else(|| text.clone(), |(what, _)| what.to_owned())
}

/// The cells of a JSON object by key, so that the order of its keys makes no other row; of a key that
/// comes twice the last one.
type ObjectCells = BTreeMap<String, JsonCell>;

/// A cell, read out of one member of an object.
struct JsonCell(Cell);

impl<'de> Deserialize<'de> for JsonCell {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Json::deserialize(deserializer).map(|value| JsonCell(cell_from_json(value)))
    }
}

fn record_from_cells(cells: ObjectCells) -> Record {
    let cells = cells.into_iter().map(|(key, JsonCell(cell))| (column_name(&key), cell));
    Record { cells: cells.collect() }
}

/// A value of JSON as a cell: a number by its digits.
pub fn cell_from_json(json: Json) -> Cell {
    match json {
        Json::Null => Cell::Null,
        Json::Bool(flag) => Cell::Bool(flag),
        Json::Number(number) => Cell::Number(number.to_string()),
        Json::String(text) => Cell::Text(text),
        nested @ (Json::Array(_) | Json::Object(_)) => Cell::Nested(nested.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A body became a tree of values before its rows were read. Read cell by cell, a row is the same:
    /// its cells by key, numbers by their digits, what is nested as compact text with sorted keys.
    #[test]
    fn a_row_is_read_cell_by_cell_as_it_was_out_of_a_tree() {
        let bodies = [
            r#"{"b":10.50,"a":{"y":1.10,"x":[null, 1e2]},"b":9007199254740993.10," c ":"\u00e9"}"#,
            r#"{ "n": null, "t": true, "": -0.0, "\u0000r": [] }"#,
        ];
        for body in bodies {
            let rows: Vec<_> = JsonRows::new(body, EXPECTED).collect();
            let [Ok(row)] = rows.as_slice() else { panic!("{rows:?}") };

            let tree: Json = serde_json::from_str(body).unwrap();
            let cells = tree.as_object().unwrap().iter();
            let cells = cells.map(|(key, value)| (column_name(key), cell_from_json(value.clone())));
            assert_eq!(row.record, Record { cells: cells.collect() }, "{body}");
        }

        let digits = JsonRows::new(bodies[0], EXPECTED).next().unwrap().unwrap();
        let nested = Cell::Nested(r#"{"x":[null,1e+2],"y":1.10}"#.to_owned());
        let expected = [
            ("c".to_owned(), Cell::Text("é".to_owned())),
            ("a".to_owned(), nested),
            ("b".to_owned(), Cell::Number("9007199254740993.10".to_owned())),
        ];
        assert_eq!(digits.record.cells, expected);
    }

    #[test]
    fn what_is_no_object_is_no_row() {
        for body in ["5", "null", "[[{}]]", "[{}, 5]", r#""text""#] {
            let last = JsonRows::new(body, EXPECTED).last().unwrap();
            assert_eq!(last.unwrap_err().message, EXPECTED, "{body}");
        }
    }
}
