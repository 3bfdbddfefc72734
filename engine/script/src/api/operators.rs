//! Arithmetic and comparison, defined anew: Rhai's own would divide integers without a rest and
//! compare unlike types as `false`.
//!
//! Not `&&` and `||`, which are Rhai's and accept only booleans. Called by scripts.
//!
//! **Architecture invariant:** each operator has one form for values of every kind, which is strict;
//! the forms that an interpreter brings itself are never reached.

use std::cmp::Ordering;
use std::ops::Not;

use rust_decimal::Decimal;

use super::signature::operator;
use super::{ScriptFunction, dates, refuse_arguments};
use crate::value::{self, Outcome, ScriptValue, raise};

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "+",
        signatures: &[
            operator("number + number"),
            operator("date + days"),
            operator("text + any"),
            operator("any + text"),
            operator("array + any"),
        ],
        page: "Adds numbers, or days to a date; joins text with text, a number, a date or a bool; \
               appends to an array the items of another, or an item.",
        arities: &[2],
        call: add,
    },
    ScriptFunction {
        name: "-",
        signatures: &[
            operator("number - number"),
            operator("date - days"),
            operator("date - date"),
            operator("-number"),
        ],
        page: "Subtracts numbers, or days from a date; the days from one date to another; turns the \
               sign of a number.",
        arities: &[1, 2],
        call: subtract,
    },
    ScriptFunction {
        name: "*",
        signatures: &[operator("number * number")],
        page: "Multiplies numbers.",
        arities: &[2],
        call: multiply,
    },
    ScriptFunction {
        name: "/",
        signatures: &[operator("number / number")],
        page: "Divides numbers exactly to 28 digits: 1 / 2 is 0.5. Dividing by zero is an error.",
        arities: &[2],
        call: divide,
    },
    ScriptFunction {
        name: "%",
        signatures: &[operator("number % number")],
        page: "The remainder of a division, with the sign of the dividend.",
        arities: &[2],
        call: remainder,
    },
    ScriptFunction {
        name: "!",
        signatures: &[operator("!bool")],
        page: "Turns true into false and false into true.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Bool(flag)] => Ok(flag.not().into()),
            _ => refuse_arguments("!", values),
        },
    },
    ScriptFunction {
        name: "==",
        signatures: &[operator("any == any of the same kind")],
        page: "Whether two values of one kind are equal; 1 equals 1.0, and () only (). Other \
               unlike kinds are an error.",
        arities: &[2],
        call: |values| equal("==", values).map(ScriptValue::Bool),
    },
    ScriptFunction {
        name: "!=",
        signatures: &[operator("any != any of the same kind")],
        page: "Whether two values of one kind differ. Unlike kinds are an error.",
        arities: &[2],
        call: |values| equal("!=", values).map(|equal| ScriptValue::Bool(!equal)),
    },
    ScriptFunction {
        name: "<",
        signatures: &[
            operator("number < number"),
            operator("text < text"),
            operator("date < date"),
        ],
        page: "Whether the left value is less, comes earlier in the alphabet, or is before.",
        arities: &[2],
        call: |values| compare("<", values, Ordering::is_lt),
    },
    ScriptFunction {
        name: "<=",
        signatures: &[
            operator("number <= number"),
            operator("text <= text"),
            operator("date <= date"),
        ],
        page: "Whether the left value is less or equal.",
        arities: &[2],
        call: |values| compare("<=", values, Ordering::is_le),
    },
    ScriptFunction {
        name: ">",
        signatures: &[
            operator("number > number"),
            operator("text > text"),
            operator("date > date"),
        ],
        page: "Whether the left value is greater, or after.",
        arities: &[2],
        call: |values| compare(">", values, Ordering::is_gt),
    },
    ScriptFunction {
        name: ">=",
        signatures: &[
            operator("number >= number"),
            operator("text >= text"),
            operator("date >= date"),
        ],
        page: "Whether the left value is greater or equal.",
        arities: &[2],
        call: |values| compare(">=", values, Ordering::is_ge),
    },
    ScriptFunction {
        name: "..",
        signatures: &[operator("number..number")],
        page: "Whole numbers from the left one until before the right one, for `for`.",
        arities: &[2],
        call: |values| match values {
            [x, y] => Ok(ScriptValue::Range(range_bound(x)?..range_bound(y)?)),
            _ => refuse_arguments("..", values),
        },
    },
    ScriptFunction {
        name: "..=",
        signatures: &[operator("number..=number")],
        page: "Whole numbers from the left one to the right one, for `for`.",
        arities: &[2],
        call: |values| match values {
            [x, y] => Ok(ScriptValue::RangeInclusive(range_bound(x)?..=range_bound(y)?)),
            _ => refuse_arguments("..=", values),
        },
    },
];

/// An end of a range: columns are decimals, also where they are whole.
fn range_bound(value: &ScriptValue) -> Outcome<i64> {
    match value.as_whole_number() {
        Some(whole) => Ok(whole),
        None => raise(format!("a range needs whole numbers, not {}", value.show_in_message())),
    }
}

fn equal(sign: &str, values: &[ScriptValue]) -> Outcome<bool> {
    match values {
        [x, y] => value::values_equal(x, y),
        _ => refuse_arguments(sign, values),
    }
}

fn compare(sign: &str, values: &[ScriptValue], holds: fn(Ordering) -> bool) -> Outcome {
    match values {
        [x, y] => value::compare_values(x, y).map(|order| holds(order).into()),
        _ => refuse_arguments(sign, values),
    }
}

/// Numbers, dates with days, texts and arrays.
fn add(values: &[ScriptValue]) -> Outcome {
    match values {
        [ScriptValue::Array(items), ScriptValue::Array(more)] => {
            Ok(ScriptValue::Array(items.iter().chain(more).cloned().collect()))
        }
        [ScriptValue::Array(items), item] => {
            Ok(ScriptValue::Array(items.iter().chain([item]).cloned().collect()))
        }

        [x, y] if x.as_text().is_some() || y.as_text().is_some() => {
            match (x.to_text(), y.to_text()) {
                (Some(x), Some(y)) => Ok([&*x, &*y].concat().into()),
                _ => raise(format!("cannot join {} and {}", x.kind_word(), y.kind_word())),
            }
        }

        // A date and a number is the date so many days later, as people write it.
        [ScriptValue::Date(date), days] if days.as_number().is_some() => {
            dates::add_days(*date, days).map(ScriptValue::Date)
        }

        [x, y] => calculate_numbers((x, y), "add", i64::checked_add, Decimal::checked_add),
        _ => refuse_arguments("+", values),
    }
}

/// Numbers, days from a date, a date from a date; one value alone is turned around.
fn subtract(values: &[ScriptValue]) -> Outcome {
    match values {
        [value] => negate(value),
        [ScriptValue::Date(date), ScriptValue::Date(first)] => {
            Ok(dates::days_between(*first, *date).into())
        }
        [ScriptValue::Date(date), days] if days.as_number().is_some() => {
            dates::add_days(*date, &negate(days)?).map(ScriptValue::Date)
        }
        [x, y] => calculate_numbers((x, y), "subtract", i64::checked_sub, Decimal::checked_sub),
        _ => refuse_arguments("-", values),
    }
}

/// Numbers.
fn multiply(values: &[ScriptValue]) -> Outcome {
    match values {
        [x, y] => calculate_numbers((x, y), "multiply", i64::checked_mul, Decimal::checked_mul),
        _ => refuse_arguments("*", values),
    }
}

/// Two integers too become a decimal: a share of 1 / 3 must not be nothing.
fn divide(values: &[ScriptValue]) -> Outcome {
    let [x, y] = values else { return refuse_arguments("/", values) };
    refuse_zero(y)?;

    let quotient = |x: Decimal, y| x.checked_div(y).map(|quotient| quotient.normalize());
    match calculate_numbers((x, y), "divide", |_, _| None, quotient)? {
        ScriptValue::Number(quotient) => Ok(ScriptValue::plain_number(quotient)),
        other => Ok(other),
    }
}

fn remainder(values: &[ScriptValue]) -> Outcome {
    let [x, y] = values else { return refuse_arguments("%", values) };
    refuse_zero(y)?;
    calculate_numbers((x, y), "divide", i64::checked_rem, Decimal::checked_rem)
}

fn refuse_zero(divisor: &ScriptValue) -> Outcome<()> {
    match divisor.as_number() {
        Some(divisor) if divisor.is_zero() => raise("division by zero"),
        _ => Ok(()),
    }
}

/// Integers stay integers while they fit, else the result is a decimal.
fn calculate_numbers(
    (x, y): (&ScriptValue, &ScriptValue),
    verb: &str,
    integers: fn(i64, i64) -> Option<i64>,
    decimals: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Outcome {
    if let (ScriptValue::Whole(x), ScriptValue::Whole(y)) = (x, y)
        && let Some(result) = integers(*x, *y)
    {
        return Ok(result.into());
    }

    match (x.as_number(), y.as_number()) {
        (Some(x), Some(y)) => match decimals(x, y) {
            Some(result) => Ok(result.into()),
            None => raise("the number is too large"),
        },
        _ => {
            // A blank cell gives `()`, and the author can test for it first.
            let help = if x.is_unit() || y.is_unit() { "; ask has() first" } else { "" };
            raise(format!("cannot {verb} {} and {}{help}", x.kind_word(), y.kind_word()))
        }
    }
}

fn negate(value: &ScriptValue) -> Outcome {
    match (value, value.as_number()) {
        (ScriptValue::Whole(whole), Some(number)) => match whole.checked_neg() {
            Some(whole) => Ok(whole.into()),
            None => Ok((-number).into()),
        },
        (_, Some(number)) => Ok((-number).into()),
        _ => raise(format!("cannot turn the sign of {}", value.kind_word())),
    }
}
