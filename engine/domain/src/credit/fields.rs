//! The table of a credit's fields: what each is called, what is in it, who sees it.
//!
//! Lists of columns, the schema, a payee's view and the cells of case files all come from this table,
//! so a new field is one line here and one in [`PostedCredit`]. Not the values of a credit being
//! decided (`crediting`), and not what scripts see (`script`). Source: FORMAT section 6.
//!
//! **Architecture invariant:** the table has every field of [`PostedCredit`] once, in the order in which
//! credits are shown.

use std::borrow::Cow;

use CellKind::{Date, Number, OptionalCount, OptionalText, Text, Word};

use super::CreditStatus;
use super::posted::{CreditKind, CreditOrigin, PostedCredit};

/// What is in a cell of a credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CellKind {
    /// Text that is always there.
    Text,
    /// Text, or nothing.
    OptionalText,
    /// A date that is always there.
    Date,
    /// A decimal as text.
    Number,
    /// A whole number from 1, or nothing.
    OptionalCount,
    /// One of these words.
    Word(&'static [&'static str]),
}

/// How the text of a cell is read.
type CellText = for<'a> fn(&'a PostedCredit) -> Option<Cow<'a, str>>;

/// One field of a credit.
#[derive(Debug, Clone, Copy)]
pub struct CreditField {
    /// Its name in JSON, in CSV and in case files.
    pub name: &'static str,
    /// What is in it.
    pub kind: CellKind,
    /// Whether the payee of a published credit sees it.
    pub seen_by_payees: bool,
    /// Its text in a credit; none where there is nothing.
    pub cell: CellText,
}

/// Every field of a credit, in the order in which they are shown.
pub const CREDIT_FIELDS: [CreditField; 26] = [
    open("id", Text, |credit| written(Some(credit.id))),
    open("transaction", Text, |credit| text(&credit.transaction)),
    open("incentive_date", Date, |credit| written(Some(credit.incentive_date))),
    internal("plan", Text, |credit| text(&credit.plan)),
    open("rule", Text, |credit| text(&credit.rule)),
    internal("result", Text, |credit| text(&credit.result)),
    open("kind", Word(&CreditKind::WORDS), |credit| text(credit.kind.as_str())),
    open("position", OptionalText, |credit| optional(credit.position.as_deref())),
    internal("payee", OptionalText, |credit| optional(credit.payee.as_deref())),
    open("team", OptionalText, |credit| optional(credit.team.as_deref())),
    open("relationship", OptionalText, |credit| optional(credit.relationship.as_deref())),
    internal("via", OptionalText, |credit| optional(credit.via.as_deref())),
    internal("level", OptionalCount, |credit| written(credit.level)),
    internal("source", OptionalText, |credit| written(credit.source)),
    internal("share", OptionalText, |credit| written(credit.share)),
    open("period", Text, |credit| text(&credit.period)),
    open("credit_type", Text, |credit| text(&credit.credit_type)),
    open("unit_type", Text, |credit| text(&credit.unit_type)),
    open("amount", Number, |credit| written(Some(credit.amount))),
    open("status", Word(&CreditStatus::WORDS), |credit| text(credit.status.as_str())),
    open("release_date", OptionalText, |credit| written(credit.release_date)),
    open("reason", OptionalText, |credit| optional(credit.reason.as_deref())),
    open("reason_code", OptionalText, |credit| optional(credit.reason_code.as_deref())),
    open("origin", Word(&CreditOrigin::WORDS), |credit| text(credit.origin.as_str())),
    open("reverses", OptionalText, |credit| written(credit.reverses)),
    internal("ruleset", Text, |credit| text(&credit.ruleset)),
];

/// The names of a credit's fields, in their order.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it, and refuses a wrong place")]
pub const CREDIT_COLUMNS: [&str; CREDIT_FIELDS.len()] = {
    let mut names = [""; CREDIT_FIELDS.len()];
    let mut place = 0;
    while place < names.len() {
        names[place] = CREDIT_FIELDS[place].name;
        place += 1;
    }
    names
};

impl CreditField {
    /// The field with this name.
    pub fn find(name: &str) -> Option<&'static CreditField> {
        CREDIT_FIELDS.iter().find(|field| field.name == name)
    }
}

/// A field that payees see.
const fn open(name: &'static str, kind: CellKind, cell: CellText) -> CreditField {
    CreditField { name, kind, seen_by_payees: true, cell }
}

/// A field that payees do not see.
const fn internal(name: &'static str, kind: CellKind, cell: CellText) -> CreditField {
    CreditField { name, kind, seen_by_payees: false, cell }
}

fn text(text: &str) -> Option<Cow<'_, str>> {
    Some(Cow::Borrowed(text))
}

fn optional(text: Option<&str>) -> Option<Cow<'_, str>> {
    text.map(Cow::Borrowed)
}

fn written(value: Option<impl ToString>) -> Option<Cow<'static, str>> {
    value.map(|value| Cow::Owned(value.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn credit(optional: bool) -> PostedCredit {
        let id = format!("crd_{}", "5".repeat(32));
        let mut row = json!({
            "id": id, "transaction": "crm:D1", "incentive_date": "2026-03-15", "plan": "p",
            "rule": "r", "result": "c", "kind": "indirect", "period": "2026-03",
            "credit_type": "credit", "unit_type": "USD", "amount": "-12.50", "status": "held",
            "origin": "late", "ruleset": "rs",
        });

        if optional {
            let more = json!({
                "position": "P1", "payee": "ann", "team": "T1", "relationship": "Reporting",
                "via": "P0", "level": 2, "source": id, "share": "0.50",
                "release_date": "2026-04-01", "reason": "until 2026-04-01", "reason_code": "Advance",
                "reverses": id,
            });
            row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        }
        serde_json::from_value(row).unwrap()
    }

    /// The columns, the schema, the payee's view and the cells of case files were five lists that could
    /// part from the credit.
    #[test]
    fn the_table_has_what_a_credit_has() {
        for (some, credit) in [(true, credit(true)), (false, credit(false))] {
            let json = serde_json::to_value(&credit).unwrap();
            let mut named = CREDIT_COLUMNS.to_vec();
            named.sort_unstable();
            assert_eq!(json.as_object().unwrap().keys().collect::<Vec<_>>(), named);

            for field in &CREDIT_FIELDS {
                let shown = match &json[field.name] {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                };
                let cell = (field.cell)(&credit).map(Cow::into_owned);
                assert_eq!(cell, shown, "{}", field.name);

                let always = !matches!(field.kind, OptionalText | OptionalCount);
                assert_eq!(cell.is_some(), some || always, "{}", field.name);
                if let Word(words) = field.kind {
                    assert!(words.contains(&cell.unwrap().as_str()), "{}", field.name);
                }
                assert_eq!(json[field.name].is_number(), some && field.kind == OptionalCount);
            }
        }
    }
}
