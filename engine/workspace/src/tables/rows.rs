//! The rows of one table: cells of keys, of ranges and of values, and rows that contradict each
//! other.
//!
//! Not tiers (`tiers`), although their keys and dates are read here. Called by `tables`.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{DATES, RIVALS_SHOWN_MAX};
use crate::csv::{DefinitionRow, DefinitionSheet};
use crate::limits;
use crate::toml::DefinitionText;
use accredit_domain::declared::{DeclaredKind, DeclaredValue};
use accredit_domain::diagnostic::{Code, Place};
use accredit_domain::organization::fold_name;
use accredit_domain::tables::keyed::{KeyedRow, KeyedRows};
use accredit_domain::tables::{LookupTable, Rivalry, RowValues, TableShape};

/// What matches any key, as a blank cell does.
const ANYTHING: &str = "*";

/// Reads the rows of a table for look-ups, without those that have a mistake.
pub(super) fn read(source: DefinitionText<'_>, name: &str, shape: &TableShape) -> LookupTable {
    let sheet = open_sheet(source, shape);
    let mut offsets = Vec::new();
    let mut rows = Vec::new();

    for row in sheet.rows() {
        let slots = read_bounds(row, shape);
        let values = read_values(row, shape);
        let validity = row.read_validity();
        // Every cell is read before the row is given up, so that all mistakes are reported.
        let (Some(slots), Some(content), Some(validity)) = (slots, values, validity) else {
            continue;
        };
        let keys = read_keys(row, &shape.keys);
        offsets.push(row.cell_offset(first_column(shape)));
        rows.push(KeyedRow { keys, slots, validity, content });
    }

    let table = LookupTable::new(shape.clone(), rows);
    report_rivals(source, (name, &shape.keys), &table.rows, &offsets);
    table
}

/// The rows of a file with the columns of its declaration.
pub(super) fn open_sheet<'a>(
    source: DefinitionText<'a>,
    shape: &'a TableShape,
) -> DefinitionSheet<'a> {
    let values = shape.values.iter().map(|(name, _)| name);
    let needed: Vec<&str> =
        shape.keys.iter().chain(&shape.ranges).chain(values).map(AsRef::as_ref).collect();
    let known: Vec<&str> = needed.iter().copied().chain(DATES).collect();
    DefinitionSheet::read(source, &known, &needed)
}

/// The column at whose cell a finding about a whole row stands.
pub(super) fn first_column(shape: &TableShape) -> &str {
    let values = shape.values.iter().map(|(name, _)| name);
    shape.keys.iter().chain(&shape.ranges).chain(values).next().map_or("", AsRef::as_ref)
}

/// The cells of keys, folded; none where a cell matches anything.
pub(super) fn read_keys(row: DefinitionRow<'_, '_>, keys: &[Arc<str>]) -> Vec<Option<Arc<str>>> {
    let cells = keys.iter().map(|key| row.text(key).trim());
    let named = |text: &str| !text.is_empty() && text != ANYTHING;
    cells.map(|text| named(text).then(|| Arc::from(fold_name(text)))).collect()
}

fn read_bounds(row: DefinitionRow<'_, '_>, shape: &TableShape) -> Option<Vec<Option<Decimal>>> {
    let mut bounds = Some(Vec::new());
    for column in &shape.ranges {
        let text = row.text(column).trim();
        if text.is_empty() || text == ANYTHING {
            bounds.iter_mut().for_each(|bounds: &mut Vec<_>| bounds.push(None));
            continue;
        }
        match DeclaredKind::Number.read_value(text) {
            Some(DeclaredValue::Number(bound)) => {
                bounds.iter_mut().for_each(|bounds| bounds.push(Some(bound)));
            }
            _ => {
                let message = format!("`{text}` is not a lower bound of `{column}`");
                let help = "write a number, such as 100 or 80%; a blank cell has no lower bound";
                row.report_error(Code::CR032, row.cell_offset(column), message, help);
                bounds = None;
            }
        }
    }
    bounds
}

fn read_values(row: DefinitionRow<'_, '_>, shape: &TableShape) -> Option<RowValues> {
    let only = shape.values.len() == 1;
    let mut values = Some(Vec::new());
    for (column, kind) in &shape.values {
        let Some(cell) = row.get(column) else {
            // A row of several values may leave some of them open.
            if only {
                row.need_cell(column);
                return None;
            }
            values.iter_mut().for_each(|values: &mut RowValues| values.push(None));
            continue;
        };
        match kind.read_value(&cell.text) {
            Some(value) => values.iter_mut().for_each(|values| values.push(Some(value.clone()))),
            None => {
                let message = format!("`{}` is not {}", cell.text, kind.in_words());
                row.report_error(Code::CR032, cell.offset, message, kind.example());
                values = None;
            }
        }
    }
    values
}

/// Reports rows of which neither counts before the other.
pub(super) fn report_rivals<T>(
    source: DefinitionText<'_>,
    (name, keys): (&str, &[Arc<str>]),
    rows: &KeyedRows<T>,
    offsets: &[usize],
) {
    let found = rows.find_rivals(RIVALS_SHOWN_MAX);
    // The search stops where a check may not go on, and what it did not see may contradict itself.
    if !limits::may_continue(source.report, &Place::whole_file(source.file)) {
        return;
    }

    let place = |number: usize| source.place(offsets.get(number).copied().unwrap_or_default());
    for pair in found {
        let line = place(pair.first).line;
        let (message, help) = match pair.rivalry {
            Rivalry::SameRow => (
                format!("this row of `{name}` counts for the same as the one in line {line}"),
                "remove one of them, or end the earlier one the day before; `from` and `to` are \
                 both included"
                    .to_owned(),
            ),
            Rivalry::SameRank => (
                format!(
                    "this row of `{name}` and the one in line {line} name as many keys, and both \
                     can match"
                ),
                format!(
                    "add a row that names the keys of both ({}), or name one key less in one of \
                     them",
                    keys.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ")
                ),
            ),
        };
        source.report.error(Code::CR094, place(pair.later), message, &help);
    }
}
