//! Arrays and maps, and the functions that texts share with them.
//!
//! Not functions that take functions (`callbacks`). Called by scripts.
//!
//! **Architecture invariant:** looking for a value compares strictly: an array of texts asked for a
//! number is an error.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::signature::{call, method, named, of};
use super::{ScriptFunction, refuse_arguments};
use crate::kind::ValueKind;
use crate::value::{self, Outcome, ScriptValue, raise};

pub(super) const FUNCTIONS: &[ScriptFunction] = &[
    ScriptFunction {
        name: "len",
        signatures: &[
            call(&[of(ValueKind::Text)], ValueKind::Number),
            call(&[of(ValueKind::Array)], ValueKind::Number),
            call(&[of(ValueKind::Map)], ValueKind::Number),
        ],
        page: "The number of characters of a text, of items of an array, of keys of a map.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(text)] => Ok(whole_length(text.chars().count())),
            [ScriptValue::Array(items)] => Ok(whole_length(items.len())),
            [ScriptValue::Map(entries)] => Ok(whole_length(entries.len())),
            _ => refuse_arguments("len", values),
        },
    },
    ScriptFunction {
        name: "is_empty",
        signatures: &[
            call(&[of(ValueKind::Text)], ValueKind::Bool),
            call(&[of(ValueKind::Array)], ValueKind::Bool),
            call(&[of(ValueKind::Map)], ValueKind::Bool),
        ],
        page: "Whether it is empty.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Text(text)] => Ok(text.is_empty().into()),
            [ScriptValue::Array(items)] => Ok(items.is_empty().into()),
            [ScriptValue::Map(entries)] => Ok(entries.is_empty().into()),
            _ => refuse_arguments("is_empty", values),
        },
    },
    ScriptFunction {
        name: "contains",
        signatures: &[
            call(&[of(ValueKind::Text), named("part", ValueKind::Text)], ValueKind::Bool),
            call(&[of(ValueKind::Array), named("item", ValueKind::Any)], ValueKind::Bool),
            call(&[of(ValueKind::Map), named("key", ValueKind::Any)], ValueKind::Bool),
        ],
        page: "Whether it contains an item; also written `part in text`.",
        arities: &[2],
        call: |values| match values {
            [whole, part] => contains(whole, part),
            _ => refuse_arguments("contains", values),
        },
    },
    ScriptFunction {
        name: "push",
        signatures: &[method(
            &[of(ValueKind::Array), named("item", ValueKind::Any)],
            ValueKind::Any,
        )],
        page: "Appends an item to an array.",
        arities: &[2],
        // The longer array, which takes the place of the one before the dot. The adapter of Rhai
        // has a form of its own, which changes the array in its place.
        call: |values| match values {
            [ScriptValue::Array(items), item] => {
                Ok(ScriptValue::Array(items.iter().chain([item]).cloned().collect()))
            }
            _ => refuse_arguments("push", values),
        },
    },
    ScriptFunction {
        name: "sum",
        signatures: &[call(&[of(ValueKind::Array)], ValueKind::Number)],
        page: "The sum of an array of numbers; 0 for an empty one.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Array(items)] => sum(items),
            _ => refuse_arguments("sum", values),
        },
    },
    ScriptFunction {
        name: "keys",
        signatures: &[call(&[of(ValueKind::Map)], ValueKind::Array)],
        page: "The keys of a map in alphabetical order, as an array.",
        arities: &[1],
        call: |values| match values {
            [ScriptValue::Map(entries)] => {
                let keys = entries.keys().map(|key| ScriptValue::Text(Arc::clone(key)));
                Ok(ScriptValue::Array(keys.collect()))
            }
            _ => refuse_arguments("keys", values),
        },
    },
];

/// A length or count as scripts see it.
pub(crate) fn whole_length(length: usize) -> ScriptValue {
    ScriptValue::Whole(i64::try_from(length).unwrap_or(i64::MAX))
}

fn contains(whole: &ScriptValue, part: &ScriptValue) -> Outcome {
    match (whole, part) {
        (ScriptValue::Text(text), ScriptValue::Text(part)) => Ok(text.contains(&**part).into()),
        (ScriptValue::Array(items), item) => contains_item(items.iter().cloned(), item),
        (ScriptValue::Map(entries), ScriptValue::Text(key)) => {
            Ok(entries.contains_key(&**key).into())
        }
        (whole, part) => {
            raise(format!("cannot look for {} in {}", part.kind_word(), whole.kind_word()))
        }
    }
}

/// Whether one of the items equals `item`; those before it must be of its kind.
pub(crate) fn contains_item(
    items: impl IntoIterator<Item = ScriptValue>,
    item: &ScriptValue,
) -> Outcome {
    for other in items {
        if value::values_equal(&other, item)? {
            return Ok(true.into());
        }
    }
    Ok(false.into())
}

pub(super) fn sum(items: &[ScriptValue]) -> Outcome {
    let mut total = Decimal::ZERO;
    for item in items {
        let Some(number) = item.as_number() else {
            return raise(format!("cannot add {} to a sum", item.kind_word()));
        };
        total = match total.checked_add(number) {
            Some(total) => total,
            None => return raise("the number is too large"),
        };
    }
    Ok(total.into())
}
