//! Manual releases, holds and adjustments: appended, never changed, inputs of every later decision.
//!
//! **Architecture invariant:** what people decided is recorded in the commit of the decisions that
//! follow from it (`record`), so that what the trail says was done is done.

use std::collections::BTreeSet;

use super::audit::AuditChain;
use super::{Ledger, LedgerResult, approvals, codec};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, TRANSACTION_PREFIX_BYTES, transaction_prefix};
use accredit_domain::decision::{HoldAction, ResolutionAction, ResolutionRecord};
use accredit_seams::store::{Snapshot, StoreError, StoreTable, WriteBatch};
use serde_json::json;

/// What the ids of all credits of the transaction begin with that a resolution is about.
fn credit_prefix(resolution: &ResolutionRecord) -> LedgerResult<[u8; TRANSACTION_PREFIX_BYTES]> {
    match (&resolution.credit, &resolution.transaction) {
        (Some(credit), _) => Ok(credit.transaction_prefix()),
        (None, Some(transaction)) => Ok(transaction_prefix(transaction)),
        (None, None) => {
            let why = format!("`{}` of neither a credit nor a transaction", resolution.action);
            Err(StoreError::Damaged(why))
        }
    }
}

/// What the audit trail calls it.
fn audit_word(resolution: &ResolutionRecord) -> &'static str {
    match resolution.action {
        ResolutionAction::Wait(HoldAction::Hold) => "held",
        ResolutionAction::Wait(HoldAction::Release) => "released",
        ResolutionAction::Reset => "adjustment_reset",
        ResolutionAction::AdjustTo | ResolutionAction::AdjustBy => "adjusted",
    }
}

/// The state of the target of a resolution, as the trail shows it.
pub(super) type TargetState = serde_json::Value;

/// The state of a credit.
pub(super) fn credit_state(credit: &PostedCredit) -> TargetState {
    json!({"status": credit.status, "amount": credit.amount})
}

/// The adjustment of a deal that counted until now; null where there is none.
fn adjustment_before(
    snapshot: &dyn Snapshot,
    resolution: &ResolutionRecord,
) -> LedgerResult<TargetState> {
    let prefix = credit_prefix(resolution)?;
    let rows = snapshot.scan_prefix(StoreTable::Resolutions, &prefix, b"", usize::MAX)?;
    let mut last = TargetState::Null;
    for (_, row) in rows {
        let known: ResolutionRecord = codec::from_json(&row)?;
        if known.is_adjustment() && known.same_target(resolution) {
            last = json!({"action": known.action, "amount": known.amount});
        }
    }
    Ok(last)
}

/// Adds what people decided, and who did it when, to the commit of what follows from it. `states` gives
/// the state of a credit before this commit and after it; none of an adjustment of a whole deal.
pub(super) fn add_resolutions(
    snapshot: &dyn Snapshot,
    batch: &mut WriteBatch,
    chain: &mut AuditChain,
    resolutions: &[(ResolutionRecord, i64)],
    states: &dyn Fn(&CreditId) -> LedgerResult<(TargetState, TargetState)>,
) -> LedgerResult<()> {
    for (resolution, at_ms) in resolutions {
        let mut detail = if resolution.is_adjustment() {
            codec::to_value(resolution)?
        } else {
            json!({"credit": resolution.credit, "date": resolution.date})
        };
        let (before, after) = match &resolution.credit {
            Some(credit) => states(credit)?,
            None => {
                let after = json!({"action": resolution.action, "amount": resolution.amount});
                (adjustment_before(snapshot, resolution)?, after)
            }
        };
        if let Some(detail) = detail.as_object_mut() {
            detail.insert("before".to_owned(), before);
            detail.insert("after".to_owned(), after);
        }

        let who = (resolution.who.as_str(), audit_word(resolution));
        let number = chain.append_row(batch, *at_ms, who, detail)?;

        let key = [&credit_prefix(resolution)?[..], &codec::number_key(number)].concat();
        batch.put_row(StoreTable::Resolutions, key, codec::to_json(resolution)?);
        approvals::record_approval(snapshot, batch, chain, resolution.approved.as_ref(), *at_ms)?;
    }
    Ok(())
}

impl Ledger {
    /// The last release, hold or adjustment of the same target, when it says the same: then there
    /// is nothing to record. Adjustments are the same when amount, reason code and comment are.
    pub fn resolved_before(
        &self,
        resolution: &ResolutionRecord,
    ) -> LedgerResult<Option<ResolutionRecord>> {
        let prefix = credit_prefix(resolution)?;
        let rows =
            self.snapshot()?.scan_prefix(StoreTable::Resolutions, &prefix, b"", usize::MAX)?;
        let known: LedgerResult<Vec<ResolutionRecord>> =
            rows.iter().map(|(_, row)| codec::from_json(row)).collect();
        let last = known?.into_iter().rfind(|known| known.same_target(resolution));

        let same = |last: &ResolutionRecord| {
            let said = |one: &ResolutionRecord| (one.amount, one.reason_code, one.comment.clone());
            last.action == resolution.action
                && (!resolution.is_adjustment() || said(last) == said(resolution))
        };
        Ok(last.filter(same))
    }

    /// Natural keys of the transactions that people decided something about.
    pub fn resolved_transactions(&self) -> LedgerResult<BTreeSet<String>> {
        let snapshot = self.snapshot()?;
        let mut prefixes = BTreeSet::new();
        for (key, _) in snapshot.scan_prefix(StoreTable::Resolutions, b"", b"", usize::MAX)? {
            let prefix = key.get(..TRANSACTION_PREFIX_BYTES);
            prefixes.extend(prefix.map(<[u8]>::to_vec));
        }

        let mut transactions = BTreeSet::new();
        for prefix in prefixes {
            for (key, _) in snapshot.scan_prefix(StoreTable::Keys, &prefix, b"", usize::MAX)? {
                let id = key.get(TRANSACTION_PREFIX_BYTES..).unwrap_or_default();
                transactions.insert(String::from_utf8_lossy(id).into_owned());
            }
        }
        Ok(transactions)
    }

    /// What people decided about a transaction and its credits, oldest first.
    pub fn transaction_resolutions(
        &self,
        transaction: &str,
    ) -> LedgerResult<Vec<ResolutionRecord>> {
        self.resolutions_of([transaction])
    }

    /// The same of several transactions, one after the other.
    pub fn resolutions_of<'a>(
        &self,
        transactions: impl IntoIterator<Item = &'a str>,
    ) -> LedgerResult<Vec<ResolutionRecord>> {
        let snapshot = self.snapshot()?;
        let mut found = Vec::new();
        if snapshot.row_count(StoreTable::Resolutions)? == 0 {
            return Ok(found);
        }
        for transaction in transactions {
            let prefix = transaction_prefix(transaction);
            let rows = snapshot.scan_prefix(StoreTable::Resolutions, &prefix, b"", usize::MAX)?;
            for (_, row) in rows {
                found.push(codec::from_json(&row)?);
            }
        }
        Ok(found)
    }

    /// Every adjustment that counts: the last one of each transaction and credit, resets left out.
    pub fn current_adjustments(&self) -> LedgerResult<Vec<ResolutionRecord>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Resolutions, b"", b"", usize::MAX)?;
        let mut last: Vec<ResolutionRecord> = Vec::new();
        for (_, row) in rows {
            let one: ResolutionRecord = codec::from_json(&row)?;
            if one.is_adjustment() {
                last.retain(|known| !known.same_target(&one));
                last.push(one);
            }
        }
        last.retain(|one| one.action != ResolutionAction::Reset);
        Ok(last)
    }
}
