//! Functions on numbers; every one that rounds names its rule.
//!
//! Not the rounding of credits, which is `money`'s. Called by scripts.
//!
//! **Architecture invariant:** no function here knows floats.

use rhai::{Dynamic, INT};
use rust_decimal::{Decimal, RoundingStrategy};

use super::ScriptFunction;
use super::signature::{call, named, of};
use crate::kind::ValueKind;
use crate::value::{self, Outcome, raise};
use accredit_domain::transaction::trim_cell;

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "number",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Number)],
        page: "The number in a text: number(\"12.50\"). Other text is an error.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("number", parse_number);
        },
    },
    ScriptFunction {
        name: "abs",
        signatures: &[call(&[of(ValueKind::Number)], ValueKind::Number)],
        page: "The number without its sign.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("abs", |x: Dynamic| -> Outcome<Decimal> {
                Ok(expect_number(&x)?.abs())
            });
        },
    },
    ScriptFunction {
        name: "min",
        signatures: &[call(&[of(ValueKind::Number), of(ValueKind::Number)], ValueKind::Number)],
        page: "The smaller of two numbers.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("min", |x: Dynamic, y: Dynamic| -> Outcome<Decimal> {
                Ok(expect_number(&x)?.min(expect_number(&y)?))
            });
        },
    },
    ScriptFunction {
        name: "max",
        signatures: &[call(&[of(ValueKind::Number), of(ValueKind::Number)], ValueKind::Number)],
        page: "The larger of two numbers.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("max", |x: Dynamic, y: Dynamic| -> Outcome<Decimal> {
                Ok(expect_number(&x)?.max(expect_number(&y)?))
            });
        },
    },
    ScriptFunction {
        name: "round",
        signatures: &[
            call(&[of(ValueKind::Number)], ValueKind::Number),
            call(&[of(ValueKind::Number), named("digits", ValueKind::Number)], ValueKind::Number),
        ],
        page: "Rounds to whole numbers, or to so many decimals; halves away from zero: round(-2.5) \
               is -3.",
        arities: &[1, 2],
        register: |engine| {
            let strategy = RoundingStrategy::MidpointAwayFromZero;
            engine.register_fn("round", move |x: Dynamic| -> Outcome<Dynamic> {
                Ok(value::plain_number(round(&x, &0.into(), strategy)?.into()))
            });
            engine.register_fn("round", move |x: Dynamic, digits: Dynamic| {
                round(&x, &digits, strategy)
            });
        },
    },
    ScriptFunction {
        name: "round_half_even",
        signatures: &[call(
            &[of(ValueKind::Number), named("digits", ValueKind::Number)],
            ValueKind::Number,
        )],
        page: "Rounds to so many decimals, halves to the even neighbour: 2.5 to 2, 3.5 to 4.",
        arities: &[2],
        register: |engine| {
            engine.register_fn("round_half_even", |x: Dynamic, digits: Dynamic| {
                round(&x, &digits, RoundingStrategy::MidpointNearestEven)
            });
        },
    },
    ScriptFunction {
        name: "floor",
        signatures: &[call(&[of(ValueKind::Number)], ValueKind::Number)],
        page: "The next whole number below.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("floor", |x: Dynamic| -> Outcome<Dynamic> {
                Ok(value::plain_number(expect_number(&x)?.floor().into()))
            });
        },
    },
    ScriptFunction {
        name: "ceiling",
        signatures: &[call(&[of(ValueKind::Number)], ValueKind::Number)],
        page: "The next whole number above.",
        arities: &[1],
        register: |engine| {
            engine.register_fn("ceiling", |x: Dynamic| -> Outcome<Dynamic> {
                Ok(value::plain_number(expect_number(&x)?.ceil().into()))
            });
        },
    },
];

/// Decimals that a decimal of 96 bits can have.
const DIGITS_MAX: INT = 28;

fn expect_number(value: &Dynamic) -> Outcome<Decimal> {
    match value::as_number(value) {
        Some(number) => Ok(number),
        None => raise(format!("expected a number, not {}", value::kind_word(value))),
    }
}

fn parse_number(text: &str) -> Outcome<Decimal> {
    match accredit_domain::transaction::parse_number(trim_cell(text)) {
        Some(number) => Ok(number),
        None => raise(format!("`{text}` is not a number")),
    }
}

fn round(x: &Dynamic, digits: &Dynamic, strategy: RoundingStrategy) -> Outcome<Decimal> {
    let number = expect_number(x)?;
    let digits = value::as_whole_number(digits).filter(|digits| (0..=DIGITS_MAX).contains(digits));
    match digits.and_then(|digits| u32::try_from(digits).ok()) {
        Some(digits) => Ok(number.round_dp_with_strategy(digits, strategy)),
        None => raise("digits must be a whole number from 0 to 28"),
    }
}
