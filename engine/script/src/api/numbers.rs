//! Functions on numbers; every one that rounds names its rule.
//!
//! Not the rounding of credits, which is `money`'s. Called by scripts.
//!
//! **Architecture invariant:** no function here knows floats.

use rust_decimal::{Decimal, RoundingStrategy};

use super::signature::{call, named, of};
use super::{ScriptFunction, refuse_arguments};
use crate::kind::ValueKind;
use crate::value::{Outcome, ScriptValue, raise};
use accredit_domain::transaction::trim_cell;

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "number",
        signatures: &[call(&[of(ValueKind::Text)], ValueKind::Number)],
        page: "The number in a text: number(\"12.50\"). Other text is an error.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(text)] => parse_number(text),
            _ => refuse_arguments("number", values),
        },
    },
    ScriptFunction {
        name: "abs",
        signatures: &[call(&[of(ValueKind::Number)], ValueKind::Number)],
        page: "The number without its sign.",
        arities: &[1],
        call: |values| match values {
            [x] => Ok(expect_number(x)?.abs().into()),
            _ => refuse_arguments("abs", values),
        },
    },
    ScriptFunction {
        name: "min",
        signatures: &[call(&[of(ValueKind::Number), of(ValueKind::Number)], ValueKind::Number)],
        page: "The smaller of two numbers.",
        arities: &[2],
        call: |values| match values {
            [x, y] => Ok(expect_number(x)?.min(expect_number(y)?).into()),
            _ => refuse_arguments("min", values),
        },
    },
    ScriptFunction {
        name: "max",
        signatures: &[call(&[of(ValueKind::Number), of(ValueKind::Number)], ValueKind::Number)],
        page: "The larger of two numbers.",
        arities: &[2],
        call: |values| match values {
            [x, y] => Ok(expect_number(x)?.max(expect_number(y)?).into()),
            _ => refuse_arguments("max", values),
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
        call: |values| match values {
            [x] => {
                let rounded = round(x, &ScriptValue::Whole(0), HALVES_AWAY_FROM_ZERO)?;
                Ok(ScriptValue::plain_number(rounded))
            }
            [x, digits] => Ok(round(x, digits, HALVES_AWAY_FROM_ZERO)?.into()),
            _ => refuse_arguments("round", values),
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
        call: |values| match values {
            [x, digits] => Ok(round(x, digits, HALVES_TO_EVEN)?.into()),
            _ => refuse_arguments("round_half_even", values),
        },
    },
    ScriptFunction {
        name: "floor",
        signatures: &[call(&[of(ValueKind::Number)], ValueKind::Number)],
        page: "The next whole number below.",
        arities: &[1],
        call: |values| match values {
            [x] => Ok(ScriptValue::plain_number(expect_number(x)?.floor())),
            _ => refuse_arguments("floor", values),
        },
    },
    ScriptFunction {
        name: "ceiling",
        signatures: &[call(&[of(ValueKind::Number)], ValueKind::Number)],
        page: "The next whole number above.",
        arities: &[1],
        call: |values| match values {
            [x] => Ok(ScriptValue::plain_number(expect_number(x)?.ceil())),
            _ => refuse_arguments("ceiling", values),
        },
    },
];

/// Decimals that a decimal of 96 bits can have.
const DIGITS_MAX: i64 = 28;

const HALVES_AWAY_FROM_ZERO: RoundingStrategy = RoundingStrategy::MidpointAwayFromZero;
const HALVES_TO_EVEN: RoundingStrategy = RoundingStrategy::MidpointNearestEven;

fn expect_number(value: &ScriptValue) -> Outcome<Decimal> {
    match value.as_number() {
        Some(number) => Ok(number),
        None => raise(format!("expected a number, not {}", value.kind_word())),
    }
}

fn parse_number(text: &str) -> Outcome {
    match accredit_domain::transaction::parse_number(trim_cell(text)) {
        Some(number) => Ok(number.into()),
        None => raise(format!("`{text}` is not a number")),
    }
}

fn round(x: &ScriptValue, digits: &ScriptValue, rule: RoundingStrategy) -> Outcome<Decimal> {
    let number = expect_number(x)?;
    let digits = digits.as_whole_number().filter(|digits| (0..=DIGITS_MAX).contains(digits));
    match digits.and_then(|digits| u32::try_from(digits).ok()) {
        Some(digits) => Ok(number.round_dp_with_strategy(digits, rule)),
        None => raise("digits must be a whole number from 0 to 28"),
    }
}
