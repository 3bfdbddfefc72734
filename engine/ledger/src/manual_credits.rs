//! Credits that people gave without a deal, and took back: every act, kept for ever.
//!
//! Not the credit (`record`): the row in place of a deal has it, with its decisions. Source: REWARDS
//! section 7.
//!
//! **Architecture invariant:** an act is recorded in the commit of the credits that follow from it,
//! with a row of the trail, and never changed.

use accredit_domain::credit::CreditId;
use accredit_domain::decision::Approval;
use accredit_domain::keys::PeriodKey;
use accredit_domain::transaction::{CreditAct, ManualCredit};
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};
use serde::{Deserialize, Serialize};

use super::audit::AuditChain;
use super::{Ledger, LedgerResult, approvals, codec};

/// An act by which a person gave a credit, or took one back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManualCreditAct {
    /// Its number, from 1.
    pub number: u64,
    /// The credit as the act left it.
    pub credit: ManualCredit,
    /// The direct entry that the act made.
    pub entry: CreditId,
    /// The period that was asked for, if one was.
    pub requested_period: Option<PeriodKey>,
    /// The entry that the act takes back.
    pub reverses: Option<CreditId>,
    /// What its sender names the request by, so that it is kept once.
    pub request_key: Option<String>,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// Who approved it, where a second person had to.
    pub approved: Option<Approval>,
}

impl ManualCreditAct {
    /// Who did it, when and why.
    pub fn act(&self) -> &CreditAct {
        match (&self.reverses, &self.credit.reversed) {
            (Some(_), Some(reversed)) => reversed,
            _ => &self.credit.given,
        }
    }
}

/// Adds an act with its row of the trail, in the commit of what follows from it.
pub(super) fn add_act(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    chain: &mut AuditChain,
    act: &ManualCreditAct,
) -> LedgerResult<()> {
    let key = codec::number_key(act.number);
    batch.expect_row(StoreTable::ManualCredits, key, None);
    batch.put_row(StoreTable::ManualCredits, key, codec::to_json(act)?);

    let what = if act.reverses.is_some() { "credit_reversed" } else { "credit_added" };
    let who = (act.act().who.as_str(), what);
    chain.append_row(batch, act.at_ms, who, codec::to_value(act)?)?;
    approvals::record_approval(snapshot, batch, chain, act.approved.as_ref(), act.at_ms)
}

impl Ledger {
    /// Every act by which people gave credits or took them back, oldest first.
    pub fn manual_credits(&self) -> LedgerResult<Vec<ManualCreditAct>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::ManualCredits, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }
}
