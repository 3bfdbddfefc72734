//! Deliveries as they came in: appended before they are acknowledged, processed later, once.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerResult, codec, lock_mutex, next_number};
use accredit_seams::delivery::Delivery;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

/// What became of a delivery when it was received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the inbox: that of the first one, for a duplicate.
    pub sequence: u64,
    /// Whether the same delivery had been received before.
    pub duplicate: bool,
    /// Whether the same id had been received with another body: kept, not processed.
    pub conflict: bool,
    /// Natural keys of the transactions of the first delivery with this id.
    pub transactions: Vec<String>,
}

impl Receipt {
    /// What became of the delivery, in a word.
    pub fn outcome(&self) -> &'static str {
        match (self.conflict, self.duplicate) {
            (true, _) => "conflict",
            (false, true) => "duplicate",
            (false, false) => "accepted",
        }
    }
}

/// A delivery that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its place in the inbox.
    pub sequence: u64,
    /// Name of the source.
    pub source: String,
    /// The sender's id of the delivery.
    pub delivery: String,
    /// When it arrived, milliseconds since 1970.
    pub received_ms: i64,
    /// Why it cannot be read.
    pub reason: String,
}

impl DeadLetter {
    /// Whether it was kept because its id had been received with another body.
    pub fn is_conflict(&self) -> bool {
        self.reason == CONFLICT_REASON
    }
}

/// Deliveries that are read at a time.
const READ_AT_ONCE: usize = 32;

/// Dead letters that are read at a time.
const REDRIVE_PAGE: usize = 500;

/// Why a conflicting delivery is kept and not processed.
const CONFLICT_REASON: &str = "the same delivery id came before with another body";

/// What the keys begin with under which it is kept when each source sent last.
const LAST_PREFIX: &str = "last_delivery/";

#[derive(Serialize, Deserialize)]
pub(super) struct KnownDelivery {
    pub(super) sequence: u64,
    pub(super) body_hash: [u8; 32],
}

/// The transactions of the delivery at `sequence`, stored or of the same group.
fn first_transactions(
    snapshot: &dyn Snapshot,
    group: &[Delivery],
    receipts: &[Receipt],
    sequence: u64,
) -> LedgerResult<Vec<String>> {
    if let Some(row) = snapshot.get(StoreTable::Inbox, &codec::number_key(sequence))? {
        return Ok(codec::unpack_row::<Delivery>(&row)?.transactions);
    }
    let mut same = receipts.iter().zip(group).filter(|(receipt, _)| receipt.sequence == sequence);
    Ok(same.next().map(|(_, first)| first.transactions.clone()).unwrap_or_default())
}

impl Ledger {
    /// Appends a group of deliveries in one commit; receipts in the same order.
    ///
    /// # Errors
    /// When nothing was written, or when it is unknown whether it was.
    pub fn receive_deliveries(&self, deliveries: &[Delivery]) -> LedgerResult<Vec<Receipt>> {
        let _one_at_a_time = lock_mutex(&self.deliveries);
        let snapshot = self.snapshot()?;

        let mut next = next_number(&*snapshot, StoreTable::Inbox)?;
        // Every process may take deliveries, also one that does not decide.
        let mut batch = WriteBatch { is_shared: true, ..WriteBatch::default() };
        // Another process that took the number, and perhaps the same delivery, is a conflict.
        batch.expect_row(StoreTable::Inbox, codec::number_key(next), None);
        let mut fresh: HashMap<Vec<u8>, KnownDelivery> = HashMap::new();
        let mut last: BTreeMap<&str, i64> = BTreeMap::new();
        let mut receipts = Vec::with_capacity(deliveries.len());

        let keys = deliveries.iter().map(|one| codec::parts_key(&[&one.source, &one.id]));
        let keys: Vec<Vec<u8>> = keys.collect();
        let stored = snapshot.get_many(StoreTable::Deliveries, &keys)?;

        for ((delivery, key), stored) in deliveries.iter().zip(keys).zip(stored) {
            let body_hash = *blake3::hash(&delivery.body).as_bytes();

            let stored: Option<KnownDelivery> =
                stored.map(|row| codec::unpack_row(&row)).transpose()?;
            // An id may come twice within the group, which no snapshot has yet.
            let known = stored.as_ref().or_else(|| fresh.get(&key));
            let known = known.map(|known| (known.sequence, known.body_hash == body_hash));

            let conflict = known.is_some_and(|(_, same)| !same);

            let transactions = match known {
                Some((first, _)) => first_transactions(&*snapshot, deliveries, &receipts, first)?,
                None => delivery.transactions.clone(),
            };

            if let Some((sequence, true)) = known {
                receipts.push(Receipt { sequence, duplicate: true, conflict, transactions });
                continue;
            }

            batch.put_row(StoreTable::Inbox, codec::number_key(next), codec::pack_row(delivery)?);
            // The same id came with another body. The delivery is kept for review and never
            // processed.
            if conflict {
                batch.put_row(StoreTable::Dead, codec::number_key(next), CONFLICT_REASON);
            } else {
                let known = KnownDelivery { sequence: next, body_hash };
                batch.put_row(StoreTable::Deliveries, key.clone(), codec::pack_row(&known)?);
                batch.put_row(StoreTable::Pending, codec::number_key(next), "");
                fresh.insert(key, known);
                let latest = last.entry(&delivery.source).or_insert(delivery.received_ms);
                *latest = delivery.received_ms.max(*latest);
            }

            receipts.push(Receipt { sequence: next, duplicate: conflict, conflict, transactions });
            next += 1;
        }

        for (source, received_ms) in last {
            let key = format!("{LAST_PREFIX}{source}");
            let known = snapshot.get(StoreTable::Meta, key.as_bytes())?;
            let known: Option<i64> = known.map(|row| codec::unpack_row(&row)).transpose()?;
            // A request from the quarantine was received long before it was verified.
            if known.is_none_or(|known| known < received_ms) {
                batch.put_row(StoreTable::Meta, key, codec::pack_row(&received_ms)?);
            }
        }

        // A group of repetitions alone needs no commit.
        if !batch.changes.is_empty() {
            self.commit_changes(&batch)?;
        }

        Ok(receipts)
    }

    /// When the last delivery of each source was taken, milliseconds since 1970; duplicates and conflicts
    /// do not count. A source that has sent nothing since this is kept is not there.
    pub fn last_deliveries(&self) -> LedgerResult<BTreeMap<String, i64>> {
        let rows = self.meta_under(LAST_PREFIX)?.into_iter();
        rows.map(|(source, row)| Ok((source, codec::unpack_row(&row)?))).collect()
    }

    /// The oldest deliveries that wait to be processed.
    pub fn pending_deliveries(&self, limit: usize) -> LedgerResult<Vec<(u64, Delivery)>> {
        let snapshot = self.snapshot()?;
        let mut pending = Vec::new();
        for (key, _) in snapshot.scan_prefix(StoreTable::Pending, b"", b"", limit)? {
            if let Some(row) = snapshot.get(StoreTable::Inbox, &key)? {
                pending.push((codec::key_number(&key), codec::unpack_row(&row)?));
            }
        }
        Ok(pending)
    }

    /// The oldest deliveries that wait to be processed, at most `limit` of them and about `bytes`
    /// of bodies: the first one is returned at any size.
    pub fn pending_within(&self, limit: usize, bytes: usize) -> LedgerResult<Vec<(u64, Delivery)>> {
        let snapshot = self.snapshot()?;
        let mut pending = Vec::new();
        let mut left = bytes;

        let waiting = snapshot.scan_prefix(StoreTable::Pending, b"", b"", limit)?;
        let mut waiting = waiting.into_iter().map(|(key, _)| key);
        let mut read = std::collections::VecDeque::new();
        loop {
            if read.is_empty() {
                // A few at a time: of large ones the first is all that there is room for.
                let keys: Vec<Vec<u8>> = waiting.by_ref().take(READ_AT_ONCE).collect();
                let rows = snapshot.get_many(StoreTable::Inbox, &keys)?;
                read.extend(keys.into_iter().zip(rows));
            }
            let Some((key, row)) = read.pop_front() else { break };
            let Some(row) = row else { continue };
            if row.len() > left && !pending.is_empty() {
                break;
            }

            left = left.saturating_sub(row.len());
            pending.push((codec::key_number(&key), codec::unpack_row(&row)?));
        }

        Ok(pending)
    }

    /// The oldest delivery that waits to be processed: its place in the inbox.
    pub fn oldest_pending(&self) -> LedgerResult<Option<u64>> {
        let oldest = self.snapshot()?.scan_prefix(StoreTable::Pending, b"", b"", 1)?;
        Ok(oldest.first().map(|(key, _)| codec::key_number(key)))
    }

    /// The place of the last delivery that was received; 0 before the first.
    pub fn last_received(&self) -> LedgerResult<u64> {
        let last = self.snapshot()?.last_row(StoreTable::Inbox)?;
        Ok(last.map_or(0, |(key, _)| codec::key_number(&key)))
    }

    /// How many dead letters there are.
    pub fn dead_count(&self) -> LedgerResult<u64> {
        self.snapshot()?.row_count(StoreTable::Dead)
    }

    /// How many deliveries wait to be processed.
    pub fn pending_count(&self) -> LedgerResult<u64> {
        self.snapshot()?.row_count(StoreTable::Pending)
    }

    /// A delivery, processed or not.
    pub fn find_delivery(&self, sequence: u64) -> LedgerResult<Option<Delivery>> {
        let row = self.snapshot()?.get(StoreTable::Inbox, &codec::number_key(sequence))?;
        row.map(|row| codec::unpack_row(&row)).transpose()
    }

    /// Deliveries that could not be read, oldest first: at most `limit` of those that stand behind
    /// the place `after` in the inbox, 0 for the first.
    pub fn dead_letters(&self, after: u64, limit: usize) -> LedgerResult<Vec<DeadLetter>> {
        let snapshot = self.snapshot()?;
        let from = codec::number_key(after.saturating_add(1));
        let mut dead = Vec::new();

        for (key, reason) in snapshot.scan_prefix(StoreTable::Dead, b"", &from, limit)? {
            let Some(row) = snapshot.get(StoreTable::Inbox, &key)? else { continue };
            let delivery: Delivery = codec::unpack_row(&row)?;

            dead.push(DeadLetter {
                sequence: codec::key_number(&key),
                source: delivery.source,
                delivery: delivery.id,
                received_ms: delivery.received_ms,
                reason: String::from_utf8_lossy(&reason).into_owned(),
            });
        }

        Ok(dead)
    }

    /// Puts a dead letter back to be processed; false when there is none, or when it conflicts with
    /// an earlier delivery of its id, which was processed.
    pub fn redrive_dead_letter(&self, sequence: u64) -> LedgerResult<bool> {
        let key = codec::number_key(sequence);
        let reason = self.snapshot()?.get(StoreTable::Dead, &key)?;
        let Some(reason) = reason.filter(|reason| reason != CONFLICT_REASON.as_bytes()) else {
            return Ok(false);
        };

        let mut batch = WriteBatch::default();
        batch.expect_row(StoreTable::Dead, key, Some(reason));
        batch.delete_row(StoreTable::Dead, key);
        batch.put_row(StoreTable::Pending, key, "");
        self.commit_changes(&batch)?;
        Ok(true)
    }

    /// Puts every dead letter of a source, or of all, back to be processed, without those that conflict
    /// with an earlier delivery of their id; how many those are.
    pub fn redrive_dead_letters(&self, source: Option<&str>) -> LedgerResult<u64> {
        let (mut after, mut redriven) = (0, 0);
        loop {
            let page = self.dead_letters(after, REDRIVE_PAGE)?;
            let Some(last) = page.last() else { return Ok(redriven) };
            after = last.sequence;
            for letter in &page {
                let is_meant = source.is_none_or(|source| source == letter.source);
                if is_meant && self.redrive_dead_letter(letter.sequence)? {
                    redriven += 1;
                }
            }
        }
    }
}
