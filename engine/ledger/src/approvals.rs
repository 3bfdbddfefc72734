//! Requests that wait for a second person: adjustments, holds, releases and periods.
//!
//! Not changes of definitions (`changes`), which wait in the same way. Called by the host. Source:
//! DESIGN section 5.
//!
//! **Architecture invariant:** a request is approved in the commit that carries out what it asks
//! for, or in the last of them where it takes several; what does not wait any more cannot be carried
//! out.

use serde::{Deserialize, Serialize};

use super::audit::Chain;
use super::{Ledger, Result, code, lock, next_number};
use accredit_domain::decision::Approved;
use accredit_seams::store::{Batch, Error, Snapshot, Table};

/// What became of a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RequestState {
    /// It waits for a second person.
    #[default]
    Waiting,
    /// Somebody approved it, and it was carried out.
    Approved,
    /// It was withdrawn or refused; nothing was carried out.
    Withdrawn,
}

/// Something that a person asked for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Its number, from 1; 0 until it is kept.
    pub id: u64,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// Who asked.
    pub who: String,
    /// What is asked for, as the host writes it.
    pub act: serde_json::Value,
    /// What became of it.
    pub state: RequestState,
    /// Who approved or withdrew it, and when.
    pub decided: Option<(String, i64)>,
}

fn find(snapshot: &dyn Snapshot, id: u64) -> Result<Option<Request>> {
    let row = snapshot.get(Table::Approvals, &code::key(id))?;
    row.map(|row| code::from_json(&row)).transpose()
}

/// Adds the approval of a request to the commit that carries it out; nothing where it needed none.
pub(super) fn carried_out(
    snapshot: &dyn Snapshot,
    batch: &mut Batch,
    chain: &mut Chain,
    approved: Option<&Approved>,
    at_ms: i64,
) -> Result<()> {
    let Some(approved) = approved else { return Ok(()) };
    let Some(id) = approved.request else { return Ok(()) };
    let mut request = find(snapshot, id)?.ok_or(Error::Conflict)?;
    if request.state != RequestState::Waiting {
        return Err(Error::Conflict);
    }

    request.state = RequestState::Approved;
    request.decided = Some((approved.who.clone(), at_ms));
    batch.put(Table::Approvals, code::key(id), code::json(&request)?);
    let detail = serde_json::json!({"request": id, "of": request.who, "act": request.act});
    chain.add(batch, at_ms, (&approved.who, "approved"), detail)?;
    Ok(())
}

impl Ledger {
    /// Keeps a request; gives it with its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn request_approval(&self, mut request: Request) -> Result<Request> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = Batch::default();
        request.id = next_number(&*snapshot, Table::Approvals)?;
        batch.put(Table::Approvals, code::key(request.id), code::json(&request)?);
        let detail = serde_json::json!({"request": request.id, "act": request.act});
        let who = &request.who;
        self.append_audit(&*snapshot, &mut batch, request.at_ms, who, "requested", detail)?;
        self.commit(&batch)?;
        Ok(request)
    }

    /// A request.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn approval_request(&self, id: u64) -> Result<Option<Request>> {
        find(&*self.snapshot()?, id)
    }

    /// Every request, oldest first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn approval_requests(&self) -> Result<Vec<Request>> {
        let rows = self.snapshot()?.scan(Table::Approvals, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| code::from_json(row)).collect()
    }

    /// Withdraws a request that waits; gives it as it is then, as it was where it did not wait. None
    /// when there is no such request.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn withdraw_request(&self, id: u64, who: &str, at_ms: i64) -> Result<Option<Request>> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let Some(mut request) = find(&*snapshot, id)? else { return Ok(None) };
        if request.state != RequestState::Waiting {
            return Ok(Some(request));
        }

        let mut batch = Batch::default();
        request.state = RequestState::Withdrawn;
        request.decided = Some((who.to_owned(), at_ms));
        batch.put(Table::Approvals, code::key(id), code::json(&request)?);
        let detail = serde_json::json!({"request": id, "of": request.who});
        self.append_audit(&*snapshot, &mut batch, at_ms, who, "request_withdrawn", detail)?;
        self.commit(&batch)?;
        Ok(Some(request))
    }

    /// Notes the approval of a request whose act had nothing left to do, since it was done before.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn settle_request(&self, approved: &Approved, at_ms: i64) -> Result<()> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let request = approved.request.map(|id| find(&*snapshot, id)).transpose()?.flatten();
        if request.is_none_or(|request| request.state != RequestState::Waiting) {
            return Ok(());
        }
        let mut batch = Batch::default();
        let mut chain = Chain::after(&*snapshot)?;
        carried_out(&*snapshot, &mut batch, &mut chain, Some(approved), at_ms)?;
        self.commit(&batch)
    }
}
