//! Fields of values: what stands behind a dot, or in brackets.
//!
//! Not what a column means (`views`). Called by the adapter of the interpreter.
//!
//! **Architecture invariant:** every field that a script can read is read here, whatever runs the
//! script.

use crate::value::{Outcome, ScriptValue, raise};

use super::dates::{self, DATE_FIELDS};
use super::lookups::{self, PERSON_FIELDS};
use super::rewards::{self, PAYEE_FIELDS, STANDING_FIELDS};
use super::views::{self, CREDIT_FIELDS, RECEIVER_FIELDS, TRANSACTION_FIELDS};

/// The value behind a dot: `tx.amount`, `credit.level`, `tx.date.year`.
pub(crate) fn read_field(value: &ScriptValue, name: &str) -> Outcome {
    let found = match value {
        ScriptValue::Transaction(tx) => return views::transaction_field(tx, name),
        ScriptValue::Totals(totals) => return rewards::credit_total(totals, name),
        ScriptValue::Earned(earned) => return rewards::earned_amount(earned, name),
        ScriptValue::Standing(standing) => rewards::standing_field(*standing.as_ref(), name),
        ScriptValue::Credit(credit) => views::credit_field(credit, name),
        ScriptValue::Receiver(to) => views::receiver_field(to, name),
        ScriptValue::Payee(payee) => rewards::payee_field(payee, name),
        ScriptValue::Date(date) => dates::date_field(*date, name),
        ScriptValue::Person(person) => lookups::person_field(person, name),
        _ => None,
    };
    found.map_or_else(|| raise(format!("{} has no field `{name}`", value.kind_word())), Ok)
}

/// The value under a text in brackets: `tx["Rep #1"]`, `totals["booking"]`, `to["level"]`.
pub(crate) fn read_column(value: &ScriptValue, name: &str) -> Outcome {
    match value {
        ScriptValue::Transaction(tx) => views::transaction_cell(tx, name),
        ScriptValue::Totals(totals) => rewards::credit_total(totals, name),
        ScriptValue::Earned(earned) => rewards::earned_amount(earned, name),
        ScriptValue::Credit(credit) => lookups::credit_attribute(credit, name),
        ScriptValue::Receiver(to) => lookups::receiver_attribute(to, name),
        ScriptValue::Payee(payee) => lookups::payee_attribute(payee, name),
        ScriptValue::Person(person) => lookups::person_attribute(person, name),
        _ => raise("this value cannot be indexed like that"),
    }
}

/// The names behind a dot of a transaction, which are not its columns.
pub(crate) fn transaction_fields() -> impl Iterator<Item = &'static str> {
    TRANSACTION_FIELDS.iter().map(|(name, _)| *name)
}

/// The fields of the other values, in the order: credit, recipient, payee, standing, date, person.
pub(crate) const LISTED_FIELDS: [&[&str]; 6] =
    [CREDIT_FIELDS, RECEIVER_FIELDS, PAYEE_FIELDS, STANDING_FIELDS, DATE_FIELDS, PERSON_FIELDS];
