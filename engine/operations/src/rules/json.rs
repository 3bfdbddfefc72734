//! Tables of TOML as JSON and back, key by key, so that what stays the same keeps its text.
//!
//! Called by `rules`.

use jiff::civil::Date;
use serde_json::{Map, Number, Value as Json};
use toml_edit::{Array, ArrayOfTables, InlineTable, Item, Table, Value};

use super::RuleEditError;

/// The tables of an array, however it is written.
pub(super) fn item_tables(item: &Item) -> Vec<Map<String, Json>> {
    match of_item(item) {
        Json::Array(items) => {
            let tables = items.into_iter().filter_map(|item| match item {
                Json::Object(table) => Some(table),
                _ => None,
            });
            tables.collect()
        }
        _ => Vec::new(),
    }
}

fn of_item(item: &Item) -> Json {
    match item {
        Item::None => Json::Null,
        Item::Value(value) => of_value(value),
        Item::Table(table) => Json::Object(of_table(table)),
        Item::ArrayOfTables(tables) => {
            Json::Array(tables.iter().map(|table| Json::Object(of_table(table))).collect())
        }
    }
}

fn of_table(table: &Table) -> Map<String, Json> {
    table.iter().map(|(key, item)| (key.to_owned(), of_item(item))).collect()
}

fn of_value(value: &Value) -> Json {
    match value {
        Value::String(text) => Json::from(text.value().as_str()),
        Value::Integer(number) => Json::from(*number.value()),
        // Never an amount: amounts are text. The digits go out as they are written.
        Value::Float(number) => {
            let digits = number.display_repr();
            digits.parse::<Number>().map_or_else(|_| Json::from(&*digits), Json::Number)
        }

        Value::Boolean(flag) => Json::from(*flag.value()),
        Value::Datetime(date) => Json::from(date.value().to_string()),
        Value::Array(items) => Json::Array(items.iter().map(of_value).collect()),
        Value::InlineTable(table) => Json::Object(
            table.iter().map(|(key, value)| (key.to_owned(), of_value(value))).collect(),
        ),
    }
}

/// Keys that hold a date.
const DATES: [&str; 2] = ["from", "to"];

fn to_value(key: &str, json: &Json) -> Result<Value, RuleEditError> {
    let refuse = |what: &str| Err(RuleEditError::Other(format!("`{key}`: {what}")));

    match json {
        Json::Null => refuse("leave the key out instead of null"),
        Json::Bool(flag) => Ok(Value::from(*flag)),
        Json::Number(number) => match number.as_i64() {
            Some(number) => Ok(Value::from(number)),
            None => refuse("write numbers with decimals as text, so that they stay exact"),
        },

        Json::String(text) => {
            // TOML has dates of its own, and JSON has none.
            if DATES.contains(&key) && text.parse::<Date>().is_ok() {
                let date = text.parse::<toml_edit::Datetime>();
                let wrong = |error| RuleEditError::Other(format!("`{key}`: {error}"));
                return Ok(Value::from(date.map_err(wrong)?));
            }
            Ok(Value::from(text.as_str()))
        }

        Json::Array(items) => {
            let items = items.iter().map(|item| to_value(key, item));
            Ok(Value::Array(items.collect::<Result<Array, _>>()?))
        }

        Json::Object(table) => {
            let mut inline = InlineTable::new();
            for (key, json) in table {
                inline.insert(key, to_value(key, json)?);
            }
            Ok(Value::InlineTable(inline))
        }
    }
}

/// Makes `table` say what `body` says; what it says already keeps its text.
pub(super) fn update_table(
    table: &mut Table,
    body: &Map<String, Json>,
) -> Result<(), RuleEditError> {
    let gone: Vec<String> =
        table.iter().map(|(key, _)| key.to_owned()).filter(|key| !body.contains_key(key)).collect();
    for key in gone {
        table.remove(&key);
    }

    // The name first, and the tables of results last, as TOML demands.
    let mut keys: Vec<(&String, &Json)> = body.iter().collect();
    keys.sort_by_key(|(key, _)| (key.as_str() != "name", key.as_str() == "results"));

    for (key, json) in keys {
        if table.get(key).is_some_and(|item| of_item(item) == *json) {
            continue;
        }

        match (key.as_str(), json) {
            ("results", Json::Array(results)) => update_results(table, results)?,
            _ => {
                let mut value = to_value(key, json)?;
                if let Some(Item::Value(old)) = table.get(key) {
                    *value.decor_mut() = old.decor().clone();
                }
                table.insert(key, Item::Value(value));
            }
        }
    }

    Ok(())
}

/// Results by name: those that stay keep their text and remarks.
fn update_results(table: &mut Table, results: &[Json]) -> Result<(), RuleEditError> {
    let old = match table.get("results") {
        Some(Item::ArrayOfTables(tables)) => tables.clone(),
        _ => ArrayOfTables::new(),
    };

    let mut new = ArrayOfTables::new();
    for result in results {
        let result = result.as_object();
        let result = result.ok_or_else(|| {
            RuleEditError::Other(
                "`results` is a list of objects with `name` and `value`".to_owned(),
            )
        })?;

        let name = result.get("name").and_then(Json::as_str);
        let known = old.iter().find(|old| old.get("name").and_then(Item::as_str) == name);
        let mut result_table = known.cloned().unwrap_or_default();

        // The order is the caller's, so the places in the file are made anew.
        forget_position(&mut result_table);
        update_table(&mut result_table, result)?;
        new.push(result_table);
    }

    table.insert("results", Item::ArrayOfTables(new));
    Ok(())
}

/// Forgets where in its file a table stood.
pub(super) fn forget_position(table: &mut Table) {
    table.set_position(None);
    for (_, item) in table.iter_mut() {
        match item {
            Item::Table(table) => forget_position(table),
            Item::ArrayOfTables(tables) => tables.iter_mut().for_each(forget_position),
            _ => (),
        }
    }
}
