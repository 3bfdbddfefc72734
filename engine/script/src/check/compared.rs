//! Columns that a program compares with something that is written out.
//!
//! Not judging whether the two can be compared (`calls`). Called by the walk; what is noted here is
//! held against the values of transactions by `accredit check` and by explanations.
//!
//! **Architecture invariant:** only a column alone is noted: what a function makes of it is the
//! author's business.

use rhai::{Expr, Position};

use super::walk::ProgramWalk;
use crate::fault;
use crate::kind::ValueKind;
use crate::machine::adapter::literal_number;
use accredit_domain::diagnostic::{Code, Diagnostic, Place};
use accredit_domain::policy::Program;
use accredit_domain::transaction::{Field, Fields, Transaction, Value};

/// A column, and the text that it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnComparison {
    /// The column or mapped field, as it is written.
    pub name: String,
    /// The text that the column is compared with.
    pub literal: String,
    /// Where the text stands.
    pub place: Place,
}

impl ColumnComparison {
    /// The column that is meant.
    pub fn resolve_column<'a>(&'a self, fields: &'a Fields) -> &'a str {
        let field = Field::ALL.into_iter().find(|(_, key)| *key == self.name);
        let mapped = field.and_then(|(field, _)| fields.mapped.get(&field));
        mapped.map_or(self.name.as_str(), String::as_str)
    }

    /// Whether `value` is not the text and differs from it only by case or spaces.
    pub fn is_near(&self, value: &str) -> bool {
        value != self.literal && normalize_text(value) == normalize_text(&self.literal)
    }
}

/// A text in small letters with one space between words.
fn normalize_text(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").to_lowercase()
}

/// What `program` compares a value of this transaction with that differs from it only by case or
/// spaces, in words; none where it matches or differs otherwise.
pub fn near_miss(program: &Program, tx: &Transaction) -> Option<String> {
    let compared = super::field_reads(program).compared;
    let fields = tx.layout.fields();
    compared.iter().find_map(|one| {
        let Value::Text(value) = tx.get(one.resolve_column(fields)) else {
            return None;
        };
        let known = compared.iter().any(|other| other.name == one.name && *other.literal == *value);
        if known || !one.is_near(&value) {
            return None;
        }
        Some(format!("`{value}` differs from `{}` only by case or space", one.literal))
    })
}

impl ProgramWalk<'_> {
    /// Notes a comparison of a column with what is written out.
    pub(super) fn note_comparison(&mut self, x: &Expr, y: &Expr) {
        let (column, literal) = match (self.plain_column(x), self.plain_column(y)) {
            (Some(column), None) => (column, y),
            (None, Some(column)) => (column, x),
            _ => return,
        };

        match literal {
            Expr::StringConstant(text, at) => {
                let (literal, place) = (text.to_string(), self.place_of(*at));
                self.reads.compared.push(ColumnComparison { name: column, literal, place });
            }
            // 0 is 0 in every currency.
            Expr::IntegerConstant(0, _) => (),
            number if literal_number(number).is_some() => {
                self.check_ignored_currency(&column, number.start_position());
            }
            _ => (),
        }
    }

    /// The column or field of the transaction that an expression is, and nothing more.
    fn plain_column(&self, expr: &Expr) -> Option<String> {
        let (root, links) = fault::chain_links(expr);
        let [link] = links.as_slice() else { return None };
        let Expr::Variable(root, ..) = root else { return None };
        let known = self.scope.iter().rev().find(|known| known.name == *root.1)?;

        if known.kind != ValueKind::Transaction {
            return None;
        }

        match (link.expr, link.indexed) {
            (Expr::Property(name, _), false) => Some(name.2.to_string()),
            (Expr::StringConstant(name, _), true) => Some(name.to_string()),
            _ => None,
        }
    }

    /// 10,000 yen are more than 5,000 only as numbers.
    fn check_ignored_currency(&mut self, column: &str, at: Position) {
        let fields = &self.known.fields;
        let amount = fields.mapped.get(&Field::Amount);
        let is_amount = column == "amount" || amount.is_some_and(|amount| amount == column);
        if !is_amount || amount.is_none() || !fields.mapped.contains_key(&Field::Currency) {
            return;
        }
        let message = "deals have currencies, and this amount is compared without regard to them";
        let help = "write `tx.amount_in(\"USD\")` with the unit that is meant";
        let finding = Diagnostic::hint(Code::CR073, self.place_of(at), message).with_help(help);
        self.findings.push(finding);
    }
}
