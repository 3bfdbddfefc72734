//! The deals that a round of work touches: their numbers, and what is stored of them.
//!
//! Not what is written of them (`parts`).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use accredit_domain::decision::Decision;
use accredit_seams::store::{StoreTable, WriteBatch};

use super::{NEXT_NUMBER_KEY, TransactionRecord, natural_key};
use crate::deal_rows::DealRows;
use crate::{LedgerResult, codec};

/// A deal that a round of work touches.
#[derive(Default)]
pub(super) struct TouchedDeal<'a> {
    /// As it is stored; none of a new one.
    pub(super) before: Option<TransactionRecord>,
    /// Its new content, where there is some.
    pub(super) record: Option<&'a TransactionRecord>,
    /// Its new decisions, where there are some.
    pub(super) decisions: Option<&'a Vec<Decision>>,
}

impl TouchedDeal<'_> {
    /// The deal as it becomes; none of which nothing is known but decisions.
    pub(super) fn content(&self) -> Option<&TransactionRecord> {
        self.record.or(self.before.as_ref())
    }

    /// Its decisions as they become: those that are stored, unless there are new ones.
    pub(super) fn decisions(&self) -> &[Decision] {
        let stored = self.before.as_ref().map(|stored| &stored.decisions);
        self.decisions.or(stored).map_or(&[], Vec::as_slice)
    }

    pub(super) fn has_new_decisions(&self) -> bool {
        let stored = self.before.as_ref().map_or(&[][..], |stored| &stored.decisions);
        self.decisions.is_some_and(|decisions| decisions != stored)
    }
}

/// The deals that a round of work touches, as they were and as they become.
pub(super) struct TouchedDeals<'a> {
    pub(super) rows: DealRows<'a>,
    pub(super) open: BTreeMap<u64, TouchedDeal<'a>>,
    /// Numbers of the deals of this round, by natural key.
    numbers: HashMap<&'a str, u64>,
    /// The number of the next new deal.
    pub(super) next: u64,
    /// How many deals are new.
    pub(super) added: i64,
}

impl<'a> TouchedDeals<'a> {
    /// None yet, of the deals in these rows.
    pub(super) fn new(rows: DealRows<'a>) -> LedgerResult<Self> {
        let next = rows
            .snapshot
            .get(StoreTable::Meta, NEXT_NUMBER_KEY)?
            .map_or(0, |row| codec::key_number(&row));
        let (open, numbers) = (BTreeMap::new(), HashMap::new());
        Ok(TouchedDeals { rows, open, numbers, next, added: 0 })
    }

    /// The number of a transaction, a new one for a new transaction.
    pub(super) fn assign_number(
        &mut self,
        id: &'a str,
        batch: &mut WriteBatch,
    ) -> LedgerResult<u64> {
        if let Some(known) = self.numbers.get(id) {
            return Ok(*known);
        }

        let key = natural_key(id);
        if let Some(known) = self.rows.snapshot.get(StoreTable::Keys, &key)? {
            let number = codec::key_number(&known);
            self.numbers.insert(id, number);
            return Ok(number);
        }

        let number = self.next;
        batch.put_row(StoreTable::Keys, key, codec::number_key(number));
        self.numbers.insert(id, number);
        // Nothing is stored of it, so that there is nothing to read.
        self.open.insert(number, TouchedDeal::default());
        self.next += 1;
        self.added += 1;

        Ok(number)
    }

    /// The deal with this number, as it is stored where it was not touched before.
    pub(super) fn open_deal(&mut self, number: u64) -> LedgerResult<&mut TouchedDeal<'a>> {
        match self.open.entry(number) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let before = self.rows.find_number(number)?;
                Ok(entry.insert(TouchedDeal { before, record: None, decisions: None }))
            }
        }
    }
}
