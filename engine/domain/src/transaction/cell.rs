//! One cell by the type of its column: numbers, dates, booleans; and the cells of a natural key.
//!
//! Not rows. Called by the decoder, and by whatever else reads a number or a date that an author or
//! a source wrote. Source: FORMAT section 2.
//!
//! **Architecture invariant:** what is not wholly a value of its type is [`Value::Bad`]; nothing is
//! guessed, and nothing behind it is cut off unread.

use std::sync::Arc;

use jiff::civil::Date;
use jiff::fmt::temporal::DateTimeParser;
use rust_decimal::Decimal;

use super::{Cell, ColumnType, Value};

/// The parts of a natural key joined by `/`. Whatever its parts hold, two keys never look alike: a
/// slash in a part behind the first, and a backslash in any, is preceded by a backslash.
pub(super) fn natural_key(parts: &[&str]) -> String {
    let [first, rest @ ..] = parts else { return String::new() };
    if rest.is_empty() {
        return (*first).to_owned();
    }
    let plain = |part: &str| part.replace('\\', "\\\\");
    rest.iter().fold(plain(first), |key, part| key + "/" + plain(part).replace('/', "\\/").as_str())
}

/// One cell by the type of its column.
pub fn decode(cell: &Cell, kind: &ColumnType) -> Value {
    let bad = |text: &str| Value::Bad(Arc::from(text));
    let text = match cell {
        Cell::Null if *kind == ColumnType::Text => return Value::Text(Arc::from("")),
        Cell::Null => return Value::Blank,
        Cell::Nested(text) => return bad(text),
        Cell::Bool(flag) => match kind {
            ColumnType::Bool => return Value::Bool(*flag),
            ColumnType::Text => return Value::Text(Arc::from(flag.to_string())),
            _ => return bad(&flag.to_string()),
        },
        Cell::Text(text) | Cell::Number(text) => text.as_str(),
    };
    let trimmed = text.trim();
    match kind {
        ColumnType::Text => Value::Text(Arc::from(text)),
        _ if trimmed.is_empty() => Value::Blank,
        ColumnType::Number => number(trimmed).map_or_else(|| bad(text), Value::Number),
        ColumnType::Date(format) => {
            date(trimmed, format.as_deref()).map_or_else(|| bad(text), Value::Date)
        }
        ColumnType::Bool => match trimmed.to_lowercase().as_str() {
            "true" | "yes" | "1" => Value::Bool(true),
            "false" | "no" | "0" => Value::Bool(false),
            _ => bad(text),
        },
    }
}

/// A decimal number, plain or with an exponent; never a float on the way.
pub fn number(text: &str) -> Option<Decimal> {
    let plain = text.strip_prefix('+').unwrap_or(text);
    // The library takes `1_000`, which no source writes on purpose.
    if plain.contains('_') || plain.starts_with('+') {
        return None;
    }
    let exact = Decimal::from_str_exact(plain).ok();
    let number = exact.or_else(|| Decimal::from_scientific(plain).ok())?;
    Some(number.normalize())
}

/// A date in `format`, or ISO; the date part of an ISO date and time, as it was written.
pub fn date(text: &str, format: Option<&str>) -> Option<Date> {
    if let Some(format) = format {
        return Date::strptime(format, text).ok();
    }
    let day = match text.char_indices().nth(10) {
        Some((end, 'T' | 't' | ' ')) => {
            let time = text.get(end + 1..)?;
            let is_time =
                DateTimeParser::new().parse_time(time.trim_end_matches(['Z', 'z'])).is_ok();
            if !is_time {
                return None;
            }
            text.get(..end)?
        }
        Some(_) => return None,
        None => text,
    };
    let bytes = day.as_bytes();
    let dashes = bytes.get(4) == Some(&b'-') && bytes.get(7) == Some(&b'-');
    if dashes { day.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_different_parts_differ() {
        // `A/1`,`2` and `A`,`1/2` were one transaction, and the later row replaced the earlier one.
        let check = |parts: &[&str], shown: &str| assert_eq!(natural_key(parts), shown);
        check(&["SO/1"], "SO/1");
        check(&["SO", "1"], "SO/1");
        check(&["SO/1", "2"], "SO/1/2");
        check(&["SO", "1/2"], "SO/1\\/2");
        check(&["SO\\", "1"], "SO\\\\/1");
    }

    #[test]
    fn numbers_and_dates_are_read_whole() {
        let check = |kind: &ColumnType, cell: &str, good: bool| {
            let value = decode(&Cell::Text(cell.to_owned()), kind);
            assert_eq!(!matches!(value, Value::Bad(_)), good, "{cell}: {value:?}");
        };
        for (cell, good) in [("1e3", true), ("+5", true), ("1_000", false), ("++5", false)] {
            check(&ColumnType::Number, cell, good);
        }
        let days = ["2022-01-31", "2022-01-31T23:00:00Z", "2022-01-31 23:00"];
        days.iter().for_each(|day| check(&ColumnType::Date(None), day, true));
        let offsets =
            ["2022-01-31T23:00:00.5+09:00", "2022-01-31T23:00:00+0900", "2022-01-31t23:00z"];
        offsets.iter().for_each(|day| check(&ColumnType::Date(None), day, true));
        let wrong = ["2022-01-31Tea", "2022-01-31T25:00", "2022-1-31", "2022-02-30", "31.01.2022"];
        wrong.iter().for_each(|day| check(&ColumnType::Date(None), day, false));
    }
}
