//! Deliveries as they came in: appended before they are acknowledged, processed later, once.

use serde::{Deserialize, Serialize};

use super::{Ledger, Result, code, lock, next_number};
use crate::store::{Batch, Table};

/// A delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The source's name; `import` for rows that the administrator sent.
    pub source: String,
    /// The sender's id of the delivery.
    pub id: String,
    /// When it arrived, milliseconds since 1970.
    pub received_ms: i64,
    /// How the body is to be read: `webhook`, `ndjson`, `csv` or `json`.
    pub kind: String,
    /// The raw body.
    pub body: Vec<u8>,
}

/// What became of a delivery when it was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// Its place in the inbox: that of the first one, for a duplicate.
    pub sequence: u64,
    /// Whether the same delivery had been received before.
    pub duplicate: bool,
    /// Whether the same id had been received with another body: kept, not processed.
    pub conflict: bool,
}

/// A delivery that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dead {
    /// Its place in the inbox.
    pub sequence: u64,
    /// The source.
    pub source: String,
    /// The sender's id.
    pub id: String,
    /// When it arrived, milliseconds since 1970.
    pub received_ms: i64,
    /// Why it cannot be read.
    pub reason: String,
}

#[derive(Serialize, Deserialize)]
struct Known {
    sequence: u64,
    body_hash: [u8; 32],
}

impl Ledger {
    /// Appends a group of deliveries in one commit; receipts in the same order.
    ///
    /// # Errors
    /// When nothing was written, or nobody can say.
    pub fn receive(&self, deliveries: &[Delivery]) -> Result<Vec<Receipt>> {
        let _one_at_a_time = lock(&self.deliveries);
        let snapshot = self.snapshot()?;
        let mut next = next_number(&*snapshot, Table::Inbox)?;
        let mut batch = Batch::default();
        let mut fresh: Vec<(Vec<u8>, Known)> = Vec::new();
        let mut receipts = Vec::with_capacity(deliveries.len());
        for delivery in deliveries {
            let key = code::parts(&[&delivery.source, &delivery.id]);
            let body_hash = *blake3::hash(&delivery.body).as_bytes();
            let stored = snapshot.get(Table::Deliveries, &key)?;
            let stored: Option<Known> = stored.map(|row| code::unpack(&row)).transpose()?;
            let same_group = fresh.iter().find(|(known, _)| *known == key).map(|(_, known)| known);
            let known = stored.as_ref().or(same_group);
            let known = known.map(|known| (known.sequence, known.body_hash == body_hash));
            if let Some((sequence, true)) = known {
                receipts.push(Receipt { sequence, duplicate: true, conflict: false });
                continue;
            }
            batch.put(Table::Inbox, code::key(next), code::pack(delivery)?);
            if known.is_some() {
                let reason = "the same delivery id came before with another body".to_owned();
                batch.put(Table::Dead, code::key(next), reason);
            } else {
                let known = Known { sequence: next, body_hash };
                batch.put(Table::Deliveries, key.clone(), code::pack(&known)?);
                batch.put(Table::Pending, code::key(next), "");
                fresh.push((key, known));
            }
            let conflict = known.is_some();
            receipts.push(Receipt { sequence: next, duplicate: conflict, conflict });
            next += 1;
        }
        if !batch.changes.is_empty() {
            self.store.commit(&batch)?;
        }
        Ok(receipts)
    }

    /// The oldest deliveries that wait to be processed.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn pending(&self, limit: usize) -> Result<Vec<(u64, Delivery)>> {
        let snapshot = self.snapshot()?;
        let mut pending = Vec::new();
        for (key, _) in snapshot.scan(Table::Pending, b"", b"", limit)? {
            if let Some(row) = snapshot.get(Table::Inbox, &key)? {
                pending.push((code::number(&key), code::unpack(&row)?));
            }
        }
        Ok(pending)
    }

    /// How many deliveries wait to be processed, counted up to `limit`.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn pending_count(&self, limit: usize) -> Result<usize> {
        Ok(self.snapshot()?.scan(Table::Pending, b"", b"", limit)?.len())
    }

    /// A delivery, processed or not.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn delivery(&self, sequence: u64) -> Result<Option<Delivery>> {
        let row = self.snapshot()?.get(Table::Inbox, &code::key(sequence))?;
        row.map(|row| code::unpack(&row)).transpose()
    }

    /// Deliveries that could not be read, oldest first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn dead_letters(&self, limit: usize) -> Result<Vec<Dead>> {
        let snapshot = self.snapshot()?;
        let mut dead = Vec::new();
        for (key, reason) in snapshot.scan(Table::Dead, b"", b"", limit)? {
            let Some(row) = snapshot.get(Table::Inbox, &key)? else { continue };
            let delivery: Delivery = code::unpack(&row)?;
            dead.push(Dead {
                sequence: code::number(&key),
                source: delivery.source,
                id: delivery.id,
                received_ms: delivery.received_ms,
                reason: String::from_utf8_lossy(&reason).into_owned(),
            });
        }
        Ok(dead)
    }

    /// Puts a dead letter back to be processed; false when there is none.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn redrive(&self, sequence: u64) -> Result<bool> {
        let key = code::key(sequence);
        if self.snapshot()?.get(Table::Dead, &key)?.is_none() {
            return Ok(false);
        }
        let mut batch = Batch::default();
        batch.delete(Table::Dead, key);
        batch.put(Table::Pending, key, "");
        self.store.commit(&batch)?;
        Ok(true)
    }
}
