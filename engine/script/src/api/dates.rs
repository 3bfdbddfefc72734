//! Dates: reading them, their parts, and counting days and months.
//!
//! Not a clock: no script knows what day it is. Called by scripts.
//!
//! **Architecture invariant:** a date that cannot be is an error, never a neighbouring date; only
//! adding months clamps to the last day of a shorter month.

use jiff::civil::Date;

use super::signature::{call, field, named, of};
use super::{ScriptFunction, refuse_arguments};
use crate::kind::ValueKind;
use crate::value::{Outcome, ScriptValue, raise};
use accredit_domain::calendar::HoldLength;
use accredit_domain::transaction::{dates, trim_cell};

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "date",
        signatures: &[
            call(&[of(ValueKind::Text)], ValueKind::Date),
            call(
                &[
                    named("year", ValueKind::Number),
                    named("month", ValueKind::Number),
                    named("day", ValueKind::Number),
                ],
                ValueKind::Date,
            ),
        ],
        page: "The date of an ISO text: date(\"2022-01-31\").",
        arities: &[1, 3],
        call: |values| match values {
            [ScriptValue::Text(text)] => parse_date(text),
            [ScriptValue::Whole(year), ScriptValue::Whole(month), ScriptValue::Whole(day)] => {
                date_from_parts(*year, *month, *day)
            }
            _ => refuse_arguments("date", values),
        },
    },
    ScriptFunction {
        name: "year",
        signatures: &[
            call(&[of(ValueKind::Date)], ValueKind::Number),
            field(&[of(ValueKind::Date)], ValueKind::Number),
        ],
        page: "The year of a date.",
        arities: &[1],
        call: |values| date_part("year", values),
    },
    ScriptFunction {
        name: "month",
        signatures: &[
            call(&[of(ValueKind::Date)], ValueKind::Number),
            field(&[of(ValueKind::Date)], ValueKind::Number),
        ],
        page: "The month of a date, 1 to 12.",
        arities: &[1],
        call: |values| date_part("month", values),
    },
    ScriptFunction {
        name: "day",
        signatures: &[
            call(&[of(ValueKind::Date)], ValueKind::Number),
            field(&[of(ValueKind::Date)], ValueKind::Number),
        ],
        page: "The day of the month, 1 to 31.",
        arities: &[1],
        call: |values| date_part("day", values),
    },
    ScriptFunction {
        name: "add_days",
        signatures: &[call(
            &[of(ValueKind::Date), named("days", ValueKind::Number)],
            ValueKind::Date,
        )],
        page: "The date so many days later, or earlier when negative.",
        arities: &[2],
        call: |values| match values {
            [ScriptValue::Date(date), count] => {
                add_length(*date, count, HoldLength::Days).map(ScriptValue::Date)
            }
            _ => refuse_arguments("add_days", values),
        },
    },
    ScriptFunction {
        name: "add_months",
        signatures: &[call(
            &[of(ValueKind::Date), named("months", ValueKind::Number)],
            ValueKind::Date,
        )],
        page: "The date so many months later; the last day of a shorter month instead of a day \
               that it does not have.",
        arities: &[2],
        call: |values| match values {
            [ScriptValue::Date(date), count] => {
                add_length(*date, count, HoldLength::Months).map(ScriptValue::Date)
            }
            _ => refuse_arguments("add_months", values),
        },
    },
    ScriptFunction {
        name: "days_between",
        signatures: &[call(
            &[named("from", ValueKind::Date), named("to", ValueKind::Date)],
            ValueKind::Number,
        )],
        page: "How many days the second date is after the first; negative when it is before.",
        arities: &[2],
        call: |values| match values {
            [ScriptValue::Date(from), ScriptValue::Date(to)] => Ok(days_between(*from, *to).into()),
            _ => refuse_arguments("days_between", values),
        },
    },
];

const HOURS_A_DAY: i64 = 24;

/// Years before it were written with two digits.
const FIRST_YEAR: i64 = 100;

/// How many days `to` is after `from`.
pub(super) fn days_between(from: Date, to: Date) -> i64 {
    to.duration_since(from).as_hours() / HOURS_A_DAY
}

/// The date so many days later.
pub(super) fn add_days(date: Date, days: &ScriptValue) -> Outcome<Date> {
    add_length(date, days, HoldLength::Days)
}

/// The parts of a date, which may be written after a dot.
pub(crate) const DATE_FIELDS: &[&str] = &["year", "month", "day"];

/// The part `name` of a date; none for other names.
pub(super) fn date_field(date: Date, name: &str) -> Option<ScriptValue> {
    Some(ScriptValue::Whole(match name {
        "year" => i64::from(date.year()),
        "month" => i64::from(date.month()),
        "day" => i64::from(date.day()),
        _ => return None,
    }))
}

fn date_part(name: &str, values: &[ScriptValue]) -> Outcome {
    match values {
        [ScriptValue::Date(date)] => {
            date_field(*date, name).map_or_else(|| refuse_arguments(name, values), Ok)
        }
        _ => refuse_arguments(name, values),
    }
}

fn parse_date(text: &str) -> Outcome {
    let bare = trim_cell(text);
    match dates::parse_iso_date(bare) {
        Some(date) => Ok(date.into()),
        None if dates::is_moment(bare) => raise(format!(
            "`{text}` is a moment, which has its day in a time zone: declare the column as a date"
        )),
        None => raise(format!("`{text}` is not a date; write it like 2022-01-31")),
    }
}

fn date_from_parts(year: i64, month: i64, day: i64) -> Outcome {
    if year < FIRST_YEAR {
        return raise(format!("the year {year} has no four digits: write it like 2022"));
    }

    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let date = match parts {
        (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    match date {
        Some(date) => Ok(date.into()),
        None => raise(format!("there is no day {day} of month {month} in {year}")),
    }
}

fn add_length(date: Date, count: &ScriptValue, length: fn(i32) -> HoldLength) -> Outcome<Date> {
    let Some(whole) = count.as_whole_number() else {
        return raise(format!("expected a whole number, not {}", count.show_in_message()));
    };
    match i32::try_from(whole).ok().and_then(|whole| length(whole).date_after(date)) {
        Some(date) => Ok(date),
        None => raise("the date is out of range"),
    }
}
