//! What a crediting or hold policy answers with: shares and holds.
//!
//! Not finding positions, and not computing the day a hold ends. Called by scripts.
//!
//! **Architecture invariant:** a share or hold that cannot be meant is refused where it is made, so
//! that the message points at the author's line.

use std::sync::Arc;

use super::signature::{call, named, of};
use super::{ScriptFunction, refuse_arguments};
use crate::Share;
use crate::kind::ValueKind;
use crate::value::{Outcome, ScriptValue, raise};
use accredit_domain::calendar::{HoldLength, PeriodKind};
use accredit_domain::hold::Hold;

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "share",
        signatures: &[
            call(&[named("who", ValueKind::Text)], ValueKind::Share),
            call(
                &[named("who", ValueKind::Text), named("weight", ValueKind::Number)],
                ValueKind::Share,
            ),
        ],
        page: "A recipient by name or alias, with the literal multiplier of its part.",
        arities: &[1, 2],
        call: |values| match values {
            [ScriptValue::Text(who)] => share(who, None),
            [ScriptValue::Text(who), weight] => share(who, Some(weight)),
            _ => refuse_arguments("share", values),
        },
    },
    ScriptFunction {
        name: "no_hold",
        signatures: &[call(&[], ValueKind::Hold)],
        page: "The credit is not held.",
        arities: &[0],
        call: |values| match values {
            [] => Ok(Hold::None.into()),
            _ => refuse_arguments("no_hold", values),
        },
    },
    ScriptFunction {
        name: "hold_for",
        signatures: &[call(
            &[named("count", ValueKind::Number), named("unit", ValueKind::Text)],
            ValueKind::Hold,
        )],
        page: "The credit is held for so many days, months, quarters or years.",
        arities: &[2],
        call: |values| match values {
            [count, ScriptValue::Text(unit)] => hold_for(count, unit),
            _ => refuse_arguments("hold_for", values),
        },
    },
    ScriptFunction {
        name: "hold_until",
        signatures: &[call(&[of(ValueKind::Date)], ValueKind::Hold)],
        page: "The credit is held until that day.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Date(date)] => Ok(Hold::Until(*date).into()),
            _ => refuse_arguments("hold_until", values),
        },
    },
    ScriptFunction {
        name: "hold_until_period",
        signatures: &[call(&[named("id", ValueKind::Text)], ValueKind::Hold)],
        page: "The credit is held until the first day of the period, for example \"2017-04\".",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(id)] => Ok(Hold::UntilPeriod(id.to_string()).into()),
            _ => refuse_arguments("hold_until_period", values),
        },
    },
    ScriptFunction {
        name: "hold_until_next",
        signatures: &[call(&[named("kind", ValueKind::Text)], ValueKind::Hold)],
        page: "The credit is held until the next month, quarter or year begins.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(kind)] => hold_until_next(kind),
            _ => refuse_arguments("hold_until_next", values),
        },
    },
    ScriptFunction {
        name: "hold_indefinitely",
        signatures: &[
            call(&[], ValueKind::Hold),
            call(&[named("reason", ValueKind::Text)], ValueKind::Hold),
        ],
        page: "The credit is held until it is released manually.",
        arities: &[0, 1],
        call: |values| match values {
            [] => Ok(Hold::Indefinitely(String::new()).into()),
            [ScriptValue::Text(reason)] => Ok(Hold::Indefinitely(reason.to_string()).into()),
            _ => refuse_arguments("hold_indefinitely", values),
        },
    },
];

fn share(who: &Arc<str>, weight: Option<&ScriptValue>) -> Outcome {
    if who.trim().is_empty() {
        return raise("a share needs the name of a recipient");
    }

    let number = weight.and_then(ScriptValue::as_number);
    if let (Some(weight), None) = (weight, number) {
        return raise(format!("a weight is a number, not {}", weight.kind_word()));
    }
    Ok(Share { who: Arc::clone(who), weight: number }.into())
}

fn hold_for(count: &ScriptValue, unit: &str) -> Outcome {
    let whole = count.as_whole_number().and_then(|count| i32::try_from(count).ok());
    let Some(whole) = whole.filter(|count| *count >= 0) else {
        return raise("a hold lasts a whole number of days, months, quarters or years, from 0");
    };
    match HoldLength::parse(whole, unit) {
        Some(length) => Ok(Hold::For(length).into()),
        None => raise(format!("`{unit}` is not a unit; use days, months, quarters or years")),
    }
}

fn hold_until_next(kind: &str) -> Outcome {
    match PeriodKind::parse(kind) {
        Some(kind) => Ok(Hold::Next(kind).into()),
        None => raise(format!("`{kind}` is not a kind of period; use month, quarter or year")),
    }
}
