//! One cell by the type of its column: text, numbers, dates, booleans.
//!
//! Not the spellings (`dates`, `numbers`), and not rows. Called by the decoder and by other readers
//! of typed cells. Source: FORMAT section 2.
//!
//! **Architecture invariant:** what is not wholly a value of its type is [`Value::Bad`]; nothing is
//! guessed, and nothing behind it is cut off unread.

use std::sync::Arc;

use super::numbers::parse_number;
use super::{Cell, ColumnType, Fields, Value};

/// Signs that look like nothing and are no white space to Unicode.
const INVISIBLE: [char; 4] = ['\u{200b}', '\u{2060}', '\u{feff}', '\u{180e}'];

/// `text` without spaces at its ends: every space of Unicode, and signs that show nothing.
pub fn trim_cell(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || INVISIBLE.contains(&c))
}

/// One cell by the type of its column.
pub fn decode_cell(cell: &Cell, kind: &ColumnType, fields: &Fields) -> Value {
    let bad = |text: &str| Value::Bad(Arc::from(text));
    let (text, is_digits) = match cell {
        Cell::Null => return blank_value(kind),
        // Nothing could read an array or object, so it parks instead of becoming text.
        Cell::Nested(text) => return bad(text),
        Cell::Bool(flag) => match kind {
            ColumnType::Bool => return Value::Bool(*flag),
            ColumnType::Text | ColumnType::ExactText => {
                return Value::Text(Arc::from(flag.to_string()));
            }
            _ => return bad(&flag.to_string()),
        },
        Cell::Text(text) => return decode_text(text, kind, fields),
        Cell::Number(digits) => (digits.as_str(), true),
    };
    decode_written((text, is_digits), kind, fields)
}

/// One cell of text by the type of its column.
pub(super) fn decode_text(text: &str, kind: &ColumnType, fields: &Fields) -> Value {
    decode_written((text, false), kind, fields)
}

/// A cell as written, and whether it is the digits of a JSON number.
fn decode_written((text, is_digits): (&str, bool), kind: &ColumnType, fields: &Fields) -> Value {
    let bare = trim_cell(text);
    if fields.is_blank(bare) && *kind != ColumnType::ExactText {
        return blank_value(kind);
    }

    let read = match kind {
        ColumnType::ExactText => Some(Value::Text(Arc::from(text))),
        ColumnType::Text => Some(Value::Text(Arc::from(bare))),
        // The digits of a JSON number are in no style but JSON's.
        ColumnType::Number(Some(style)) if !is_digits => {
            style.parse_number(bare).map(Value::Number)
        }
        ColumnType::Number(_) => parse_number(bare).map(Value::Number),
        ColumnType::Date(formats) => formats.parse_day(bare, &fields.zone).map(Value::Date),
        ColumnType::Bool => parse_flag(bare).map(Value::Bool),
    };

    read.unwrap_or_else(|| Value::Bad(Arc::from(text)))
}

/// A cell with nothing in it.
fn blank_value(kind: &ColumnType) -> Value {
    match kind {
        ColumnType::Text | ColumnType::ExactText => Value::Text(Arc::from("")),
        _ => Value::Blank,
    }
}

fn parse_flag(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" => Some(false),
        _ => None,
    }
}
