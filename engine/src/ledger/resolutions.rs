//! Releases and holds by hand: appended, never changed, inputs of every later decision.

use super::{Ledger, Result, code, lock, next_number};
use crate::credit::{CreditId, transaction_prefix};
use crate::decision::Resolution;
use crate::store::{Batch, Error, Table};

impl Ledger {
    /// Records a release or a hold; the same action twice in a row is the first one again, which
    /// is given back with true.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn resolve(&self, resolution: &Resolution, at_ms: i64) -> Result<(Resolution, bool)> {
        let credit = CreditId::parse(&resolution.credit);
        let unknown = || Error::Damaged(format!("`{}` is no credit id", resolution.credit));
        let credit = credit.ok_or_else(unknown)?;
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let rows = snapshot.scan(Table::Resolutions, &credit.prefix(), b"", usize::MAX)?;
        let known: Result<Vec<Resolution>> =
            rows.iter().map(|(_, row)| code::from_json(row)).collect();
        let last = known?.into_iter().rfind(|known| known.credit == resolution.credit);
        if let Some(last) = last.filter(|last| last.action == resolution.action) {
            return Ok((last, true));
        }
        let mut batch = Batch::default();
        let number = next_number(&*snapshot, Table::Audit)?;
        let key = [&credit.prefix()[..], &code::key(number)].concat();
        batch.put(Table::Resolutions, key, code::json(resolution)?);
        let detail = serde_json::json!({"credit": resolution.credit, "date": resolution.date});
        let what = if resolution.action == "hold" { "held" } else { "released" };
        self.append_audit(&*snapshot, &mut batch, at_ms, &resolution.who, what, detail)?;
        self.store.commit(&batch)?;
        Ok((resolution.clone(), false))
    }

    /// What people decided about credits of a transaction, oldest first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn resolutions(&self, transaction: &str) -> Result<Vec<Resolution>> {
        let prefix = transaction_prefix(transaction);
        let rows = self.snapshot()?.scan(Table::Resolutions, &prefix, b"", usize::MAX)?;
        rows.iter().map(|(_, row)| code::from_json(row)).collect()
    }
}
