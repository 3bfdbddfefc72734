//! Periods that people closed, reopened or finalized, and the rows that were frozen with them.
//!
//! Not the rules of posting (`posting`) and not where a period stands by the calendar (`calendar`).
//! A period is closed or finalized in the commit that freezes its rows, and reopened in the commit
//! that lets them go (`record`). Called by operations. Source: DOMAIN 2.11, 2.12.
//!
//! **Architecture invariant:** a finalized period and its frozen rows are never changed or removed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::audit::AuditChain;
use super::record::natural_key;
use super::{Ledger, LedgerResult, approvals, codec};
use accredit_domain::calendar::LockedPeriods;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Approval;
use accredit_domain::keys::PeriodKey;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};
use utoipa::ToSchema;

/// What people said about a leaf period last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PeriodState {
    /// `open`, `closed` or `finalized`.
    pub state: String,
    /// The business date of it, ISO.
    #[schema(format = Date)]
    pub day: String,
    /// Who closed or opened it: a token's name.
    pub who: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The reason as it was given.
    pub reason: Option<String>,
    /// Who approved it, where a second person had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub approved: Option<Approval>,
    /// Whether the rows of the period were frozen with this.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
}

/// The word for a period that never changes again.
pub const FINALIZED: &str = "finalized";

/// The word for a period that takes no new entries until it is reopened.
pub const CLOSED: &str = "closed";

/// The word for a period that was reopened.
pub const OPEN: &str = "open";

impl PeriodState {
    /// Whether the period takes no new entries until it is reopened. Version 0.1.0 froze nothing
    /// when it closed a period: such a period takes entries until its rows are frozen.
    pub fn is_closed(&self) -> bool {
        self.state == CLOSED && self.frozen
    }
}

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
pub(super) fn finalized_leaves(snapshot: &dyn Snapshot) -> LedgerResult<BTreeSet<PeriodKey>> {
    let states = read_states(snapshot)?.into_iter();
    Ok(states.filter(|(_, said)| said.state == FINALIZED).map(|(leaf, _)| leaf.into()).collect())
}

/// Adds what is said of a period to the commit that freezes its rows or lets them go.
pub(super) fn add_state(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    chain: &mut AuditChain,
    (leaf, said): (&str, &PeriodState),
) -> LedgerResult<()> {
    let before = snapshot.get(StoreTable::Periods, leaf.as_bytes())?;
    let before = before.map(|row| codec::from_json::<PeriodState>(&row)).transpose()?;
    put_state(batch, leaf, said)?;

    let what = if said.state == OPEN { "reopened" } else { &said.state };
    let detail = serde_json::json!({
        "period": leaf, "day": said.day, "reason": said.reason,
        "before": before.map_or_else(|| OPEN.to_owned(), |before| before.state),
        "after": said.state,
    });
    chain.append_row(batch, said.at_ms, (&said.who, what), detail)?;
    approvals::record_approval(snapshot, batch, chain, said.approved.as_ref(), said.at_ms)
}

impl Ledger {
    /// What people said about leaf periods, by id.
    pub fn period_states(&self) -> LedgerResult<BTreeMap<String, PeriodState>> {
        read_states(&*self.snapshot()?)
    }

    /// Ids of the leaf periods that are finalized.
    pub fn finalized_periods(&self) -> LedgerResult<BTreeSet<PeriodKey>> {
        finalized_leaves(&*self.snapshot()?)
    }

    /// The leaf periods that take no new entries.
    pub fn locked_periods(&self) -> LedgerResult<LockedPeriods> {
        let mut locked = LockedPeriods::default();
        for (leaf, said) in self.period_states()? {
            if said.state == FINALIZED {
                locked.finalized.insert(leaf.into());
            } else if said.is_closed() {
                locked.closed.insert(leaf.into());
            }
        }
        Ok(locked)
    }

    /// The frozen rows of a transaction, in the order in which they were frozen.
    pub fn frozen_credits(&self, transaction: &str) -> LedgerResult<Vec<PostedCredit>> {
        let row = self.snapshot()?.get(StoreTable::Frozen, &natural_key(transaction))?;
        row.map_or_else(|| Ok(Vec::new()), |row| codec::unpack_row(&row))
    }
}
