//! Kinds of values: what functions take and give, and what is known of a value without running.
//!
//! Not a type system: `Any` fits everywhere. Called by the table of functions and by `check`.

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
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
    /// A day, or `()` where there is none.
    MaybeDate,
    /// A flag, or `()` where there is none.
    MaybeBool,
    /// A day without a time.
    Date,
    /// A flag: `true` or `false`.
    Bool,
    /// An array of anything.
    Array,
    /// A map of anything.
    Map,
    /// A function that is written where it is used: `|x| x > 0`.
    Function,
    /// A part of a deal for one name.
    Share,
    /// How long a credit is held.
    Hold,
    /// The transaction: `tx`.
    Transaction,
    /// The credit that is decided about: `credit`.
    Credit,
    /// The recipient: `to`.
    Receiver,
    /// `to` where something rolls to it: its level, relationship and via are there.
    Candidate,
    /// The credits so far: `existing`.
    Credits,
    /// The claimant of a reward: `payee`.
    Payee,
    /// What was credited to a claimant: `totals`.
    Totals,
    /// What rewards came to: `earned` and `paid`.
    Earned,
    /// The place of a claimant: `standing`.
    Standing,
    /// What `who(name)` gives: a person, or `()`.
    MaybePerson,
}

impl ValueKind {
    /// The kind of values that may be either.
    pub fn or(self, other: ValueKind) -> ValueKind {
        if self == other { self } else { ValueKind::Any }
    }

    /// The kind of values that are of this one, or `()`; it itself where no kind says both.
    pub fn or_nothing(self) -> ValueKind {
        match self {
            ValueKind::Text => ValueKind::MaybeText,
            ValueKind::Number => ValueKind::MaybeNumber,
            ValueKind::Date => ValueKind::MaybeDate,
            ValueKind::Bool => ValueKind::MaybeBool,
            kind => kind,
        }
    }

    /// The word for messages.
    pub fn word(self) -> &'static str {
        match self {
            ValueKind::Any => "something",
            ValueKind::Unit => "()",
            ValueKind::Text | ValueKind::MaybeText => "text",
            ValueKind::Number | ValueKind::MaybeNumber => "number",
            ValueKind::Date | ValueKind::MaybeDate => "date",
            ValueKind::Bool | ValueKind::MaybeBool => "bool",
            ValueKind::Array | ValueKind::Credits => "array",
            ValueKind::Map => "map",
            ValueKind::Function => "function",
            ValueKind::Share => "share",
            ValueKind::Hold => "hold",
            ValueKind::Transaction => "transaction",
            ValueKind::Credit => "credit",
            ValueKind::Receiver | ValueKind::Candidate => "receiver",
            ValueKind::Payee => "payee",
            ValueKind::Totals => "totals",
            ValueKind::Earned => "earned",
            ValueKind::Standing => "standing",
            ValueKind::MaybePerson => "person",
        }
    }

    /// Whether it certainly cannot be compared with anything but its own kind.
    pub fn is_plain(self) -> bool {
        matches!(self, ValueKind::Text | ValueKind::Number | ValueKind::Date | ValueKind::Bool)
    }

    /// The kind where there is a value.
    pub fn when_there(self) -> ValueKind {
        match self {
            ValueKind::MaybeText => ValueKind::Text,
            ValueKind::MaybeNumber => ValueKind::Number,
            ValueKind::MaybeDate => ValueKind::Date,
            ValueKind::MaybeBool => ValueKind::Bool,
            kind => kind,
        }
    }
}
