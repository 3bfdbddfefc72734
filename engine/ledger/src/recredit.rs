//! Credits that an activation wants decided again: what is asked for, how far it got, and the
//! questions about existing credits that a change of rules raises.
//!
//! Not deciding (the host's worker does, batch by batch). The wish is kept with the activation, so
//! that a stop in the middle loses nothing. Called by the host. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a wish ends only when every transaction that it covers was looked at
//! after the last activation.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::audit::AuditChain;
use super::deal_rows::BLOCK_TRANSACTIONS;
use super::definitions::{Activation, Effective};
use super::record::{CommitBatch, TransactionRecord};
use super::{Ledger, LedgerResult, codec, lock_mutex};
use accredit_domain::decision::Decision;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

const RECREDIT_KEY: &[u8] = b"recredit";

const REDRIVE_KEY: &[u8] = b"redrive";

/// An activation's request to try parked deals again, which stands until it was done once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RedriveRequest {
    /// The activation that asked for it last.
    pub activation: u64,
    /// The ruleset of that activation, which decides.
    pub ruleset: String,
}

/// Adds the request to try parked deals again to the commit of an activation.
pub(super) fn ask_redrive(batch: &mut WriteBatch, activation: &Activation) -> LedgerResult<()> {
    let (ruleset, activation) = (activation.ruleset.clone(), activation.sequence);
    batch.put_row(
        StoreTable::Meta,
        REDRIVE_KEY,
        codec::to_json(&RedriveRequest { activation, ruleset })?,
    );
    Ok(())
}

/// Transactions to be decided again, and how far that is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecreditRequest {
    /// The activation that asked for it last.
    pub activation: u64,
    /// The ruleset of that activation, which decides.
    pub ruleset: String,
    /// Which transactions are decided again.
    pub effective: Effective,
    /// From which incentive date finalized periods are meant as well: what differs in them is posted
    /// in an open one.
    #[serde(default)]
    pub reaching: Option<Date>,
    /// The number of the next transaction to look at.
    pub next: u64,
    /// How many were decided again: the others come out alike, and stay as they are.
    pub decided: u64,
    /// How many were read to find those.
    #[serde(default)]
    pub looked_at: u64,
}

/// What decided stored transactions, plan by plan, seen from one ruleset.
#[derive(Debug, Clone)]
pub struct DecisionPins {
    /// Plan hashes by ruleset.
    known: HashMap<String, BTreeMap<String, String>>,
    /// Plan hashes of the wanted ruleset.
    wanted: BTreeMap<String, String>,
}

impl DecisionPins {
    /// From every activation, and the plan hashes of the ruleset that is to decide.
    pub fn new(activations: &[Activation], wanted: BTreeMap<String, String>) -> DecisionPins {
        let known = activations.iter();
        let known = known.map(|one| (one.ruleset.clone(), one.plans.clone())).collect();
        DecisionPins { known, wanted }
    }

    /// Whether the wanted ruleset might make a decision differently: the hash of its plan differs or
    /// is not known.
    pub fn is_stale(&self, decision: &Decision) -> bool {
        self.is_other_plan(&decision.plan, &decision.ruleset)
    }

    /// Whether a plan of the ruleset with this hash is another one than that of the wanted ruleset, or one of
    /// the two is not known.
    pub fn is_other_plan(&self, plan: &str, ruleset: &str) -> bool {
        let decided = self.known.get(ruleset).and_then(|plans| plans.get(plan));
        decided.is_none() || decided != self.wanted.get(plan)
    }

    /// The ids of the plans of the wanted ruleset.
    pub fn wanted_plans(&self) -> impl Iterator<Item = &str> {
        self.wanted.keys().map(String::as_str)
    }

    /// The plans whose decision another ruleset might make differently: those whose hash differs or
    /// is not known, those without a decision, those that are gone.
    pub fn stale_plans(&self, decisions: &[Decision]) -> BTreeSet<String> {
        let other = decisions.iter().filter(|decision| self.is_stale(decision));
        let mut stale: BTreeSet<String> = other.map(|decision| decision.plan.to_string()).collect();

        let new = self.wanted.keys().filter(|plan| {
            let mut known = decisions.iter();
            !known.any(|decision| decision.plan == **plan)
        });

        stale.extend(new.cloned());
        stale
    }
}

/// Adds the wish of an activation to its commit. A wish that is not fulfilled yet is widened: its
/// transactions are looked at again, by the newest rules.
pub(super) fn request_recredit(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    activation: &Activation,
) -> LedgerResult<()> {
    let waiting = read_request(snapshot)?;
    let known = waiting.as_ref().map(|waiting| waiting.effective);
    // `recredit` covers every date and no finalized period: a date that was asked for stays asked.
    let dates = [Some(activation.terms.effective), known].into_iter().flatten();
    let dates = dates.filter_map(Effective::reach_date);
    let reaching = dates.chain(waiting.and_then(|waiting| waiting.reaching)).min();

    let effective = match (activation.terms.effective, known) {
        (Effective::Now, None) => return Ok(()),
        (Effective::Now, Some(known)) => known,
        (Effective::From(new), Some(Effective::From(old))) => Effective::From(new.min(old)),
        (_, Some(Effective::Recredit)) | (Effective::Recredit, _) => Effective::Recredit,
        (new, _) => new,
    };

    let ruleset = activation.ruleset.clone();
    let activation = activation.sequence;
    let wish = RecreditRequest {
        activation,
        ruleset,
        effective,
        reaching,
        next: 0,
        decided: 0,
        looked_at: 0,
    };
    batch.put_row(StoreTable::Meta, RECREDIT_KEY, codec::to_json(&wish)?);
    Ok(())
}

fn read_request(snapshot: &dyn Snapshot) -> LedgerResult<Option<RecreditRequest>> {
    snapshot.get(StoreTable::Meta, RECREDIT_KEY)?.map(|row| codec::from_json(&row)).transpose()
}

/// How far a wish got.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecreditProgress {
    /// The wish as it was, with what is decided by now.
    pub known: RecreditRequest,
    /// Where to go on; none when it is fulfilled.
    pub next: Option<u64>,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
}

/// Adds how far a wish got to the commit of what was decided; nothing when another activation has
/// asked again since.
pub(super) fn record_progress(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    chain: &mut AuditChain,
    RecreditProgress { known, next, at_ms }: &RecreditProgress,
) -> LedgerResult<()> {
    if read_request(snapshot)?.is_none_or(|now| now.activation != known.activation) {
        return Ok(());
    }

    if let Some(next) = *next {
        batch.put_row(
            StoreTable::Meta,
            RECREDIT_KEY,
            codec::to_json(&RecreditRequest { next, ..known.clone() })?,
        );
        return Ok(());
    }
    batch.delete_row(StoreTable::Meta, RECREDIT_KEY);
    let detail = serde_json::json!({
        "activation": known.activation,
        "effective": known.effective,
        "transactions": known.decided,
        "looked_at": known.looked_at,
    });
    chain.append_row(batch, *at_ms, ("worker", "recredited"), detail)?;
    Ok(())
}

impl Ledger {
    /// The request to try parked deals again that was not carried out yet.
    pub fn redrive_request(&self) -> LedgerResult<Option<RedriveRequest>> {
        let row = self.snapshot()?.get(StoreTable::Meta, REDRIVE_KEY)?;
        row.map(|row| codec::from_json(&row)).transpose()
    }

    /// Ends a request to try parked deals again, unless another activation has asked since.
    pub fn redriven(&self, request: &RedriveRequest) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let row = self.snapshot()?.get(StoreTable::Meta, REDRIVE_KEY)?;
        let known: Option<RedriveRequest> =
            row.as_ref().map(|row| codec::from_json(row)).transpose()?;
        if known.as_ref() != Some(request) {
            return Ok(());
        }

        let mut batch = WriteBatch::default();
        batch.expect_row(StoreTable::Meta, REDRIVE_KEY, row);
        batch.delete_row(StoreTable::Meta, REDRIVE_KEY);
        self.commit_changes(&batch)
    }

    /// What has to be decided again, if anything has.
    pub fn pending_recredit(&self) -> LedgerResult<Option<RecreditRequest>> {
        read_request(&*self.snapshot()?)
    }

    /// Notes how far it got, or, with none, that it is done; nothing when another activation has
    /// asked again since.
    pub fn record_recredit_progress(
        &self,
        known: &RecreditRequest,
        next: Option<u64>,
        at_ms: i64,
    ) -> LedgerResult<()> {
        let progress = RecreditProgress { known: known.clone(), next, at_ms };
        self.commit_batch(&CommitBatch { recredited: Some(progress), ..CommitBatch::default() })
    }

    /// Stored transactions from number `from` on, a block's worth or fewer, and where to go on;
    /// none at the end.
    pub fn records_from(&self, from: u64) -> LedgerResult<Option<(Vec<TransactionRecord>, u64)>> {
        self.deal_rows(&*self.snapshot()?).rest_of_block(from)
    }

    /// Stored transactions from number `from` on, at most so many, and where to go on; they are read on
    /// every core.
    pub fn records_page(
        &self,
        from: u64,
        limit: usize,
    ) -> LedgerResult<(Vec<TransactionRecord>, Option<u64>)> {
        self.deal_rows(&*self.snapshot()?).page(from, limit)
    }

    /// The stored transactions with these numbers, in their order, without those that are not there.
    pub fn records_by_number(&self, numbers: &[u64]) -> LedgerResult<Vec<TransactionRecord>> {
        self.deal_rows(&*self.snapshot()?).find_numbers(numbers)
    }

    /// The same with these natural keys.
    pub fn records_by_id(&self, ids: &[&str]) -> LedgerResult<Vec<TransactionRecord>> {
        let snapshot = self.snapshot()?;
        let rows = self.deal_rows(&*snapshot);
        let mut numbers: Vec<u64> = rows.numbers_of(ids)?.into_iter().flatten().collect();
        numbers.sort_unstable();
        rows.find_numbers(&numbers)
    }

    /// Where to go on behind a block that cannot be read.
    pub fn block_after(&self, from: u64) -> u64 {
        (from / BLOCK_TRANSACTIONS + 1) * BLOCK_TRANSACTIONS
    }

    /// Whether a credit of this rule exists, of this result where one is named.
    pub fn has_credits(&self, plan: &str, rule: &str, result: Option<&str>) -> LedgerResult<bool> {
        let mut from = 0;
        // Page by page, so that a ledger of any size needs little memory.
        while let Some((stored, next)) = self.records_from(from)? {
            let decisions = stored.iter().flat_map(|stored| &stored.decisions);
            let mut credits = decisions.flat_map(|decision| &decision.credits);

            let found = credits.any(|credit| {
                credit.plan == plan
                    && credit.rule == rule
                    && result.is_none_or(|result| credit.result == result)
            });

            if found {
                return Ok(true);
            }

            from = next;
        }

        Ok(false)
    }
}
