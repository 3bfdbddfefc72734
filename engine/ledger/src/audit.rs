//! The audit trail: who did what, chained by hashes, so that a changed or missing row shows.
//!
//! A chain reveals edits of single rows. To detect that the whole file was rewritten, compare it
//! with a head or a checkpoint that is kept elsewhere. The hash of a row is the BLAKE3 hash of its
//! stored bytes, a line of JSON, so that rows of earlier versions of the program stay valid.

mod chain_check;
mod origin;

pub use self::chain_check::{ChainCheck, TrailMark};
pub use self::origin::{AuditOrigin, act_from};

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerResult, codec, next_number};
use accredit_seams::store::{Snapshot, StoreError, StoreTable, WriteBatch};

/// Where the hash of the last row stands.
pub(super) const HEAD_KEY: &[u8] = b"audit_head";

/// A row of the trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The number of the entry, counted from 1.
    pub sequence: u64,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// The token or person that did it.
    pub who: String,
    /// The action, such as `activated`, `released` or `held`.
    pub what: String,
    /// Everything else that is to be known, as JSON: of a change what was `before` and `after` it.
    pub detail: serde_json::Value,
    /// From where it came; rows of earlier versions of the program have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<AuditOrigin>,
    /// Hash of the row before, blank for the first.
    pub previous: String,
}

/// The end of the trail, to which one commit adds one or more rows.
pub(super) struct AuditChain {
    /// Hash of the last row.
    previous: String,
    /// The number of the next one.
    next: u64,
}

impl AuditChain {
    /// The trail as it is in `snapshot`.
    pub(super) fn from_snapshot(snapshot: &dyn Snapshot) -> LedgerResult<AuditChain> {
        let last = snapshot.last_row(StoreTable::Audit)?;
        let next = next_number(snapshot, StoreTable::Audit)?;
        Ok(AuditChain { previous: last.map_or_else(String::new, |(_, row)| hash_row(&row)), next })
    }

    /// Adds a row of who did what; gives its number.
    pub(super) fn append_row(
        &mut self,
        batch: &mut WriteBatch,
        at_ms: i64,
        (who, what): (&str, &str),
        detail: serde_json::Value,
    ) -> LedgerResult<u64> {
        let sequence = self.next;
        let previous = std::mem::take(&mut self.previous);

        let (who, what) = (who.to_owned(), what.to_owned());
        let origin = Some(origin::current_origin());
        let row = AuditRow { sequence, at_ms, who, what, detail, origin, previous };
        let row = codec::to_json(&row)?;

        self.previous = hash_row(&row);
        self.next += 1;
        // Two writers would both follow the same row; the second must not.
        batch.expect_row(StoreTable::Audit, codec::number_key(sequence), None);
        // The last row has no other that names it.
        batch.put_row(StoreTable::Meta, HEAD_KEY, self.previous.as_str());
        batch.put_row(StoreTable::Audit, codec::number_key(sequence), row);
        Ok(sequence)
    }
}

impl Ledger {
    pub(super) fn append_audit(
        &self,
        snapshot: &dyn Snapshot,
        batch: &mut WriteBatch,
        at_ms: i64,
        who: &str,
        what: &str,
        detail: serde_json::Value,
    ) -> LedgerResult<()> {
        AuditChain::from_snapshot(snapshot)?.append_row(batch, at_ms, (who, what), detail)?;
        Ok(())
    }

    /// Notes an act of the host that changes no row by itself, or more than one commit.
    pub fn note_act(&self, at_ms: i64, said: (&str, &str, serde_json::Value)) -> LedgerResult<()> {
        self.change_meta_audited(&[], at_ms, said)
    }

    /// How many rows the trail has, and the hash of the last one; none while it has none.
    pub fn trail_end(&self) -> LedgerResult<Option<(u64, String)>> {
        let last = self.snapshot()?.last_row(StoreTable::Audit)?;
        Ok(last.map(|(key, row)| (codec::key_number(&key), hash_row(&row))))
    }

    /// The hash of the row with this number; none where there is no such row.
    pub fn trail_hash(&self, number: u64) -> LedgerResult<Option<String>> {
        let row = self.snapshot()?.get(StoreTable::Audit, &codec::number_key(number))?;
        Ok(row.map(|row| hash_row(&row)))
    }

    /// Up to `limit` rows from the number `from` on, as they are stored: a line of JSON each.
    pub fn trail_rows(&self, from: u64, limit: usize) -> LedgerResult<Vec<(u64, Vec<u8>)>> {
        let from = codec::number_key(from);
        let rows = self.snapshot()?.scan_prefix(StoreTable::Audit, b"", &from, limit)?;
        Ok(rows.into_iter().map(|(key, row)| (codec::key_number(&key), row)).collect())
    }

    /// The whole trail, if every row follows from the one before.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] at the first row that does not.
    pub fn verified_trail(&self) -> LedgerResult<Vec<AuditRow>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Audit, b"", b"", usize::MAX)?;
        let mut previous = String::new();
        let mut trail = Vec::with_capacity(rows.len());

        for (expected, (_, bytes)) in (1..).zip(&rows) {
            let row: AuditRow = codec::from_json(bytes)?;
            if row.previous != previous || row.sequence != expected {
                return Err(StoreError::Damaged(format!("audit row {expected} does not follow")));
            }
            previous = hash_row(bytes);
            trail.push(row);
        }

        Ok(trail)
    }
}

/// A row out of its stored bytes.
///
/// # Errors
/// [`StoreError::Damaged`] when it cannot be read.
pub fn read_row(bytes: &[u8]) -> LedgerResult<AuditRow> {
    codec::from_json(bytes)
}

/// What the next row names a row by: the BLAKE3 hash of its stored bytes.
pub fn hash_row(row: &[u8]) -> String {
    blake3::hash(row).to_hex().to_string()
}
