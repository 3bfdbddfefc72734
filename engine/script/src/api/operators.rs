//! Arithmetic and comparison, defined anew: Rhai's own would divide integers without a rest and
//! compare unlike types as `false`.
//!
//! Not `&&` and `||`, which are Rhai's and accept only booleans. Called by scripts.
//!
//! **Architecture invariant:** each operator has an exact form for the common kinds, which is
//! fast, and one form for everything else, which is strict; Rhai's built-in forms are never
//! reached.

use std::ops::{Range, RangeInclusive};

use jiff::civil::Date;
use rhai::{Array, Dynamic, Engine, INT};
use rust_decimal::Decimal;

use super::signature::operator;
use super::{ScriptFunction, dates};
use crate::value::{self, Outcome, raise};

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
        register: |engine| register_arithmetic(engine, "+", "+=", add),
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
        register: |engine| {
            register_arithmetic(engine, "-", "-=", subtract);
            engine.register_fn("-", negate);
        },
    },
    ScriptFunction {
        name: "*",
        signatures: &[operator("number * number")],
        page: "Multiplies numbers.",
        arities: &[2],
        register: |engine| register_arithmetic(engine, "*", "*=", multiply),
    },
    ScriptFunction {
        name: "/",
        signatures: &[operator("number / number")],
        page: "Divides numbers exactly to 28 digits: 1 / 2 is 0.5. Dividing by zero is an error.",
        arities: &[2],
        register: |engine| register_arithmetic(engine, "/", "/=", divide),
    },
    ScriptFunction {
        name: "%",
        signatures: &[operator("number % number")],
        page: "The remainder of a division, with the sign of the dividend.",
        arities: &[2],
        register: |engine| register_arithmetic(engine, "%", "%=", remainder),
    },
    ScriptFunction {
        name: "!",
        signatures: &[operator("!bool")],
        page: "Turns true into false and false into true.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("!", |flag: bool| !flag);
        },
    },
    ScriptFunction {
        name: "==",
        signatures: &[operator("any == any of the same kind")],
        page: "Whether two values of one kind are equal; 1 equals 1.0, and () only (). Other \
               unlike kinds are an error.",
        arities: &[2],
        register: register_equal,
    },
    ScriptFunction {
        name: "!=",
        signatures: &[operator("any != any of the same kind")],
        page: "Whether two values of one kind differ. Unlike kinds are an error.",
        arities: &[2],
        register: register_unequal,
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
        register: register_less,
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
        register: register_less_equal,
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
        register: register_greater,
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
        register: register_greater_equal,
    },
    ScriptFunction {
        name: "..",
        signatures: &[operator("number..number")],
        page: "Whole numbers from the left one until before the right one, for `for`.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("..", |x: Dynamic, y: Dynamic| -> Outcome<Range<INT>> {
                Ok(range_bound(&x)?..range_bound(&y)?)
            });
        },
    },
    ScriptFunction {
        name: "..=",
        signatures: &[operator("number..=number")],
        page: "Whole numbers from the left one to the right one, for `for`.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("..=", |x: Dynamic, y: Dynamic| -> Outcome<RangeInclusive<INT>> {
                Ok(range_bound(&x)?..=range_bound(&y)?)
            });
        },
    },
];

/// An end of a range: columns are decimals, also where they are whole.
fn range_bound(value: &Dynamic) -> Outcome<INT> {
    match value::as_whole_number(value) {
        Some(whole) => Ok(whole),
        None => {
            raise(format!("a range needs whole numbers, not {}", value::show_in_message(value)))
        }
    }
}

type Operation = fn(&Dynamic, &Dynamic) -> Outcome<Dynamic>;

/// Registers an operator and its assignment, for any two values and quickly for two decimals.
fn register_arithmetic(engine: &mut Engine, sign: &str, assign: &str, operation: Operation) {
    engine.register_fn(sign, move |x: Decimal, y: Decimal| operation(&x.into(), &y.into()));
    engine.register_fn(sign, move |x: Dynamic, y: Dynamic| operation(&x, &y));
    engine.register_fn(assign, move |x: &mut Dynamic, y: Dynamic| -> Outcome<()> {
        *x = operation(x, &y)?;
        Ok(())
    });
}

macro_rules! comparison {
    ($register:ident, $sign:tt, $any:expr) => {
        fn $register(engine: &mut Engine) {
            let sign = stringify!($sign);
            engine.register_fn(sign, |x: Decimal, y: Decimal| x $sign y);
            engine.register_fn(sign, |x: Decimal, y: INT| x $sign Decimal::from(y));
            engine.register_fn(sign, |x: INT, y: Decimal| Decimal::from(x) $sign y);
            engine.register_fn(sign, |x: INT, y: INT| x $sign y);
            engine.register_fn(sign, |x: &str, y: &str| x $sign y);
            engine.register_fn(sign, |x: Date, y: Date| x $sign y);
            engine.register_fn(sign, |x: Dynamic, y: Dynamic| $any(&x, &y));
        }
    };
}

comparison!(register_equal, ==, value::values_equal);
comparison!(register_unequal, !=, |x, y| value::values_equal(x, y).map(|equal| !equal));
comparison!(register_less, <, |x, y| value::compare_values(x, y).map(|order| order.is_lt()));
comparison!(register_less_equal, <=, |x, y| value::compare_values(x, y).map(|order| order.is_le()));
comparison!(register_greater, >, |x, y| value::compare_values(x, y).map(|order| order.is_gt()));
comparison!(register_greater_equal, >=, |x, y| value::compare_values(x, y).map(|order| order.is_ge()));

fn add(x: &Dynamic, y: &Dynamic) -> Outcome<Dynamic> {
    if let Some(items) = x.read_lock::<Array>() {
        let mut items = items.clone();
        match y.read_lock::<Array>() {
            Some(more) => items.extend(more.iter().cloned()),
            None => items.push(y.clone()),
        }
        return Ok(items.into());
    }

    if value::as_text(x).is_some() || value::as_text(y).is_some() {
        return match (value::to_text(x), value::to_text(y)) {
            (Some(x), Some(y)) => Ok((x + y).into()),
            _ => raise(format!("cannot join {} and {}", value::kind_word(x), value::kind_word(y))),
        };
    }

    // A date and a number is the date so many days later, as people write it.
    if let Some(date) = value::as_date(x)
        && value::as_number(y).is_some()
    {
        return dates::add_days(date, y).map(Dynamic::from);
    }

    calculate_numbers(x, y, "add", INT::checked_add, Decimal::checked_add)
}

fn subtract(x: &Dynamic, y: &Dynamic) -> Outcome<Dynamic> {
    if let Some(date) = value::as_date(x) {
        if let Some(first) = value::as_date(y) {
            return Ok(dates::days_between(first, date).into());
        }
        if value::as_number(y).is_some() {
            return dates::add_days(date, &negate(y.clone())?).map(Dynamic::from);
        }
    }
    calculate_numbers(x, y, "subtract", INT::checked_sub, Decimal::checked_sub)
}

fn multiply(x: &Dynamic, y: &Dynamic) -> Outcome<Dynamic> {
    calculate_numbers(x, y, "multiply", INT::checked_mul, Decimal::checked_mul)
}

/// Two integers too become a decimal: a share of 1 / 3 must not be nothing.
fn divide(x: &Dynamic, y: &Dynamic) -> Outcome<Dynamic> {
    if value::as_number(y).is_some_and(|y| y.is_zero()) {
        return raise("division by zero");
    }
    let quotient = |x: Decimal, y| x.checked_div(y).map(|quotient| quotient.normalize());
    calculate_numbers(x, y, "divide", |_, _| None, quotient).map(value::plain_number)
}

fn remainder(x: &Dynamic, y: &Dynamic) -> Outcome<Dynamic> {
    if value::as_number(y).is_some_and(|y| y.is_zero()) {
        return raise("division by zero");
    }
    calculate_numbers(x, y, "divide", INT::checked_rem, Decimal::checked_rem)
}

/// Integers stay integers while they fit, else the result is a decimal.
fn calculate_numbers(
    x: &Dynamic,
    y: &Dynamic,
    verb: &str,
    integers: fn(INT, INT) -> Option<INT>,
    decimals: fn(Decimal, Decimal) -> Option<Decimal>,
) -> Outcome<Dynamic> {
    if let (Ok(x), Ok(y)) = (x.as_int(), y.as_int())
        && let Some(result) = integers(x, y)
    {
        return Ok(result.into());
    }

    match (value::as_number(x), value::as_number(y)) {
        (Some(x), Some(y)) => match decimals(x, y) {
            Some(result) => Ok(result.into()),
            None => raise("the number is too large"),
        },
        _ => {
            let help = if x.is_unit() || y.is_unit() { "; ask has() first" } else { "" };
            // A blank cell gives `()`, and the author can test for it first.
            raise(format!(
                "cannot {verb} {} and {}{help}",
                value::kind_word(x),
                value::kind_word(y)
            ))
        }
    }
}

fn negate(x: Dynamic) -> Outcome<Dynamic> {
    match (x.as_int().ok().and_then(INT::checked_neg), value::as_number(&x)) {
        (Some(integer), _) => Ok(integer.into()),
        (None, Some(number)) => Ok((-number).into()),
        _ => raise(format!("cannot turn the sign of {}", value::kind_word(&x))),
    }
}
