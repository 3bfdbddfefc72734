//! Events that name a deal without saying what it has: what has to be fetched from their CRM.
//!
//! Not fetching (the host has the network and the tokens) and not the request (the connector makes it).
//! An entry is written in the commit that ends its delivery, and deleted once what was fetched is in the
//! inbox or the delivery is a dead letter, so that a stop in the middle loses nothing.

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerResult, codec};
use accredit_seams::store::{StoreTable, WriteBatch};

/// What the keys of entries begin with.
const PREFIX: &str = "fetch/";

/// What has to be fetched for one payload of a delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingFetch {
    /// The place of its delivery in the inbox.
    pub sequence: u64,
    /// The place of the payload in the delivery, from 0.
    pub part: u32,
    /// Name of the source.
    pub source: String,
    /// The sender's id of the delivery.
    pub delivery: String,
    /// The payload, as JSON.
    pub payload: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next, milliseconds since 1970.
    pub next_ms: i64,
    /// Why the last try gave nothing; never a secret.
    pub last_error: Option<String>,
}

/// What tells a fetch from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FetchKey {
    /// The place of its delivery in the inbox.
    pub sequence: u64,
    /// The place of the payload in the delivery, from 0.
    pub part: u32,
}

impl FetchKey {
    fn row_key(self) -> Vec<u8> {
        [PREFIX.as_bytes(), &codec::number_key(self.sequence), &self.part.to_be_bytes()].concat()
    }
}

impl PendingFetch {
    /// What tells it from others.
    pub fn key(&self) -> FetchKey {
        FetchKey { sequence: self.sequence, part: self.part }
    }

    /// Adds it to a commit, as it is now.
    pub(super) fn put_row(&self, batch: &mut WriteBatch) -> LedgerResult<()> {
        batch.put_row(StoreTable::Meta, self.key().row_key(), codec::pack_row(self)?);
        Ok(())
    }
}

impl Ledger {
    /// What waits to be fetched, in the order of arrival: at most `limit` entries behind the one with this
    /// key, from the first without one.
    pub fn pending_fetches(
        &self,
        after: Option<FetchKey>,
        limit: usize,
    ) -> LedgerResult<Vec<PendingFetch>> {
        let from = after.map(|key| [&*key.row_key(), &[0]].concat());
        let (prefix, from) = (PREFIX.as_bytes(), from.unwrap_or_default());
        let rows = self.snapshot()?.scan_prefix(StoreTable::Meta, prefix, &from, limit)?;
        rows.iter().map(|(_, row)| codec::unpack_row(row)).collect()
    }

    /// The fetch of this key, while it waits.
    pub fn find_fetch(&self, key: FetchKey) -> LedgerResult<Option<PendingFetch>> {
        let row = self.snapshot()?.get(StoreTable::Meta, &key.row_key())?;
        row.map(|row| codec::unpack_row(&row)).transpose()
    }

    /// Keeps how tries went, in one commit.
    pub fn record_fetch_attempts(&self, fetches: &[PendingFetch]) -> LedgerResult<()> {
        if fetches.is_empty() {
            return Ok(());
        }
        let mut batch = WriteBatch::default();
        fetches.iter().try_for_each(|fetch| fetch.put_row(&mut batch))?;
        self.commit_changes(&batch)
    }

    /// Ends a fetch: what it gave is in the inbox, or, with a reason, its delivery becomes a dead letter.
    pub fn end_fetch(&self, fetch: &PendingFetch, dead: Option<&str>) -> LedgerResult<()> {
        let mut batch = WriteBatch::default();
        batch.delete_row(StoreTable::Meta, fetch.key().row_key());
        if let Some(reason) = dead {
            batch.put_row(StoreTable::Dead, codec::number_key(fetch.sequence), reason);
        }
        self.commit_changes(&batch)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use accredit_seams::delivery::Delivery;
    use accredit_seams::store::memory::MemoryStore;

    use super::*;
    use crate::record::CommitBatch;

    #[test]
    fn a_fetch_waits_until_it_is_ended() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let mut delivery = Delivery::unverified("crm".into(), 1, b"{}".to_vec());
        delivery.id = "e1".into();
        ledger.receive_deliveries(&[delivery]).unwrap();
        let fetch = |part: u32| PendingFetch {
            sequence: 1,
            part,
            source: "crm".into(),
            delivery: "e1".into(),
            payload: "{}".into(),
            attempts: 0,
            next_ms: 7,
            last_error: None,
        };
        let fetches = vec![fetch(0), fetch(1)];
        let done = vec![(1, None)];
        let work = CommitBatch { done, fetches, ..CommitBatch::default() };
        ledger.commit_batch(&work).unwrap();
        assert_eq!(ledger.pending_count().unwrap(), 0);
        assert_eq!(ledger.pending_fetches(None, 9).unwrap(), [fetch(0), fetch(1)]);
        assert_eq!(ledger.pending_fetches(None, 1).unwrap(), [fetch(0)]);

        assert_eq!(ledger.pending_fetches(Some(fetch(0).key()), 9).unwrap(), [fetch(1)]);
        let tried = PendingFetch { attempts: 1, last_error: Some("503".into()), ..fetch(0) };
        ledger.record_fetch_attempts(std::slice::from_ref(&tried)).unwrap();
        assert_eq!(ledger.find_fetch(tried.key()).unwrap().as_ref(), Some(&tried));
        assert_eq!(ledger.pending_fetches(None, 1).unwrap(), std::slice::from_ref(&tried));
        ledger.end_fetch(&tried, None).unwrap();
        assert_eq!(ledger.find_fetch(tried.key()).unwrap(), None);
        assert_eq!(ledger.dead_count().unwrap(), 0);
        ledger.end_fetch(&fetch(1), Some("there is no such deal")).unwrap();
        assert_eq!(ledger.pending_fetches(None, 9).unwrap(), []);
        assert_eq!(ledger.dead_letters(0, 9).unwrap()[0].reason, "there is no such deal");
    }
}
