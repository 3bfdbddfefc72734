//! Statements: the credits of a payee in a period, kept beside the blocks so that reading one does
//! not touch the transactions of others.
//!
//! A row holds what a payee has in a period from a span of transactions: wide enough that bulk
//! loads write few rows, narrow enough that one changed deal rewrites little. Called by `record`
//! and `query`. Source: PERFORMANCE E.

use std::collections::{BTreeMap, HashMap};

use super::record::TransactionRecord;
use super::{LedgerResult, codec};
use accredit_domain::credit::posted::PostedCredit;
use accredit_seams::store::{Snapshot, StoreTable, WriteBatch};

/// Transactions whose credits share the statement rows of a payee and period.
const SPAN_TRANSACTIONS: u64 = 1024;

/// A row: credits with the numbers of their transactions, in their order.
pub(super) type StatementRow = Vec<(u64, PostedCredit)>;

/// The statement rows that a round of work touches.
pub(super) struct StatementChanges<'a> {
    snapshot: &'a dyn Snapshot,
    rows: BTreeMap<Vec<u8>, StatementRow>,
}

/// The key of the row that a credit stands in; none without a payee.
pub(super) fn statement_key(credit: &PostedCredit, number: u64) -> Option<Vec<u8>> {
    let payee = credit.payee.as_deref()?;
    let span = codec::number_key(number / SPAN_TRANSACTIONS);
    Some([&codec::parts_key(&[payee, &credit.period])[..], &span].concat())
}

fn record_credits(stored: &TransactionRecord) -> impl Iterator<Item = &PostedCredit> {
    stored.decisions.iter().flat_map(|decision| &decision.credits)
}

impl<'a> StatementChanges<'a> {
    pub(super) fn new(snapshot: &'a dyn Snapshot) -> Self {
        StatementChanges { snapshot, rows: BTreeMap::new() }
    }

    /// Takes the credits of a block as they were out, and puts them in as they are.
    pub(super) fn replace_block(
        &mut self,
        before: &[TransactionRecord],
        after: &[TransactionRecord],
    ) -> LedgerResult<()> {
        let old: HashMap<u64, &TransactionRecord> =
            before.iter().map(|stored| (stored.number, stored)).collect();

        for stored in after {
            let known = old.get(&stored.number).copied();
            if known.is_some_and(|known| known.decisions == stored.decisions) {
                continue;
            }

            for credit in known.into_iter().flat_map(record_credits) {
                if let Some(row) = self.statement_row(credit, stored.number)? {
                    row.retain(|(number, _)| *number != stored.number);
                }
            }

            for credit in record_credits(stored) {
                if let Some(row) = self.statement_row(credit, stored.number)? {
                    row.push((stored.number, credit.clone()));
                }
            }
        }

        Ok(())
    }

    fn statement_row(
        &mut self,
        credit: &PostedCredit,
        number: u64,
    ) -> LedgerResult<Option<&mut StatementRow>> {
        let Some(key) = statement_key(credit, number) else { return Ok(None) };
        if !self.rows.contains_key(&key) {
            let row = self.snapshot.get(StoreTable::Segments, &key)?;
            let row = row.map_or_else(|| Ok(StatementRow::new()), |row| codec::unpack_row(&row))?;
            self.rows.insert(key.clone(), row);
        }
        Ok(self.rows.get_mut(&key))
    }

    /// Writes the rows, those that are empty now as deletions.
    pub(super) fn write_changes(self, batch: &mut WriteBatch) -> LedgerResult<()> {
        for (key, mut row) in self.rows {
            if row.is_empty() {
                batch.delete_row(StoreTable::Segments, key);
                continue;
            }
            // Stable: the credits of one transaction stay in the order of their decision.
            row.sort_by_key(|(number, _)| *number);
            batch.put_row(StoreTable::Segments, key, codec::pack_row(&row)?);
        }
        Ok(())
    }
}
