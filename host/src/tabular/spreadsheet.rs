//! Rows of any list as a spreadsheet (.xlsx), a sheet with a header.
//!
//! A spreadsheet holds numbers as binary fractions of about 15 digits. An amount is a number where it comes
//! back the same, and text where it would not.
//!
//! **Architecture invariant:** no cell is a formula, and no amount in the file differs from that of the list.

use std::io;
use std::path::Path;

use rust_decimal::Decimal;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, XlsxError};
use serde_json::Value as Json;

use super::forms::FormedCell;

/// Rows that a sheet can have below its header.
pub(crate) const SHEET_ROWS_MAX: u32 = 1_048_575;

/// Characters that a cell can have.
const CELL_CHARACTERS_MAX: usize = 32_767;

/// Digits that a number in a spreadsheet keeps.
const DIGITS_KEPT: usize = 15;

/// A spreadsheet that is being written.
pub(crate) struct Spreadsheet {
    columns: &'static [&'static str],
    workbook: Workbook,
    day: Format,
    next_row: u32,
}

impl Spreadsheet {
    /// Begins a sheet with these columns. Its rows are kept in a temporary file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn begin(columns: &'static [&'static str]) -> io::Result<Spreadsheet> {
        let mut workbook = Workbook::new();
        let sheet = workbook.add_worksheet_with_constant_memory().map_err(sheet_error)?;
        let bold = Format::new().set_bold();
        for (column, name) in (0..).zip(columns) {
            sheet.write_string_with_format(0, column, *name, &bold).map_err(sheet_error)?;
        }
        sheet.set_freeze_panes(1, 0).map_err(sheet_error)?;
        let day = Format::new().set_num_format("yyyy-mm-dd");
        Ok(Spreadsheet { columns, workbook, day, next_row: 1 })
    }

    /// Writes rows below the others.
    ///
    /// # Errors
    /// When a value does not fit its column, a sheet has no more rows, or the file cannot be written.
    pub(crate) fn write_rows(&mut self, rows: &[Json]) -> io::Result<()> {
        let sheet = self.workbook.worksheet_from_index(0).map_err(sheet_error)?;
        for row in rows {
            if self.next_row > SHEET_ROWS_MAX {
                let text =
                    format!("a sheet has at most {SHEET_ROWS_MAX} rows; use CSV, or ask for fewer");
                return Err(io::Error::other(text));
            }
            for (column, name) in (0..).zip(self.columns) {
                let place = (self.next_row, column);
                let written = match FormedCell::of(row, name)? {
                    FormedCell::Empty => continue,
                    FormedCell::Text(text) => sheet.write_string(place.0, place.1, shortened(text)),
                    FormedCell::Count(count) => sheet.write_number(place.0, place.1, count),
                    FormedCell::Amount(amount) => match exact_number(amount) {
                        Some(number) => sheet.write_number(place.0, place.1, number),
                        None => sheet.write_string(place.0, place.1, amount.to_string()),
                    },
                    FormedCell::Day(day) => {
                        let (month, date) = (day.month().unsigned_abs(), day.day().unsigned_abs());
                        let year = u16::try_from(day.year()).unwrap_or_default();
                        match ExcelDateTime::from_ymd(year, month, date) {
                            Ok(value) => {
                                sheet.write_datetime_with_format(place.0, place.1, value, &self.day)
                            }
                            // Spreadsheets begin with the year 1900.
                            Err(_) => sheet.write_string(place.0, place.1, day.to_string()),
                        }
                    }
                };
                written.map_err(sheet_error)?;
            }
            self.next_row += 1;
        }
        Ok(())
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn save(mut self, path: &Path) -> io::Result<()> {
        self.workbook.save(path).map_err(sheet_error)
    }
}

/// A text that fits a cell; a longer one ends with a mark.
fn shortened(text: String) -> String {
    if text.chars().count() <= CELL_CHARACTERS_MAX {
        return text;
    }
    text.chars().take(CELL_CHARACTERS_MAX - 1).chain(['…']).collect()
}

/// An amount as a number of a spreadsheet; none where it has more digits than such a number keeps.
fn exact_number(amount: Decimal) -> Option<f64> {
    let digits = amount.normalize().mantissa().unsigned_abs().to_string().len();
    if digits > DIGITS_KEPT { None } else { amount.to_string().parse().ok() }
}

fn sheet_error(error: XlsxError) -> io::Error {
    io::Error::other(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_that_a_spreadsheet_would_change_is_text() {
        let is_number = |text: &str| exact_number(text.parse().unwrap()).is_some();
        for exact in ["0", "-1.10", "123456789012.345", "100000000000000"] {
            assert!(is_number(exact), "{exact}");
        }
        for longer in ["1234567890123456", "0.1234567890123456", "1000000000000000000000"] {
            assert!(!is_number(longer), "{longer}");
        }
    }
}
