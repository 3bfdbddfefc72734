//! Batches: which version of a transaction counts, and one commit for what follows from it.
//!
//! Not decoding (`intake`) and not deciding (the engine).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_domain::decision::ResolutionRecord;
use accredit_domain::transaction::{Decoder, Record, Transaction, version};
use accredit_ledger::fetches::PendingFetch;
use accredit_ledger::query::RecordedDeals;
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use rayon::prelude::*;

use super::{decide_transactions, record_with_postings};
use crate::context::Context;
use crate::decoded::DecodedDelivery;
use crate::intake::{IMPORT, IntakeMachine, decode_delivery, is_partial, next_version};
use crate::shadow;

/// Deals after which a batch takes no other delivery. Every commit writes the lists of deals of the payees
/// who have something in it, so that many deals in one commit write far fewer rows than as many in four.
const DEALS_MAX: usize = 32_000;

/// Deliveries that are decoded at the same time; what the batch has no room for is decoded again.
const DECODED_AT_ONCE: usize = 16;

/// Versions from which on the memory of a batch is given back beside the next one.
const DISCARDED_ASIDE_MIN: usize = 1024;

/// A batch while it grows.
struct BatchBuilder<'a> {
    ruleset: &'a Ruleset,
    batch: CommitBatch,
    /// The transactions that rows are about, by natural key: each record as it becomes, without
    /// decisions, and its content decoded.
    current: BTreeMap<String, (TransactionRecord, Arc<Transaction>)>,
    /// The natural key of every version that arrived, in order.
    arrived: Vec<String>,
    /// Content that came in this batch and must be decided, by natural key.
    undecided: BTreeMap<String, Arc<Transaction>>,
    resolutions: Vec<ResolutionRecord>,
    /// What is recorded when it begins.
    recorded: RecordedDeals<'a>,
}

/// How much a batch was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BatchSize {
    /// Deliveries that are done.
    pub deliveries: usize,
    /// Rows in them that said something new.
    pub versions: usize,
}

/// Decides what waits, up to so many deliveries and bytes of them, and some thousand deals;
/// returns how much that was.
///
/// # Errors
/// When the data cannot be read or written; the deliveries then wait as before.
pub fn decide_batch(
    context: &Context,
    machines: &mut IntakeMachine,
    limit: (usize, usize),
) -> Result<BatchSize, StoreError> {
    let (deliveries_max, bytes_max) = limit;
    let pending = context.ledger.pending_within(deliveries_max, bytes_max)?;
    if pending.is_empty() {
        return Ok(BatchSize::default());
    }

    let ruleset = context.ruleset.load_full();
    let mut growing = BatchBuilder {
        ruleset: &ruleset,
        batch: CommitBatch::default(),
        current: BTreeMap::new(),
        arrived: Vec::new(),
        undecided: BTreeMap::new(),
        resolutions: Vec::new(),
        recorded: context.ledger.recorded_deals()?,
    };

    'growing: for some in pending.chunks(DECODED_AT_ONCE) {
        let decoded = decode_imported(context, &ruleset, some);
        for ((sequence, delivery), decoded) in some.iter().zip(decoded) {
            // Deals need far more memory, and time, than the few bytes that short ones have.
            if growing.current.len().max(growing.arrived.len()) >= DEALS_MAX {
                break 'growing;
            }
            let decoded = decoded
                .or_else(|| context.decoded.take_decoded(&ruleset, delivery))
                .unwrap_or_else(|| decode_delivery(context, &ruleset, machines, delivery));
            take_delivery(context, &mut growing, (*sequence, delivery), decoded)?;
        }
    }
    let size = BatchSize { deliveries: growing.batch.done.len(), versions: growing.arrived.len() };

    let BatchBuilder { mut batch, mut current, arrived, undecided, resolutions, recorded, .. } =
        growing;
    // The commit can use the pages again that only a view of before it needs.
    drop(recorded);
    // The first version of a transaction has its place; later ones find the record taken.
    let records = arrived.iter().filter_map(|id| current.remove(id));
    batch.records = records.map(|(record, _)| record).collect();

    let transactions: Vec<_> = undecided.into_values().collect();
    batch.decisions = decide_transactions(context, &ruleset, &transactions, &resolutions)?;
    record_with_postings(context, &mut batch)?;
    shadow::show_to_shadow(context, &batch.decisions);
    if size.versions >= DISCARDED_ASIDE_MIN {
        // Giving back the memory of a hundred thousand credits takes as long as storing them.
        rayon::spawn(move || drop((batch, transactions)));
    }

    Ok(size)
}

/// Decodes the deliveries of imports, each on a core that is free; none of the others, whose intake
/// policy needs the stack of the worker.
fn decode_imported(
    context: &Context,
    ruleset: &Ruleset,
    deliveries: &[(u64, Delivery)],
) -> Vec<Option<Result<DecodedDelivery, String>>> {
    let decode = |(_, delivery): &(u64, Delivery)| {
        let is_imported = delivery.source == IMPORT;
        is_imported
            .then(|| decode_delivery(context, ruleset, &mut IntakeMachine::default(), delivery))
    };
    match deliveries {
        [one] => vec![decode(one)],
        several => several.par_iter().map(decode).collect(),
    }
}

fn take_delivery(
    context: &Context,
    growing: &mut BatchBuilder<'_>,
    (sequence, delivery): (u64, &Delivery),
    decoded: Result<DecodedDelivery, String>,
) -> Result<(), StoreError> {
    let dead = match decoded {
        Ok(understood) => {
            open_stored(context, growing, &understood.rows)?;
            let merges = is_partial(growing.ruleset, delivery);
            for row in understood.rows {
                apply_version(growing, sequence, merges, row);
            }
            let thin = understood.thin.into_iter().zip(0..);
            growing.batch.fetches.extend(thin.map(|(payload, part)| PendingFetch {
                sequence,
                part,
                source: delivery.source.clone(),
                delivery: delivery.id.clone(),
                payload,
                attempts: 0,
                next_ms: 0,
                last_error: None,
            }));
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

/// Applies one row of a deal that is open: the same content is nothing new, an older one is only recorded.
fn apply_version(
    growing: &mut BatchBuilder<'_>,
    sequence: u64,
    merges: bool,
    row: (Record, Arc<Transaction>),
) {
    let id = row.1.id.to_string();
    let Some((stored, present)) = growing.current.get_mut(&id) else {
        let (record, transaction) = row;
        let first = TransactionRecord::first_version(id.clone(), record, sequence);
        growing.undecided.insert(id.clone(), Arc::clone(&transaction));
        growing.current.insert(id.clone(), (first, transaction));
        growing.arrived.push(id);
        return;
    };

    let fields = &growing.ruleset.settings.fields;
    let (record, transaction) = next_version(fields, merges, (&stored.record, present), row);
    let order = version::compare_versions(present, &transaction);
    if order.is_eq() {
        return;
    }

    // A row with the key of a manual credit is no version of it.
    let (delivery, past) = if order.is_lt() || present.manual_credit().is_some() {
        // It came late, so that it is kept for the history and decides nothing.
        stored.superseded += 1;
        (sequence, record)
    } else {
        *present = Arc::clone(&transaction);
        growing.undecided.insert(id.clone(), transaction);
        stored.replace_content(record, sequence)
    };
    growing.batch.history.push((id.clone(), delivery, past));
    growing.arrived.push(id);
}

/// Opens what is recorded of the deals of these rows, all at once: the rows of an import are thousands.
fn open_stored(
    context: &Context,
    growing: &mut BatchBuilder<'_>,
    rows: &[(Record, Arc<Transaction>)],
) -> Result<(), StoreError> {
    let ids = rows.iter().map(|(_, transaction)| &*transaction.id);
    let closed: BTreeSet<&str> = ids.filter(|id| !growing.current.contains_key(*id)).collect();
    let closed: Vec<&str> = closed.into_iter().collect();
    let stored: Vec<TransactionRecord> =
        growing.recorded.find_contents(&closed)?.into_iter().flatten().collect();

    let resolutions = context.ledger.resolutions_of(stored.iter().map(|one| one.id.as_str()))?;
    growing.resolutions.extend(resolutions);

    // Read by the types of today, so that a corrected column is no new version.
    let fields = &growing.ruleset.settings.fields;
    let decode = |decoder: &mut Decoder, stored: TransactionRecord| {
        let transaction = Arc::new(decoder.decode(&stored.record));
        (stored.id.clone(), (stored, transaction))
    };
    let decoded = stored.into_par_iter().map_init(|| Decoder::new(Arc::clone(fields)), decode);
    let decoded: Vec<_> = decoded.collect();
    growing.current.extend(decoded);
    Ok(())
}
