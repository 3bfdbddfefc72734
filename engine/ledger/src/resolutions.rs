//! Releases, holds and adjustments by hand: appended, never changed, inputs of every later decision.

use super::{Ledger, Result, code, lock, next_number};
use accredit_domain::credit::{CreditId, TRANSACTION_PREFIX_BYTES, transaction_prefix};
use accredit_domain::decision::Resolution;
use accredit_seams::store::{Batch, Error, Table};

/// What the ids of all credits of the transaction begin with that a resolution is about.
fn prefix(resolution: &Resolution) -> Result<[u8; TRANSACTION_PREFIX_BYTES]> {
    match (resolution.credit.as_str(), &resolution.transaction) {
        ("", Some(transaction)) => Ok(transaction_prefix(transaction)),
        (credit, _) => CreditId::parse(credit)
            .map(|id| id.prefix())
            .ok_or_else(|| Error::Damaged(format!("`{credit}` is no credit id"))),
    }
}

/// What the audit trail calls it.
fn word(resolution: &Resolution) -> &'static str {
    match resolution.action.as_str() {
        "hold" => "held",
        "reset" => "adjustment_reset",
        "adjust_to" | "adjust_by" => "adjusted",
        _ => "released",
    }
}

impl Ledger {
    /// Records a release, a hold or an adjustment; the same twice in a row is the first one again,
    /// which is given back with true. Adjustments are the same when amount, reason code and comment
    /// are.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn resolve(&self, resolution: &Resolution, at_ms: i64) -> Result<(Resolution, bool)> {
        let prefix = prefix(resolution)?;
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let rows = snapshot.scan(Table::Resolutions, &prefix, b"", usize::MAX)?;
        let known: Result<Vec<Resolution>> =
            rows.iter().map(|(_, row)| code::from_json(row)).collect();
        let last = known?.into_iter().rfind(|known| known.same_target(resolution));
        let same = |last: &Resolution| {
            let said = |one: &Resolution| {
                (one.amount.clone(), one.reason_code.clone(), one.comment.clone())
            };
            last.action == resolution.action
                && (!resolution.is_adjustment() || said(last) == said(resolution))
        };
        if let Some(last) = last.filter(same) {
            return Ok((last, true));
        }
        let mut batch = Batch::default();
        let number = next_number(&*snapshot, Table::Audit)?;
        let key = [&prefix[..], &code::key(number)].concat();
        batch.put(Table::Resolutions, key, code::json(resolution)?);
        let detail = if resolution.is_adjustment() {
            serde_json::to_value(resolution).unwrap_or_default()
        } else {
            serde_json::json!({"credit": resolution.credit, "date": resolution.date})
        };
        let (who, what) = (&resolution.who, word(resolution));
        self.append_audit(&*snapshot, &mut batch, at_ms, who, what, detail)?;
        self.commit(&batch)?;
        Ok((resolution.clone(), false))
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
        last.retain(|one| one.action != "reset");
        Ok(last)
    }
}
