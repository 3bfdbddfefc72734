//! Calculations: what there is of every plan in every leaf period, counted as decisions change, with
//! a revision that goes up when the content does.
//!
//! Not deciding and not releasing (`releases`). The content is known by a sum of hashes, so that
//! one changed deal costs one subtraction and one addition, for any size of the period. Called by
//! `record` and by the host. Source: DESIGN section 6, DOMAIN INV-G1.
//!
//! Rewards are computed on request. Changes of rewards by an activation are counted separately.
//!
//! **Architecture invariant:** the same credits and notes have the same fingerprint in any order of
//! arrival; the ruleset and the business date of a decision are no content.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::deal_rows::BLOCK_TRANSACTIONS;
use super::record::{LedgerCounts, TransactionRecord};
use super::{Ledger, LedgerResult, codec};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::{PeriodKey, PlanKey};
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

/// How often other rules changed what the credits of a plan in a period are worth, by plan and
/// period; none stands where they never did.
pub type RestatementCounts = BTreeMap<(String, String), u32>;

/// The period id of deals without a period. They are parked until their date is corrected.
pub const NO_PERIOD: &str = "";

/// A plan in a leaf period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalculationSummary {
    /// Goes up with every commit that changed the content, from 1.
    pub revision: u32,
    /// Of the content: the sum of hashes of its credits and notes.
    fingerprint: [u8; 16],
    /// Counts of the rows.
    pub counts: LedgerCounts,
}

/// A plan and a leaf period.
type PlanAndPeriod = (String, String);

/// By how much a round of work changes summaries, or a part of it does.
#[derive(Default)]
pub(super) struct SummaryChanges {
    /// What comes to each summary; their revisions say nothing.
    differences: BTreeMap<(PlanKey, PeriodKey), CalculationSummary>,
    /// Leaf periods with a block that has something of them.
    spans: BTreeSet<(PeriodKey, u64)>,
    /// The bytes of a credit while they are hashed.
    hashed: Vec<u8>,
}

impl SummaryChanges {
    /// Takes the decisions of a deal as they were out, and puts them in as they are.
    pub(super) fn replace_deal(
        &mut self,
        number: u64,
        before: &[Decision],
        after: &[Decision],
    ) -> LedgerResult<()> {
        for decision in before {
            self.add_decision(decision, -1)?;
        }

        let block = number / BLOCK_TRANSACTIONS;
        for decision in after {
            self.add_decision(decision, 1)?;

            let rows = decision.credits.iter().map(|row| row.period);
            let own = decision.period.unwrap_or_else(|| PeriodKey::from(NO_PERIOD));
            let own = (decision.outcome != DecisionOutcome::Filtered).then_some(own);
            self.spans.extend(rows.chain(own).map(|period| (period, block)));
        }

        Ok(())
    }

    fn add_decision(&mut self, decision: &Decision, sign: i64) -> LedgerResult<()> {
        if decision.outcome != DecisionOutcome::Filtered {
            let period = decision.period.unwrap_or_else(|| PeriodKey::from(NO_PERIOD));
            let hash = content_fingerprint(&(
                &decision.transaction,
                decision.outcome,
                &decision.reasons,
                &decision.alerts,
                &decision.log,
            ))?;
            let summary = self.differences.entry((decision.plan, period)).or_default();
            summary.mix_fingerprint(hash, sign);
            summary.counts.transactions += sign;
            summary.counts.add_outcome(decision.outcome, sign);
        }

        for row in &decision.credits {
            let hash = self.credit_fingerprint(row);
            let summary = self.differences.entry((decision.plan, row.period)).or_default();
            summary.mix_fingerprint(hash, sign);
            summary.counts.add_credit(row, sign);
        }

        Ok(())
    }

    /// The hash of a credit. Its id stands for what it is a hash of: deal, plan, rule, result, recipient,
    /// relationship, via and source. The ruleset's hash differs after every change, and is no other
    /// result.
    fn credit_fingerprint(&mut self, row: &PostedCredit) -> u128 {
        let bytes = &mut self.hashed;
        bytes.clear();
        bytes.extend_from_slice(&row.id.0);
        bytes.extend([row.kind as u8, row.status as u8, row.origin as u8]);
        bytes.extend(row.amount.serialize());
        bytes.extend(row.share.map_or([0xff; 16], |share| share.serialize()));
        bytes.extend(row.level.map_or(0, |level| u64::from(level) + 1).to_le_bytes());
        bytes.extend(row.reverses.map_or([0; 16], |entry| entry.0));

        for date in [Some(row.incentive_date), row.release_date] {
            let parts = date.map_or((0, 0, 0), |date| (date.year(), date.month(), date.day()));
            bytes.extend(parts.0.to_le_bytes());
            bytes.extend([parts.1 as u8, parts.2 as u8]);
        }

        let texts = [
            row.payee.as_deref(),
            row.team.as_deref(),
            Some(&*row.period),
            Some(&*row.credit_type),
            Some(&*row.unit_type),
            row.reason.as_deref(),
            row.reason_code.as_deref(),
        ];
        for text in texts {
            // One more than its length, so that a blank text is not none.
            let length = text.map_or(0, |text| text.len() as u64 + 1);
            bytes.extend(length.to_le_bytes());
            bytes.extend_from_slice(text.unwrap_or_default().as_bytes());
        }
        hash_head(bytes)
    }

    /// Adds those of another part.
    pub(super) fn merge(&mut self, other: SummaryChanges) {
        for (key, difference) in other.differences {
            self.differences.entry(key).or_default().add(&difference);
        }
        self.spans.extend(other.spans);
    }

    /// Writes the summaries as they become.
    pub(super) fn write_changes(
        self,
        snapshot: &dyn Snapshot,
        batch: &mut WriteBatch,
    ) -> LedgerResult<()> {
        for ((plan, period), difference) in self.differences {
            let key = codec::parts_key(&[&plan, &period]);
            let before = snapshot.get(StoreTable::Calculations, &key)?;
            let before: CalculationSummary =
                before.map(|row| codec::unpack_row(&row)).transpose()?.unwrap_or_default();

            let mut after = before.clone();
            after.add(&difference);
            // A revision says that the result is another one, not that it was written again.
            if before.fingerprint != after.fingerprint {
                after.revision += 1;
            }
            if before != after {
                batch.put_row(StoreTable::Calculations, key, codec::pack_row(&after)?);
            }
        }

        for (period, block) in self.spans {
            let key = [&codec::parts_key(&[&period])[..], &codec::number_key(block)].concat();
            batch.put_row(StoreTable::Spans, key, "");
        }

        Ok(())
    }
}

impl CalculationSummary {
    /// Adds a difference; the revision stays.
    fn add(&mut self, difference: &CalculationSummary) {
        self.mix_fingerprint(u128::from_be_bytes(difference.fingerprint), 1);
        self.counts.merge(&difference.counts);
    }

    fn mix_fingerprint(&mut self, hash: u128, sign: i64) {
        let sum = u128::from_be_bytes(self.fingerprint);
        let sum = if sign < 0 { sum.wrapping_sub(hash) } else { sum.wrapping_add(hash) };
        self.fingerprint = sum.to_be_bytes();
    }
}

/// Counts that an activation changes what credits are worth, in these periods of plans.
pub(super) fn count_restatements(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    periods: &BTreeMap<String, BTreeSet<PeriodKey>>,
) -> LedgerResult<()> {
    for (plan, periods) in periods {
        for period in periods {
            let key = codec::parts_key(&[plan, period]);
            let known = snapshot.get(StoreTable::Restated, &key)?;
            let known: u32 =
                known.map(|row| codec::unpack_row(&row)).transpose()?.unwrap_or_default();
            batch.put_row(StoreTable::Restated, key, codec::pack_row(&(known + 1))?);
        }
    }

    Ok(())
}

/// The plan and the period of a key.
fn key_of(key: &[u8]) -> PlanAndPeriod {
    let mut parts = key.split(|byte| *byte == 0);
    let mut part = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    (part(), part())
}

fn content_fingerprint(content: &impl Serialize) -> LedgerResult<u128> {
    Ok(hash_head(&codec::pack_row(content)?))
}

fn hash_head(bytes: &[u8]) -> u128 {
    let mut head = [0; 16];
    head.copy_from_slice(blake3::hash(bytes).as_bytes().split_at(16).0);
    u128::from_be_bytes(head)
}

impl Ledger {
    /// Every plan in every leaf period that anything was decided in, by plan and period; what has no
    /// period stands under [`NO_PERIOD`].
    pub fn calculation_summaries(
        &self,
    ) -> LedgerResult<BTreeMap<(String, String), CalculationSummary>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Calculations, b"", b"", usize::MAX)?;
        rows.into_iter().map(|(key, row)| Ok((key_of(&key), codec::unpack_row(&row)?))).collect()
    }

    /// How often other rules changed what credits are worth. Periods are of any kind here: those
    /// that a calculation can be asked for.
    pub fn restatement_counts(&self) -> LedgerResult<RestatementCounts> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Restated, b"", b"", usize::MAX)?;
        rows.into_iter().map(|(key, row)| Ok((key_of(&key), codec::unpack_row(&row)?))).collect()
    }

    /// Calls `look` for every stored transaction that may have something in one of `leaves`, or has
    /// no period; for every one at all without `leaves`. In order of first receipt.
    ///
    /// # Errors
    /// When the data cannot be read, or what `look` found.
    pub fn visit_transactions(
        &self,
        leaves: Option<&BTreeSet<PeriodKey>>,
        look: &mut dyn FnMut(TransactionRecord) -> LedgerResult<()>,
    ) -> LedgerResult<()> {
        let snapshot = self.snapshot()?;

        let mut blocks: BTreeSet<u64> = BTreeSet::new();
        match leaves {
            None => {
                let mut from = 0;
                while let Some((stored, next)) = self.records_from(from)? {
                    stored.into_iter().try_for_each(&mut *look)?;
                    from = next;
                }
            }
            Some(leaves) => {
                let leaves = leaves.iter().map(PeriodKey::as_str).chain([NO_PERIOD]);
                // Deals without a period are in every calculation, until their date is corrected.
                for leaf in leaves {
                    let prefix = codec::parts_key(&[leaf]);
                    let rows = snapshot.scan_prefix(StoreTable::Spans, &prefix, b"", usize::MAX)?;
                    blocks.extend(rows.iter().map(|(key, _)| codec::key_number(key)));
                }
            }
        }

        for number in blocks {
            self.deal_rows(&*snapshot).block(number)?.into_iter().try_for_each(&mut *look)?;
        }

        Ok(())
    }
}
