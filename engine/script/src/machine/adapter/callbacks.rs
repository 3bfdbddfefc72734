//! Functions that call a function of the script for each item, as Rhai knows them.
//!
//! Not what may be returned (`api::callbacks`). Called by `register_table`.
//!
//! **Architecture invariant:** a callback runs in the call that met it: its operations and levels
//! count with those of the script, and its error ends the whole call.

use rhai::{Array, Dynamic, Engine, FnPtr, NativeCallContext};

use super::{Answer, answered, from_dynamic, raised};
use crate::api::callbacks::{passes, sort_keys, sum_parts};
use crate::value::ScriptValue;

/// Registers the forms that take an array and a function.
pub(super) fn register_callbacks(engine: &mut Engine) {
    engine.register_fn("filter", |context: NativeCallContext, items: Array, test: FnPtr| {
        let mut kept = Array::new();
        for item in items {
            if item_passes("filter", &context, &test, &item)? {
                kept.push(item);
            }
        }
        Answer::Ok(Dynamic::from_array(kept))
    });

    engine.register_fn("map", |context: NativeCallContext, items: Array, each: FnPtr| {
        let mut made = Array::new();
        for item in items {
            made.push(call_back(&context, &each, item)?);
        }
        Answer::Ok(Dynamic::from_array(made))
    });

    engine.register_fn("any", |context: NativeCallContext, items: Array, test: FnPtr| {
        for item in items {
            if item_passes("any", &context, &test, &item)? {
                return Answer::Ok(true);
            }
        }
        Ok(false)
    });

    engine.register_fn("all", |context: NativeCallContext, items: Array, test: FnPtr| {
        for item in items {
            if !item_passes("all", &context, &test, &item)? {
                return Answer::Ok(false);
            }
        }
        Ok(true)
    });

    engine.register_fn("sum_by", |context: NativeCallContext, items: Array, part: FnPtr| {
        answered(sum_parts(&values_of_items(&context, &part, &items)?))
    });

    engine.register_fn("sort_by", |context: NativeCallContext, items: Array, key: FnPtr| {
        let keys = sort_keys(&values_of_items(&context, &key, &items)?).map_err(raised)?;

        let mut keyed: Vec<_> = keys.into_iter().zip(items).collect();
        keyed.sort_by(|(one, _), (other, _)| one.cmp(other));

        let sorted = keyed.into_iter().map(|(_, item)| item).collect();
        Answer::Ok(Dynamic::from_array(sorted))
    });
}

/// Calls the function by the name that Rhai gave to it.
fn call_back(context: &NativeCallContext<'_>, function: &FnPtr, mut item: Dynamic) -> Answer {
    context.call_fn_raw(function.fn_name(), false, false, &mut [&mut item])
}

fn item_passes(
    name: &str,
    context: &NativeCallContext<'_>,
    test: &FnPtr,
    item: &Dynamic,
) -> Answer<bool> {
    let given = call_back(context, test, item.clone())?;
    passes(name, &from_dynamic(&given)).map_err(raised)
}

/// What the function gives for each item.
fn values_of_items(
    context: &NativeCallContext<'_>,
    function: &FnPtr,
    items: &Array,
) -> Answer<Vec<ScriptValue>> {
    let mut values = Vec::with_capacity(items.len());
    for item in items {
        values.push(from_dynamic(&call_back(context, function, item.clone())?));
    }
    Ok(values)
}
