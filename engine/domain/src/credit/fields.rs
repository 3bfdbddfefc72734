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
use jiff::civil;
use rust_decimal::Decimal;

use super::posted::{CreditKind, CreditOrigin, PostedCredit};
use super::{CreditId, CreditStatus};

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

/// What a field of one credit holds, before it is text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CreditCell<'a> {
    /// Nothing.
    Empty,
    /// Text as people and files wrote it.
    Text(&'a str),
    /// A word of the format: letters and underscores.
    Word(&'static str),
    /// The id of a credit.
    Id(CreditId),
    /// A date.
    Date(civil::Date),
    /// A whole number.
    Count(u32),
    /// A decimal, of which every digit is shown.
    Number(Decimal),
}

/// How a field is read.
type CellReader = for<'a> fn(&'a PostedCredit) -> CreditCell<'a>;

/// One field of a credit.
#[derive(Debug, Clone, Copy)]
pub struct CreditField {
    /// Its name in JSON, in CSV and in case files.
    pub name: &'static str,
    /// What is in it.
    pub kind: CellKind,
    /// Whether the payee of a published credit sees it.
    pub seen_by_payees: bool,
    /// What it holds in a credit.
    pub cell: CellReader,
}

/// Every field of a credit, in the order in which they are shown.
pub const CREDIT_FIELDS: [CreditField; 26] = [
    open("id", Text, |credit| CreditCell::Id(credit.id)),
    open("transaction", Text, |credit| CreditCell::Text(&credit.transaction)),
    open("incentive_date", Date, |credit| CreditCell::Date(credit.incentive_date)),
    internal("plan", Text, |credit| CreditCell::Text(&credit.plan)),
    open("rule", Text, |credit| CreditCell::Text(&credit.rule)),
    internal("result", Text, |credit| CreditCell::Text(&credit.result)),
    open("kind", Word(&CreditKind::WORDS), |credit| CreditCell::Word(credit.kind.as_str())),
    open("position", OptionalText, |credit| text(credit.position.as_deref())),
    internal("payee", OptionalText, |credit| text(credit.payee.as_deref())),
    open("team", OptionalText, |credit| text(credit.team.as_deref())),
    open("relationship", OptionalText, |credit| text(credit.relationship.as_deref())),
    internal("via", OptionalText, |credit| text(credit.via.as_deref())),
    internal("level", OptionalCount, |credit| optional(credit.level, CreditCell::Count)),
    internal("source", OptionalText, |credit| optional(credit.source, CreditCell::Id)),
    internal("share", OptionalText, |credit| optional(credit.share, CreditCell::Number)),
    open("period", Text, |credit| CreditCell::Text(&credit.period)),
    open("credit_type", Text, |credit| CreditCell::Text(&credit.credit_type)),
    open("unit_type", Text, |credit| CreditCell::Text(&credit.unit_type)),
    open("amount", Number, |credit| CreditCell::Number(credit.amount)),
    open("status", Word(&CreditStatus::WORDS), |credit| CreditCell::Word(credit.status.as_str())),
    open("release_date", OptionalText, |credit| optional(credit.release_date, CreditCell::Date)),
    open("reason", OptionalText, |credit| text(credit.reason.as_deref())),
    open("reason_code", OptionalText, |credit| text(credit.reason_code.as_deref())),
    open("origin", Word(&CreditOrigin::WORDS), |credit| CreditCell::Word(credit.origin.as_str())),
    open("reverses", OptionalText, |credit| optional(credit.reverses, CreditCell::Id)),
    internal("ruleset", Text, |credit| CreditCell::Text(&credit.ruleset)),
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

impl<'a> CreditCell<'a> {
    /// Its text; none where there is nothing.
    pub fn to_text(self) -> Option<Cow<'a, str>> {
        match self {
            CreditCell::Empty => None,
            CreditCell::Text(text) | CreditCell::Word(text) => Some(Cow::Borrowed(text)),
            CreditCell::Id(id) => Some(Cow::Owned(id.to_string())),
            CreditCell::Date(date) => Some(Cow::Owned(date.to_string())),
            CreditCell::Count(count) => Some(Cow::Owned(count.to_string())),
            CreditCell::Number(number) => Some(Cow::Owned(number.to_string())),
        }
    }
}

impl CreditField {
    /// The field with this name.
    pub fn find(name: &str) -> Option<&'static CreditField> {
        CREDIT_FIELDS.iter().find(|field| field.name == name)
    }
}

/// A field that payees see.
const fn open(name: &'static str, kind: CellKind, cell: CellReader) -> CreditField {
    CreditField { name, kind, seen_by_payees: true, cell }
}

/// A field that payees do not see.
const fn internal(name: &'static str, kind: CellKind, cell: CellReader) -> CreditField {
    CreditField { name, kind, seen_by_payees: false, cell }
}

fn text(text: Option<&str>) -> CreditCell<'_> {
    optional(text, CreditCell::Text)
}

/// What an optional field holds.
fn optional<'a, T>(value: Option<T>, cell: impl FnOnce(T) -> CreditCell<'a>) -> CreditCell<'a> {
    value.map_or(CreditCell::Empty, cell)
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
                let cell = (field.cell)(&credit).to_text().map(Cow::into_owned);
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
