//! Batches: which version of a transaction counts, and one commit for what follows from it.
//!
//! Not decoding (`intake`) and not deciding (the engine).

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::decision::ResolutionRecord;
use accredit_domain::transaction::{Decoder, Record, Transaction, version};
use accredit_ledger::record::{ArrivedVersion, CommitBatch};
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;

use super::{decide_transactions, record_with_postings};
use crate::context::Context;
use crate::intake::{IntakeMachine, decode_delivery, is_partial, next_version};
use crate::shadow;

/// Deals after which a batch takes no other delivery.
const DEALS_MAX: usize = 4000;

/// The version of a transaction that counts, so far.
struct LatestVersion {
    record: Record,
    transaction: Arc<Transaction>,
    /// Whether it came in this batch and must be decided.
    new: bool,
}

/// A batch while it grows.
struct BatchBuilder<'a> {
    ruleset: &'a Ruleset,
    batch: CommitBatch,
    current: BTreeMap<String, LatestVersion>,
    resolutions: Vec<ResolutionRecord>,
}

/// Decides what waits, up to so many deliveries and bytes of them, and some thousand deals;
/// returns how many deliveries that were.
///
/// # Errors
/// When the data cannot be read or written; the deliveries then wait as before.
pub fn decide_batch(
    context: &Context,
    machines: &mut IntakeMachine,
    limit: (usize, usize),
) -> Result<usize, StoreError> {
    let (deliveries_max, bytes_max) = limit;
    let pending = context.ledger.pending_within(deliveries_max, bytes_max)?;
    if pending.is_empty() {
        return Ok(0);
    }

    let ruleset = context.ruleset.load_full();
    let mut growing = BatchBuilder {
        ruleset: &ruleset,
        batch: CommitBatch::default(),
        current: BTreeMap::new(),
        resolutions: Vec::new(),
    };

    for (sequence, delivery) in &pending {
        // Deals need far more memory, and time, than the few bytes that short ones have.
        if growing.current.len().max(growing.batch.versions.len()) >= DEALS_MAX {
            break;
        }
        take_delivery(context, machines, &mut growing, *sequence, delivery)?;
    }
    let taken = growing.batch.done.len();

    let BatchBuilder { mut batch, current, resolutions, .. } = growing;
    let new = current.into_values().filter(|current| current.new);
    let transactions: Vec<_> = new.map(|current| current.transaction).collect();

    batch.decisions = decide_transactions(context, &ruleset, &transactions, &resolutions)?;
    record_with_postings(context, &mut batch)?;
    shadow::show_to_shadow(context, &batch.decisions);

    Ok(taken)
}

fn take_delivery(
    context: &Context,
    machines: &mut IntakeMachine,
    growing: &mut BatchBuilder<'_>,
    sequence: u64,
    delivery: &Delivery,
) -> Result<(), StoreError> {
    let decoded = context.decoded.take_decoded(growing.ruleset, delivery);
    let understood =
        decoded.unwrap_or_else(|| decode_delivery(context, growing.ruleset, machines, delivery));

    let dead = match understood {
        Ok(understood) => {
            let merges = is_partial(growing.ruleset, delivery);
            for row in understood.rows {
                apply_version(context, growing, sequence, merges, row)?;
            }
            understood.rest
        }
        Err(reason) => Some(reason),
    };

    if dead.is_some() {
        let source = &delivery.source;
        tracing::warn!(delivery.sequence = sequence, delivery.source = %source, "dead letter");
    }

    growing.batch.done.push((sequence, dead));
    Ok(())
}

/// Applies one row: the same content is nothing new, an older one is only recorded.
fn apply_version(
    context: &Context,
    growing: &mut BatchBuilder<'_>,
    sequence: u64,
    merges: bool,
    row: (Record, Arc<Transaction>),
) -> Result<(), StoreError> {
    let id = row.1.id.to_string();
    if !growing.current.contains_key(&id)
        && let Some(stored) = context.ledger.find_transaction(&id)?
    {
        // Read by the types of today, so that a corrected column is no new version.
        let fields = Arc::clone(&growing.ruleset.settings.fields);
        let transaction = Arc::new(Decoder::new(fields).decode(&stored.record));
        let current = LatestVersion { record: stored.record, transaction, new: false };
        growing.current.insert(id.clone(), current);
        growing.resolutions.extend(context.ledger.transaction_resolutions(&id)?);
    }

    let Some(current) = growing.current.get(&id) else {
        let (record, transaction) = row;
        let version = ArrivedVersion { id: id.clone(), record, sequence, superseded: false };
        let record = version.record.clone();
        growing.batch.versions.push(version);
        growing.current.insert(id, LatestVersion { record, transaction, new: true });
        return Ok(());
    };

    let fields = &growing.ruleset.settings.fields;
    let (record, transaction) =
        next_version(fields, merges, (&current.record, &current.transaction), row);
    let order = version::compare_versions(&current.transaction, &transaction);
    if order.is_eq() {
        return Ok(());
    }

    let superseded = order.is_lt();
    let version = ArrivedVersion { id: id.clone(), record: record.clone(), sequence, superseded };
    growing.batch.versions.push(version);
    if !superseded {
        growing.current.insert(id, LatestVersion { record, transaction, new: true });
    }
    Ok(())
}
