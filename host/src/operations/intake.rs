//! From a stored delivery to transactions: connector, intake policy, types, natural key.
//!
//! Not verification of a request (`http::hooks`) and not deciding (`worker`). Called by both, so
//! that an answer names the transactions that the worker will find.

use std::sync::Arc;

use accredit_domain::transaction::read;
use accredit_domain::transaction::{Decoder, Record, Transaction};
use accredit_ledger::inbox::Delivery;
use accredit_script::Machine;
use accredit_workspace::Ruleset;

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
