//! From a stored delivery to transactions: connector, intake policy, types, natural key.
//!
//! Not verification of a request (`http::hooks`) and not deciding (`worker`). Called by both, so
//! that an answer names the transactions that the worker will find.

use std::sync::Arc;

use accredit_domain::transaction::read;
use accredit_domain::transaction::{Cell, Decoder, Field, Record, Transaction};
use accredit_ledger::inbox::Delivery;
use accredit_script::Machine;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;

use crate::plugins;

/// The source of rows that came by `POST /v1/transactions`; no path of a webhook has a slash.
pub(crate) const IMPORT: &str = "/v1/transactions";

/// A machine for the ruleset that it was last asked for.
#[derive(Default)]
pub(crate) struct Machines {
    made: Option<(Arc<str>, Machine)>,
}

impl Machines {
    /// The machine for `ruleset`.
    pub(crate) fn of(&mut self, ruleset: &Ruleset) -> &mut Machine {
        let same = self.made.as_ref().is_some_and(|(hash, _)| *hash == ruleset.hash);
        if !same {
            self.made = None;
        }
        let make = || (Arc::clone(&ruleset.hash), Machine::new(&ruleset.programs));
        &mut self.made.get_or_insert_with(make).1
    }
}

/// A delivery, understood.
pub(crate) struct Understood {
    /// Rows with a natural key.
    pub(crate) rows: Vec<(Record, Arc<Transaction>)>,
    /// Why other rows have none: the delivery waits as a dead letter beside what was taken.
    pub(crate) rest: Option<String>,
}

/// The transactions of a delivery.
///
/// # Errors
/// Why there are none: the delivery becomes a dead letter.
pub(crate) fn understand(
    ruleset: &Ruleset,
    machines: &mut Machines,
    delivery: &Delivery,
) -> Result<Understood, String> {
    let records = records(ruleset, machines, delivery)?;
    let total = records.len();
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let mut rows = Vec::with_capacity(total);
    let mut first_without_key = None;
    for (index, record) in records.into_iter().enumerate() {
        let transaction = decoder.decode(&record);
        if transaction.id.is_empty() {
            first_without_key.get_or_insert(index + 1);
        } else {
            rows.push((record, Arc::new(transaction)));
        }
    }
    let rest = first_without_key.map(|row| {
        let key = ruleset.settings.fields.id.join("`, `");
        format!("row {row} of {total} has no natural key: `{key}` is blank or missing")
    });
    match rest {
        Some(reason) if rows.is_empty() => Err(reason),
        rest => Ok(Understood { rows, rest }),
    }
}

fn records(
    ruleset: &Ruleset,
    machines: &mut Machines,
    delivery: &Delivery,
) -> Result<Vec<Record>, String> {
    if delivery.source == IMPORT {
        return serde_json::from_slice(&delivery.body)
            .map_err(|error| format!("stored rows are unreadable: {error}"));
    }
    let source = ruleset.settings.sources.get(&delivery.source);
    let source = source.ok_or_else(|| format!("`{}` is no source any more", delivery.source))?;
    let connector = plugins::connector(&source.connector)
        .ok_or_else(|| format!("`{}` is no connector of this build", source.connector))?;
    let payloads = connector.decode(&delivery.body).map_err(|error| error.to_string())?;
    let mut records = Vec::new();
    for payload in payloads {
        match source.intake {
            Some(program) => {
                let mapped = machines.of(ruleset).map(program, &payload);
                records.extend(mapped.map_err(|fault| {
                    let (place, message) = (fault.place, fault.message);
                    format!("{}:{}:{}: {message}", place.file, place.line, place.column)
                })?);
            }
            None => records.extend(plain(&payload)?),
        }
    }
    Ok(records)
}

/// Without an intake policy the payload is one transaction or an array of them.
fn plain(payload: &serde_json::Value) -> Result<Vec<Record>, String> {
    let rows = match payload {
        serde_json::Value::Array(rows) => rows.as_slice(),
        one => std::slice::from_ref(one),
    };
    let unknown = || "expected one transaction as a JSON object, or an array of them".to_owned();
    rows.iter().map(|row| read::record(row).ok_or_else(unknown)).collect()
}

/// The source's clock of a row, for ordering its versions; times sort before text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum SourceClock {
    /// No clock: order of receipt.
    None,
    /// A moment.
    Moment(jiff::Timestamp),
    /// A counter.
    Number(Decimal),
    /// Anything else, compared as text.
    Text(String),
}

/// Reads the clock from the cell as delivered: as a date, all versions of one day would be equal.
pub(crate) fn source_clock(record: &Record, transaction: &Transaction) -> SourceClock {
    let Some(column) = transaction.column_of(Field::Updated) else { return SourceClock::None };
    let cell = record.cells.iter().rev().find(|(name, _)| name == column).map(|(_, cell)| cell);
    let Some(Cell::Text(text) | Cell::Number(text)) = cell else { return SourceClock::None };
    let text = text.trim();
    if text.is_empty() {
        return SourceClock::None;
    }
    if let Ok(moment) = text.parse::<jiff::Timestamp>() {
        return SourceClock::Moment(moment);
    }
    let local = text.parse::<jiff::civil::DateTime>().ok();
    if let Some(moment) = local.and_then(|at| at.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok()) {
        return SourceClock::Moment(moment.timestamp());
    }
    match Decimal::from_str_exact(text) {
        Ok(number) => SourceClock::Number(number),
        Err(_) => SourceClock::Text(text.to_owned()),
    }
}

/// Whether `new` is older than `stored` by the source's clock; unlike clocks follow receipt.
pub(crate) fn older(new: &SourceClock, stored: &SourceClock) -> bool {
    std::mem::discriminant(new) == std::mem::discriminant(stored) && new < stored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_one_kind_order_versions() {
        let moment = |text: &str| SourceClock::Moment(text.parse().unwrap());
        let number = |text: &str| SourceClock::Number(text.parse().unwrap());
        assert!(older(&moment("2026-01-01T00:00:00Z"), &moment("2026-01-01T00:00:01Z")));
        assert!(!older(&moment("2026-01-01T00:00:01Z"), &moment("2026-01-01T00:00:01Z")));
        assert!(older(&number("9"), &number("10")));
        assert!(!older(&number("9"), &moment("2026-01-01T00:00:00Z")), "unlike: as received");
        assert!(!older(&SourceClock::None, &SourceClock::None));
    }
}
