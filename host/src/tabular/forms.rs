//! What the columns of lists hold, where a file has types: amounts, days, counts and texts.
//!
//! Not the files (`table_parquet`, `spreadsheet`). A column that is not named here is text.
//!
//! **Architecture invariant:** an amount that a form cannot hold is an error; it never loses a digit.

use std::io;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::Value as Json;

use super::csv_cell;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ColumnForm {
    Text,
    Day,
    Count,
    Amount,
}

/// Amounts, each at the scale of its unit. A share is text: each may have other decimals.
const AMOUNTS: [&str; 8] =
    ["amount", "before_maximum", "credited", "quota", "attainment", "opening", "change", "balance"];

/// Days.
const DAYS: [&str; 4] = ["incentive_date", "release_date", "date", "released"];

/// Whole numbers.
const COUNTS: [&str; 4] = ["level", "version", "superseded", "revision"];

impl ColumnForm {
    /// The form of the column with this name.
    pub(super) fn of(column: &str) -> ColumnForm {
        match column {
            column if AMOUNTS.contains(&column) => ColumnForm::Amount,
            column if DAYS.contains(&column) => ColumnForm::Day,
            column if COUNTS.contains(&column) => ColumnForm::Count,
            _ => ColumnForm::Text,
        }
    }
}

/// A value in its form.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum FormedCell {
    Empty,
    Text(String),
    Day(Date),
    Count(i32),
    Amount(Decimal),
}

impl FormedCell {
    /// The cell of a row in a column.
    ///
    /// # Errors
    /// When the value is not of the column's form.
    pub(super) fn of(row: &Json, column: &str) -> io::Result<FormedCell> {
        let text = csv_cell(row, column);
        if text.is_empty() {
            return Ok(FormedCell::Empty);
        }

        let wrong = || io::Error::other(format!("`{column}` cannot be `{text}`"));
        match ColumnForm::of(column) {
            ColumnForm::Text => Ok(FormedCell::Text(text)),
            ColumnForm::Day => text.parse().map(FormedCell::Day).map_err(|_| wrong()),
            ColumnForm::Count => text.parse().map(FormedCell::Count).map_err(|_| wrong()),
            ColumnForm::Amount => text.parse().map(FormedCell::Amount).map_err(|_| wrong()),
        }
    }
}
