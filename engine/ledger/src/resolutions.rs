//! Releases, holds and adjustments by hand: appended, never changed, inputs of every later decision.
//!
//! **Architecture invariant:** what people decided is recorded in the commit of the decisions that
//! follow from it (`record`), so that what the trail says was done is done.

use std::collections::BTreeSet;

use super::audit::Chain;
use super::{Ledger, Result, approvals, code};
use accredit_domain::credit::{TRANSACTION_PREFIX_BYTES, transaction_prefix};
use accredit_domain::decision::{HoldAction, Resolution, ResolutionAction};
use accredit_seams::store::{Batch, Error, Snapshot, Table};

/// What the ids of all credits of the transaction begin with that a resolution is about.
fn prefix(resolution: &Resolution) -> Result<[u8; TRANSACTION_PREFIX_BYTES]> {
    match (&resolution.credit, &resolution.transaction) {
        (Some(credit), _) => Ok(credit.prefix()),
        (None, Some(transaction)) => Ok(transaction_prefix(transaction)),
        (None, None) => {
            let why = format!("`{}` of neither a credit nor a transaction", resolution.action);
            Err(Error::Damaged(why))
        }
    }
}

/// What the audit trail calls it.
fn word(resolution: &Resolution) -> &'static str {
    match resolution.action {
        ResolutionAction::Wait(HoldAction::Hold) => "held",
        ResolutionAction::Wait(HoldAction::Release) => "released",
        ResolutionAction::Reset => "adjustment_reset",
        ResolutionAction::AdjustTo | ResolutionAction::AdjustBy => "adjusted",
    }
}

/// Adds what people decided, and who did it when, to the commit of what follows from it.
pub(super) fn add(
    snapshot: &dyn Snapshot,
    batch: &mut Batch,
    chain: &mut Chain,
    resolutions: &[(Resolution, i64)],
) -> Result<()> {
    for (resolution, at_ms) in resolutions {
        let detail = if resolution.is_adjustment() {
            serde_json::to_value(resolution).map_err(|error| Error::Failed(error.to_string()))?
        } else {
            serde_json::json!({"credit": resolution.credit, "date": resolution.date})
        };

        let who = (resolution.who.as_str(), word(resolution));
        let number = chain.add(batch, *at_ms, who, detail)?;

        let key = [&prefix(resolution)?[..], &code::key(number)].concat();
        batch.put(Table::Resolutions, key, code::json(resolution)?);
        approvals::carried_out(snapshot, batch, chain, resolution.approved.as_ref(), *at_ms)?;
    }
    Ok(())
}

impl Ledger {
    /// The last release, hold or adjustment of the same target, when it says the same: then there
    /// is nothing to record. Adjustments are the same when amount, reason code and comment are.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn resolved_before(&self, resolution: &Resolution) -> Result<Option<Resolution>> {
        let prefix = prefix(resolution)?;
        let rows = self.snapshot()?.scan(Table::Resolutions, &prefix, b"", usize::MAX)?;
        let known: Result<Vec<Resolution>> =
            rows.iter().map(|(_, row)| code::from_json(row)).collect();
        let last = known?.into_iter().rfind(|known| known.same_target(resolution));

        let same = |last: &Resolution| {
            let said =
                |one: &Resolution| (one.amount, one.reason_code.clone(), one.comment.clone());
            last.action == resolution.action
                && (!resolution.is_adjustment() || said(last) == said(resolution))
        };
        Ok(last.filter(same))
    }

    /// Natural keys of the transactions that people decided something about.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn resolved_transactions(&self) -> Result<BTreeSet<String>> {
        let snapshot = self.snapshot()?;
        let mut prefixes = BTreeSet::new();
        for (key, _) in snapshot.scan(Table::Resolutions, b"", b"", usize::MAX)? {
            let prefix = key.get(..TRANSACTION_PREFIX_BYTES);
            prefixes.extend(prefix.map(<[u8]>::to_vec));
        }

        let mut transactions = BTreeSet::new();
        for prefix in prefixes {
            for (key, _) in snapshot.scan(Table::Keys, &prefix, b"", usize::MAX)? {
                let id = key.get(TRANSACTION_PREFIX_BYTES..).unwrap_or_default();
                transactions.insert(String::from_utf8_lossy(id).into_owned());
            }
        }
        Ok(transactions)
    }

    /// What people decided about a transaction and its credits, oldest first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn resolutions(&self, transaction: &str) -> Result<Vec<Resolution>> {
        let prefix = transaction_prefix(transaction);
        let rows = self.snapshot()?.scan(Table::Resolutions, &prefix, b"", usize::MAX)?;
        rows.iter().map(|(_, row)| code::from_json(row)).collect()
    }

    /// Every adjustment that counts: the last one of each transaction and credit, resets left out.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn adjustments(&self) -> Result<Vec<Resolution>> {
        let rows = self.snapshot()?.scan(Table::Resolutions, b"", b"", usize::MAX)?;
        let mut last: Vec<Resolution> = Vec::new();
        for (_, row) in rows {
            let one: Resolution = code::from_json(&row)?;
            if one.is_adjustment() {
                last.retain(|known| !known.same_target(&one));
                last.push(one);
            }
        }
        last.retain(|one| one.action != ResolutionAction::Reset);
        Ok(last)
    }
}
