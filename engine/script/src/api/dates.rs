//! Dates: reading them, their parts, and counting days and months.
//!
//! Not a clock: no script knows what day it is. Called by scripts.
//!
//! **Architecture invariant:** a date that cannot be is an error, never a neighbouring date; only
//! adding months clamps to the last day of a shorter month.

use jiff::civil::Date;
use rhai::{Dynamic, Engine, INT};

use super::ScriptFunction;
use super::signature::{call, field, named, of};
use crate::kind::ValueKind;
use crate::value::{self, Outcome, raise};
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
        register: |engine| {
            engine.register_fn("date", parse_date);
            engine.register_fn("date", date_from_parts);
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
        register: |engine| {
            engine.register_fn("year", |date: Date| INT::from(date.year()));
        },
    },
    ScriptFunction {
        name: "month",
        signatures: &[
            call(&[of(ValueKind::Date)], ValueKind::Number),
            field(&[of(ValueKind::Date)], ValueKind::Number),
        ],
        page: "The month of a date, 1 to 12.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("month", |date: Date| INT::from(date.month()));
        },
    },
    ScriptFunction {
        name: "day",
        signatures: &[
            call(&[of(ValueKind::Date)], ValueKind::Number),
            field(&[of(ValueKind::Date)], ValueKind::Number),
        ],
        page: "The day of the month, 1 to 31.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("day", |date: Date| INT::from(date.day()));
        },
    },
    ScriptFunction {
        name: "add_days",
        signatures: &[call(
            &[of(ValueKind::Date), named("days", ValueKind::Number)],
            ValueKind::Date,
        )],
        page: "The date so many days later, or earlier when negative.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("add_days", |date: Date, count: Dynamic| {
                add_length(date, &count, HoldLength::Days)
            });
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
        register: |engine| {
            engine.register_fn("add_months", |date: Date, count: Dynamic| {
                add_length(date, &count, HoldLength::Months)
            });
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
        register: |engine| {
            engine.register_fn("days_between", days_between);
        },
    },
];

const HOURS_A_DAY: INT = 24;

/// How many days `to` is after `from`.
pub(super) fn days_between(from: Date, to: Date) -> INT {
    to.duration_since(from).as_hours() / HOURS_A_DAY
}

/// The date so many days later.
pub(super) fn add_days(date: Date, days: &Dynamic) -> Outcome<Date> {
    add_length(date, days, HoldLength::Days)
}

/// The parts of a date after a dot.
pub(super) fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Date>("date");
    engine.register_get("year", |date: &mut Date| INT::from(date.year()));
    engine.register_get("month", |date: &mut Date| INT::from(date.month()));
    engine.register_get("day", |date: &mut Date| INT::from(date.day()));
}

fn parse_date(text: &str) -> Outcome<Date> {
    let bare = trim_cell(text);
    match dates::parse_iso_date(bare) {
        Some(date) => Ok(date),
        None if dates::is_moment(bare) => raise(format!(
            "`{text}` is a moment, which has its day in a time zone: declare the column as a date"
        )),
        None => raise(format!("`{text}` is not a date; write it like 2022-01-31")),
    }
}

fn date_from_parts(year: INT, month: INT, day: INT) -> Outcome<Date> {
    let parts = (i16::try_from(year), i8::try_from(month), i8::try_from(day));
    let date = match parts {
        (Ok(year), Ok(month), Ok(day)) => Date::new(year, month, day).ok(),
        _ => None,
    };
    match date {
        Some(date) => Ok(date),
        None => raise(format!("there is no day {day} of month {month} in {year}")),
    }
}

fn add_length(date: Date, count: &Dynamic, length: fn(i32) -> HoldLength) -> Outcome<Date> {
    let Some(count) = value::as_whole_number(count).and_then(|count| i32::try_from(count).ok())
    else {
        return raise(format!("expected a whole number, not {}", value::show_in_message(count)));
    };
    match length(count).date_after(date) {
        Some(date) => Ok(date),
        None => raise("the date is out of range"),
    }
}
