//! Statements: the credits of a payee in a period, kept beside the blocks so that reading one does
//! not touch the transactions of others.
//!
//! A row holds what a payee has in a period from a span of transactions: wide enough that bulk
//! loads write few rows, narrow enough that one changed deal rewrites little. Called by `record`
//! and `query`. Source: PERFORMANCE E.

use std::collections::{BTreeMap, HashMap};

use super::record::Stored;
use super::{Result, code};
use accredit_domain::credit::posted::PostedCredit;
use accredit_seams::store::{Batch, Snapshot, Table};

/// Transactions whose credits share the statement rows of a payee and period.
const SPAN_TRANSACTIONS: u64 = 1024;

/// A row: credits with the numbers of their transactions, in their order.
pub(super) type Row = Vec<(u64, PostedCredit)>;

/// The statement rows that a round of work touches.
pub(super) struct Statements<'a> {
    snapshot: &'a dyn Snapshot,
    rows: BTreeMap<Vec<u8>, Row>,
}

/// The key of the row that a credit stands in; none without a payee.
pub(super) fn key(credit: &PostedCredit, number: u64) -> Option<Vec<u8>> {
    let payee = credit.payee.as_deref()?;
    let span = code::key(number / SPAN_TRANSACTIONS);
    Some([&code::parts(&[payee, &credit.period])[..], &span].concat())
}

fn credits(stored: &Stored) -> impl Iterator<Item = &PostedCredit> {
    stored.decisions.iter().flat_map(|decision| &decision.credits)
}

impl<'a> Statements<'a> {
    pub(super) fn new(snapshot: &'a dyn Snapshot) -> Self {
        Statements { snapshot, rows: BTreeMap::new() }
    }

    /// Takes the credits of a block as they were out, and puts them in as they are.
    pub(super) fn change(&mut self, before: &[Stored], after: &[Stored]) -> Result<()> {
        let old: HashMap<u64, &Stored> =
            before.iter().map(|stored| (stored.number, stored)).collect();

        for stored in after {
            let known = old.get(&stored.number).copied();
            if known.is_some_and(|known| known.decisions == stored.decisions) {
                continue;
            }

            for credit in known.into_iter().flat_map(credits) {
                if let Some(row) = self.row(credit, stored.number)? {
                    row.retain(|(number, _)| *number != stored.number);
                }
            }

            for credit in credits(stored) {
                if let Some(row) = self.row(credit, stored.number)? {
                    row.push((stored.number, credit.clone()));
                }
            }
        }

        Ok(())
    }

    fn row(&mut self, credit: &PostedCredit, number: u64) -> Result<Option<&mut Row>> {
        let Some(key) = key(credit, number) else { return Ok(None) };
        if !self.rows.contains_key(&key) {
            let row = self.snapshot.get(Table::Segments, &key)?;
            let row = row.map_or_else(|| Ok(Row::new()), |row| code::unpack(&row))?;
            self.rows.insert(key.clone(), row);
        }
        Ok(self.rows.get_mut(&key))
    }

    /// Writes the rows, those that are empty now as deletions.
    pub(super) fn write(self, batch: &mut Batch) -> Result<()> {
        for (key, mut row) in self.rows {
            if row.is_empty() {
                batch.delete(Table::Segments, key);
                continue;
            }
            // Stable: the credits of one transaction stay in the order of their decision.
            row.sort_by_key(|(number, _)| *number);
            batch.put(Table::Segments, key, code::pack(&row)?);
        }
        Ok(())
    }
}
