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
use super::request_keys::is_key_kept;
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
    /// What its sender named the request by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_key: Option<String>,
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

impl ApprovalRequest {
    /// Whether `other` is the same request, sent again under its key.
    fn is_repeated_by(&self, other: &ApprovalRequest) -> bool {
        self.request_key.is_some()
            && self.request_key == other.request_key
            && self.who == other.who
            && self.act == other.act
            && is_key_kept(self.at_ms, other.at_ms)
    }
}

impl Ledger {
    /// Keeps a request; gives it with its number. One that is kept under the same key is given as it is: the
    /// answer to it may have been lost.
    pub fn request_approval(&self, mut request: ApprovalRequest) -> LedgerResult<ApprovalRequest> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        if request.request_key.is_some() {
            let known = self.approval_requests()?;
            if let Some(known) = known.into_iter().rfind(|known| known.is_repeated_by(&request)) {
                return Ok(known);
            }
        }

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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    fn request(who: &str, key: Option<&str>, at_ms: i64) -> ApprovalRequest {
        let act = serde_json::json!({"act": "period", "id": "2026-03"});
        let request_key = key.map(str::to_owned);
        ApprovalRequest {
            at_ms,
            who: who.to_owned(),
            act,
            request_key,
            ..ApprovalRequest::default()
        }
    }

    /// The server stopped between the request and the answer that is kept under its key: the sender's
    /// repetition was a second request for the same act.
    #[test]
    fn a_request_that_is_sent_again_under_its_key_is_one() {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let ask = |who, key, at_ms| ledger.request_approval(request(who, key, at_ms)).unwrap().id;

        assert_eq!(ask("ann", Some("k"), 1), 1);
        assert_eq!(ask("ann", Some("k"), 2), 1);
        assert_eq!(ledger.trail_end().unwrap().map(|(rows, _)| rows), Some(1));

        // Another sender, another key, none, and the same a day later are others.
        assert_eq!(ask("max", Some("k"), 2), 2);
        assert_eq!(ask("ann", Some("l"), 2), 3);
        assert_eq!(ask("ann", None, 2), 4);
        assert_eq!(ask("ann", None, 2), 5);
        assert_eq!(ask("ann", Some("k"), 1 + DAY_MS), 6);
    }
}
