//! The row of a deal that a payee asks about: the cells that were given, and those that the settings need.
//!
//! Not deciding it (`what_if`). Called by `what_if` alone. Source: FORMAT section 2.
//!
//! **Architecture invariant:** the payee is named where the plans look for whom a deal belongs to; no
//! cell of the row can make it anything else than a deal.

use std::sync::Arc;

use accredit_domain::organization::ParticipantId;
use accredit_domain::plan::{Assign, Measure, Plan};
use accredit_domain::transaction::{
    Cell, ColumnType, Decoder, Field, Fields, NameColumns, Record, Transaction,
};
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use super::ImaginedDeal;
use crate::error::OperationError;

/// The natural key of a deal that does not exist.
const DEAL_ID: &str = "what-if";

/// Cells that a request may give.
const CELLS_MAX: usize = 100;

/// Characters of a column's name or of a cell.
const TEXT_MAX: usize = 1000;

/// For whom and on which day a row is made.
pub(super) struct AskedDeal<'a> {
    pub(super) ruleset: &'a Ruleset,
    /// The plans that decide it.
    pub(super) plans: &'a [&'a Plan],
    /// None where the payee is not in the organisation.
    pub(super) payee: Option<ParticipantId>,
    pub(super) date: Date,
}

impl AskedDeal<'_> {
    /// The deal, decoded.
    ///
    /// # Errors
    /// When a cell cannot be given.
    pub(super) fn transaction(&self, deal: &ImaginedDeal) -> Result<Transaction, OperationError> {
        let fields = &self.ruleset.settings.fields;
        let mut row = ImaginedRow::given(fields, deal)?;

        fields.id.iter().for_each(|column| row.set(column, id_cell(fields.column_type(column))));
        if let Some(column) = fields.mapped.get(&Field::Amount) {
            // The digits of a JSON number are in no style but JSON's.
            row.set(column, Cell::Number(deal.amount.to_string()));
        }
        if let Some(column) = fields.mapped.get(&Field::Date) {
            row.set(column, Cell::Text(self.date.to_string()));
        }
        self.name_payee(&mut row);

        let record = Record { cells: row.cells };
        let decoded = Decoder::new(Arc::clone(fields)).decode(&record);
        // The date is none of the cells, whose formats are the workspace's own.
        Ok(decoded.repeated_as(DEAL_ID, self.date))
    }

    /// Names the payee where plans look for whom the deal belongs to, and the currency of the payee.
    fn name_payee(&self, row: &mut ImaginedRow) {
        let Some(payee) = self.payee else { return };
        let (settings, organization) = (&self.ruleset.settings, &self.ruleset.organization);
        let fields = &settings.fields;
        let id = || Cell::Text(organization.participant_id(payee).to_string());
        let first = |names: NameColumns| fields.names.get(&names).and_then(|all| all.first());

        if let Some(column) = first(NameColumns::Owner) {
            row.offer(column, id());
        }
        for plan in self.plans.iter().filter(|plan| !asks_for_owner(plan)) {
            let assigns = plan.direct.iter().flat_map(|rule| &rule.assign);
            let named = assigns.filter_map(|assign| match assign {
                Assign::Columns(columns) => columns.first(),
                _ => None,
            });
            named.take(1).for_each(|column| row.offer(column, id()));
        }

        let teams = organization.teams.teams_of(payee, self.date);
        if let ([team], Some(column)) = (teams.as_slice(), first(NameColumns::Team))
            && self.plans.iter().any(|plan| asks_for_team(plan))
        {
            row.offer(column, Cell::Text(organization.team_id(*team).to_string()));
        }

        if let Some(column) = fields.mapped.get(&Field::Currency) {
            let unit = organization.currency_on(payee, self.date).unwrap_or(settings.currency);
            row.offer(column, Cell::Text(settings.units.name(unit).to_owned()));
        }
    }
}

/// A part of the natural key that its column can hold.
fn id_cell(kind: &ColumnType) -> Cell {
    match kind {
        ColumnType::Text | ColumnType::ExactText => Cell::Text(DEAL_ID.to_owned()),
        ColumnType::Number(_) => Cell::Number("0".to_owned()),
        ColumnType::Date(_) | ColumnType::Bool => Cell::Null,
    }
}

/// Whether a rule of the plan may find the owner of a deal.
fn asks_for_owner(plan: &Plan) -> bool {
    let mut assigns = plan.direct.iter().flat_map(|rule| &rule.assign);
    assigns.any(|assign| matches!(assign, Assign::Owner | Assign::Policy(_)))
}

/// Whether a rule of the plan looks for the team of a deal.
fn asks_for_team(plan: &Plan) -> bool {
    let mut assigns = plan.direct.iter().flat_map(|rule| &rule.assign);
    plan.measure == Measure::Team || assigns.any(|assign| *assign == Assign::Team)
}

/// The cells of a row in the making.
struct ImaginedRow {
    cells: Vec<(String, Cell)>,
}

impl ImaginedRow {
    /// The cells of a request, under the names of their columns.
    fn given(fields: &Fields, deal: &ImaginedDeal) -> Result<ImaginedRow, OperationError> {
        let refused = |detail: String| Err(OperationError::invalid("bad_column", detail));
        if deal.columns.len() > CELLS_MAX {
            return refused(format!("`columns` has more than {CELLS_MAX} cells: leave some out"));
        }

        let mut row = ImaginedRow { cells: Vec::new() };
        for (name, cell) in &deal.columns {
            let long = |text: &str| text.chars().count() > TEXT_MAX;
            let column = column_named(fields, name.trim());
            if column.is_empty() || long(&column) || column.contains(char::is_control) {
                return refused(
                    "`columns` has a name that no column of a deal can have".to_owned(),
                );
            }
            if is_own_part(fields, &column) {
                let detail = format!(
                    "`{column}` is the id, the amount or the date of the deal: leave it out of \
                     `columns`, and use `amount` and `date`"
                );
                return refused(detail);
            }
            if matches!(cell, Cell::Text(text) | Cell::Number(text) | Cell::Nested(text) if long(text))
            {
                return refused(format!("`{column}` has more than {TEXT_MAX} characters"));
            }
            row.set(&column, cell.clone());
        }
        Ok(row)
    }

    /// Sets a cell.
    fn set(&mut self, column: &str, cell: Cell) {
        self.cells.retain(|(known, _)| known != column);
        self.cells.push((column.to_owned(), cell));
    }

    /// Sets a cell that was not given.
    fn offer(&mut self, column: &str, cell: Cell) {
        if !self.cells.iter().any(|(known, _)| known == column) {
            self.set(column, cell);
        }
    }
}

/// The column that a request means: by its own name, or by that of the field that it is mapped to.
fn column_named(fields: &Fields, name: &str) -> String {
    if fields.named_columns().any(|column| column == name) {
        return name.to_owned();
    }
    let field = Field::ALL.into_iter().find(|(_, key)| *key == name);
    let mapped = field.and_then(|(field, _)| fields.mapped.get(&field));
    mapped.cloned().unwrap_or_else(|| name.to_owned())
}

/// Whether a column is a part of the deal that the request says elsewhere.
fn is_own_part(fields: &Fields, column: &str) -> bool {
    let mapped = [Field::Amount, Field::Date].map(|field| fields.mapped.get(&field));
    mapped.into_iter().flatten().chain(&fields.id).any(|known| known == column)
}
