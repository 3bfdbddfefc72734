//! Deals that people made void: who did that and why, in the trail.
//!
//! Not the deal (`record`): its new version has the remark. Source: REWARDS section 7.
//!
//! **Architecture invariant:** the act is recorded in the commit of the version and of the decisions
//! that follow from it.

use accredit_domain::decision::Approval;
use accredit_seams::store::{Snapshot, WriteBatch};
use serde_json::json;

use super::audit::AuditChain;
use super::{LedgerResult, approvals};

/// An act by which a deal became void.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DealVoiding {
    /// Natural key of the deal.
    pub transaction: String,
    /// The version that is void.
    pub version: u32,
    /// The user who asked for it.
    pub who: String,
    /// The reason that the user gave.
    pub reason: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// Who approved it, where a second person had to.
    pub approved: Option<Approval>,
}

/// Adds an act to the trail, in the commit of what follows from it.
pub(super) fn add_voiding(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    chain: &mut AuditChain,
    act: &DealVoiding,
) -> LedgerResult<()> {
    let DealVoiding { transaction, version, reason, approved, .. } = act;
    let detail = json!({
        "transaction": transaction, "version": version, "reason": reason, "approved": approved,
    });
    chain.append_row(batch, act.at_ms, (act.who.as_str(), "voided"), detail)?;
    approvals::record_approval(snapshot, batch, chain, approved.as_ref(), act.at_ms)
}
