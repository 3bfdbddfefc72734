//! Rows of a former layout become those of today, a few in a commit, when a file is opened.
//!
//! Formerly a row had 64 deals with every word of their decisions, and every credit a second time for
//! its payee. The rows that are left say what is still to do: a commit writes the new rows of some
//! blocks and deletes those blocks, so that a stop in the middle loses nothing and the next process
//! continues. A block that cannot be read stays, and those who read its deals are told.
//!
//! **Architecture invariant:** a deal is in a block of the former layout or in a row of its own, never
//! in both and never in neither.

use super::names::NewNames;
use super::packed::deal::{PackedContent, pack_deal};
use super::record::{TransactionRecord, take_turn};
use super::statements::{MovedDeal, StatementChanges};
use super::{Ledger, LedgerResult, codec, lock_mutex};
use accredit_seams::store::{StoreError, StoreTable, WriteBatch};

/// Blocks that are moved in one commit.
const BLOCKS_A_COMMIT: usize = 64;

/// Former statements that are deleted in one commit.
const STATEMENTS_A_COMMIT: usize = 4096;

impl Ledger {
    /// Moves the deals of a former layout into rows of their own.
    ///
    /// # Errors
    /// When the data cannot be read or written. What was moved until then stays so.
    pub(super) fn move_former_blocks(&self) -> LedgerResult<()> {
        let _one_at_a_time = lock_mutex(&self.records);

        let mut from = Vec::new();
        while let Some(next) = self.move_some_blocks(&from)? {
            from = next;
        }

        // Their credits are in the rows of their deals.
        loop {
            let snapshot = self.store.lenient_snapshot()?;
            let rows = snapshot.scan_prefix(StoreTable::Segments, b"", b"", STATEMENTS_A_COMMIT)?;
            if rows.is_empty() {
                return Ok(());
            }

            let mut batch = WriteBatch::default();
            rows.into_iter().for_each(|(key, _)| batch.delete_row(StoreTable::Segments, key));
            self.commit_changes(&batch)?;
        }
    }

    /// Moves some blocks from a key on; gives the key to go on with, none at the end.
    fn move_some_blocks(&self, from: &[u8]) -> LedgerResult<Option<Vec<u8>>> {
        let snapshot = self.store.checked_snapshot()?;
        let rows = snapshot.scan_checked(StoreTable::Blocks, from, BLOCKS_A_COMMIT)?;
        let Some((last, _)) = rows.last() else { return Ok(None) };
        let next = [last.as_slice(), &[0]].concat();

        let mut batch = WriteBatch::default();
        take_turn(&snapshot, &mut batch)?;
        let mut names = NewNames::beyond(self.names.load(&snapshot)?);
        let mut statements = StatementChanges::new(&snapshot);

        for (key, row) in rows {
            let read = row.and_then(|row| codec::unpack_row::<Vec<TransactionRecord>>(&row));
            let deals = match read {
                Ok(deals) => deals,
                Err(StoreError::Damaged(_)) => continue,
                Err(error) => return Err(error),
            };

            for stored in deals {
                let place = codec::number_key(stored.number);
                let packed =
                    pack_deal(PackedContent::Record(&stored), &stored.decisions, &mut names)?;
                batch.put_row(StoreTable::Deals, place, packed);
                let entered = MovedDeal::between(stored.number, &[], &stored.decisions);
                statements.move_deal(&entered)?;
            }
            batch.delete_row(StoreTable::Blocks, key);
        }

        statements.write_changes(&mut batch);
        names.write_rows(&mut batch);
        self.commit_changes(&batch)?;
        names.keep_in(&self.names);
        Ok(Some(next))
    }
}
