//! Tables, attributes, and amounts that are asked for by payee: what the files say, as plain data.

use rust_decimal::Decimal;

use super::world::Span;

/// A table with one name for all its columns: `tables/NAME.csv` and `[tables.NAME]`.
#[derive(Debug, Clone)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) keys: Vec<&'static str>,
    /// The column of lower bounds.
    pub(crate) range: Option<&'static str>,
    /// Columns and their types.
    pub(crate) values: Vec<(&'static str, &'static str)>,
    pub(crate) rows: Vec<TableRow>,
}

/// A row as delivered; everything is text.
#[derive(Debug, Clone)]
pub(crate) struct TableRow {
    pub(crate) keys: Vec<String>,
    pub(crate) bound: String,
    pub(crate) values: Vec<String>,
    pub(crate) span: Span,
}

/// A row of `attributes.csv`.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    /// participant, position or team
    pub(crate) kind: &'static str,
    pub(crate) id: String,
    pub(crate) name: &'static str,
    pub(crate) value: String,
    pub(crate) span: Span,
}

/// The declared attributes and their types; all others are texts.
pub(crate) const NUMBERS: [&str; 1] = ["level"];

/// What is known of a payee, as a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Key {
    Id,
    Title,
    Position,
    Team,
    Unit,
    /// `payee["level"]`, a number
    Level,
    /// `payee["grade"]`, a text
    Grade,
}

impl Key {
    /// The expression of a reward.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Key::Id => "payee.id",
            Key::Title => "payee.title",
            Key::Position => "payee.position",
            Key::Team => "payee.team",
            Key::Unit => "payee.unit_type",
            Key::Level => "payee[\"level\"]",
            Key::Grade => "payee[\"grade\"]",
        }
    }

    /// The key of a table of tiers.
    pub(crate) fn named(name: &str) -> Key {
        match name {
            "payee" => Key::Id,
            "title" => Key::Title,
            "position" => Key::Position,
            "team" => Key::Team,
            "unit_type" => Key::Unit,
            "level" => Key::Level,
            "grade" => Key::Grade,
            other => unreachable!("{other}"),
        }
    }
}

/// An amount out of `payee` and `period`: a quota where no row fits, or a draw.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Due {
    /// `N`
    Fixed(Decimal),
    /// `if payee.title == "Rep" { N } else { M }`
    Rep(Decimal, Decimal),
    /// `if period == "ID" { N } else { M }`
    Period(String, Decimal, Decimal),
    /// `payee["level"] * N`; a fault where there is no level.
    Level(Decimal),
    /// `lookup("bonus", KEY)`; a fault where there is no row.
    Row(Key),
    /// `find("bonus", KEY) ?? N`
    Found(Key, Decimal),
}
