//! Imports under a key that are under way, so that a stop between their rows and their row of the trail
//! loses neither.
//!
//! An import is stored in one or several commits and noted in the trail behind the last one. When its
//! sender repeats it after a stop, all of it may be a repetition, which has no row by itself. Not the
//! deliveries (`inbox`), and not imports without a key: the same body may come again and mean something.
//! Called by the host.
//!
//! **Architecture invariant:** that an import was begun is forgotten in the commit of its row of the trail.

use serde_json::Value;

use super::audit::AuditChain;
use super::{Ledger, LedgerResult, codec, lock_mutex};
use accredit_seams::store::{StoreTable, WriteBatch};

/// What the keys of rows begin with.
const PREFIX: &str = "import/";

fn row_key(id: &str) -> String {
    format!("{PREFIX}{id}")
}

impl Ledger {
    /// Notes that the import whose first delivery has this source and id is under way, unless that was
    /// received before; whether it was under way already.
    pub fn begin_import(&self, (source, id): (&str, &str)) -> LedgerResult<bool> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let own = row_key(id);
        if snapshot.get(StoreTable::Meta, own.as_bytes())?.is_some() {
            return Ok(true);
        }

        let first = codec::parts_key(&[source, id]);
        if snapshot.get(StoreTable::Deliveries, &first)?.is_none() {
            let mut batch = WriteBatch::default();
            batch.put_row(StoreTable::Meta, own, "");
            self.commit_changes(&batch)?;
        }
        Ok(false)
    }

    /// Forgets that an import is under way, with its row of the trail where it stored something: who,
    /// what, and the rest. One that another request has ended has its row.
    pub fn end_import(
        &self,
        id: &str,
        at_ms: i64,
        said: Option<(&str, &str, Value)>,
    ) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let own = row_key(id);
        let Some(begun) = snapshot.get(StoreTable::Meta, own.as_bytes())? else { return Ok(()) };

        let mut batch = WriteBatch::default();
        batch.expect_row(StoreTable::Meta, own.as_str(), Some(begun));
        batch.delete_row(StoreTable::Meta, own);
        if let Some((who, what, detail)) = said {
            let mut chain = AuditChain::from_snapshot(&*snapshot)?;
            chain.append_row(&mut batch, at_ms, (who, what), detail)?;
        }
        self.commit_changes(&batch)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use accredit_seams::delivery::Delivery;
    use accredit_seams::store::memory::MemoryStore;
    use serde_json::json;

    use super::*;

    fn receive(ledger: &Ledger) {
        let (source, id) = ("import".to_owned(), "k".to_owned());
        let (body, transactions) = (b"[]".to_vec(), Vec::new());
        let delivery = Delivery { source, id, received_ms: 1, body, transactions };
        ledger.receive_deliveries(&[delivery]).unwrap();
    }

    fn end(ledger: &Ledger, is_new: bool) -> u64 {
        let said = is_new.then(|| ("ann", "imported", json!({"delivery": "k"})));
        ledger.end_import("k", 2, said).unwrap();
        ledger.trail_end().unwrap().map_or(0, |(rows, _)| rows)
    }

    /// The server stopped between the rows and the row of the trail, and the sender's repetition stored
    /// nothing: the import was in the books and not in the trail.
    #[test]
    fn an_import_that_was_cut_off_has_its_row_once() {
        let ledger = Ledger::new(Arc::new(MemoryStore::default()));
        let begin = || ledger.begin_import(("import", "k")).unwrap();
        assert!(!begin());
        receive(&ledger);
        assert!(begin(), "a stop, and the same request again");
        assert_eq!(end(&ledger, true), 1);
        assert_eq!(end(&ledger, true), 1, "the first one, which was slower");

        // A repetition of one that has its row leaves nothing behind.
        assert!(!begin());
        assert!(!begin());
        assert_eq!(end(&ledger, false), 1);
    }
}
