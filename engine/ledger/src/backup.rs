//! A copy of a data file while it is in use: every row of one moment, in a new store.
//!
//! Not files, folders and old copies (the host's). A copy is a data file like any other. Called by the
//! server, and by `accredit backup` and `accredit restore`.
//!
//! **Architecture invariant:** a copy is called good only after it was read again: it has the same rows,
//! none of them is damaged, and its trail is whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::record::LedgerCounts;
use super::sealed::{SealedStore, SealedView, is_mark, seal_former_rows};
use super::{Ledger, LedgerResult};
use accredit_seams::store::{Store, StoreError, StoreTable, WriteBatch};
use utoipa::ToSchema;

/// Rows that are read or written at a time, and bytes of them, about.
const COPY_BATCH_ROWS: usize = 1000;
const COPY_BATCH_BYTES: usize = 8 << 20;

/// What a copy has: the same figures tell whether two data files have the same rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CopySummary {
    /// How many rows it has.
    pub rows: u64,
    /// The BLAKE3 hash of all of them, in the order of tables and keys.
    pub blake3: String,
    /// The hash of the last row of the audit trail; empty while it has none.
    pub audit_head: String,
    /// How many rows the audit trail has.
    pub audit_rows: u64,
    /// Counts of deals and credits, and their totals.
    pub counts: LedgerCounts,
}

impl Ledger {
    /// Copies every row of this moment into an empty store, and reads the copy again. Commits go on
    /// meanwhile and are not in it.
    ///
    /// # Errors
    /// When a row is damaged, when the store is not empty or cannot be written, or when the copy is not
    /// what was read.
    pub fn copy_into(&self, target: Arc<dyn Store>) -> LedgerResult<CopySummary> {
        if has_rows(&*target)? {
            return Err(copy_error("the file already has rows; copy into an empty one"));
        }
        seal_former_rows(&*target)?;

        let sealed = SealedStore::new(Arc::clone(&target));
        let (mut batch, mut bytes) = (WriteBatch::default(), 0);
        let read = visit_all(&self.store.checked_snapshot()?, &mut |table, key, value| {
            bytes += key.len() + value.len();
            batch.put_row(table, key, value);
            if batch.changes.len() >= COPY_BATCH_ROWS || bytes > COPY_BATCH_BYTES {
                bytes = 0;
                sealed.commit(&std::mem::take(&mut batch))?;
            }
            Ok(())
        })?;
        sealed.commit(&batch)?;
        drop(sealed);

        let copied = Ledger::open(target)?.summarize_rows()?;
        if (copied.rows, &copied.blake3) != (read.rows, &read.blake3) {
            return Err(copy_error("the copy does not have the rows that were read"));
        }
        Ok(copied)
    }

    /// What this data file has, with every row read and the trail checked.
    ///
    /// # Errors
    /// When a row is damaged, or the trail is not whole.
    pub fn summarize_rows(&self) -> LedgerResult<CopySummary> {
        let RowsRead { rows, blake3 } =
            visit_all(&self.store.checked_snapshot()?, &mut |_, _, _| Ok(()))?;
        let trail = self.check_trail(None, &[])?;
        if let Some(problem) = trail.problems.first() {
            return Err(StoreError::Damaged(format!("the audit trail is not whole: {problem}")));
        }
        let (audit_head, audit_rows) = (trail.head, trail.rows);
        Ok(CopySummary { rows, blake3, audit_head, audit_rows, counts: self.counts()? })
    }
}

/// Rows of a view, counted and hashed.
struct RowsRead {
    rows: u64,
    blake3: String,
}

/// Calls `look` for every row of a view, without the marks of seals, which belong to one file.
fn visit_all(
    snapshot: &SealedView,
    look: &mut dyn FnMut(StoreTable, Vec<u8>, Vec<u8>) -> LedgerResult<()>,
) -> LedgerResult<RowsRead> {
    let (mut hasher, mut rows) = (blake3::Hasher::new(), 0);
    for (table, name) in StoreTable::ALL {
        let mut from = Vec::new();
        loop {
            let page = snapshot.scan_checked(table, &from, COPY_BATCH_ROWS)?;
            let Some((last, _)) = page.last() else { break };
            from = [last.as_slice(), &[0]].concat();

            for (key, value) in page {
                let value = value?;
                if is_mark(table, &key) {
                    continue;
                }
                for part in [name.as_bytes(), &key, &value] {
                    // Lengths keep the end of one part from passing as the beginning of the next.
                    hasher.update(&(part.len() as u64).to_le_bytes());
                    hasher.update(part);
                }
                rows += 1;
                look(table, key, value)?;
            }
        }
    }
    Ok(RowsRead { rows, blake3: hasher.finalize().to_hex().to_string() })
}

/// Whether a store has a row in any of its tables.
pub fn has_rows(store: &dyn Store) -> LedgerResult<bool> {
    let snapshot = store.snapshot()?;
    for (table, _) in StoreTable::ALL {
        if snapshot.last_row(table)?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn copy_error(why: &str) -> StoreError {
    StoreError::Failed(why.to_owned())
}

#[cfg(test)]
mod tests {
    use accredit_seams::store::memory::MemoryStore;

    use super::*;

    fn filled() -> (Arc<MemoryStore>, Ledger) {
        let store = Arc::new(MemoryStore::default());
        let ledger = Ledger::open(Arc::clone(&store) as Arc<dyn Store>).unwrap();
        for number in 0..2500 {
            ledger.set_meta(&format!("key {number}"), &[7; 20]).unwrap();
        }
        let act = ("eva", "tried", serde_json::json!({}));
        ledger.set_meta_audited(("last", b"x"), 1, act).unwrap();
        (store, ledger)
    }

    #[test]
    fn a_copy_has_every_row_and_can_be_used() {
        let (_, ledger) = filled();
        let target = Arc::new(MemoryStore::default());
        let copied = ledger.copy_into(Arc::clone(&target) as Arc<dyn Store>).unwrap();
        assert_eq!(copied, ledger.summarize_rows().unwrap());
        assert!(copied.rows > 2501 && copied.audit_rows == 1, "{copied:?}");
        let again = ledger.copy_into(Arc::clone(&target) as Arc<dyn Store>);
        assert!(again.is_err(), "into an empty store alone");

        let other = Ledger::open(target as Arc<dyn Store>).unwrap();
        assert_eq!(other.get_meta("key 2499").unwrap().unwrap(), [7; 20]);
        other.set_meta("key 1", b"8").unwrap();
        assert_ne!(copied.blake3, other.summarize_rows().unwrap().blake3);
    }

    #[test]
    fn a_damaged_row_is_not_copied_into_a_backup() {
        let (store, ledger) = filled();
        let mut batch = WriteBatch::default();
        batch.put_row(StoreTable::Meta, "key 7", "something else");
        store.commit(&batch).unwrap();
        let target = Arc::new(MemoryStore::default());
        let copied = ledger.copy_into(target as Arc<dyn Store>);
        assert!(matches!(copied, Err(StoreError::Damaged(_))), "{copied:?}");
    }
}
