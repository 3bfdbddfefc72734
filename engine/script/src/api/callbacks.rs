//! Functions that call a function for each item of an array.
//!
//! Not the calls themselves, which need an interpreter (`machine::adapter`): what stands here
//! refuses arguments that are no function. Called by scripts and by `check`.
//!
//! **Architecture invariant:** what a function must return is never guessed: a condition that is no
//! boolean, a part of a sum that is no number and unlike keys are errors.

use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::ScriptFunction;
use super::lists;
use super::signature::{call, named, of};
use crate::kind::ValueKind;
use crate::value::{Outcome, ScriptValue, raise};

/// Names of the functions that take a function.
pub(crate) const CALLBACK_FUNCTIONS: &[&str] =
    &["filter", "map", "any", "all", "sort_by", "sum_by"];

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "filter",
        signatures: &[call(
            &[of(ValueKind::Array), named("test", ValueKind::Function)],
            ValueKind::Array,
        )],
        page: "The items for which the function is true: `filter(items, |x| x > 0)`.",
        arities: &[2],
        call: |_| refuse_callback("filter"),
    },
    ScriptFunction {
        name: "map",
        signatures: &[call(
            &[of(ValueKind::Array), named("each", ValueKind::Function)],
            ValueKind::Array,
        )],
        page: "What the function makes of each item: `map(items, |x| x * 2)`.",
        arities: &[2],
        call: |_| refuse_callback("map"),
    },
    ScriptFunction {
        name: "any",
        signatures: &[call(
            &[of(ValueKind::Array), named("test", ValueKind::Function)],
            ValueKind::Bool,
        )],
        page: "Whether the function is true for an item; false for an empty array.",
        arities: &[2],
        call: |_| refuse_callback("any"),
    },
    ScriptFunction {
        name: "all",
        signatures: &[call(
            &[of(ValueKind::Array), named("test", ValueKind::Function)],
            ValueKind::Bool,
        )],
        page: "Whether the function is true for every item; true for an empty array.",
        arities: &[2],
        call: |_| refuse_callback("all"),
    },
    ScriptFunction {
        name: "sort_by",
        signatures: &[call(
            &[of(ValueKind::Array), named("key", ValueKind::Function)],
            ValueKind::Array,
        )],
        page: "The items in the order of what the function gives for them, smallest first: numbers, \
               texts or dates. Items with equal keys keep their order.",
        arities: &[2],
        call: |_| refuse_callback("sort_by"),
    },
    ScriptFunction {
        name: "sum_by",
        signatures: &[call(
            &[of(ValueKind::Array), named("part", ValueKind::Function)],
            ValueKind::Number,
        )],
        page: "The sum of the numbers that the function gives for the items; 0 for an empty array.",
        arities: &[2],
        call: |_| refuse_callback("sum_by"),
    },
];

fn refuse_callback(name: &str) -> Outcome {
    raise(format!("`{name}` takes an array and a function, such as `{name}(items, |x| …)`"))
}

/// Whether an item passes, by what the function of `name` gave for it.
pub(crate) fn passes(name: &str, given: &ScriptValue) -> Outcome<bool> {
    match given {
        ScriptValue::Bool(flag) => Ok(*flag),
        other => raise(format!(
            "the function of `{name}` must return true or false, not {}",
            other.kind_word()
        )),
    }
}

/// The sum of what the function of `sum_by` gave.
pub(crate) fn sum_parts(parts: &[ScriptValue]) -> Outcome {
    match parts.iter().find(|part| part.as_number().is_none()) {
        Some(other) => raise(format!(
            "the function of `sum_by` must return a number, not {}",
            other.kind_word()
        )),
        None => lists::sum(parts),
    }
}

/// What items are sorted by; keys of two kinds are never compared.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SortKey {
    Number(Decimal),
    Text(Arc<str>),
    Date(Date),
}

impl SortKey {
    fn of_value(value: &ScriptValue) -> Option<SortKey> {
        match value {
            ScriptValue::Text(text) => Some(SortKey::Text(Arc::clone(text))),
            ScriptValue::Date(date) => Some(SortKey::Date(*date)),
            other => other.as_number().map(SortKey::Number),
        }
    }
}

/// The keys that the function of `sort_by` gave, all of one kind.
pub(crate) fn sort_keys(given: &[ScriptValue]) -> Outcome<Vec<SortKey>> {
    let mut keys: Vec<SortKey> = Vec::with_capacity(given.len());

    for value in given {
        let Some(key) = SortKey::of_value(value) else {
            return raise(format!(
                "the function of `sort_by` must return a number, a text or a date, not {}",
                value.kind_word()
            ));
        };

        let first = keys.first().unwrap_or(&key);
        if std::mem::discriminant(first) != std::mem::discriminant(&key) {
            return raise(format!(
                "the function of `sort_by` must return keys of one kind, and returned {} as well",
                value.kind_word()
            ));
        }
        keys.push(key);
    }

    Ok(keys)
}
