//! Sizes of values, far below those at which the interpreter stops.
//!
//! Not the number of steps (`Run::count`). Called by `run` and, for values that are written out, by
//! `lower`.
//!
//! **Architecture invariant:** every value that a run keeps was measured.

use super::super::{ITEMS_MAX, TEXT_BYTES_MAX};
use crate::value::ScriptValue;

/// Whether a text is far from the limits of the interpreter.
#[inline]
pub(super) fn is_short(text: &str) -> bool {
    text.len() <= TEXT_BYTES_MAX
}

/// Whether a value is far from the limits of the interpreter.
#[inline]
pub(in super::super) fn is_bounded(value: &ScriptValue) -> bool {
    match value {
        ScriptValue::Text(text) => is_short(text),
        ScriptValue::Array(_) | ScriptValue::Map(_) => {
            let (items, bytes) = data_size(value);
            items <= ITEMS_MAX && bytes <= TEXT_BYTES_MAX
        }
        _ => true,
    }
}

/// Items and bytes of texts in a value, those of its items included.
fn data_size(value: &ScriptValue) -> (usize, usize) {
    let of_items = |sizes: &mut dyn Iterator<Item = (usize, usize)>| {
        sizes.fold((0, 0), |(items, bytes), (more, longer)| (items + more + 1, bytes + longer))
    };
    match value {
        ScriptValue::Text(text) => (0, text.len()),
        ScriptValue::Array(items) => of_items(&mut items.iter().map(data_size)),
        ScriptValue::Map(entries) => of_items(&mut entries.values().map(data_size)),
        _ => (0, 0),
    }
}
