//! `tx`, `credit` and `to`: the fields that scripts read.
//!
//! Not deciding what a column means (`transaction`). Called by scripts; the lists of names by
//! `check`.
//!
//! **Architecture invariant:** reading a blank number or date is an error that names the column;
//! only fields that FORMAT section 5 calls optional answer `()`.

use std::sync::Arc;

use rhai::{Dynamic, Engine, ImmutableString, Map};

use super::signature::{method, named, of};
use super::{ScriptFunction, register_pure};
use crate::kind::ValueKind;
use crate::value::{Outcome, raise, raise_bad_value};
use crate::{ReceiverView, TransactionView};
use accredit_domain::credit::Credit;
use accredit_domain::exchange::NoExchange;
use accredit_domain::transaction::{Field, Value};

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
    register: |engine| {
        register_pure(engine, "amount_in", |tx: &mut Arc<TransactionView>, unit: &str| {
            amount_in(tx, unit)
        });
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
    register: |engine| {
        register_pure(engine, "has", has);
        register_pure(engine, "has", |credit: &mut Arc<Credit>, name: &str| {
            credit_field(credit, name).is_some_and(|value| !value.is_unit())
        });
        register_pure(engine, "has", |to: &mut Arc<ReceiverView>, name: &str| {
            receiver_field(to, name).is_some_and(|value| !value.is_unit())
        });
        register_pure(engine, "has", |map: &mut Map, key: &str| map.contains_key(key));
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

/// Registers the getters and indexers of these views.
pub(super) fn register_types(engine: &mut Engine) {
    engine.register_type_with_name::<Arc<TransactionView>>("transaction");
    engine.register_type_with_name::<Arc<Credit>>("credit");
    engine.register_type_with_name::<Arc<ReceiverView>>("receiver");

    for (name, field) in TRANSACTION_FIELDS {
        if let Some(field) = field {
            engine.register_get(*name, move |tx: &mut Arc<TransactionView>| {
                mapped_field(tx, *field, name)
            });
        }
    }

    engine.register_get("id", |tx: &mut Arc<TransactionView>| text_value(&tx.transaction.id));
    engine.register_get("default_credit", |tx: &mut Arc<TransactionView>| {
        text_value(&tx.default_credit)
    });
    engine.register_get("period", |tx: &mut Arc<TransactionView>| match &tx.period {
        Some(period) => Ok(text_value(period)),
        None => raise("the transaction has no period: its date is blank, or outside the calendar"),
    });

    engine.register_indexer_get(|tx: &mut Arc<TransactionView>, column: &str| {
        cell_value(tx, column, tx.transaction.get(column))
    });

    for name in CREDIT_FIELDS {
        engine.register_get(*name, move |credit: &mut Arc<Credit>| {
            credit_field(credit, name).unwrap_or(Dynamic::UNIT)
        });
    }

    for name in RECEIVER_FIELDS {
        engine.register_get(*name, move |to: &mut Arc<ReceiverView>| {
            receiver_field(to, name).unwrap_or(Dynamic::UNIT)
        });
    }
}

/// `tx.amount`: the deal's amount, or an error that says why there is none.
pub(crate) fn transaction_amount(tx: &TransactionView) -> Outcome<Dynamic> {
    mapped_field(tx, Field::Amount, "amount")
}

/// `tx.amount_in("USD")`; a deal that names no currency is in the workspace's.
fn amount_in(tx: &TransactionView, unit: &str) -> Outcome<Dynamic> {
    let (exchange, transaction) = (&tx.exchange, &tx.transaction);

    let amount = match transaction.amount() {
        Ok(amount) => amount,
        // The amount cannot be read: the error is the one that `tx.amount` gives.
        Err(_) => return self::transaction_amount(tx),
    };

    let Some(to) = exchange.units.find_any_case(unit) else {
        return raise(format!("there is no unit type `{unit}`"));
    };

    let from = match transaction.field_value(Field::Currency) {
        Some(Value::Text(name)) if !name.is_empty() => exchange.units.find_any_case(&name),
        _ => Some(exchange.home),
    };

    let Some(from) = from else {
        return raise_bad_value("the currency of the deal is no unit type".to_owned());
    };
    if from == to {
        return Ok(amount.into());
    }

    let Ok(date) = transaction.incentive_date() else {
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
fn mapped_field(tx: &TransactionView, field: Field, name: &str) -> Outcome<Dynamic> {
    match (tx.transaction.column_of(field), tx.transaction.field_value(field)) {
        (Some(column), Some(value)) => cell_value(tx, column, value),
        _ => raise(format!("`tx.{name}` is not mapped in [fields]")),
    }
}

fn cell_value(tx: &TransactionView, column: &str, value: Value) -> Outcome<Dynamic> {
    match value {
        Value::Text(cell) => Ok(text_value(&cell)),
        Value::Number(number) => Ok(number.into()),
        Value::Date(date) => Ok(Dynamic::from(date)),
        Value::Bool(flag) => Ok(flag.into()),
        Value::Blank => raise(format!("`{column}` is blank; ask tx.has(\"{column}\") first")),
        Value::Bad(cell) => {
            let kind = match tx.transaction.layout.column_type(column).type_name() {
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

fn has(tx: &mut Arc<TransactionView>, name: &str) -> bool {
    let special = TRANSACTION_FIELDS.iter().find(|(known, _)| *known == name);

    let value = match special {
        Some((_, Some(field))) if tx.transaction.column_of(*field).is_some() => {
            tx.transaction.field_value(*field)
        }
        Some((_, None)) if name == "period" => return tx.period.is_some(),
        Some((_, None)) if name == "default_credit" => return !tx.default_credit.trim().is_empty(),
        Some((_, None)) => return !tx.transaction.id.is_empty(),
        _ => Some(tx.transaction.get(name)),
    };

    match value {
        Some(Value::Text(cell)) => !cell.trim().is_empty(),
        Some(Value::Blank | Value::Bad(_)) | None => false,
        Some(_) => true,
    }
}

fn text_value(text: &str) -> Dynamic {
    ImmutableString::from(text).into()
}

fn optional_text(value: Option<&str>) -> Dynamic {
    value.map_or(Dynamic::UNIT, text_value)
}

fn credit_field(credit: &Credit, name: &str) -> Option<Dynamic> {
    let entry = &credit.entry;
    Some(match name {
        "amount" => entry.amount.into(),
        "unit_type" => text_value(&entry.unit_type),
        "credit_type" => text_value(&entry.credit_type),
        "kind" => text_value(entry.kind.as_str()),
        "position" => optional_text(entry.position.as_deref()),
        "title" => optional_text(credit.title.as_deref()),
        "payee" => optional_text(entry.payee.as_deref()),
        "team" => optional_text(entry.team.as_deref()),
        "rule" => text_value(&entry.rule),
        "result" => text_value(&entry.result),
        "period" => text_value(&entry.period),
        "relationship" => optional_text(entry.relationship.as_deref()),
        "via" => optional_text(entry.via.as_deref()),
        "level" => entry.level.map_or(Dynamic::UNIT, |level| i64::from(level).into()),
        "weight" => entry.share.map_or(Dynamic::UNIT, Dynamic::from),
        _ => return None,
    })
}

fn receiver_field(to: &ReceiverView, name: &str) -> Option<Dynamic> {
    Some(match name {
        "position" => optional_text(to.position.as_deref()),
        "title" => optional_text(to.title.as_deref()),
        "payee" => optional_text(to.payee.as_deref()),
        "team" => optional_text(to.team.as_deref()),
        "relationship" => optional_text(to.relationship.as_deref()),
        "via" => optional_text(to.via.as_deref()),
        "level" => to.level.map_or(Dynamic::UNIT, |level| i64::from(level).into()),
        _ => return None,
    })
}
