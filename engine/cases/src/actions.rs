//! What people did before a case looks: tables of manual releases and holds.
//!
//! Not the release itself (the pipeline's). Called by `run`. Source: FORMAT section 4, "Releases,
//! manual holds and adjustments are inputs".
//!
//! **Architecture invariant:** an action that means no credit is an error, never passed over.

use jiff::civil::Date;

use super::document::{CaseDefinition, CaseTable};
use super::rows::credit_cell;
use accredit_crediting::posting;
use accredit_crediting::stage::CreditResolution;
use accredit_domain::credit::fields::CREDIT_COLUMNS;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, HoldAction};
use accredit_domain::diagnostic::{Code, Diagnostic, Place};

/// Columns of a table of actions beside those that say which credit is meant.
const COLUMNS: [&str; 3] = ["action", "date", "reason"];

/// One release or hold, and which credits it means.
pub(super) struct ManualAction {
    action: HoldAction,
    date: Date,
    reason: String,
    /// Columns and cells of the credits meant.
    meant: Vec<(String, String)>,
    line: u32,
}

/// The actions of a case in order.
pub(super) fn parse_actions(
    path: &str,
    case: &CaseDefinition,
) -> Result<Vec<ManualAction>, Vec<Diagnostic>> {
    let tables = case.tables.iter().filter(|table| table.is_actions());
    let rows = tables.flat_map(|table| (0..table.rows.len()).map(move |row| (table, row)));
    rows.map(|(table, row)| {
        parse_action(case, table, row).map_err(|message| {
            let place = Place::new(path, table.row_line(row), 1);
            vec![Diagnostic::error(Code::CR041, place, message)]
        })
    })
    .collect()
}

fn parse_action(
    case: &CaseDefinition,
    table: &CaseTable,
    row: usize,
) -> Result<ManualAction, String> {
    let cells = table.header.iter().zip(table.rows.get(row).into_iter().flatten());
    let mut meant = Vec::new();
    let (mut action, mut date, mut reason) = (None, case.as_of, String::new());

    for (column, cell) in cells.filter(|(_, cell)| !cell.is_empty()) {
        match (column.as_str(), cell.as_str()) {
            ("action", "release") => action = Some(HoldAction::Release),
            ("action", "hold") => action = Some(HoldAction::Hold),
            ("action", other) => {
                return Err(format!("unknown action `{other}`; known: release, hold"));
            }
            ("date", text) => {
                let day = text.parse();
                date = Some(day.map_err(|_| format!("`{text}` is not a date such as 2022-02-11"))?);
            }
            ("reason", text) => reason = text.to_owned(),
            // Every other column is one of a credit, and says which credits are meant.
            (column, _) if !CREDIT_COLUMNS.contains(&column) => {
                let known = COLUMNS.join(", ");
                return Err(format!("`{column}` is not a column of actions: {known}, a credit's"));
            }
            (column, text) => meant.push((column.to_owned(), text.to_owned())),
        }
    }

    let action = action.ok_or("a row without an action")?;
    let date = date.ok_or("an action needs a `date`, or the case `as-of:`")?;

    Ok(ManualAction { action, date, reason, meant, line: table.row_line(row) })
}

impl ManualAction {
    /// The action on every credit that it means.
    pub(super) fn resolve_credits(
        &self,
        path: &str,
        decisions: &[Decision],
    ) -> Result<Vec<CreditResolution>, Vec<Diagnostic>> {
        let credits = decisions.iter().flat_map(|decision| &decision.credits);
        let meant = credits.filter(|credit| self.matches_credit(credit));

        let found: Vec<CreditResolution> = meant
            .map(|credit| {
                // A correction belongs to the credit it corrects, which is the one people release
                // or hold.
                let (credit, reason) = (posting::credit_of(credit), self.reason.clone());
                CreditResolution { credit, action: self.action, date: self.date, reason }
            })
            .collect();

        // An action without a meaning would let the case pass, regardless of what is released.
        if found.is_empty() {
            let place = Place::new(path, self.line, 1);
            let message = "no credit matches this action";
            return Err(vec![Diagnostic::error(Code::CR041, place, message)]);
        }

        Ok(found)
    }

    fn matches_credit(&self, credit: &PostedCredit) -> bool {
        self.meant.iter().all(|(column, wanted)| credit_cell(credit, column) == wanted.as_str())
    }
}
