//! Cells of transactions that are not what their column is said to hold: such a transaction is
//! parked as soon as a rule reads the cell.
//!
//! Not an error of the directory, as a server parks such rows and goes on. Called by `check`.

use std::collections::BTreeMap;

use accredit_crediting::calculation;
use accredit_domain::diagnostic::{Diagnostic, Place};
use accredit_domain::transaction::{ColumnType, Record, Value};
use accredit_workspace::Ruleset;

/// A warning for each column with such cells, with the first of them.
pub(super) fn unread(ruleset: &Ruleset, records: &[Record]) -> Vec<Diagnostic> {
    let mut bad: BTreeMap<String, (usize, String)> = BTreeMap::new();
    let transactions = calculation::latest(ruleset, records, None);
    for transaction in &transactions {
        for column in transaction.layout.names() {
            if let Value::Bad(cell) = transaction.get(column) {
                let first = || (0, format!("`{column}` of {} holds `{cell}`", transaction.id));
                bad.entry(column.to_string()).or_insert_with(first).0 += 1;
            }
        }
    }
    let found = bad.into_iter().map(|(column, (count, first))| {
        let kind = ruleset.settings.fields.column_type(&column);
        let what = match kind {
            ColumnType::Bool => "true or false".to_owned(),
            kind => format!("a {}", kind.name()),
        };
        let message = format!("{first}, which is not {what}: {count} of {}", transactions.len());
        let help = match kind {
            ColumnType::Date(_) => {
                "say how dates are written: { field = \"…\", format = \"%m/%d/%Y\" } in \
                                    [fields], { date = \"%m/%d/%Y\" } in [columns]"
            }
            ColumnType::Number => "numbers are plain digits with a point: 1234.50",
            _ => "write true or false, or declare the column as text in [columns]",
        };
        Diagnostic::warning("CR032", Place::file("transactions"), message).help(help)
    });
    found.collect()
}
