//! What kinds of values fit where, as far as they are known without running.
//!
//! Not a type system: `Any` fits everywhere. Called by the walk.
//!
//! **Architecture invariant:** when in doubt it is [`Kind::Any`]; a wrong complaint is worse than a
//! missing one, because the run checks again.

use crate::kind::Kind;
use accredit_domain::policy::ReturnType;
use accredit_domain::transaction::ColumnType;

impl Kind {
    /// The kind of the variable that the host supplies under this name.
    pub(super) fn of_variable(name: &str) -> Kind {
        match name {
            "tx" => Kind::Transaction,
            "credit" => Kind::Credit,
            "to" => Kind::Receiver,
            "existing" => Kind::Credits,
            "payee" => Kind::Payee,
            "totals" => Kind::Totals,
            _ => Kind::Any,
        }
    }

    /// The kind of the cells of a column.
    pub(super) fn of_column(column: &ColumnType) -> Kind {
        match column {
            ColumnType::Text | ColumnType::ExactText => Kind::Text,
            ColumnType::Number(_) => Kind::Number,
            ColumnType::Date(_) => Kind::Date,
            ColumnType::Bool => Kind::Bool,
        }
    }

    /// Whether it can never equal what is of the other kind.
    pub(super) fn is_unlike(self, other: Kind) -> bool {
        let (one, other) = (self.when_there(), other.when_there());
        one.is_plain() && other.is_plain() && one != other
    }

    /// Whether the host supplies it, and nothing may change it.
    pub(super) fn is_view(self) -> bool {
        let host = [Kind::Transaction, Kind::Credit, Kind::Receiver, Kind::Candidate];
        host.contains(&self) || matches!(self, Kind::Credits | Kind::Payee | Kind::Totals)
    }

    /// Whether a program that returns `returns` may return it.
    pub(super) fn fits(self, returns: ReturnType) -> bool {
        match self {
            Kind::Any => return true,
            // What may be nothing must fit in both cases, since a run can meet either.
            Kind::MaybeText | Kind::MaybeNumber => {
                return Kind::Unit.fits(returns) || self.when_there().fits(returns);
            }
            _ => (),
        }

        match returns {
            ReturnType::Bool => self == Kind::Bool,
            ReturnType::Number => self == Kind::Number,
            ReturnType::Recipients => {
                matches!(self, Kind::Text | Kind::Array | Kind::Share | Kind::Unit)
            }
            ReturnType::Hold => matches!(self, Kind::Hold | Kind::Date),
            ReturnType::Rolled => matches!(self, Kind::Number | Kind::Unit | Kind::Map),
            ReturnType::Rows => matches!(self, Kind::Map | Kind::Array),
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
