//! Requests whose signature did not match, for a while: a secret that was set wrongly must not lose a day
//! of events.
//!
//! Not deliveries: nothing here is acknowledged, decided or shown as received. Only requests that are
//! signed are kept, without what authenticates a sender by itself; whether they are authentic is asked
//! again once the secret was mended.
//!
//! **Architecture invariant:** there are at most [`ENTRIES_MAX`] entries and about [`BYTES_MAX`] bytes of
//! them: the oldest make room.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerResult, codec, lock_mutex};
use accredit_seams::store::{StoreTable, WriteBatch};

/// Entries that are kept.
pub const ENTRIES_MAX: u64 = 1000;

/// Bytes of all entries, about.
pub const BYTES_MAX: u64 = 16 << 20;

/// Bytes of the body of an entry; a larger request is not kept.
pub const BODY_BYTES_MAX: usize = 64 << 10;

/// Requests that are read at a time.
const PAGE: usize = 50;

/// What the keys of entries begin with, and where the ring keeps its ends.
const PREFIX: &str = "quarantine/";
const RING_KEY: &str = "quarantine";

/// A request that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuarantinedRequest {
    /// The source that it was sent to.
    pub source: String,
    /// When it arrived, milliseconds since 1970: its own time is judged beside this one.
    pub received_ms: i64,
    /// The method.
    pub method: String,
    /// The headers that a signature may be in or of.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// Why it was refused.
    pub reason: String,
}

/// The ends of the ring.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Ring {
    /// The number of the next entry.
    next: u64,
    /// How many there are.
    entries: u64,
    /// Bytes of all of them.
    bytes: u64,
}

fn entry_key(number: u64) -> Vec<u8> {
    [PREFIX.as_bytes(), &codec::number_key(number)].concat()
}

fn number_of(key: &[u8]) -> u64 {
    key.get(PREFIX.len()..).map_or(0, codec::key_number)
}

impl Ledger {
    /// Keeps a request; the oldest make room. False where it is too large.
    pub fn quarantine_request(&self, request: &QuarantinedRequest) -> LedgerResult<bool> {
        if request.body.len() > BODY_BYTES_MAX {
            return Ok(false);
        }

        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let known = snapshot.get(StoreTable::Meta, RING_KEY.as_bytes())?;
        let mut ring: Ring =
            known.as_ref().map(|row| codec::unpack_row(row)).transpose()?.unwrap_or_default();

        // Every process that takes deliveries may keep what it refuses.
        let mut batch = WriteBatch { is_shared: true, ..WriteBatch::default() };
        batch.expect_row(StoreTable::Meta, RING_KEY, known);
        let row = codec::pack_row(request)?;
        ring.entries += 1;
        ring.bytes += row.len() as u64;
        batch.put_row(StoreTable::Meta, entry_key(ring.next), row);
        ring.next += 1;

        let (prefix, mut from) = (PREFIX.as_bytes(), Vec::new());
        while ring.entries > ENTRIES_MAX || ring.bytes > BYTES_MAX {
            let oldest = snapshot.scan_prefix(StoreTable::Meta, prefix, &from, 1)?;
            let Some((key, row)) = oldest.into_iter().next() else { break };
            ring.entries = ring.entries.saturating_sub(1);
            ring.bytes = ring.bytes.saturating_sub(row.len() as u64);
            from = [key.as_slice(), &[0]].concat();
            batch.delete_row(StoreTable::Meta, key);
        }
        batch.put_row(StoreTable::Meta, RING_KEY, codec::pack_row(&ring)?);
        self.commit_changes(&batch)?;
        Ok(true)
    }

    /// Requests in quarantine behind a number, oldest first, each with its number; 0 for the first.
    pub fn quarantined_requests(
        &self,
        after: u64,
        limit: usize,
    ) -> LedgerResult<Vec<(u64, QuarantinedRequest)>> {
        let from = if after == 0 { Vec::new() } else { entry_key(after.saturating_sub(1) + 1) };
        let rows =
            self.snapshot()?.scan_prefix(StoreTable::Meta, PREFIX.as_bytes(), &from, limit)?;
        // Numbers begin at 0, and those that people see at 1.
        rows.iter().map(|(key, row)| Ok((number_of(key) + 1, codec::unpack_row(row)?))).collect()
    }

    /// How many requests are in quarantine.
    pub fn quarantine_count(&self) -> LedgerResult<u64> {
        let ring = self.snapshot()?.get(StoreTable::Meta, RING_KEY.as_bytes())?;
        let ring: Option<Ring> = ring.map(|row| codec::unpack_row(&row)).transpose()?;
        Ok(ring.map_or(0, |ring| ring.entries))
    }

    /// How many requests of each source are in quarantine, and when the oldest of them arrived, in
    /// milliseconds since 1970.
    pub fn quarantine_by_source(&self) -> LedgerResult<BTreeMap<String, (u64, i64)>> {
        let (mut counts, mut after) = (BTreeMap::<String, (u64, i64)>::new(), 0);
        if self.quarantine_count()? == 0 {
            return Ok(counts);
        }
        loop {
            let page = self.quarantined_requests(after, PAGE)?;
            let Some((last, _)) = page.last() else { return Ok(counts) };
            after = *last;
            for (_, request) in page {
                let (count, oldest) =
                    counts.entry(request.source).or_insert((0, request.received_ms));
                *count += 1;
                *oldest = (*oldest).min(request.received_ms);
            }
        }
    }

    /// Removes requests from quarantine by their numbers.
    pub fn leave_quarantine(&self, numbers: &[u64]) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let known = snapshot.get(StoreTable::Meta, RING_KEY.as_bytes())?;
        let mut ring: Ring =
            known.as_ref().map(|row| codec::unpack_row(row)).transpose()?.unwrap_or_default();

        let mut batch = WriteBatch::default();
        batch.expect_row(StoreTable::Meta, RING_KEY, known);
        for number in numbers {
            let key = entry_key(number.saturating_sub(1));
            let Some(row) = snapshot.get(StoreTable::Meta, &key)? else { continue };
            ring.entries = ring.entries.saturating_sub(1);
            ring.bytes = ring.bytes.saturating_sub(row.len() as u64);
            batch.delete_row(StoreTable::Meta, key);
        }
        batch.put_row(StoreTable::Meta, RING_KEY, codec::pack_row(&ring)?);
        self.commit_changes(&batch)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    fn request(number: u64, bytes: usize) -> QuarantinedRequest {
        QuarantinedRequest {
            source: "crm".into(),
            received_ms: i64::try_from(number).unwrap(),
            method: "POST".into(),
            headers: vec![("webhook-id".into(), b"1".to_vec())],
            body: vec![b' '; bytes],
            reason: "no signature matches".into(),
        }
    }

    fn kept(ledger: &Ledger) -> Vec<i64> {
        let kept = ledger.quarantined_requests(0, usize::MAX).unwrap();
        kept.into_iter().map(|(_, request)| request.received_ms).collect()
    }

    #[test]
    fn the_newest_requests_stay() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        for number in 0..ENTRIES_MAX + 3 {
            assert!(ledger.quarantine_request(&request(number, 10)).unwrap());
        }
        let all: Vec<i64> = (3..i64::try_from(ENTRIES_MAX).unwrap() + 3).collect();
        assert_eq!(kept(&ledger), all);

        // Large ones push out more than one.
        assert!(!ledger.quarantine_request(&request(9, BODY_BYTES_MAX + 1)).unwrap());
        for number in 0..300 {
            ledger.quarantine_request(&request(5000 + number, BODY_BYTES_MAX)).unwrap();
        }
        let large = kept(&ledger);
        assert!((200..=256).contains(&large.len()), "{}", large.len());
        assert_eq!(large.last(), Some(&5299));
    }

    #[test]
    fn requests_leave_by_their_numbers() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        for number in 0..4 {
            ledger.quarantine_request(&request(number, 10)).unwrap();
        }
        let first = ledger.quarantined_requests(0, 2).unwrap();
        assert_eq!(first.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [1, 2]);
        let next = ledger.quarantined_requests(2, 9).unwrap();
        assert_eq!(next.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 4]);
        ledger.leave_quarantine(&[2, 3, 9]).unwrap();
        assert_eq!(ledger.quarantine_count().unwrap(), 2);
        assert_eq!(ledger.quarantine_by_source().unwrap(), [("crm".to_owned(), (2, 0))].into());
        assert_eq!(kept(&ledger), [0, 3]);
    }
}
