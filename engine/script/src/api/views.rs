//! `tx`, `credit` and `to`: the fields that scripts read.
//!
//! Not deciding what a column means (`transaction`). Called by scripts; the lists of names by
//! `check`.
//!
//! **Architecture invariant:** reading a blank number or date is an error that names the column;
//! only fields that FORMAT section 5 calls optional answer `()`.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::signature::{method, named, of};
use super::{ScriptFunction, refuse_arguments};
use crate::kind::ValueKind;
use crate::value::{Outcome, ScriptValue, raise, raise_bad_value};
use crate::{ReceiverView, surroundings};
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::Credit;
use accredit_domain::exchange::{ExchangeSettings, NoExchange};
use accredit_domain::keys::{DefinedName, ParticipantKey, PositionKey, RecipientKey, TeamKey};
use accredit_domain::transaction::{Field, Transaction, Value};

pub(super) const FUNCTIONS: &[ScriptFunction] = &[HAS, AMOUNT_IN];

const AMOUNT_IN: ScriptFunction = ScriptFunction {
    name: "amount_in",
    signatures: &[method(
        &[named("tx", ValueKind::Transaction), named("unit", ValueKind::Text)],
        ValueKind::Number,
    )],
    page: "The deal's amount in another unit, at the rate of its incentive date: compare that, not \
           `tx.amount`, where deals have currencies. Without a rate it is an error.",
    arities: &[2],
    call: |values| match values {
        [ScriptValue::Transaction(tx), ScriptValue::Text(unit)] => amount_in(tx, unit),
        _ => refuse_arguments("amount_in", values),
    },
};

const HAS: ScriptFunction = ScriptFunction {
    name: "has",
    signatures: &[
        method(
            &[named("tx", ValueKind::Transaction), named("name", ValueKind::Text)],
            ValueKind::Bool,
        ),
        method(
            &[named("credit", ValueKind::Credit), named("name", ValueKind::Text)],
            ValueKind::Bool,
        ),
        method(&[of(ValueKind::Map), named("key", ValueKind::Text)], ValueKind::Bool),
    ],
    page: "Whether a field can be read: the column or mapped field is present, not blank, and of \
           its type; the optional field of a credit or receiver is not (); the map has the key.",
    arities: &[2],
    call: |values| match values {
        [ScriptValue::Transaction(tx), ScriptValue::Text(name)] => Ok(has_field(tx, name)?.into()),
        [ScriptValue::Credit(credit), ScriptValue::Text(name)] => {
            Ok(is_there(credit_field(credit, name)))
        }
        [ScriptValue::Receiver(to), ScriptValue::Text(name)] => {
            Ok(is_there(receiver_field(to, name)))
        }
        [ScriptValue::Map(entries), ScriptValue::Text(key)] => {
            Ok(entries.contains_key(&**key).into())
        }
        _ => refuse_arguments("has", values),
    },
};

/// Names after `tx.` that are not columns: the mapped fields that scripts see are among them.
pub(crate) const TRANSACTION_FIELDS: &[(&str, Option<Field>)] = &[
    ("id", None),
    ("date", Some(Field::Date)),
    ("period", None),
    ("amount", Some(Field::Amount)),
    ("quantity", Some(Field::Quantity)),
    ("product", Some(Field::Product)),
    ("customer", Some(Field::Customer)),
    ("geography", Some(Field::Geography)),
    ("postal_code", Some(Field::PostalCode)),
    ("currency", Some(Field::Currency)),
    ("default_credit", None),
];

/// The fields of `credit`.
pub(crate) const CREDIT_FIELDS: &[&str] = &[
    "amount",
    "unit_type",
    "credit_type",
    "kind",
    "position",
    "title",
    "payee",
    "team",
    "rule",
    "result",
    "period",
    "relationship",
    "via",
    "level",
    "weight",
];

/// The fields of `to`.
pub(crate) const RECEIVER_FIELDS: &[&str] =
    &["position", "title", "payee", "team", "relationship", "via", "level"];

/// The field `name` of a transaction; of other names, the cell of the column of that name.
pub(super) fn transaction_field(tx: &Transaction, name: &str) -> Outcome {
    match TRANSACTION_FIELDS.iter().find(|(known, _)| *known == name) {
        Some((name, Some(field))) => mapped_field(tx, *field, name),
        Some(("period", None)) => match period_of(tx)? {
            Some(period) => Ok(ScriptValue::Text(period)),
            None => {
                raise("the transaction has no period: its date is blank, or outside the calendar")
            }
        },
        Some(("default_credit", None)) => Ok(ScriptValue::Text(default_credit(tx)?)),
        Some((_, None)) => Ok(text_value(&tx.id)),
        None => transaction_cell(tx, name),
    }
}

/// The leaf period of the incentive date; none where there is none.
fn period_of(tx: &Transaction) -> Outcome<Option<Arc<str>>> {
    let Ok(date) = tx.incentive_date() else { return Ok(None) };

    surroundings::in_ruleset(|data| {
        let period = data.calendar.period_on(date, PeriodKind::Leaf);
        Ok(period.map(|period| Arc::from(period.id)))
    })
}

/// Whom the plan credits where a rule names nobody: the text of the owner or of the team.
fn default_credit(tx: &Transaction) -> Outcome<Arc<str>> {
    let names = surroundings::default_names()?;
    Ok(Arc::from(tx.joined_names(names)))
}

/// The cell of a column: `tx["Rep #1"]`.
pub(super) fn transaction_cell(tx: &Transaction, column: &str) -> Outcome {
    cell_value(tx, column, tx.get(column))
}

/// `tx.amount`: the deal's amount, or an error that says why there is none.
pub(crate) fn transaction_amount(tx: &Transaction) -> Outcome {
    mapped_field(tx, Field::Amount, "amount")
}

/// `tx.amount_in("USD")`; a deal that names no currency is in the workspace's.
fn amount_in(tx: &Transaction, unit: &str) -> Outcome {
    match tx.amount() {
        Ok(amount) => {
            surroundings::in_ruleset(|data| exchange_into(&data.exchange, tx, amount, unit))
        }
        // The amount cannot be read: the error is the one that `tx.amount` gives.
        Err(_) => transaction_amount(tx),
    }
}

/// The amount of a deal in another unit, at the rate of its incentive date.
fn exchange_into(
    exchange: &ExchangeSettings,
    tx: &Transaction,
    amount: Decimal,
    unit: &str,
) -> Outcome {
    let Some(to) = exchange.units.find_any_case(unit) else {
        return raise(format!("there is no unit type `{unit}`"));
    };

    let from = match tx.field_value(Field::Currency) {
        Some(Value::Text(name)) if !name.is_empty() => exchange.units.find_any_case(&name),
        _ => Some(exchange.home),
    };

    let Some(from) = from else {
        return raise_bad_value("the currency of the deal is no unit type".to_owned());
    };
    if from == to {
        return Ok(amount.into());
    }

    let Ok(date) = tx.incentive_date() else {
        return raise("the deal has no date on which its amount could be exchanged");
    };

    let (one, other) = (exchange.units.name(from), exchange.units.name(to));
    match exchange.rates.exchange(amount, (from, to), date) {
        Ok(exchanged) => Ok(exchanged.into()),
        Err(NoExchange::NoRate) => {
            raise_bad_value(format!("no exchange rate from {one} to {other} on {date}"))
        }
        Err(NoExchange::TooLarge) => raise("the number is too large"),
    }
}

/// The value of the mapped field `name`.
fn mapped_field(tx: &Transaction, field: Field, name: &str) -> Outcome {
    match (tx.column_of(field), tx.field_value(field)) {
        (Some(column), Some(value)) => cell_value(tx, column, value),
        _ => raise(format!("`tx.{name}` is not mapped in [fields]")),
    }
}

fn cell_value(tx: &Transaction, column: &str, value: Value) -> Outcome {
    match value {
        Value::Text(cell) => Ok(ScriptValue::Text(cell)),
        Value::Number(number) => Ok(number.into()),
        Value::Date(date) => Ok(date.into()),
        Value::Bool(flag) => Ok(flag.into()),
        Value::Blank => raise(format!("`{column}` is blank; ask tx.has(\"{column}\") first")),
        Value::Bad(cell) => {
            let kind = match tx.layout.column_type(column).type_name() {
                "bool" => "true or false".to_owned(),
                kind => format!("a {kind}"),
            };

            // A cell may be a whole document; an error shows its beginning.
            let cell: String = cell.chars().take(CELL_SHOWN_CHARS).collect();
            raise_bad_value(format!("`{column}` holds `{cell}`, which is not {kind}"))
        }
    }
}

/// Characters of a cell that a message shows.
const CELL_SHOWN_CHARS: usize = 80;

/// `tx.has("Rep #1")`: whether a field or a cell can be read.
pub(crate) fn has_field(tx: &Transaction, name: &str) -> Outcome<bool> {
    let special = TRANSACTION_FIELDS.iter().find(|(known, _)| *known == name);

    let value = match special {
        Some((_, Some(field))) if tx.column_of(*field).is_some() => tx.field_value(*field),
        Some((_, None)) if name == "period" => return Ok(period_of(tx)?.is_some()),
        Some((_, None)) if name == "default_credit" => {
            return Ok(!default_credit(tx)?.trim().is_empty());
        }
        Some((_, None)) => return Ok(!tx.id.is_empty()),
        _ => Some(tx.get(name)),
    };

    Ok(match value {
        Some(Value::Text(cell)) => !cell.trim().is_empty(),
        Some(Value::Blank | Value::Bad(_)) | None => false,
        Some(_) => true,
    })
}

fn text_value(text: &Arc<str>) -> ScriptValue {
    ScriptValue::Text(Arc::clone(text))
}

fn optional_level(level: Option<u32>) -> ScriptValue {
    level.map_or(ScriptValue::Unit, |level| ScriptValue::Whole(i64::from(level)))
}

/// Whether a field that may be nothing is there.
fn is_there(field: Option<ScriptValue>) -> ScriptValue {
    field.is_some_and(|value| !value.is_unit()).into()
}

/// The field `name` of a credit; none for other names.
pub(crate) fn credit_field(credit: &Credit, name: &str) -> Option<ScriptValue> {
    let optional = ScriptValue::optional_text;

    Some(match name {
        "amount" => credit.amount.into(),
        "unit_type" => text_value(credit.unit_type.shared()),
        "credit_type" => text_value(credit.credit_type.shared()),
        "kind" => credit.kind.as_str().into(),
        "position" => optional(credit.position.as_ref().map(PositionKey::shared)),
        "title" => optional(credit.title.as_ref().map(DefinedName::shared)),
        "payee" => optional(credit.payee.as_ref().map(ParticipantKey::shared)),
        "team" => optional(credit.team.as_ref().map(TeamKey::shared)),
        "rule" => text_value(credit.rule.shared()),
        "result" => text_value(credit.result.shared()),
        "period" => text_value(credit.period.shared()),
        "relationship" => optional(credit.relationship.as_ref().map(DefinedName::shared)),
        "via" => optional(credit.via.as_ref().map(RecipientKey::shared)),
        "level" => optional_level(credit.level),
        "weight" => credit.share.map_or(ScriptValue::Unit, ScriptValue::Number),
        _ => return None,
    })
}

/// The field `name` of a recipient; none for other names.
pub(crate) fn receiver_field(to: &ReceiverView, name: &str) -> Option<ScriptValue> {
    Some(match name {
        "position" => ScriptValue::optional_text(to.position.as_ref().map(PositionKey::shared)),
        "title" => ScriptValue::optional_text(to.title.as_ref().map(DefinedName::shared)),
        "payee" => ScriptValue::optional_text(to.payee.as_ref().map(ParticipantKey::shared)),
        "team" => ScriptValue::optional_text(to.team.as_ref().map(TeamKey::shared)),
        "relationship" => {
            ScriptValue::optional_text(to.relationship.as_ref().map(DefinedName::shared))
        }
        "via" => ScriptValue::optional_text(to.via.as_ref().map(RecipientKey::shared)),
        "level" => optional_level(to.level),
        _ => return None,
    })
}
