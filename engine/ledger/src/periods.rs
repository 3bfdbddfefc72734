//! Periods that people closed, reopened or finalized, and the rows that were frozen with them.
//!
//! Not the rules of posting (`posting`) and not where a period stands by the calendar (`calendar`).
//! A period is finalized in the commit that freezes its rows (`record`). Called by the host. Source:
//! DOMAIN 2.11, 2.12.
//!
//! **Architecture invariant:** a finalized period and its frozen rows are never changed or removed.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::audit::Chain;
use super::record::natural_key;
use super::{Ledger, Result, approvals, code, lock};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Approved;
use accredit_seams::store::{Batch, Snapshot, Table};

/// What people said about a leaf period last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Said {
    /// `open`, `closed` or `finalized`.
    pub state: String,
    /// The business date of it, ISO.
    pub day: String,
    /// Who closed or opened it: a token's name.
    pub who: String,
    /// When, milliseconds since 1970.
    pub at_ms: i64,
    /// The reason as it was given.
    pub reason: Option<String>,
    /// Who approved it, where a second person had to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved: Option<Approved>,
}

/// The word for a period that never changes again.
pub const FINALIZED: &str = "finalized";

fn put(batch: &mut Batch, leaf: &str, said: &Said) -> Result<()> {
    batch.put(Table::Periods, leaf, code::json(said)?);
    Ok(())
}

/// Adds a finalization to the commit that freezes its rows.
pub(super) fn finalize(
    snapshot: &dyn Snapshot,
    batch: &mut Batch,
    chain: &mut Chain,
    (leaf, said): (&str, &Said),
) -> Result<()> {
    put(batch, leaf, said)?;
    let detail = serde_json::json!({"period": leaf, "day": said.day, "reason": said.reason});
    chain.add(batch, said.at_ms, (&said.who, FINALIZED), detail)?;
    approvals::carried_out(snapshot, batch, chain, said.approved.as_ref(), said.at_ms)
}

impl Ledger {
    /// What people said about leaf periods, by id.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn periods(&self) -> Result<BTreeMap<String, Said>> {
        let rows = self.snapshot()?.scan(Table::Periods, b"", b"", usize::MAX)?;
        let rows = rows.into_iter().map(|(key, row)| {
            Ok((String::from_utf8_lossy(&key).into_owned(), code::from_json(&row)?))
        });
        rows.collect()
    }

    /// Ids of the leaf periods that are finalized.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn finalized(&self) -> Result<BTreeSet<String>> {
        let periods = self.periods()?.into_iter();
        Ok(periods.filter(|(_, said)| said.state == FINALIZED).map(|(leaf, _)| leaf).collect())
    }

    /// Notes that leaf periods were closed or reopened; a finalized one stays as it is.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn say(&self, leaf: &str, said: &Said) -> Result<()> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;

        let known: Option<Said> = snapshot
            .get(Table::Periods, leaf.as_bytes())?
            .map(|row| code::from_json(&row))
            .transpose()?;
        if known.is_some_and(|known| known.state == FINALIZED || known.state == said.state) {
            return Ok(());
        }

        let mut batch = Batch::default();
        put(&mut batch, leaf, said)?;

        let what = if said.state == "open" { "reopened" } else { "closed" };
        let detail = serde_json::json!({"period": leaf, "day": said.day, "reason": said.reason});
        let mut chain = Chain::after(&*snapshot)?;
        chain.add(&mut batch, said.at_ms, (&said.who, what), detail)?;
        let approved = said.approved.as_ref();
        approvals::carried_out(&*snapshot, &mut batch, &mut chain, approved, said.at_ms)?;

        self.commit(&batch)
    }

    /// The frozen rows of a transaction, in the order in which they were frozen.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn frozen(&self, transaction: &str) -> Result<Vec<PostedCredit>> {
        let row = self.snapshot()?.get(Table::Frozen, &natural_key(transaction))?;
        row.map_or_else(|| Ok(Vec::new()), |row| code::unpack(&row))
    }
}
