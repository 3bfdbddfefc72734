//! The rows of a table of tiers: `up_to` and `rate`, by keys and dates.
//!
//! Not which keys a payee has (`crediting::reward`). Called by `tables`.
//!
//! **Architecture invariant:** the ends of the tiers of one payee are all amounts or all shares of
//! the quota, as in a plan.

use std::collections::HashMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::rows::{first_column, open_sheet, read_keys, report_rivals};
use crate::csv::DefinitionRow;
use crate::doubts;
use crate::toml::{DefinitionText, PlacedText};
use accredit_domain::calendar::Validity;
use accredit_domain::declared::{DeclaredKind, DeclaredValue};
use accredit_domain::diagnostic::Code;
use accredit_domain::plan::reward::{Tier, TierLimit};
use accredit_domain::tables::keyed::KeyedRow;
use accredit_domain::tables::{TableShape, TierTable, limit_number};

/// Decimals of a rate or limit: with more, a product could be too fine for a decimal.
const DECIMALS_MAX: u32 = 12;

/// Reads a table of tiers, without the rows that have a mistake.
pub(super) fn read(source: DefinitionText<'_>, name: &str, shape: &TableShape) -> TierTable {
    let sheet = open_sheet(source, shape);
    let (mut offsets, mut ends): (Vec<usize>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut rows: Vec<KeyedRow<Tier>> = Vec::new();

    for row in sheet.rows() {
        let up_to = read_limit(row);
        let rate = row.need_cell("rate").and_then(|_| read_number(row, "rate"));
        let validity = row.read_validity();
        let (Some(up_to), Some(rate), Some(validity)) = (up_to, rate, validity) else { continue };

        warn_doubtful(row, up_to, rate);
        offsets.push(row.cell_offset(first_column(shape)));
        ends.push(row.cell_offset("up_to"));
        let keys = read_keys(row, &shape.keys);
        let slots = vec![up_to.map(limit_number)];
        rows.push(KeyedRow { keys, slots, validity, content: Tier { up_to, rate } });
    }

    report_mixed_limits(source, &rows, &ends);
    let table = TierTable::new(shape.keys.clone(), rows);
    report_rivals(source, (name, &shape.keys), &table.rows, &offsets);
    table
}

/// The end of a tier, which may have none; nothing where it is refused.
fn read_limit(row: DefinitionRow<'_, '_>) -> Option<Option<TierLimit>> {
    let Some(cell) = row.get("up_to") else { return Some(None) };
    let number = read_number(row, "up_to")?;
    if number <= Decimal::ZERO {
        let message = format!("`{}` is not a valid end of a tier", cell.text);
        let help = "write an amount above 0, such as 10000, or 100% of the quota";
        row.report_error(Code::CR032, cell.offset, message, help);
        return None;
    }
    let share = cell.text.trim_end().ends_with('%');
    Some(Some(if share { TierLimit::OfQuota(number) } else { TierLimit::Amount(number) }))
}

/// Warns of a rate above 100 % and of a tier of less than one unit, as in a plan.
fn warn_doubtful(row: DefinitionRow<'_, '_>, up_to: Option<TierLimit>, rate: Decimal) {
    let report = row.source().report;
    let written = |column: &str| {
        let place = row.source().place(row.cell_offset(column));
        let text = row.text(column).to_owned();
        let percent = text.trim_end().ends_with('%');
        (PlacedText { text, origin: place.clone().into(), place }, percent)
    };

    let (text, percent) = written("rate");
    doubts::warn_high_rate(report, &text, rate, percent);
    if let Some(TierLimit::Amount(limit)) = up_to {
        doubts::warn_low_tier(report, &written("up_to").0, limit);
    }
}

/// The number or percentage in a cell that is not blank.
fn read_number(row: DefinitionRow<'_, '_>, column: &str) -> Option<Decimal> {
    let cell = row.get(column)?;
    match DeclaredKind::Number.read_value(&cell.text) {
        Some(DeclaredValue::Number(number)) if number.normalize().scale() <= DECIMALS_MAX => {
            Some(number.normalize())
        }
        _ => {
            let message = format!("`{}` is not a number for `{column}`", cell.text);
            let help = format!("write a number with at most {DECIMALS_MAX} decimals, or 10%");
            row.report_error(Code::CR032, cell.offset, message, &help);
            None
        }
    }
}

/// Reports tiers of the same keys of which some end at amounts and some at shares of a quota.
fn report_mixed_limits(source: DefinitionText<'_>, rows: &[KeyedRow<Tier>], offsets: &[usize]) {
    let mut first: HashMap<&[Option<Arc<str>>], (bool, Validity)> = HashMap::new();

    for (row, offset) in rows.iter().zip(offsets) {
        let Some(up_to) = row.content.up_to else { continue };
        let share = matches!(up_to, TierLimit::OfQuota(_));
        let (known, days) = *first.entry(&row.keys).or_insert((share, row.validity));
        if known != share && days.overlaps(&row.validity) {
            let message =
                "tiers of the same keys end at amounts and at shares of the quota".to_owned();
            let help = "write all of them as amounts, or all as percentages";
            source.report.error(Code::CR024, source.place(*offset), message, help);
        } else if known != share {
            first.insert(&row.keys, (share, row.validity));
        }
    }
}
