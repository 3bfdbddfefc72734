//! Bodies of deliveries as values of scripts, and what intake policies make of them as records.
//!
//! Not decoding by column types: a record is kept as the policy returned it. Called by `machine`.
//!
//! **Architecture invariant:** a number keeps its digits: it becomes an integer or a decimal, never
//! a float on the way, or the delivery is refused.

use jiff::civil::Date;
use rhai::{Array, Dynamic, Map};

use crate::value::{as_number, as_text, kind_word};
use accredit_domain::transaction::{Cell, Record};

/// A JSON value as scripts see it; null is `()`.
pub(crate) fn value_from_json(json: &serde_json::Value) -> Result<Dynamic, String> {
    use serde_json::Value;
    Ok(match json {
        Value::Null => Dynamic::UNIT,
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => text.clone().into(),
        // Numbers go by their digits: a float would lose cents on the way.
        Value::Number(digits) => return exact_number(&digits.to_string()),
        Value::Array(items) => {
            Dynamic::from_array(items.iter().map(value_from_json).collect::<Result<_, _>>()?)
        }
        Value::Object(entries) => {
            let entries =
                entries.iter().map(|(key, item)| Ok((key.as_str().into(), value_from_json(item)?)));
            Dynamic::from_map(entries.collect::<Result<Map, String>>()?)
        }
    })
}

fn exact_number(digits: &str) -> Result<Dynamic, String> {
    if let Ok(integer) = digits.parse::<i64>() {
        return Ok(integer.into());
    }
    match accredit_domain::transaction::parse_number(digits) {
        Some(decimal) => Ok(decimal.into()),
        None => Err(format!("the number {digits} of the body is too large or too fine")),
    }
}

/// The records in the result of an intake policy: a map, or an array of maps.
pub(super) fn records_from_value(rows: &Dynamic) -> Result<Vec<Record>, String> {
    if let Some(row) = rows.read_lock::<Map>() {
        return Ok(vec![record_from_map(&row)]);
    }

    let wrong = |value: &Dynamic| {
        let kind = kind_word(value);
        format!("an intake policy must return a map or an array of maps, this one returned {kind}")
    };

    let Some(items) = rows.read_lock::<Array>() else { return Err(wrong(rows)) };

    let records = items.iter().map(|item| match item.read_lock::<Map>() {
        Some(row) => Ok(record_from_map(&row)),
        None => Err(wrong(item)),
    });

    records.collect()
}

fn record_from_map(row: &Map) -> Record {
    let cells = row.iter().map(|(column, value)| (column.to_string(), cell_from_value(value)));
    Record { cells: cells.collect() }
}

fn cell_from_value(value: &Dynamic) -> Cell {
    if value.is_unit() {
        Cell::Null
    } else if let Ok(flag) = value.as_bool() {
        Cell::Bool(flag)
    } else if let Some(number) = as_number(value) {
        Cell::Number(number.to_string())
    } else if let Some(text) = as_text(value) {
        Cell::Text(text.to_string())
    } else if let Some(date) = value.read_lock::<Date>() {
        Cell::Text(date.to_string())
    } else if value.is_array() || value.is_map() {
        Cell::Nested(json_from_value(value).to_string())
    } else {
        Cell::Nested(kind_word(value).to_owned())
    }
}

/// Nested arrays and maps as JSON again, for the log.
fn json_from_value(value: &Dynamic) -> serde_json::Value {
    use serde_json::Value;
    if let Some(items) = value.read_lock::<Array>() {
        return Value::Array(items.iter().map(json_from_value).collect());
    }

    if let Some(row) = value.read_lock::<Map>() {
        return Value::Object(
            row.iter().map(|(key, item)| (key.to_string(), json_from_value(item))).collect(),
        );
    }

    match cell_from_value(value) {
        Cell::Null => Value::Null,
        Cell::Bool(flag) => Value::Bool(flag),
        Cell::Number(digits) => serde_json::from_str(&digits).unwrap_or(Value::String(digits)),
        Cell::Text(text) | Cell::Nested(text) => Value::String(text),
    }
}
