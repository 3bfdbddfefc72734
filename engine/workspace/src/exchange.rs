//! `organization/exchange_rates.csv`: one row a rate.
//!
//! Not exchanging (`domain::exchange`). Called by `Ruleset::read`. Source: FORMAT section 1, DOMAIN
//! 3.10.
//!
//! **Architecture invariant:** of one pair of units at most one rate is read for a day.

use accredit_domain::diagnostic::Code;
use accredit_domain::transaction::parse_number;
use rust_decimal::Decimal;

use super::csv::{DefinitionRow, DefinitionSheet, DelimitedCell};
use super::report::Findings;
use super::toml::DefinitionText;
use super::{Files, Settings};
use accredit_domain::calendar::Validity;
use accredit_domain::exchange::ExchangeRates;
use accredit_domain::money::Unit;

/// The file of exchange rates.
pub(super) const RATES: &str = "organization/exchange_rates.csv";

/// Decimals of a rate: with more, a product could be too fine for a decimal.
const RATE_DECIMALS_MAX: u32 = 12;

/// Reads the rates; the workspace's currency is one whether a rate names it or not.
pub(super) fn read(files: &Files, settings: &Settings, report: &Findings) -> ExchangeRates {
    let mut rates = ExchangeRates::default();
    rates.add_currency(settings.currency);
    let Some(text) = files.get(RATES) else { return rates };

    let columns = ["from_unit", "to_unit", "rate", "from", "to"];
    let needed = ["from_unit", "to_unit", "rate"];
    let sheet = DefinitionSheet::read(DefinitionText::new(RATES, text, report), &columns, &needed);

    let mut known: Vec<((Unit, Unit), Validity)> = Vec::new();
    for row in sheet.rows() {
        let from = row.need_cell("from_unit").and_then(|cell| find_unit(row, cell, settings));
        let to = row.need_cell("to_unit").and_then(|cell| find_unit(row, cell, settings));
        let rate = row.need_cell("rate").and_then(|cell| parse_rate(row, cell));

        let validity = row.read_validity();
        let (Some(from), Some(to), Some(validity)) = (from, to, validity) else { continue };

        if from == to {
            let message = "a unit is not exchanged into itself".to_owned();
            let help = "name two units, or leave the row out";
            row.report_error(Code::CR032, row.cell_offset("to_unit"), message, help);
            continue;
        }

        let pair = (from, to);
        if known.iter().any(|(other, dates)| *other == pair && dates.overlaps(&validity)) {
            let name = |unit| settings.units.name(unit);
            let message =
                format!("`{}` to `{}` has two rates on the same days", name(from), name(to));
            let help = "end the earlier one the day before; `from` and `to` are both included";
            row.report_error(Code::CR034, row.cell_offset("from_unit"), message, help);
            continue;
        }

        known.push((pair, validity));
        // A pair whose rate is wrong is known all the same: a second rate for it is still one too
        // many.
        if let Some(rate) = rate {
            rates.add(pair, rate, validity);
        }
    }

    rates
}

/// The unit type that a cell names; an unknown one is reported.
pub(super) fn find_unit(
    row: DefinitionRow<'_, '_>,
    cell: &DelimitedCell,
    settings: &Settings,
) -> Option<Unit> {
    let found = settings.units.find(&cell.text);
    if found.is_none() {
        let source = row.source();
        let named = ("unit type", cell.text.as_str());
        source.report.report_unknown(
            Code::CR025,
            source.place(cell.offset),
            named,
            settings.units.names(),
        );
    }
    found
}

fn parse_rate(row: DefinitionRow<'_, '_>, cell: &DelimitedCell) -> Option<Decimal> {
    let written = parse_number(&cell.text);
    let rate = written
        .filter(|rate| *rate > Decimal::ZERO && rate.normalize().scale() <= RATE_DECIMALS_MAX);
    if rate.is_none() {
        let message = format!("`{}` is not an exchange rate", cell.text);
        let help = format!("write a number above 0 with at most {RATE_DECIMALS_MAX} decimals");
        row.report_error(Code::CR032, cell.offset, message, &help);
    }
    rate
}
