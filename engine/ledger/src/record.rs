//! Transactions and what was decided about them, a row each.

mod parts;
mod touched;

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::audit::AuditChain;
use super::fetches::PendingFetch;
use super::manual_credits::{self, ManualCreditAct};
use super::names::NewNames;
use super::outbox::DealEvents;
use super::periods::{self, PeriodState};
use super::recredit::{self, RecreditProgress};
use super::resolutions::{self, TargetState};
use super::voids::{self, DealVoiding};
use super::{Ledger, LedgerResult, codec, frozen_rewards, lock_mutex};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, CreditStatus, transaction_prefix};
use accredit_domain::decision::{Decision, DecisionOutcome, FrozenRewards, ResolutionRecord};
use accredit_domain::money::add_to_total;
use accredit_domain::transaction::Record;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};
use touched::TouchedDeals;
use utoipa::ToSchema;

/// A transaction as it is stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransactionRecord {
    /// Its number, by first receipt, from 0.
    pub number: u64,
    /// Natural key of the transaction.
    pub id: String,
    /// 1 for the first content, and one more for every other.
    pub version: u32,
    /// Versions that came later than a newer one.
    pub superseded: u32,
    /// The delivery that brought this content.
    pub delivery: u64,
    /// The row as delivered.
    pub record: Record,
    /// What was decided, a plan each.
    pub decisions: Vec<Decision>,
}

impl TransactionRecord {
    /// A transaction with its first content. Its number is assigned when it is recorded.
    pub fn first_version(id: String, record: Record, delivery: u64) -> TransactionRecord {
        TransactionRecord { id, version: 1, delivery, record, ..TransactionRecord::default() }
    }

    /// Takes new content. Gives the former content for the history, with the delivery that brought
    /// it.
    pub fn replace_content(&mut self, record: Record, delivery: u64) -> (u64, Record) {
        self.version += 1;
        let former = std::mem::replace(&mut self.record, record);
        (std::mem::replace(&mut self.delivery, delivery), former)
    }
}

/// What one round of work found out: recorded together.
#[derive(Debug, Clone, Default)]
pub struct CommitBatch {
    /// When it is recorded, in milliseconds since 1970: the time of its events.
    pub at_ms: i64,
    /// Deliveries that are done, with the reason of those that are dead letters.
    pub done: Vec<(u64, Option<String>)>,
    /// What has to be fetched for deliveries that are done.
    pub fetches: Vec<PendingFetch>,
    /// Transactions that versions arrived of, as they become, in order of arrival. A new one gets its
    /// number here, and each keeps the decisions that are stored, unless `decisions` has others.
    pub records: Vec<TransactionRecord>,
    /// Content for the history alone, in order: versions that came late, and content that a later
    /// version replaced. Each with its natural key and the delivery that brought it.
    pub history: Vec<(String, u64, Record)>,
    /// Decisions a transaction, all plans: of every transaction with a new version, and of those
    /// that were decided again.
    pub decisions: Vec<(String, Vec<Decision>)>,
    /// A leaf period that is closed, reopened or finalized with this work, and who did that.
    pub period: Option<(String, PeriodState)>,
    /// Rewards that are frozen with the period that is finalized.
    pub frozen_rewards: Vec<FrozenRewards>,
    /// All frozen rows of transactions whose frozen rows change, by natural key.
    pub frozen: Vec<(String, Vec<PostedCredit>)>,
    /// Manual releases, holds and adjustments that `decisions` were made with, and when each was
    /// made, in milliseconds since 1970.
    pub resolutions: Vec<(ResolutionRecord, i64)>,
    /// A deal that a person made void; `records` has its new version.
    pub voided: Option<DealVoiding>,
    /// An act by which a person gave a credit or took one back; `records` has its row.
    pub manual_credit: Option<ManualCreditAct>,
    /// How far credits are decided again that an activation asked for.
    pub recredited: Option<RecreditProgress>,
}

impl CommitBatch {
    /// Whether the trail has to speak of it.
    fn is_audited(&self) -> bool {
        let by_people = self.period.is_some() || self.voided.is_some();
        let by_people = by_people || self.manual_credit.is_some();
        by_people || !self.resolutions.is_empty() || self.recredited.is_some()
    }
}

/// Counts of the recorded rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[expect(missing_docs, reason = "the names say what is counted")]
pub struct LedgerCounts {
    pub transactions: i64,
    /// Direct and indirect, held ones included, suppressed ones not.
    pub credits: i64,
    pub direct: i64,
    pub indirect: i64,
    pub held: i64,
    pub suppressed: i64,
    pub uncredited: i64,
    pub parked: i64,
    /// Direct credits that are not suppressed, summed by unit type; a sum that no decimal holds
    /// stays at the largest one.
    pub credited: BTreeMap<String, Decimal>,
}

impl LedgerCounts {
    pub(super) fn add_decisions(&mut self, decisions: &[Decision], sign: i64) {
        for decision in decisions {
            self.add_outcome(decision.outcome, sign);
            for credit in &decision.credits {
                self.add_credit(credit, sign);
            }
        }
    }

    /// Adds those of another part.
    pub fn merge(&mut self, other: &LedgerCounts) {
        self.transactions = self.transactions.saturating_add(other.transactions);
        self.credits = self.credits.saturating_add(other.credits);
        self.direct = self.direct.saturating_add(other.direct);
        self.indirect = self.indirect.saturating_add(other.indirect);
        self.held = self.held.saturating_add(other.held);
        self.suppressed = self.suppressed.saturating_add(other.suppressed);
        self.uncredited = self.uncredited.saturating_add(other.uncredited);
        self.parked = self.parked.saturating_add(other.parked);
        for (unit, amount) in &other.credited {
            add_to_total(self.credited.entry(unit.clone()).or_default(), *amount);
        }
    }

    pub(super) fn add_outcome(&mut self, outcome: DecisionOutcome, sign: i64) {
        match outcome {
            DecisionOutcome::Uncredited => self.uncredited = self.uncredited.saturating_add(sign),
            DecisionOutcome::Parked => self.parked = self.parked.saturating_add(sign),
            DecisionOutcome::Credited | DecisionOutcome::Filtered => (),
        }
    }

    pub(super) fn add_credit(&mut self, credit: &PostedCredit, sign: i64) {
        match credit.status {
            CreditStatus::Suppressed => {
                self.suppressed += sign;
                return;
            }
            CreditStatus::Void => return,
            CreditStatus::Held => self.held += sign,
            CreditStatus::Active => (),
        }

        self.credits += sign;

        if credit.is_direct() {
            self.direct += sign;
            let amount = if sign < 0 { -credit.amount } else { credit.amount };
            match self.credited.get_mut(&*credit.unit_type) {
                Some(sum) => add_to_total(sum, amount),
                None => {
                    self.credited.insert(credit.unit_type.to_string(), amount);
                }
            }
        } else {
            self.indirect += sign;
        }
    }
}

pub(super) const COUNTS_KEY: &[u8] = b"counts";
pub(super) const NEXT_NUMBER_KEY: &[u8] = b"next_transaction";

/// How many rounds of work were recorded.
const ROUNDS: &[u8] = b"rounds";

/// The key of a transaction's number: what its credits' ids begin with, then its natural key.
pub(super) fn natural_key(id: &str) -> Vec<u8> {
    [&transaction_prefix(id)[..], id.as_bytes()].concat()
}

/// Where the dates of release of the held credits of a transaction stand.
pub(super) fn hold_keys(number: u64, decisions: &[Decision]) -> BTreeSet<Vec<u8>> {
    let credits = decisions.iter().flat_map(|decision| &decision.credits);
    let held = credits.filter(|credit| credit.is_held());
    let dates = held.filter_map(|credit| credit.release_date);
    dates.map(|date| [date.to_string().as_bytes(), &codec::number_key(number)].concat()).collect()
}

/// Whether some plan could not decide it.
pub(super) fn is_parked(decisions: &[Decision]) -> bool {
    decisions.iter().any(|decision| decision.outcome == DecisionOutcome::Parked)
}

impl Ledger {
    /// Records a round of work in one commit. One caller decides and records at a time.
    ///
    /// # Errors
    /// When nothing was written, or when it is unknown whether it was.
    pub fn commit_batch(&self, work: &CommitBatch) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.records);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();
        take_turn(&*snapshot, &mut batch)?;

        let counts = snapshot.get(StoreTable::Meta, COUNTS_KEY)?;
        let mut counts: LedgerCounts =
            counts.map(|row| codec::unpack_row(&row)).transpose()?.unwrap_or_default();

        let names = NewNames::beyond(self.names.load(&*snapshot)?);
        let mut deals = TouchedDeals::new(self.deal_rows(&*snapshot))?;

        let mut arrived = Vec::with_capacity(work.records.len());
        for record in &work.records {
            arrived.push(deals.assign_number(&record.id, &mut batch)?);
        }
        deals.open_deals(&arrived)?;
        for (number, record) in arrived.into_iter().zip(&work.records) {
            deals.open_deal(number)?.record = Some(record);
        }

        for (id, delivery, record) in &work.history {
            let number = deals.assign_number(id, &mut batch)?;
            let key = [codec::number_key(number), codec::number_key(*delivery)].concat();
            batch.put_row(StoreTable::History, key, codec::pack_row(record)?);
        }

        let mut decided = Vec::with_capacity(work.decisions.len());
        for (id, _) in &work.decisions {
            decided.push(deals.assign_number(id, &mut batch)?);
        }
        deals.open_deals(&decided)?;
        for (number, (_, decisions)) in decided.into_iter().zip(&work.decisions) {
            deals.open_deal(number)?.decisions = Some(decisions);
        }

        counts.transactions += deals.added;
        batch.put_row(StoreTable::Meta, NEXT_NUMBER_KEY, codec::number_key(deals.next));
        let events = DealEvents::new(self.event_writer(work.at_ms));
        let names = parts::write_deals(deals, (names, &events), &mut counts, &mut batch)?;
        batch.put_row(StoreTable::Meta, COUNTS_KEY, codec::pack_row(&counts)?);

        for (id, rows) in &work.frozen {
            batch.put_row(StoreTable::Frozen, natural_key(id), codec::pack_row(rows)?);
        }

        let _audit = work.is_audited().then(|| lock_mutex(&self.others));
        if work.is_audited() {
            // A trail that grew since the snapshot would be a conflict: it is read again here.
            self.append_audit_rows(work, &*self.snapshot()?, &mut batch)?;
        }

        finish_deliveries(work, &mut batch)?;
        self.commit_changes(&batch)?;
        names.keep_in(&self.names);
        Ok(())
    }

    /// How many rounds of work were recorded, by any process: who has counted them all knows of every deal
    /// that changed.
    pub fn recorded_rounds(&self) -> LedgerResult<u64> {
        let rounds = self.snapshot()?.get(StoreTable::Meta, ROUNDS)?;
        Ok(rounds.map_or(0, |row| codec::key_number(&row)))
    }

    /// How many there are of everything.
    pub fn counts(&self) -> LedgerResult<LedgerCounts> {
        let row = self.snapshot()?.get(StoreTable::Meta, COUNTS_KEY)?;
        Ok(row.map(|row| codec::unpack_row(&row)).transpose()?.unwrap_or_default())
    }
}

/// Lets the commit conflict when another process recorded something since the snapshot: what was
/// read of deals, statements, names and counts may have changed then.
pub(super) fn take_turn(snapshot: &dyn Snapshot, batch: &mut WriteBatch) -> LedgerResult<()> {
    let known = snapshot.get(StoreTable::Meta, ROUNDS)?;
    let rounds = known.as_ref().map_or(0, |row| codec::key_number(row));

    batch.expect_row(StoreTable::Meta, ROUNDS, known);
    batch.put_row(StoreTable::Meta, ROUNDS, codec::number_key(rounds + 1));
    Ok(())
}

impl Ledger {
    /// Adds what people and activations asked for, with its rows of the trail.
    fn append_audit_rows(
        &self,
        work: &CommitBatch,
        snapshot: &dyn Snapshot,
        batch: &mut WriteBatch,
    ) -> LedgerResult<()> {
        let mut chain = AuditChain::from_snapshot(snapshot)?;
        let states = |credit: &CreditId| {
            let before = self.stored_credit(snapshot, credit)?;
            let decided = work.decisions.iter().flat_map(|(_, decisions)| decisions);
            let after =
                decided.flat_map(|decision| &decision.credits).find(|one| one.id == *credit);
            let state = |credit: Option<&PostedCredit>| {
                credit.map_or(TargetState::Null, resolutions::credit_state)
            };
            Ok((state(before.as_ref()), state(after)))
        };
        let made = &work.resolutions;
        resolutions::add_resolutions(snapshot, batch, &mut chain, made, &states)?;

        if let Some(act) = &work.voided {
            voids::add_voiding(snapshot, batch, &mut chain, act)?;
        }
        if let Some(act) = &work.manual_credit {
            manual_credits::add_act(snapshot, batch, &mut chain, act)?;
        }
        for frozen in &work.frozen_rewards {
            frozen_rewards::freeze_rewards(snapshot, batch, frozen)?;
        }
        if let Some((leaf, said)) = &work.period {
            periods::add_state(snapshot, batch, &mut chain, (leaf, said))?;
        }
        if let Some(progress) = &work.recredited {
            recredit::record_progress(snapshot, batch, &mut chain, progress)?;
        }
        Ok(())
    }
}

fn finish_deliveries(work: &CommitBatch, batch: &mut WriteBatch) -> LedgerResult<()> {
    for (sequence, dead) in &work.done {
        batch.delete_row(StoreTable::Pending, codec::number_key(*sequence));
        if let Some(reason) = dead {
            batch.put_row(StoreTable::Dead, codec::number_key(*sequence), reason.as_str());
        }
    }
    for fetch in &work.fetches {
        fetch.put_row(batch)?;
    }
    let rows = work.records.iter().map(|stored| &stored.record);
    let rows = rows.chain(work.history.iter().map(|(_, _, record)| record));
    let (mut columns, mut former) = (BTreeSet::new(), Vec::new());
    for row in rows {
        let own = || row.delivered_cells().iter().map(|(column, _)| column.as_str());
        // Rows of one file have the same columns.
        if !own().eq(former.iter().copied()) {
            former = own().collect();
            columns.extend(own());
        }
    }
    columns.into_iter().for_each(|column| batch.put_row(StoreTable::Columns, column, ""));
    Ok(())
}
