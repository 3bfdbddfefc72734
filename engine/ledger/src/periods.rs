//! Periods that people closed, reopened or finalized, and the rows that were frozen with them.
//!
//! Not the rules of posting (`posting`) and not where a period stands by the calendar (`calendar`).
//! A period is finalized in the commit that freezes its rows (`record`). Called by the host. Source:
//! DOMAIN 2.11, 2.12.
//!
//! **Architecture invariant:** a finalized period and its frozen rows are never changed or removed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::audit::AuditChain;
use super::record::natural_key;
use super::{Ledger, LedgerResult, approvals, codec, lock_mutex};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Approval;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

/// What people said about a leaf period last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeriodState {
    /// `open`, `closed` or `finalized`.
    pub state: String,
    /// The business date of it, ISO.
    pub day: String,
    /// Who closed or opened it: a token's name.
    pub who: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The reason as it was given.
    pub reason: Option<String>,
    /// Who approved it, where a second person had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approval>,
}

/// The word for a period that never changes again.
pub const FINALIZED: &str = "finalized";

fn put_state(batch: &mut WriteBatch, leaf: &str, said: &PeriodState) -> LedgerResult<()> {
    batch.put_row(StoreTable::Periods, leaf, codec::to_json(said)?);
    Ok(())
}

fn read_states(snapshot: &dyn Snapshot) -> LedgerResult<BTreeMap<String, PeriodState>> {
    let rows = snapshot.scan_prefix(StoreTable::Periods, b"", b"", usize::MAX)?;
    let rows = rows.into_iter().map(|(key, row)| {
        Ok((String::from_utf8_lossy(&key).into_owned(), codec::from_json(&row)?))
    });
    rows.collect()
}

/// Ids of the leaf periods that are finalized.
pub(super) fn finalized_leaves(snapshot: &dyn Snapshot) -> LedgerResult<BTreeSet<String>> {
    let states = read_states(snapshot)?.into_iter();
    Ok(states.filter(|(_, said)| said.state == FINALIZED).map(|(leaf, _)| leaf).collect())
}

/// Adds a finalization to the commit that freezes its rows.
pub(super) fn add_finalization(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    chain: &mut AuditChain,
    (leaf, said): (&str, &PeriodState),
) -> LedgerResult<()> {
    put_state(batch, leaf, said)?;
    let detail = serde_json::json!({"period": leaf, "day": said.day, "reason": said.reason});
    chain.append_row(batch, said.at_ms, (&said.who, FINALIZED), detail)?;
    approvals::record_approval(snapshot, batch, chain, said.approved.as_ref(), said.at_ms)
}

impl Ledger {
    /// What people said about leaf periods, by id.
    pub fn period_states(&self) -> LedgerResult<BTreeMap<String, PeriodState>> {
        read_states(&*self.snapshot()?)
    }

    /// Ids of the leaf periods that are finalized.
    pub fn finalized_periods(&self) -> LedgerResult<BTreeSet<String>> {
        finalized_leaves(&*self.snapshot()?)
    }

    /// Notes that leaf periods were closed or reopened; a finalized one stays as it is.
    pub fn set_period_state(&self, leaf: &str, said: &PeriodState) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;

        let known: Option<PeriodState> = snapshot
            .get(StoreTable::Periods, leaf.as_bytes())?
            .map(|row| codec::from_json(&row))
            .transpose()?;
        if known.is_some_and(|known| known.state == FINALIZED || known.state == said.state) {
            return Ok(());
        }

        let mut batch = WriteBatch::default();
        put_state(&mut batch, leaf, said)?;

        let what = if said.state == "open" { "reopened" } else { "closed" };
        let detail = serde_json::json!({"period": leaf, "day": said.day, "reason": said.reason});
        let mut chain = AuditChain::from_snapshot(&*snapshot)?;
        chain.append_row(&mut batch, said.at_ms, (&said.who, what), detail)?;
        let approved = said.approved.as_ref();
        approvals::record_approval(&*snapshot, &mut batch, &mut chain, approved, said.at_ms)?;

        self.commit_changes(&batch)
    }

    /// The frozen rows of a transaction, in the order in which they were frozen.
    pub fn frozen_credits(&self, transaction: &str) -> LedgerResult<Vec<PostedCredit>> {
        let row = self.snapshot()?.get(StoreTable::Frozen, &natural_key(transaction))?;
        row.map_or_else(|| Ok(Vec::new()), |row| codec::unpack_row(&row))
    }
}
