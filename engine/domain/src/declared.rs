//! Values of a declared kind: what the cells of tables and attributes are read as.
//!
//! Not the cells of deals, whose kinds are those of their columns (`transaction`). Called by
//! `organization::attributes`, `tables` and by the workspace, which reads the declarations.
//!
//! **Architecture invariant:** a value that was read is of the declared kind; a text that is not is
//! refused when it is saved.

use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::transaction::dates::parse_iso_date;
use crate::transaction::numbers::parse_number;

/// A kind of value that a customer may declare.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum DeclaredKind {
    /// Any text, without the spaces at its ends.
    #[default]
    Text,
    /// A decimal number.
    Number,
    /// A day, written as ISO dates are.
    Date,
    /// `true` or `false`.
    Bool,
}

/// A value of a declared kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DeclaredValue {
    /// A text that is not blank.
    Text(Arc<str>),
    /// A number.
    Number(Decimal),
    /// A day.
    Date(Date),
    /// A flag.
    Bool(bool),
}

impl DeclaredValue {
    /// It as the cell of a key is compared with it: a number without zeros at its end.
    pub fn to_key(&self) -> Arc<str> {
        match self {
            DeclaredValue::Text(text) => Arc::clone(text),
            DeclaredValue::Number(number) => Arc::from(number.normalize().to_string()),
            DeclaredValue::Date(date) => Arc::from(date.to_string()),
            DeclaredValue::Bool(flag) => Arc::from(flag.to_string()),
        }
    }
}

impl DeclaredKind {
    /// Every kind.
    pub const ALL: [DeclaredKind; 4] =
        [DeclaredKind::Number, DeclaredKind::Text, DeclaredKind::Bool, DeclaredKind::Date];

    /// The word that declares it.
    pub fn as_str(self) -> &'static str {
        match self {
            DeclaredKind::Text => "text",
            DeclaredKind::Number => "number",
            DeclaredKind::Date => "date",
            DeclaredKind::Bool => "bool",
        }
    }

    /// What such a value is, in words.
    pub fn in_words(self) -> &'static str {
        match self {
            DeclaredKind::Text => "a text",
            DeclaredKind::Number => "a number",
            DeclaredKind::Date => "a date",
            DeclaredKind::Bool => "true or false",
        }
    }

    /// How such a value is written.
    pub fn example(self) -> &'static str {
        match self {
            DeclaredKind::Text => "write any text",
            DeclaredKind::Number => "write a number, such as 0.10 or 10%",
            DeclaredKind::Date => "dates are ISO, 2017-03-31",
            DeclaredKind::Bool => "write true or false",
        }
    }

    /// The value that a text means; none where it is not of this kind.
    pub fn read_value(self, text: &str) -> Option<DeclaredValue> {
        let text = text.trim();
        match self {
            DeclaredKind::Text => (!text.is_empty()).then(|| DeclaredValue::Text(Arc::from(text))),
            DeclaredKind::Number => read_number(text).map(DeclaredValue::Number),
            DeclaredKind::Date => parse_iso_date(text).map(DeclaredValue::Date),
            DeclaredKind::Bool => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "1" => Some(DeclaredValue::Bool(true)),
                "false" | "no" | "0" => Some(DeclaredValue::Bool(false)),
                _ => None,
            },
        }
    }
}

/// A number as deals write it, or a percentage: `10%` is 0.1.
fn read_number(text: &str) -> Option<Decimal> {
    let Some(digits) = text.strip_suffix('%') else { return parse_number(text) };
    parse_number(digits.trim_end())?.checked_mul(Decimal::new(1, 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_text_is_read_as_its_kind_or_refused() {
        let number = |text: &str| DeclaredKind::Number.read_value(text);
        let decimal = |text: &str| Some(DeclaredValue::Number(text.parse().unwrap()));
        assert_eq!(number(" 0.10 "), decimal("0.10"));
        assert_eq!(number("12.5 %"), decimal("0.125"));
        assert_eq!(number("ten"), None);
        assert_eq!(number("%"), None);

        let day = DeclaredKind::Date.read_value("2026-06-16");
        assert_eq!(day, Some(DeclaredValue::Date(date(2026, 6, 16))));
        assert_eq!(DeclaredKind::Date.read_value("16.06.2026"), None);

        assert_eq!(DeclaredKind::Bool.read_value("Yes"), Some(DeclaredValue::Bool(true)));
        assert_eq!(DeclaredKind::Bool.read_value("perhaps"), None);

        let text = DeclaredKind::Text.read_value(" =1+1 ");
        assert_eq!(text, Some(DeclaredValue::Text(Arc::from("=1+1"))), "a formula is a text");
        assert_eq!(DeclaredKind::Text.read_value("  "), None);
    }
}
