//! Values of a script by the words that authors know: text, number, date, bool, array, map.
//!
//! Not conversion of a result (`machine::run_uncounted`). Called by the functions of `api`, by
//! `machine` and by `fault`.
//!
//! **Architecture invariant:** two values compare only when they are of one kind; everything else
//! is an error that names both kinds, never a silent `false`.

use std::cmp::Ordering;

use jiff::civil::Date;
use rhai::{Dynamic, EvalAltResult, ImmutableString, Position};
use rust_decimal::Decimal;

use super::{Hold, ReceiverView, Share, TransactionView};
use accredit_domain::credit::Credit;
use std::sync::Arc;

/// What a function of the host gives back to a script.
pub(super) type Outcome<T> = Result<T, Box<EvalAltResult>>;

/// Marks the message of an error that was raised by a cell that does not parse.
pub(super) const BAD_VALUE_TAG: i32 = 1;

/// An error with this message, at the place of the call.
pub(super) fn raise<T>(message: impl Into<String>) -> Outcome<T> {
    let message = Dynamic::from(message.into());
    Err(EvalAltResult::ErrorRuntime(message, Position::NONE).into())
}

/// The same, for a cell that does not parse.
pub(super) fn raise_bad_value<T>(message: String) -> Outcome<T> {
    let mut message = Dynamic::from(message);
    message.set_tag(BAD_VALUE_TAG);
    Err(EvalAltResult::ErrorRuntime(message, Position::NONE).into())
}

/// The word for the kind of a value.
pub(super) fn kind_word(value: &Dynamic) -> &'static str {
    if value.is_unit() {
        "()"
    } else if value.is_string() || value.is_char() {
        "text"
    } else if value.is_int() || value.is_decimal() {
        "number"
    } else if value.is_bool() {
        "bool"
    } else if value.is_array() {
        "array"
    } else if value.is_map() {
        "map"
    } else {
        kind_of_variant(value)
    }
}

fn kind_of_variant(value: &Dynamic) -> &'static str {
    if value.is::<Date>() {
        "date"
    } else if value.is::<Share>() {
        "share"
    } else if value.is::<Hold>() {
        "hold"
    } else if value.is::<Arc<TransactionView>>() {
        "transaction"
    } else if value.is::<Arc<Credit>>() {
        "credit"
    } else if value.is::<Arc<ReceiverView>>() {
        "receiver"
    } else {
        "something else"
    }
}

/// The number in a value.
pub(super) fn as_number(value: &Dynamic) -> Option<Decimal> {
    match value.as_int() {
        Ok(integer) => Some(Decimal::from(integer)),
        Err(_) => value.as_decimal().ok(),
    }
}

/// The whole number in a value: an integer, or a decimal without a fraction.
pub(super) fn as_whole_number(value: &Dynamic) -> Option<i64> {
    let number = as_number(value)?;
    if number.fract().is_zero() { i64::try_from(number).ok() } else { None }
}

/// The same number, as an integer where it is one: only those are indices of arrays.
pub(super) fn plain_number(value: Dynamic) -> Dynamic {
    as_whole_number(&value).map_or(value, Dynamic::from)
}

/// A value as messages show it: a number itself, else its kind.
pub(super) fn show_in_message(value: &Dynamic) -> String {
    as_number(value).map_or_else(|| kind_word(value).to_owned(), |number| number.to_string())
}

/// The text in a value.
pub(super) fn as_text(value: &Dynamic) -> Option<ImmutableString> {
    match value.as_char() {
        Ok(letter) => Some(letter.to_string().into()),
        Err(_) => value.as_immutable_string_ref().ok().map(|text| text.clone()),
    }
}

/// A value as it is written into a text; none for values that have no text.
pub(super) fn to_text(value: &Dynamic) -> Option<ImmutableString> {
    if let Some(text) = as_text(value) {
        return Some(text);
    }
    if let Some(number) = as_number(value) {
        return Some(number.to_string().into());
    }
    if let Ok(flag) = value.as_bool() {
        return Some(flag.to_string().into());
    }
    value.read_lock::<Date>().map(|date| date.to_string().into())
}

/// The date, if it is one.
pub(super) fn as_date(value: &Dynamic) -> Option<Date> {
    value.read_lock::<Date>().map(|date| *date)
}

/// Whether two values of one kind are equal; nothing equals only nothing.
pub(super) fn values_equal(x: &Dynamic, y: &Dynamic) -> Outcome<bool> {
    if x.is_unit() || y.is_unit() {
        return Ok(x.is_unit() && y.is_unit());
    }
    match (x.as_bool(), y.as_bool()) {
        (Ok(x), Ok(y)) => Ok(x == y),
        _ => compare_values(x, y).map(Ordering::is_eq),
    }
}

/// Orders two values of one kind: numbers, texts or dates.
pub(super) fn compare_values(x: &Dynamic, y: &Dynamic) -> Outcome<Ordering> {
    if let (Some(x), Some(y)) = (as_number(x), as_number(y)) {
        return Ok(x.cmp(&y));
    }
    if let (Some(x), Some(y)) = (as_text(x), as_text(y)) {
        return Ok(x.as_str().cmp(y.as_str()));
    }
    if let (Some(x), Some(y)) = (x.read_lock::<Date>(), y.read_lock::<Date>()) {
        return Ok(x.cmp(&y));
    }
    let help = if x.is_unit() || y.is_unit() { "; ask has() first" } else { "" };
    raise(format!("cannot compare {} with {}{help}", kind_word(x), kind_word(y)))
}
