//! Whose credits are where: for every payee and period the numbers of the deals in which they have
//! something, so that reading a statement touches the deals of no one else.
//!
//! A row has the deals of a span: wide enough that bulk loads write few rows, narrow enough that a
//! changed deal rewrites little. The credits themselves stand with their deals alone. Called by
//! `record` and `query`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::packed::put_number;
use super::record::TransactionRecord;
use super::{LedgerResult, codec};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_seams::store::{Snapshot, StoreError, StoreTable, WriteBatch};

/// Deals whose numbers share the row of a payee and period.
const SPAN_TRANSACTIONS: u64 = 1 << 16;

/// The version of these rows; another one is refused, never guessed at.
const PAYEE_ROW_VERSION: u8 = 1;

/// The rows that a round of work touches.
pub(super) struct StatementChanges<'a> {
    snapshot: &'a dyn Snapshot,
    rows: HashMap<Vec<u8>, PayeeRow>,
}

/// A row while it changes.
#[derive(Default)]
struct PayeeRow {
    numbers: Vec<u64>,
    is_changed: bool,
}

/// The key of the row that the deal of a credit stands in; none without a payee.
pub(super) fn statement_key(credit: &PostedCredit, number: u64) -> Option<Vec<u8>> {
    let payee = credit.payee.as_deref()?;
    let span = codec::number_key(number / SPAN_TRANSACTIONS);
    Some([&codec::parts_key(&[payee, &credit.period])[..], &span].concat())
}

/// The keys of the rows in which a deal with these decisions stands.
pub(super) fn statement_keys(decisions: &[Decision], number: u64) -> BTreeSet<Vec<u8>> {
    let credits = decisions.iter().flat_map(|decision| &decision.credits);
    credits.filter_map(|credit| statement_key(credit, number)).collect()
}

/// The numbers of deals in a row, in their order.
///
/// # Errors
/// When it is not what was written.
pub(super) fn unpack_numbers(key: &[u8], row: &[u8]) -> LedgerResult<Vec<u64>> {
    let damaged =
        || StoreError::Damaged("a list of the deals of a payee cannot be read".to_owned());
    let Some((&PAYEE_ROW_VERSION, rest)) = row.split_first() else { return Err(damaged()) };

    // The first number counts from the beginning of the span, each other from the one before.
    let mut number = codec::key_number(key).checked_mul(SPAN_TRANSACTIONS).ok_or_else(damaged)?;
    let (mut numbers, mut step, mut shift) = (Vec::with_capacity(rest.len()), 0_u64, 0_u32);
    for byte in rest {
        if shift > 28 {
            return Err(damaged());
        }
        step |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 {
            number = number.checked_add(step).ok_or_else(damaged)?;
            numbers.push(number);
            (step, shift) = (0, 0);
        }
    }
    if shift == 0 { Ok(numbers) } else { Err(damaged()) }
}

fn pack_numbers(key: &[u8], numbers: &[u64]) -> Vec<u8> {
    let mut row = vec![PAYEE_ROW_VERSION];
    let mut before = codec::key_number(key).saturating_mul(SPAN_TRANSACTIONS);
    for number in numbers {
        put_number(&mut row, number.saturating_sub(before));
        before = *number;
    }
    row
}

impl<'a> StatementChanges<'a> {
    pub(super) fn new(snapshot: &'a dyn Snapshot) -> Self {
        StatementChanges { snapshot, rows: HashMap::new() }
    }

    /// Takes a deal out of the rows of those who had something in it, and puts it in those of who has.
    pub(super) fn replace_deal(
        &mut self,
        number: u64,
        before: Option<&TransactionRecord>,
        after: &[Decision],
    ) -> LedgerResult<()> {
        let before = before.map_or(&[][..], |stored| &stored.decisions);
        let (before, after) = (statement_keys(before, number), statement_keys(after, number));

        for key in before.difference(&after) {
            let row = self.open_row(key)?;
            row.numbers.retain(|known| *known != number);
            row.is_changed = true;
        }
        for key in after.difference(&before) {
            let row = self.open_row(key)?;
            if let Err(place) = row.numbers.binary_search(&number) {
                row.numbers.insert(place, number);
                row.is_changed = true;
            }
        }
        Ok(())
    }

    fn open_row(&mut self, key: &[u8]) -> LedgerResult<&mut PayeeRow> {
        if !self.rows.contains_key(key) {
            let row = self.snapshot.get(StoreTable::PayeeDeals, key)?;
            let numbers = row.map(|row| unpack_numbers(key, &row)).transpose()?;
            let row = PayeeRow { numbers: numbers.unwrap_or_default(), is_changed: false };
            self.rows.insert(key.to_vec(), row);
        }
        Ok(self.rows.entry(key.to_vec()).or_default())
    }

    /// Writes the rows, those that are empty now as deletions.
    pub(super) fn write_changes(self, batch: &mut WriteBatch) {
        let changed = self.rows.into_iter().filter(|(_, row)| row.is_changed);
        // In the order of their keys: neighbours share pages.
        let changed: BTreeMap<Vec<u8>, PayeeRow> = changed.collect();
        for (key, row) in changed {
            if row.numbers.is_empty() {
                batch.delete_row(StoreTable::PayeeDeals, key);
            } else {
                let packed = pack_numbers(&key, &row.numbers);
                batch.put_row(StoreTable::PayeeDeals, key, packed);
            }
        }
    }
}
