//! Requests that wait for a second person: adjustments, holds, releases and periods.
//!
//! Not changes of definitions (`changes`), which wait in the same way. Called by the host. Source:
//! DESIGN section 5.
//!
//! **Architecture invariant:** a request is approved in the commit that carries out what it asks
//! for, or in the last of them where it takes several; what does not wait any more cannot be carried
//! out.

use serde::{Deserialize, Serialize};

use super::audit::AuditChain;
use super::{Ledger, LedgerResult, codec, lock_mutex, next_number};
use accredit_domain::decision::Approval;
use accredit_seams::store::{Snapshot, StoreError, StoreTable, WriteBatch};
use utoipa::ToSchema;

/// What became of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ApprovalState {
    /// It waits for a second person.
    #[default]
    Waiting,
    /// The request was approved and carried out.
    Approved,
    /// The request was withdrawn or refused, and nothing was carried out.
    Withdrawn,
}

/// Something that a person asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ApprovalRequest {
    /// Its number, from 1; 0 until it is kept.
    pub id: u64,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The user who made the request.
    pub who: String,
    /// What is asked for, as operations write it.
    pub act: serde_json::Value,
    /// The outcome of the decision.
    pub state: ApprovalState,
    /// Who approved or withdrew it, and when.
    pub decided: Option<(String, i64)>,
}

fn find_request(snapshot: &dyn Snapshot, id: u64) -> LedgerResult<Option<ApprovalRequest>> {
    let row = snapshot.get(StoreTable::Approvals, &codec::number_key(id))?;
    row.map(|row| codec::from_json(&row)).transpose()
}

/// Adds the approval of a request to the commit that carries it out; nothing where it needed none.
pub(super) fn record_approval(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    chain: &mut AuditChain,
    approved: Option<&Approval>,
    at_ms: i64,
) -> LedgerResult<()> {
    let Some(approved) = approved else { return Ok(()) };
    let Some(id) = approved.request else { return Ok(()) };
    let mut request = find_request(snapshot, id)?.ok_or(StoreError::Conflict)?;
    if request.state != ApprovalState::Waiting {
        return Err(StoreError::Conflict);
    }

    request.state = ApprovalState::Approved;
    request.decided = Some((approved.who.clone(), at_ms));
    batch.put_row(StoreTable::Approvals, codec::number_key(id), codec::to_json(&request)?);
    let detail = serde_json::json!({"request": id, "of": request.who, "act": request.act});
    chain.append_row(batch, at_ms, (&approved.who, "approved"), detail)?;
    Ok(())
}

impl Ledger {
    /// Keeps a request; gives it with its number.
    pub fn request_approval(&self, mut request: ApprovalRequest) -> LedgerResult<ApprovalRequest> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();
        request.id = next_number(&*snapshot, StoreTable::Approvals)?;
        batch.put_row(
            StoreTable::Approvals,
            codec::number_key(request.id),
            codec::to_json(&request)?,
        );
        let detail = serde_json::json!({"request": request.id, "act": request.act});
        let who = &request.who;
        self.append_audit(&*snapshot, &mut batch, request.at_ms, who, "requested", detail)?;
        self.commit_changes(&batch)?;
        Ok(request)
    }

    /// A request.
    pub fn approval_request(&self, id: u64) -> LedgerResult<Option<ApprovalRequest>> {
        find_request(&*self.snapshot()?, id)
    }

    /// Every request, oldest first.
    pub fn approval_requests(&self) -> LedgerResult<Vec<ApprovalRequest>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Approvals, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }

    /// Withdraws a request that waits; gives it as it is then, as it was where it did not wait. None
    /// when there is no such request.
    pub fn withdraw_request(
        &self,
        id: u64,
        who: &str,
        at_ms: i64,
    ) -> LedgerResult<Option<ApprovalRequest>> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let Some(mut request) = find_request(&*snapshot, id)? else { return Ok(None) };
        if request.state != ApprovalState::Waiting {
            return Ok(Some(request));
        }

        let mut batch = WriteBatch::default();
        request.state = ApprovalState::Withdrawn;
        request.decided = Some((who.to_owned(), at_ms));
        batch.put_row(StoreTable::Approvals, codec::number_key(id), codec::to_json(&request)?);
        let detail = serde_json::json!({"request": id, "of": request.who});
        self.append_audit(&*snapshot, &mut batch, at_ms, who, "request_withdrawn", detail)?;
        self.commit_changes(&batch)?;
        Ok(Some(request))
    }

    /// Notes the approval of a request whose act had nothing left to do, since it was done before.
    pub fn record_approved_request(&self, approved: &Approval, at_ms: i64) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let request =
            approved.request.map(|id| find_request(&*snapshot, id)).transpose()?.flatten();
        if request.is_none_or(|request| request.state != ApprovalState::Waiting) {
            return Ok(());
        }
        let mut batch = WriteBatch::default();
        let mut chain = AuditChain::from_snapshot(&*snapshot)?;
        record_approval(&*snapshot, &mut batch, &mut chain, Some(approved), at_ms)?;
        self.commit_changes(&batch)
    }
}
