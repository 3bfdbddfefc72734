//! The deals that a round of work touches: their numbers, and what is stored of them.
//!
//! Not what is written of them (`parts`).

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_seams::store::{StoreTable, WriteBatch};

use super::{NEXT_NUMBER_KEY, TransactionRecord, natural_key};
use crate::deal_rows::DealRows;
use crate::packed::deal::{PackedContent, StoredDeal};
use crate::{LedgerResult, codec};

/// A deal that a round of work touches.
#[derive(Default)]
pub(super) struct TouchedDeal<'a> {
    /// As it is stored; none of a new one.
    pub(super) before: Option<StoredDeal>,
    /// Its new content, where there is some.
    pub(super) record: Option<&'a TransactionRecord>,
    /// Its new decisions, where there are some.
    pub(super) decisions: Option<&'a Vec<Decision>>,
}

impl TouchedDeal<'_> {
    /// Its content as it becomes; none where nothing is known but decisions.
    pub(super) fn content(&self) -> Option<PackedContent<'_>> {
        let stored = self.before.as_ref().map(PackedContent::Stored);
        self.record.map(PackedContent::Record).or(stored)
    }

    /// Its decisions as they are stored.
    pub(super) fn former(&self) -> &[Decision] {
        self.before.as_ref().map_or(&[], |stored| &stored.decisions)
    }

    /// Its decisions as they become: those that are stored, unless there are new ones.
    pub(super) fn decisions(&self) -> &[Decision] {
        self.decisions.map_or(self.former(), Vec::as_slice)
    }

    /// Whether the new decisions have another content than the stored ones. The ruleset that made them and
    /// their day do not count: no sum, statement or event has these.
    pub(super) fn decides_differently(&self) -> bool {
        let Some(decisions) = self.decisions else { return false };
        let former = self.former();
        let alike = former.len() == decisions.len()
            && former.iter().zip(decisions).all(|(one, other)| is_content_equal(one, other));
        !alike
    }
}

/// Whether two decisions differ at most in the ruleset that made them and in their day.
fn is_content_equal(one: &Decision, other: &Decision) -> bool {
    let credit = |(one, other): (&PostedCredit, &PostedCredit)| {
        one == other || PostedCredit { ruleset: other.ruleset, ..one.clone() } == *other
    };
    one.plan == other.plan
        && one.transaction == other.transaction
        && one.period == other.period
        && one.outcome == other.outcome
        && one.credits.len() == other.credits.len()
        && one.credits.iter().zip(&other.credits).all(credit)
        && one.reasons == other.reasons
        && one.alerts == other.alerts
        && one.log == other.log
}

/// From how many deals on their memory is given back beside the commit.
const DISCARDED_ASIDE_MIN: usize = 256;

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

    /// Forgets the deals: the commit does not wait until the memory of many is given back.
    pub(super) fn discard(self) {
        let stored: Vec<StoredDeal> =
            self.open.into_values().filter_map(|deal| deal.before).collect();
        if stored.len() >= DISCARDED_ASIDE_MIN {
            rayon::spawn(move || drop(stored));
        }
    }

    /// Opens deals at once, which is faster than one by one.
    pub(super) fn open_deals(&mut self, numbers: &[u64]) -> LedgerResult<()> {
        let closed: Vec<u64> =
            numbers.iter().copied().filter(|number| !self.open.contains_key(number)).collect();
        let stored = self.rows.find_stored(&closed)?;
        for (number, before) in closed.into_iter().zip(stored) {
            self.open.insert(number, TouchedDeal { before, record: None, decisions: None });
        }
        Ok(())
    }

    /// The deal with this number, as it is stored where it was not touched before.
    pub(super) fn open_deal(&mut self, number: u64) -> LedgerResult<&mut TouchedDeal<'a>> {
        match self.open.entry(number) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let before = self.rows.find_stored(&[number])?.pop().flatten();
                Ok(entry.insert(TouchedDeal { before, record: None, decisions: None }))
            }
        }
    }
}
