//! Bodies of deliveries as values of scripts, and what intake policies make of them as records.
//!
//! Not decoding by column types: a record is kept as the policy returned it. Called by `machine`.
//!
//! **Architecture invariant:** a number keeps its digits: it becomes an integer or a decimal, never
//! a float on the way, or the delivery is refused.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::value::ScriptValue;
use accredit_domain::transaction::{Cell, Record};

/// A JSON value as scripts see it; null is `()`.
pub(crate) fn value_from_json(json: &serde_json::Value) -> Result<ScriptValue, String> {
    use serde_json::Value;
    Ok(match json {
        Value::Null => ScriptValue::Unit,
        Value::Bool(flag) => (*flag).into(),
        Value::String(text) => text.as_str().into(),
        // Numbers go by their digits: a float would lose cents on the way.
        Value::Number(digits) => return exact_number(&digits.to_string()),
        Value::Array(items) => {
            ScriptValue::Array(items.iter().map(value_from_json).collect::<Result<_, _>>()?)
        }
        Value::Object(entries) => {
            let entries =
                entries.iter().map(|(key, item)| Ok((key.as_str().into(), value_from_json(item)?)));
            ScriptValue::Map(entries.collect::<Result<_, String>>()?)
        }
    })
}

fn exact_number(digits: &str) -> Result<ScriptValue, String> {
    if let Ok(integer) = digits.parse::<i64>() {
        return Ok(integer.into());
    }
    match accredit_domain::transaction::parse_number(digits) {
        Some(decimal) => Ok(decimal.into()),
        None => Err(format!("the number {digits} of the body is too large or too fine")),
    }
}

/// The records in the result of an intake policy: a map, or an array of maps.
pub(super) fn records_from_value(rows: &ScriptValue) -> Result<Vec<Record>, String> {
    if let ScriptValue::Map(row) = rows {
        return Ok(vec![record_from_map(row)]);
    }

    let wrong = |value: &ScriptValue| {
        let kind = value.kind_word();
        format!("an intake policy must return a map or an array of maps, this one returned {kind}")
    };

    let ScriptValue::Array(items) = rows else { return Err(wrong(rows)) };

    let records = items.iter().map(|item| match item {
        ScriptValue::Map(row) => Ok(record_from_map(row)),
        other => Err(wrong(other)),
    });

    records.collect()
}

fn record_from_map(row: &BTreeMap<Arc<str>, ScriptValue>) -> Record {
    let cells = row.iter().map(|(column, value)| (column.to_string(), cell_from_value(value)));
    Record { cells: cells.collect() }
}

fn cell_from_value(value: &ScriptValue) -> Cell {
    match value {
        ScriptValue::Unit => Cell::Null,
        ScriptValue::Bool(flag) => Cell::Bool(*flag),
        ScriptValue::Whole(whole) => Cell::Number(whole.to_string()),
        ScriptValue::Number(number) => Cell::Number(number.to_string()),
        ScriptValue::Text(text) => Cell::Text(text.to_string()),
        ScriptValue::Date(date) => Cell::Text(date.to_string()),
        ScriptValue::Array(_) | ScriptValue::Map(_) => {
            Cell::Nested(json_from_value(value).to_string())
        }
        other => Cell::Nested(other.kind_word().to_owned()),
    }
}

/// Nested arrays and maps as JSON again, for the log.
fn json_from_value(value: &ScriptValue) -> serde_json::Value {
    use serde_json::Value;
    if let ScriptValue::Array(items) = value {
        return Value::Array(items.iter().map(json_from_value).collect());
    }

    if let ScriptValue::Map(row) = value {
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
