//! What is to be known about a row beside its cells: another row contradicts it, the deal has lost
//! columns with it, or a person made the deal void.
//!
//! Made where rows arrive, kept with the row, and raised as an alert by every decision about it.
//!
//! **Architecture invariant:** a remark is no content: two rows with equal cells are the same
//! version, regardless of remarks.

use std::collections::BTreeSet;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Cell, Record, trim_cell};
use crate::note::NoteCode;

/// A remark is stored as a cell behind the delivered ones, in a column whose name begins with this
/// sign, which no reader lets into a name: so rows of earlier releases stay readable.
const REMARK_SIGN: char = '\0';

/// What is remarked about a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Remark {
    /// Another row of the same file or delivery has the same natural key and other content, and no
    /// clock says which of the two is later.
    Conflict,
    /// Mapped columns that the deal had before and that this row does not bring.
    ColumnsMissing(BTreeSet<String>),
    /// A person made the deal void: no plan admits it until newer content arrives.
    Void(VoidRemark),
}

/// Who made a deal void, when and why.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct VoidRemark {
    /// Business date of the act.
    pub date: Date,
    /// The user who asked for it.
    pub who: String,
    /// The reason that the user gave.
    pub reason: String,
}

impl Remark {
    /// The code of its alert.
    pub fn alert_code(&self) -> NoteCode {
        match self {
            Remark::Conflict => NoteCode::Conflict,
            Remark::ColumnsMissing(_) => NoteCode::ColumnsMissing,
            Remark::Void(_) => NoteCode::Void,
        }
    }

    /// The text of the alert that people read.
    pub fn alert_message(&self) -> String {
        match self {
            Remark::Conflict => "rows of one file or delivery have this natural key and unlike \
                                 content, and no clock says which is later; map `updated`, or \
                                 another `id`, in [fields]"
                .to_owned(),
            Remark::ColumnsMissing(columns) => {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                format!(
                    "the latest row does not bring `{}`, which the deal had before; send whole \
                     rows, or write `merge = true` under the source",
                    columns.join("`, `")
                )
            }
            Remark::Void(VoidRemark { date, who, reason }) => {
                format!("`{who}` made the deal void on {date}: {reason}")
            }
        }
    }

    fn to_cell(&self) -> (String, Cell) {
        let detail = match self {
            Remark::Conflict => String::new(),
            Remark::ColumnsMissing(columns) => {
                columns.iter().map(String::as_str).collect::<Vec<_>>().join("\n")
            }
            // The reason comes last, since it alone may have several lines.
            Remark::Void(VoidRemark { date, who, reason }) => format!("{date}\n{who}\n{reason}"),
        };
        (format!("{REMARK_SIGN}{}", self.alert_code()), Cell::Text(detail))
    }

    fn from_cell((column, cell): &(String, Cell)) -> Option<Remark> {
        let Cell::Text(detail) = cell else { return None };
        match column.strip_prefix(REMARK_SIGN)? {
            "conflict" => Some(Remark::Conflict),
            "columns_missing" => {
                Some(Remark::ColumnsMissing(detail.split('\n').map(str::to_owned).collect()))
            }
            "void" => {
                let mut parts = detail.splitn(3, '\n');
                let date = parts.next()?.parse().ok()?;
                let (who, reason) = (parts.next()?.to_owned(), parts.next()?.to_owned());
                Some(Remark::Void(VoidRemark { date, who, reason }))
            }
            _ => None,
        }
    }
}

/// A name of a column as a sender wrote it, without spaces at its ends and the sign of remarks.
pub(super) fn column_name(written: &str) -> String {
    trim_cell(written.trim_start_matches(REMARK_SIGN)).to_owned()
}

impl Record {
    /// The cells that were delivered, without remarks.
    pub fn delivered_cells(&self) -> &[(String, Cell)] {
        let end = self.cells.iter().position(|(column, _)| column.starts_with(REMARK_SIGN));
        self.cells.get(..end.unwrap_or(self.cells.len())).unwrap_or_default()
    }

    /// What is remarked about the row.
    pub fn read_remarks(&self) -> Vec<Remark> {
        self.cells.iter().skip(self.delivered_cells().len()).filter_map(Remark::from_cell).collect()
    }

    /// Who made the deal void, when and why; none of one that counts.
    pub fn void_remark(&self) -> Option<VoidRemark> {
        self.read_remarks().into_iter().find_map(|remark| match remark {
            Remark::Void(void) => Some(void),
            _ => None,
        })
    }

    /// Adds a remark, in place of an earlier one of its kind.
    pub fn add_remark(&mut self, remark: &Remark) {
        let cell = remark.to_cell();
        self.cells.retain(|(column, _)| *column != cell.0);
        self.cells.push(cell);
    }

    /// The row laid over an earlier one: what it does not bring stays as it was.
    pub fn overlay_on(&self, earlier: &Record) -> Record {
        let brings = |name: &str| self.delivered_cells().iter().any(|(column, _)| column == name);
        let kept = earlier.delivered_cells().iter().filter(|(column, _)| !brings(column));
        Record { cells: kept.chain(self.delivered_cells()).cloned().collect() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remarks_are_kept_with_the_row_and_are_no_cells() {
        let cell = |column: &str, text: &str| (column.to_owned(), Cell::Text(text.to_owned()));
        let mut record = Record { cells: vec![cell("id", "A"), cell("owner", "ann")] };
        let missing = Remark::ColumnsMissing(BTreeSet::from(["amount".into(), "closed".into()]));
        record.add_remark(&Remark::Conflict);
        record.add_remark(&missing);
        record.add_remark(&Remark::Conflict);
        let void = VoidRemark {
            date: jiff::civil::date(2026, 1, 5),
            who: "max".to_owned(),
            reason: "cancelled\nby phone".to_owned(),
        };
        record.add_remark(&Remark::Void(void.clone()));

        let stored = serde_json::to_vec(&record).unwrap();
        let record: Record = serde_json::from_slice(&stored).unwrap();
        assert_eq!(record.read_remarks(), [missing, Remark::Conflict, Remark::Void(void)]);
        assert_eq!(record.delivered_cells().len(), 2);
        assert_eq!(record.to_json().len(), 2);

        let part = Record { cells: vec![cell("id", "A"), cell("amount", "5")] };
        let whole = part.overlay_on(&record);
        assert_eq!(whole.cells, [cell("owner", "ann"), cell("id", "A"), cell("amount", "5")]);
        assert_eq!(column_name("\0conflict"), "conflict", "nobody remarks from outside");
    }
}
