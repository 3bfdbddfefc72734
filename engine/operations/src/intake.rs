//! From a stored delivery to transactions: connector, intake policy, types, natural key.
//!
//! Not verification of a request (`http::hooks`) and not deciding (`worker`). Called by both, so
//! that an answer names the transactions that the worker will find.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_domain::keys::RulesetHash;
use accredit_domain::transaction::read;
use accredit_domain::transaction::version::{self, NewestVersions};
use accredit_domain::transaction::{Cell, Decoder, Fields, Record, Remark, Transaction};
use accredit_ledger::Ledger;
use accredit_ledger::import_rows::read_import_rows;
use accredit_script::Machine;
use accredit_seams::connector::Connector;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;
use accredit_workspace::{Ruleset, WebhookSource};

use crate::context::Context;
use crate::decoded::DecodedDelivery;

/// The source of rows that came by `POST /v1/transactions`; no path of a webhook has a slash.
pub const IMPORT: &str = "/v1/transactions";

/// A machine for the ruleset that it was last asked for.
#[derive(Default)]
pub struct IntakeMachine {
    made: Option<(RulesetHash, Machine)>,
}

impl IntakeMachine {
    /// The machine for `ruleset`.
    pub fn machine_for(&mut self, ruleset: &Ruleset) -> &mut Machine {
        let same = self.made.as_ref().is_some_and(|(hash, _)| *hash == ruleset.hash);
        if !same {
            self.made = None;
        }
        let make = || (ruleset.hash, Machine::new(&ruleset.programs));
        &mut self.made.get_or_insert_with(make).1
    }
}

/// The transactions of a delivery.
///
/// # Errors
/// Why there are none: the delivery becomes a dead letter.
pub fn decode_delivery(
    context: &Context,
    ruleset: &Ruleset,
    machines: &mut IntakeMachine,
    delivery: &Delivery,
) -> Result<DecodedDelivery, String> {
    let (records, thin) = delivery_records(context, ruleset, machines, delivery)?;

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

    // Parts of one deal contradict nothing: each is laid over the one before it.
    if !is_partial(ruleset, delivery) {
        mark_conflicts(&mut rows);
    }

    let rest = first_without_key.map(|row| {
        let key = ruleset.settings.fields.id.join("`, `");
        format!("row {row} of {total} has no natural key: `{key}` is blank or missing")
    });

    match rest {
        Some(reason) if rows.is_empty() => Err(reason),
        rest => Ok(DecodedDelivery { rows, rest, thin }),
    }
}

/// Whether a delivery brings only what changed of its deals.
pub fn is_partial(ruleset: &Ruleset, delivery: &Delivery) -> bool {
    ruleset.settings.sources.get(&delivery.source).is_some_and(|source| source.merge)
}

/// Remarks on rows of one delivery that have one natural key, unlike content and no clock that
/// orders them.
pub fn mark_conflicts(rows: &mut [(Record, Arc<Transaction>)]) {
    let mut newest = NewestVersions::default();
    rows.iter().for_each(|(_, transaction)| newest.add(transaction));

    for (record, transaction) in rows {
        if newest.in_conflict(&transaction.id) {
            record.add_remark(&Remark::Conflict);
            *transaction = Arc::new(transaction.with_remarks(record.read_remarks()));
        }
    }
}

/// What rows say beside the versions that their deals have now.
#[derive(Debug, Default)]
pub struct RowComparison {
    /// Whether every row says what its deal says already.
    pub nothing_new: bool,
    /// Mapped columns that deals will lose, by natural key.
    pub lost: BTreeMap<String, BTreeSet<String>>,
}

/// Rows whose losses are named in one answer. Of more rows only one thing is asked: whether all of them say
/// what is recorded, until one does not.
const COMPARED_ROWS_MAX: usize = 2000;

/// Rows that are compared, one after the other, with the versions that their deals have now.
pub struct Comparison<'l> {
    ledger: &'l Ledger,
    decoder: Decoder,
    rows: usize,
    compared: RowComparison,
}

impl<'l> Comparison<'l> {
    /// Begins.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn new(ledger: &'l Ledger, fields: &Arc<Fields>) -> Result<Self, StoreError> {
        // What waits may change what the deals say before these rows are reached.
        let settled = ledger.pending_count()? == 0;
        let compared = RowComparison { nothing_new: settled, lost: BTreeMap::new() };
        Ok(Comparison { ledger, decoder: Decoder::new(Arc::clone(fields)), rows: 0, compared })
    }

    /// Begins, for what deals lose alone: that nothing is new is not asked.
    pub fn of_losses(ledger: &'l Ledger, fields: &Arc<Fields>) -> Self {
        let decoder = Decoder::new(Arc::clone(fields));
        Comparison { ledger, decoder, rows: 0, compared: RowComparison::default() }
    }

    /// Compares the next row, as it was delivered.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn add_record(&mut self, record: &Record) -> Result<(), StoreError> {
        if self.is_given_up() {
            return Ok(());
        }
        let transaction = self.decoder.decode(record);
        self.add(&transaction)
    }

    /// Compares the next row.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn add(&mut self, transaction: &Transaction) -> Result<(), StoreError> {
        if self.is_given_up() {
            return Ok(());
        }
        self.rows += 1;

        let Some(stored) = self.ledger.find_transaction(&transaction.id)? else {
            self.compared.nothing_new = false;
            return Ok(());
        };

        let present = self.decoder.decode(&stored.record);
        let order = version::compare_versions(&present, transaction);
        self.compared.nothing_new &= order.is_eq();
        let lost = version::lost_columns(&present, transaction);
        if order.is_gt() && !lost.is_empty() {
            self.compared.lost.insert(stored.id, lost);
        }
        Ok(())
    }

    /// Whether there are too many rows to say anything of the rest; nothing is said of any then.
    fn is_given_up(&mut self) -> bool {
        let is_given_up = self.rows >= COMPARED_ROWS_MAX && !self.compared.nothing_new;
        if is_given_up {
            self.compared = RowComparison::default();
        }
        is_given_up
    }

    /// What was found; nothing where the rows are too many.
    pub fn end(self) -> RowComparison {
        self.compared
    }
}

/// What a row makes of the version that a deal has: laid over it where its source sends only what
/// changed, else as it is, with a remark on mapped columns that the deal loses.
pub fn next_version(
    fields: &Arc<Fields>,
    merges: bool,
    current: (&Record, &Transaction),
    row: (Record, Arc<Transaction>),
) -> (Record, Arc<Transaction>) {
    let (mut record, transaction) = row;
    if merges {
        // A part that comes late fills in what the later one did not bring.
        let late = version::compare_versions(current.1, &transaction).is_lt();
        let mut whole =
            if late { current.0.overlay_on(&record) } else { record.overlay_on(current.0) };
        // An older part does not revive a void deal.
        if let Some(void) = current.0.void_remark().filter(|_| late) {
            whole.add_remark(&Remark::Void(void));
        }
        let transaction = Arc::new(Decoder::new(Arc::clone(fields)).decode(&whole));
        return (whole, transaction);
    }

    let lost = version::lost_columns(current.1, &transaction);
    if lost.is_empty() {
        return (record, transaction);
    }
    record.add_remark(&Remark::ColumnsMissing(lost));
    let transaction = Arc::new(transaction.with_remarks(record.read_remarks()));
    (record, transaction)
}

/// The rows of a delivery, and its payloads that have to be completed first.
fn delivery_records(
    context: &Context,
    ruleset: &Ruleset,
    machines: &mut IntakeMachine,
    delivery: &Delivery,
) -> Result<(Vec<Record>, Vec<String>), String> {
    // Rows of an import were understood when they came in, and are stored as such.
    if delivery.source == IMPORT {
        return read_import_rows(&delivery.body)
            .map(|rows| (rows, Vec::new()))
            .map_err(|error| format!("stored rows are unreadable: {error}"));
    }

    let (source, connector) = source_of(context, ruleset, &delivery.source)?;
    let payloads = connector.decode_event(&delivery.body).map_err(|error| error.to_string())?;

    let (mut records, mut thin) = (Vec::new(), Vec::new());
    for payload in payloads {
        let fetch = connector.needed_fetch(&payload, &source.settings);
        if fetch.map_err(|error| error.to_string())?.is_some() {
            thin.push(payload.into_owned());
            continue;
        }

        match source.intake {
            Some(program) => {
                let body = serde_json::from_str(&payload)
                    .map_err(|error| format!("not readable JSON: {error}"))?;
                let mapped = machines.machine_for(ruleset).run_intake(program, &body);
                records.extend(mapped.map_err(|fault| {
                    let (place, message) = (fault.place, fault.message);
                    format!("{}:{}:{}: {message}", place.file, place.line, place.column)
                })?);
            }
            // One transaction or an array of them.
            None => {
                let rows = read::read_json(payload.as_bytes());
                records.extend(rows.map_err(|malformed| malformed.message)?);
            }
        }
    }

    if let Some(prefix) = &source.key_prefix {
        records
            .iter_mut()
            .for_each(|record| add_key_prefix(record, prefix, &ruleset.settings.fields));
    }
    Ok((records, thin))
}

/// The rows that the body of an event of `source` makes, as if it had been delivered.
///
/// # Errors
/// Why it makes none.
pub fn rows_of_event(
    context: &Context,
    ruleset: &Ruleset,
    machines: &mut IntakeMachine,
    (source, body): (&str, String),
) -> Result<Vec<Record>, String> {
    let delivery = Delivery::unverified(source.to_owned(), 0, body.into_bytes());
    match delivery_records(context, ruleset, machines, &delivery)? {
        (records, thin) if thin.is_empty() => Ok(records),
        _ => Err("a deal has to be fetched first".to_owned()),
    }
}

/// Puts the prefix of a source in front of the first part of a natural key; a blank one stays blank.
fn add_key_prefix(record: &mut Record, prefix: &str, fields: &Fields) {
    let Some(column) = fields.id.first() else { return };
    for (name, cell) in record.cells.iter_mut().filter(|(name, _)| name.trim() == column) {
        let (Cell::Text(text) | Cell::Number(text)) = &*cell else { continue };
        let text = fields.id_form.normalized_id(text.trim());
        if !fields.is_blank(&text) {
            name.clone_from(column);
            *cell = Cell::Text(format!("{prefix}{text}"));
        }
    }
}

/// A source with its connector.
///
/// # Errors
/// When there is no such source, or no such connector.
pub fn source_of<'r>(
    context: &Context,
    ruleset: &'r Ruleset,
    name: &str,
) -> Result<(&'r WebhookSource, &'static dyn Connector), String> {
    let source = ruleset.settings.sources.get(name);
    let source = source.ok_or_else(|| format!("`{name}` is no longer a source"))?;
    let connector = context.surroundings.connector(&source.connector);
    let connector =
        connector.ok_or_else(|| format!("this build has no connector `{}`", source.connector))?;
    Ok((source, connector))
}
