//! Kinds of values as far as they are known without running.
//!
//! Not a type system: `Any` fits everywhere. Called by the walk.
//!
//! **Architecture invariant:** when in doubt it is [`Kind::Any`]; a wrong complaint is worse than a
//! missing one, because the run checks again.

use accredit_domain::policy::Returns;
use accredit_domain::transaction::ColumnType;

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Not known: fits everywhere.
    Any,
    /// Nothing, `()`.
    Unit,
    /// A text.
    Text,
    /// A whole number or a decimal.
    Number,
    /// Text, or `()` where there is none.
    MaybeText,
    /// A number, or `()` where there is none.
    MaybeNumber,
    /// A day without a time.
    Date,
    /// A flag: `true` or `false`.
    Bool,
    /// An array of anything.
    Array,
    /// A map of anything.
    Map,
    /// A part of a deal for one name.
    Share,
    /// How long a credit is held.
    Hold,
    /// The transaction: `tx`.
    Transaction,
    /// The credit that is decided about: `credit`.
    Credit,
    /// Whoever receives: `to`.
    Receiver,
    /// `to` where something rolls to it: its level, relationship and via are there.
    Candidate,
    /// The credits so far: `existing`.
    Credits,
    /// The claimant of a reward: `payee`.
    Payee,
    /// What was credited to a claimant: `totals`.
    Totals,
}

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

    /// The kind of what a function of the host returns.
    pub(super) fn of_function(name: &str) -> Kind {
        match name {
            "number" | "amount_in" | "abs" | "min" | "max" | "round" | "round_half_even"
            | "floor" | "ceiling" | "year" | "month" | "day" | "days_between" | "len" | "sum" => {
                Kind::Number
            }
            "to_lower" | "to_upper" | "trim" | "sub_string" | "replace" | "to_text"
            | "to_string" => Kind::Text,
            "starts_with" | "ends_with" | "is_empty" | "contains" | "has" => Kind::Bool,
            "date" | "add_days" | "add_months" => Kind::Date,
            "split" | "keys" => Kind::Array,
            "share" => Kind::Share,
            "no_hold" | "hold_for" | "hold_until" | "hold_until_period" | "hold_until_next"
            | "hold_indefinitely" => Kind::Hold,
            _ => Kind::Any,
        }
    }

    /// The kind of values that may be either.
    pub(super) fn or(self, other: Kind) -> Kind {
        if self == other { self } else { Kind::Any }
    }

    /// The word for messages.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Any => "something",
            Kind::Unit => "()",
            Kind::Text | Kind::MaybeText => "text",
            Kind::Number | Kind::MaybeNumber => "number",
            Kind::Date => "date",
            Kind::Bool => "bool",
            Kind::Array | Kind::Credits => "array",
            Kind::Map => "map",
            Kind::Share => "share",
            Kind::Hold => "hold",
            Kind::Transaction => "transaction",
            Kind::Credit => "credit",
            Kind::Receiver | Kind::Candidate => "receiver",
            Kind::Payee => "payee",
            Kind::Totals => "totals",
        }
    }

    /// Whether it certainly cannot be compared with anything but its own kind.
    pub(super) fn is_plain(self) -> bool {
        matches!(self, Kind::Text | Kind::Number | Kind::Date | Kind::Bool)
    }

    /// Whether it can never equal what is of the other kind.
    pub(super) fn is_unlike(self, other: Kind) -> bool {
        let (one, other) = (self.when_there(), other.when_there());
        one.is_plain() && other.is_plain() && one != other
    }

    /// The kind where there is a value.
    pub(super) fn when_there(self) -> Kind {
        match self {
            Kind::MaybeText => Kind::Text,
            Kind::MaybeNumber => Kind::Number,
            kind => kind,
        }
    }

    /// Whether the host supplies it, and nothing may change it.
    pub(super) fn is_view(self) -> bool {
        let host = [Kind::Transaction, Kind::Credit, Kind::Receiver, Kind::Candidate];
        host.contains(&self) || matches!(self, Kind::Credits | Kind::Payee | Kind::Totals)
    }

    /// Whether a program that returns `returns` may return it.
    pub(super) fn fits(self, returns: Returns) -> bool {
        match self {
            Kind::Any => return true,
            // What may be nothing must fit in both cases, since a run can meet either.
            Kind::MaybeText | Kind::MaybeNumber => {
                return Kind::Unit.fits(returns) || self.when_there().fits(returns);
            }
            _ => (),
        }

        match returns {
            Returns::Bool => self == Kind::Bool,
            Returns::Number => self == Kind::Number,
            Returns::Recipients => {
                matches!(self, Kind::Text | Kind::Array | Kind::Share | Kind::Unit)
            }
            Returns::Hold => matches!(self, Kind::Hold | Kind::Date),
            Returns::Rolled => matches!(self, Kind::Number | Kind::Unit | Kind::Map),
            Returns::Rows => matches!(self, Kind::Map | Kind::Array),
        }
    }
}

/// What a program must return, in words.
pub(super) fn expected(returns: Returns) -> &'static str {
    match returns {
        Returns::Bool => "true or false",
        Returns::Number => "a number",
        Returns::Recipients => "text, an array of shares, or ()",
        Returns::Hold => "a hold or a date",
        Returns::Rolled => "a number, () or a map",
        Returns::Rows => "a map or an array of maps",
    }
}
