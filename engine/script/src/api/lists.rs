//! Arrays and maps, and the functions that texts share with them.
//!
//! Not functions that take functions: Rhai's would read a result that is no boolean as `false`.
//! Called by scripts.
//!
//! **Architecture invariant:** looking for a value compares strictly: an array of texts asked for a
//! number is an error.

use std::ops::{Range, RangeInclusive};

use rhai::{Array, Dynamic, Engine, INT, ImmutableString, Map};
use rust_decimal::Decimal;

use super::signature::{call, method, named, of};
use super::{ScriptFunction, register_pure};
use crate::kind::ValueKind;
use crate::value::{self, Outcome, raise};

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
        register: |engine| {
            engine.register_fn("len", |text: &str| length_as_int(text.chars().count()));
            register_pure(engine, "len", |array: &mut Array| length_as_int(array.len()));
            register_pure(engine, "len", |map: &mut Map| length_as_int(map.len()));
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
        register: |engine| {
            engine.register_fn("is_empty", |text: &str| text.is_empty());
            register_pure(engine, "is_empty", |array: &mut Array| array.is_empty());
            register_pure(engine, "is_empty", |map: &mut Map| map.is_empty());
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
        register: |engine| {
            engine.register_fn("contains", |text: &str, part: &str| text.contains(part));
            register_pure(engine, "contains", contains);
            register_pure(engine, "contains", |map: &mut Map, key: &str| map.contains_key(key));
            engine.register_fn("contains", refuse_contains);
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
        register: |engine| {
            engine.register_fn("push", |array: &mut Array, item: Dynamic| array.push(item));
        },
    },
    ScriptFunction {
        name: "sum",
        signatures: &[call(&[of(ValueKind::Array)], ValueKind::Number)],
        page: "The sum of an array of numbers; 0 for an empty one.",
        arities: &[1],
        register: |engine| {
            register_pure(engine, "sum", sum);
        },
    },
    ScriptFunction {
        name: "keys",
        signatures: &[call(&[of(ValueKind::Map)], ValueKind::Array)],
        page: "The keys of a map in alphabetical order, as an array.",
        arities: &[1],
        register: |engine| {
            register_pure(engine, "keys", |map: &mut Map| -> Array {
                map.keys().map(|key| ImmutableString::from(key.as_str()).into()).collect()
            });
        },
    },
];

/// What `for` can go through.
pub(super) fn register_iterators(engine: &mut Engine) {
    engine.register_iterator::<Array>();
    engine.register_iterator::<Range<INT>>();
    engine.register_iterator::<RangeInclusive<INT>>();
}

fn length_as_int(length: usize) -> INT {
    INT::try_from(length).unwrap_or(INT::MAX)
}

fn contains(array: &mut Array, item: Dynamic) -> Outcome<bool> {
    for other in array.iter() {
        if value::values_equal(other, &item)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Reached when no exact form fits.
fn refuse_contains(whole: Dynamic, part: Dynamic) -> Outcome<bool> {
    if let (Some(whole), Some(part)) = (value::as_text(&whole), value::as_text(&part)) {
        return Ok(whole.contains(part.as_str()));
    }
    raise(format!("cannot look for {} in {}", value::kind_word(&part), value::kind_word(&whole)))
}

fn sum(array: &mut Array) -> Outcome<Decimal> {
    let mut total = Decimal::ZERO;
    for item in array.iter() {
        let Some(number) = value::as_number(item) else {
            return raise(format!("cannot add {} to a sum", value::kind_word(item)));
        };
        total = match total.checked_add(number) {
            Some(total) => total,
            None => return raise("the number is too large"),
        };
    }
    Ok(total)
}
