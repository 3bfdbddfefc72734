//! Values of a script: an own type, with the words that authors know for their kinds.
//!
//! Not conversion of a result (`machine::answer`), and not the values of an interpreter, which
//! `machine::adapter` alone turns into these and back. Called by the functions of `api`, by
//! `machine` and by `fault`.
//!
//! **Architecture invariant:** two values compare only when they are of one kind; everything else
//! is an error that names both kinds, never a silent `false`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    EarnedView, Hold, PayeeView, PersonView, ReceiverView, Share, StandingView, TotalsView,
};
use accredit_domain::credit::Credit;
use accredit_domain::transaction::Transaction;

/// A value that a script computes with. Copies are cheap, except of arrays and maps.
#[derive(Debug, Clone)]
pub(super) enum ScriptValue {
    /// Nothing, `()`.
    Unit,
    /// A flag: true or false.
    Bool(bool),
    /// A whole number: only those are indices of arrays.
    Whole(i64),
    /// A decimal number, which may be whole as well.
    Number(Decimal),
    /// A text.
    Text(Arc<str>),
    /// A day without a time.
    Date(Date),
    /// A part of a deal for one name.
    Share(Arc<Share>),
    /// How long a credit is held.
    Hold(Arc<Hold>),
    /// Values in order.
    Array(Vec<ScriptValue>),
    /// Values by key.
    Map(BTreeMap<Arc<str>, ScriptValue>),
    /// Whole numbers for `for`, the last one left out.
    Range(Range<i64>),
    /// Whole numbers for `for`, with the last one.
    RangeInclusive(RangeInclusive<i64>),
    /// The transaction: `tx`.
    Transaction(Arc<Transaction>),
    /// A credit: `credit`, and the items of `existing`.
    Credit(Arc<Credit>),
    /// The recipient: `to`.
    Receiver(Arc<ReceiverView>),
    /// The claimant of a reward: `payee`.
    Payee(Arc<PayeeView>),
    /// What was credited to a claimant: `totals`.
    Totals(Arc<TotalsView>),
    /// What rewards came to: `earned` and `paid`.
    Earned(Arc<EarnedView>),
    /// The place of a claimant: `standing`.
    Standing(Arc<StandingView>),
    /// What `who(name)` gives.
    Person(Arc<PersonView>),
    /// A value of the interpreter that no function takes.
    Unknown,
}

/// Why a function gives no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScriptError {
    /// What is wrong, in words of the author.
    pub(super) message: String,
    /// Whether a cell that does not parse was read.
    pub(super) bad_value: bool,
}

/// What a function of the host gives back to a script.
pub(super) type Outcome<T = ScriptValue> = Result<T, ScriptError>;

/// An error with this message, at the place of the call.
pub(super) fn raise<T>(message: impl Into<String>) -> Outcome<T> {
    Err(ScriptError { message: message.into(), bad_value: false })
}

/// The same, for a cell that does not parse.
pub(super) fn raise_bad_value<T>(message: String) -> Outcome<T> {
    Err(ScriptError { message, bad_value: true })
}

impl ScriptValue {
    /// The word for its kind.
    pub(super) fn kind_word(&self) -> &'static str {
        match self {
            ScriptValue::Unit => "()",
            ScriptValue::Bool(_) => "bool",
            ScriptValue::Whole(_) | ScriptValue::Number(_) => "number",
            ScriptValue::Text(_) => "text",
            ScriptValue::Date(_) => "date",
            ScriptValue::Share(_) => "share",
            ScriptValue::Hold(_) => "hold",
            ScriptValue::Array(_) => "array",
            ScriptValue::Map(_) => "map",
            ScriptValue::Range(_) | ScriptValue::RangeInclusive(_) => "range",
            ScriptValue::Transaction(_) => "transaction",
            ScriptValue::Credit(_) => "credit",
            ScriptValue::Receiver(_) => "receiver",
            ScriptValue::Payee(_) => "payee",
            ScriptValue::Totals(_) => "totals",
            ScriptValue::Earned(_) => "earned",
            ScriptValue::Standing(_) => "standing",
            ScriptValue::Person(_) => "person",
            ScriptValue::Unknown => "something else",
        }
    }

    /// Whether it is nothing.
    pub(super) fn is_unit(&self) -> bool {
        matches!(self, ScriptValue::Unit)
    }

    /// The number, if it is one.
    pub(super) fn as_number(&self) -> Option<Decimal> {
        match self {
            ScriptValue::Whole(whole) => Some(Decimal::from(*whole)),
            ScriptValue::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The whole number: one that is whole, or a decimal without a fraction.
    pub(super) fn as_whole_number(&self) -> Option<i64> {
        match self {
            ScriptValue::Whole(whole) => Some(*whole),
            ScriptValue::Number(number) if number.fract().is_zero() => i64::try_from(*number).ok(),
            _ => None,
        }
    }

    /// The text, if it is one.
    pub(super) fn as_text(&self) -> Option<&Arc<str>> {
        match self {
            ScriptValue::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The flag, if it is one.
    pub(super) fn as_bool(&self) -> Option<bool> {
        match self {
            ScriptValue::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// It as it is written into a text; none for values that have no text.
    pub(super) fn to_text(&self) -> Option<Arc<str>> {
        match self {
            ScriptValue::Text(text) => Some(Arc::clone(text)),
            ScriptValue::Whole(whole) => Some(whole.to_string().into()),
            ScriptValue::Number(number) => Some(number.to_string().into()),
            ScriptValue::Bool(flag) => Some(flag.to_string().into()),
            ScriptValue::Date(date) => Some(date.to_string().into()),
            _ => None,
        }
    }

    /// It as messages show it: a number itself, else its kind.
    pub(super) fn show_in_message(&self) -> String {
        self.as_number().map_or_else(|| self.kind_word().to_owned(), |number| number.to_string())
    }

    /// A number, as a whole one where it is one.
    pub(super) fn plain_number(number: Decimal) -> ScriptValue {
        let number = ScriptValue::Number(number);
        number.as_whole_number().map_or(number, ScriptValue::Whole)
    }

    /// A text, or nothing where there is none.
    pub(super) fn optional_text(text: Option<&Arc<str>>) -> ScriptValue {
        text.map_or(ScriptValue::Unit, |text| ScriptValue::Text(Arc::clone(text)))
    }
}

impl From<bool> for ScriptValue {
    fn from(flag: bool) -> ScriptValue {
        ScriptValue::Bool(flag)
    }
}

impl From<i64> for ScriptValue {
    fn from(whole: i64) -> ScriptValue {
        ScriptValue::Whole(whole)
    }
}

impl From<Decimal> for ScriptValue {
    fn from(number: Decimal) -> ScriptValue {
        ScriptValue::Number(number)
    }
}

impl From<&str> for ScriptValue {
    fn from(text: &str) -> ScriptValue {
        ScriptValue::Text(text.into())
    }
}

impl From<String> for ScriptValue {
    fn from(text: String) -> ScriptValue {
        ScriptValue::Text(text.into())
    }
}

impl From<Date> for ScriptValue {
    fn from(date: Date) -> ScriptValue {
        ScriptValue::Date(date)
    }
}

impl From<Share> for ScriptValue {
    fn from(share: Share) -> ScriptValue {
        ScriptValue::Share(Arc::new(share))
    }
}

impl From<Hold> for ScriptValue {
    fn from(hold: Hold) -> ScriptValue {
        ScriptValue::Hold(Arc::new(hold))
    }
}

/// Whether two values of one kind are equal; nothing equals only nothing.
pub(super) fn values_equal(x: &ScriptValue, y: &ScriptValue) -> Outcome<bool> {
    match (x, y) {
        (ScriptValue::Unit, y) => Ok(y.is_unit()),
        (_, ScriptValue::Unit) => Ok(false),
        (ScriptValue::Bool(x), ScriptValue::Bool(y)) => Ok(x == y),
        _ => compare_values(x, y).map(Ordering::is_eq),
    }
}

/// Whether a value has the label of an arm of `switch`: it is equal to it, or lies in its range.
pub(super) fn label_holds(value: &ScriptValue, label: &ScriptValue) -> Outcome<bool> {
    let (from, to, with_last) = match label {
        ScriptValue::Range(range) => (range.start, range.end, false),
        ScriptValue::RangeInclusive(range) => (*range.start(), *range.end(), true),
        plain => return values_equal(value, plain),
    };
    // Nothing is in no range, as it equals no number.
    if value.is_unit() {
        return Ok(false);
    }

    let from = compare_values(value, &ScriptValue::Whole(from))?;
    let to = compare_values(value, &ScriptValue::Whole(to))?;
    Ok(from.is_ge() && (to.is_lt() || (with_last && to.is_eq())))
}

/// Orders two values of one kind: numbers, texts or dates.
pub(super) fn compare_values(x: &ScriptValue, y: &ScriptValue) -> Outcome<Ordering> {
    match (x, y) {
        (ScriptValue::Number(x), ScriptValue::Number(y)) => return Ok(x.cmp(y)),
        (ScriptValue::Text(x), ScriptValue::Text(y)) => return Ok(x.cmp(y)),
        (ScriptValue::Date(x), ScriptValue::Date(y)) => return Ok(x.cmp(y)),
        _ => (),
    }
    if let (Some(x), Some(y)) = (x.as_number(), y.as_number()) {
        return Ok(x.cmp(&y));
    }

    let help = if x.is_unit() || y.is_unit() { "; ask has() first" } else { "" };
    raise(format!("cannot compare {} with {}{help}", x.kind_word(), y.kind_word()))
}
