//! Whose credits are where: for every payee and period the numbers of the deals in which they have
//! something, so that reading a statement touches the deals of no one else.
//!
//! A row has the deals of a span: wide enough that bulk loads write few rows, narrow enough that a
//! changed deal rewrites little. The credits themselves stand with their deals alone. Called by
//! `record` and `query`.

use std::collections::{BTreeSet, HashMap};

use super::packed::put_number;
use super::{LedgerResult, codec};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_domain::keys::{ParticipantKey, PeriodKey};
use accredit_seams::store::{Snapshot, StoreError, StoreTable, WriteBatch};

/// Deals whose numbers share the row of a payee and period.
const SPAN_TRANSACTIONS: u64 = 1 << 16;

/// The version of these rows; another one is refused, never guessed at.
const PAYEE_ROW_VERSION: u8 = 1;

/// The rows that a round of work touches.
pub(super) struct StatementChanges<'a> {
    snapshot: &'a dyn Snapshot,
    /// Rows with their keys, as they were met.
    rows: Vec<(Vec<u8>, PayeeRow)>,
    /// Where rows stand, by key and by what it is made of: a key takes longer to make than to find.
    places: HashMap<Vec<u8>, usize>,
    names: HashMap<RowName, usize>,
}

/// A row while it changes.
struct PayeeRow {
    numbers: Vec<u64>,
    is_changed: bool,
}

/// Whose row it is, of which period, and the span of its deals.
type RowName = (ParticipantKey, PeriodKey, u64);

/// The row that the deal of a credit stands in; none without a payee.
fn row_of(credit: &PostedCredit, number: u64) -> Option<RowName> {
    Some((credit.payee?, credit.period, number / SPAN_TRANSACTIONS))
}

fn row_key((payee, period, span): &RowName) -> Vec<u8> {
    let mut key = codec::parts_key(&[payee, period]);
    key.extend_from_slice(&codec::number_key(*span));
    key
}

/// The keys of the rows in which a deal with these decisions stands.
pub(super) fn statement_keys(decisions: &[Decision], number: u64) -> BTreeSet<Vec<u8>> {
    rows_of(decisions, number).iter().map(row_key).collect()
}

/// The rows in which a deal with these decisions stands, each once and in order.
fn rows_of(decisions: &[Decision], number: u64) -> Vec<RowName> {
    let credits = decisions.iter().flat_map(|decision| &decision.credits);
    let mut rows: Vec<RowName> = credits.filter_map(|credit| row_of(credit, number)).collect();
    rows.sort_unstable();
    rows.dedup();
    rows
}

/// The rows that a deal leaves and enters.
pub(super) struct MovedDeal {
    number: u64,
    left: Vec<RowName>,
    entered: Vec<RowName>,
}

impl MovedDeal {
    /// From the decisions as they were to those as they become.
    pub(super) fn between(number: u64, before: &[Decision], after: &[Decision]) -> MovedDeal {
        let (mut left, mut entered) = (rows_of(before, number), rows_of(after, number));
        if !left.is_empty() {
            let stays = entered.clone();
            entered.retain(|name| left.binary_search(name).is_err());
            left.retain(|name| stays.binary_search(name).is_err());
        }
        MovedDeal { number, left, entered }
    }
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
        let (rows, places, names) = (Vec::new(), HashMap::new(), HashMap::new());
        StatementChanges { snapshot, rows, places, names }
    }

    /// Takes a deal out of the rows of those who have nothing in it any more, and puts it in those of who
    /// has something now.
    pub(super) fn move_deal(&mut self, moved: &MovedDeal) -> LedgerResult<()> {
        for name in &moved.left {
            let row = self.open_row(name)?;
            row.numbers.retain(|known| *known != moved.number);
            row.is_changed = true;
        }
        for name in &moved.entered {
            let row = self.open_row(name)?;
            if let Err(place) = row.numbers.binary_search(&moved.number) {
                row.numbers.insert(place, moved.number);
                row.is_changed = true;
            }
        }
        Ok(())
    }

    fn open_row(&mut self, name: &RowName) -> LedgerResult<&mut PayeeRow> {
        let place = match self.names.get(name) {
            Some(place) => *place,
            None => self.find_place(name)?,
        };
        let row = self.rows.get_mut(place).map(|(_, row)| row);
        row.ok_or_else(|| StoreError::Failed("a list of deals has no place".to_owned()))
    }

    /// The place of a row that has a new name; it is read unless another name has the same key.
    fn find_place(&mut self, name: &RowName) -> LedgerResult<usize> {
        let key = row_key(name);
        let place = match self.places.get(&key) {
            Some(place) => *place,
            None => {
                let row = self.snapshot.get(StoreTable::PayeeDeals, &key)?;
                let numbers = row.map(|row| unpack_numbers(&key, &row)).transpose()?;
                let numbers = numbers.unwrap_or_default();
                self.places.insert(key.clone(), self.rows.len());
                self.rows.push((key, PayeeRow { numbers, is_changed: false }));
                self.rows.len() - 1
            }
        };
        self.names.insert(*name, place);
        Ok(place)
    }

    /// Writes the rows, those that are empty now as deletions.
    pub(super) fn write_changes(self, batch: &mut WriteBatch) {
        for (key, row) in self.rows.into_iter().filter(|(_, row)| row.is_changed) {
            if row.numbers.is_empty() {
                batch.delete_row(StoreTable::PayeeDeals, key);
            } else {
                let packed = pack_numbers(&key, &row.numbers);
                batch.put_row(StoreTable::PayeeDeals, key, packed);
            }
        }
    }
}
