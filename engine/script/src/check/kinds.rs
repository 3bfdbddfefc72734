//! What kinds of values fit where, as far as they are known without running.
//!
//! Not a type system: `Any` fits everywhere. Called by the walk.
//!
//! **Architecture invariant:** when in doubt it is [`ValueKind::Any`]; a wrong complaint is worse
//! than a missing one, because the run checks again.

use crate::kind::ValueKind;
use accredit_domain::policy::ReturnType;
use accredit_domain::transaction::ColumnType;

impl ValueKind {
    /// The kind of the variable that the host supplies under this name.
    pub(super) fn of_variable(name: &str) -> ValueKind {
        match name {
            "tx" => ValueKind::Transaction,
            "credit" => ValueKind::Credit,
            "to" => ValueKind::Receiver,
            "existing" => ValueKind::Credits,
            "payee" => ValueKind::Payee,
            "totals" => ValueKind::Totals,
            "earned" | "paid" => ValueKind::Earned,
            "standing" => ValueKind::Standing,
            "period" => ValueKind::Text,
            _ => ValueKind::Any,
        }
    }

    /// The kind of the cells of a column.
    pub(super) fn of_column(column: &ColumnType) -> ValueKind {
        match column {
            ColumnType::Text | ColumnType::ExactText => ValueKind::Text,
            ColumnType::Number(_) => ValueKind::Number,
            ColumnType::Date(_) => ValueKind::Date,
            ColumnType::Bool => ValueKind::Bool,
        }
    }

    /// Whether it can never equal what is of the other kind.
    pub(super) fn is_unlike(self, other: ValueKind) -> bool {
        let (one, other) = (self.when_there(), other.when_there());
        one.is_plain() && other.is_plain() && one != other
    }

    /// Whether the host supplies it, and nothing may change it.
    pub(super) fn is_view(self) -> bool {
        let of_deals =
            [ValueKind::Transaction, ValueKind::Credit, ValueKind::Receiver, ValueKind::Candidate];
        let of_rewards =
            [ValueKind::Payee, ValueKind::Totals, ValueKind::Earned, ValueKind::Standing];
        of_deals.contains(&self)
            || of_rewards.contains(&self)
            || matches!(self, ValueKind::Credits | ValueKind::MaybePerson)
    }

    /// Whether a program that returns `returns` may return it.
    pub(super) fn fits(self, returns: ReturnType) -> bool {
        match self {
            ValueKind::Any => return true,
            // What may be nothing must fit in both cases, since a run can meet either.
            ValueKind::MaybeText
            | ValueKind::MaybeNumber
            | ValueKind::MaybeDate
            | ValueKind::MaybeBool => {
                return ValueKind::Unit.fits(returns) || self.when_there().fits(returns);
            }
            _ => (),
        }

        match returns {
            ReturnType::Bool => self == ValueKind::Bool,
            ReturnType::Number => self == ValueKind::Number,
            ReturnType::Recipients => {
                matches!(
                    self,
                    ValueKind::Text | ValueKind::Array | ValueKind::Share | ValueKind::Unit
                )
            }
            ReturnType::Hold => matches!(self, ValueKind::Hold | ValueKind::Date),
            ReturnType::Rolled => {
                matches!(self, ValueKind::Number | ValueKind::Unit | ValueKind::Map)
            }
            ReturnType::Rows => matches!(self, ValueKind::Map | ValueKind::Array),
        }
    }
}

/// What a program must return, in words.
pub(super) fn expected_in_words(returns: ReturnType) -> &'static str {
    match returns {
        ReturnType::Bool => "true or false",
        ReturnType::Number => "a number",
        ReturnType::Recipients => "text, an array of shares, or ()",
        ReturnType::Hold => "a hold or a date",
        ReturnType::Rolled => "a number, () or a map",
        ReturnType::Rows => "a map or an array of maps",
    }
}
