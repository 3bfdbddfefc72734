//! Batches: which version of a transaction counts, and one commit for what follows from it.
//!
//! Not decoding (`intake`) and not deciding (the engine).

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::pipeline::row;
use accredit_crediting::posting;
use accredit_domain::decision::{Decision, Resolution};
use accredit_domain::transaction::{Decoder, Record, Transaction, version};
use accredit_ledger::inbox::Delivery;
use accredit_ledger::record::{Version, Work};
use accredit_operations::explain;
use accredit_operations::intake::{merges, next_version, understand};
use accredit_seams::store::Error as StoreError;
use accredit_workspace::Ruleset;

use super::Worker;

/// The version of a transaction that counts, so far.
struct Current {
    record: Record,
    transaction: Arc<Transaction>,
    /// Whether it came in this batch and must be decided.
    new: bool,
}

/// A batch while it grows.
struct Growing<'a> {
    ruleset: &'a Ruleset,
    batch: Work,
    current: BTreeMap<String, Current>,
    resolutions: Vec<Resolution>,
}

impl Worker {
    /// Decides what waits, up to `limit` deliveries; returns how many deliveries that were.
    pub(super) fn batch(&mut self, limit: usize) -> Result<usize, StoreError> {
        let pending = self.service.ledger.pending_within(limit, super::BATCH_BYTES_MAX)?;
        if pending.is_empty() {
            return Ok(0);
        }

        let ruleset = self.service.ruleset.load_full();
        let mut growing = Growing {
            ruleset: &ruleset,
            batch: Work::default(),
            current: BTreeMap::new(),
            resolutions: Vec::new(),
        };

        for (sequence, delivery) in &pending {
            self.delivery(&mut growing, *sequence, delivery)?;
        }

        let Growing { mut batch, current, resolutions, .. } = growing;
        let new = current.into_values().filter(|current| current.new);
        let transactions: Vec<_> = new.map(|current| current.transaction).collect();

        batch.decisions = self.decide(&ruleset, &transactions, &resolutions)?;
        self.record(&mut batch)?;
        self.shadow(&batch.decisions);

        Ok(pending.len())
    }

    fn delivery(
        &mut self,
        growing: &mut Growing<'_>,
        sequence: u64,
        delivery: &Delivery,
    ) -> Result<(), StoreError> {
        let dead = match understand(&self.service, growing.ruleset, &mut self.machines, delivery) {
            Ok(understood) => {
                let merges = merges(growing.ruleset, delivery);
                for row in understood.rows {
                    self.version(growing, sequence, merges, row)?;
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
    fn version(
        &self,
        growing: &mut Growing<'_>,
        sequence: u64,
        merges: bool,
        row: (Record, Arc<Transaction>),
    ) -> Result<(), StoreError> {
        let id = row.1.id.to_string();
        if !growing.current.contains_key(&id)
            && let Some(stored) = self.service.ledger.transaction(&id)?
        {
            // Read by the types of today, so that a corrected column is no new version.
            let fields = Arc::clone(&growing.ruleset.settings.fields);
            let transaction = Arc::new(Decoder::new(fields).decode(&stored.record));
            let current = Current { record: stored.record, transaction, new: false };
            growing.current.insert(id.clone(), current);
            growing.resolutions.extend(self.service.ledger.resolutions(&id)?);
        }

        let Some(current) = growing.current.get(&id) else {
            let (record, transaction) = row;
            let version = Version { id: id.clone(), record, sequence, superseded: false };
            let record = version.record.clone();
            growing.batch.versions.push(version);
            growing.current.insert(id, Current { record, transaction, new: true });
            return Ok(());
        };

        let fields = &growing.ruleset.settings.fields;
        let (record, transaction) =
            next_version(fields, merges, (&current.record, &current.transaction), row);
        let order = version::compare(&current.transaction, &transaction);
        if order.is_eq() {
            return Ok(());
        }

        let superseded = order.is_lt();
        let version = Version { id: id.clone(), record: record.clone(), sequence, superseded };
        growing.batch.versions.push(version);
        if !superseded {
            growing.current.insert(id, Current { record, transaction, new: true });
        }
        Ok(())
    }

    /// Decides transactions on one ruleset, all plans; results in order.
    pub(super) fn decide(
        &self,
        ruleset: &Ruleset,
        transactions: &[Arc<Transaction>],
        resolutions: &[Resolution],
    ) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
        let inputs = explain::inputs(Some(self.service.business_date()), resolutions)?;
        let threads = std::thread::available_parallelism().map_or(1, Into::into);

        let decided = calculation::decide_all(ruleset, transactions, &inputs, threads);
        let ids = transactions.iter().map(|transaction| transaction.id.to_string());
        let rows = decided.iter().map(|plans| {
            plans.iter().map(|decided| row::decision(ruleset, decided)).collect::<Vec<_>>()
        });

        Ok(ids.zip(rows).collect())
    }

    /// Records a round of work, with what is posted because periods are finalized.
    pub(super) fn record(&mut self, batch: &mut Work) -> Result<(), StoreError> {
        let finalized = self.finalized()?;
        if !finalized.is_empty() {
            let calendar = self.service.ruleset.load().settings.calendar.clone();
            for (id, decisions) in &mut batch.decisions {
                let frozen = self.service.ledger.frozen(id)?;
                posting::settle(decisions, &frozen, &calendar, &finalized);
            }
        }
        self.write(batch)
    }

    /// Records a round of work as it is.
    pub(super) fn write(&mut self, batch: &Work) -> Result<(), StoreError> {
        let started = std::time::Instant::now();
        self.service.ledger.record(batch)?;
        self.note_timeouts(&batch.decisions);
        self.service.metrics.commit(started.elapsed());
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        let decisions = batch.decisions.iter().flat_map(|(_, decisions)| decisions);
        for credit in decisions.flat_map(|decision| &decision.credits) {
            *counts.entry(credit.status.name()).or_default() += 1;
        }
        counts.into_iter().for_each(|(status, count)| self.service.metrics.credits(status, count));
        Ok(())
    }
}
