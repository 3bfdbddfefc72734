//! The rows of deals in a view of one moment: one by its number, some of a block, all in order.
//!
//! A row has one deal with its decisions, so that a changed deal writes no other. Sixty-four deals with
//! numbers in a row are a block: what is read at a time, and what periods are known to have something
//! in. Not writing (`record`) and not the bytes (`packed`). Called by every question about deals.

use super::names::{KnownNames, Names};
use super::packed::deal::{
    StoredDeal, unpack_content, unpack_deal, unpack_decisions, visit_credits,
};
use super::packed::{ReadResult, UnreadableRow};
use super::record::{TransactionRecord, natural_key};
use super::sealed::name_of_row;
use super::{LedgerResult, codec};
use accredit_domain::credit::posted::PostedCredit;
use accredit_seams::store::{Snapshot, StoreError, StoreRow, StoreTable};
use rayon::prelude::*;

/// From how many deals on rows are unpacked on every core.
const UNPACKED_ASIDE_MIN: usize = 256;

/// Deals that follow each other, and the number from which on there may be more.
pub(super) type DealPage = (Vec<TransactionRecord>, Option<u64>);

/// How many deals a block has.
pub(super) const BLOCK_TRANSACTIONS: u64 = 64;

/// The rows of deals at one moment.
#[derive(Clone, Copy)]
pub(super) struct DealRows<'a> {
    pub(super) snapshot: &'a dyn Snapshot,
    names: &'a Names,
}

impl<'a> DealRows<'a> {
    pub(super) fn new(snapshot: &'a dyn Snapshot, names: &'a Names) -> DealRows<'a> {
        DealRows { snapshot, names }
    }

    /// Reads a row; names that this process has not read yet are read for it.
    fn read_row<T>(&self, read: impl Fn(&KnownNames) -> ReadResult<T>) -> LedgerResult<T> {
        let first = read(&self.names.current());
        let Err(UnreadableRow::UnknownName) = first else {
            return first.map_err(|error| error.as_damage());
        };
        let known = self.names.load(self.snapshot)?;
        read(&known).map_err(|error| error.as_damage())
    }

    /// The deal in a row with this key.
    pub(super) fn unpack_row(&self, (key, row): &StoreRow) -> LedgerResult<TransactionRecord> {
        let number = codec::key_number(key);
        self.read_row(|names| unpack_deal(number, row, names))
    }

    /// The row of the deal with this number.
    fn find_row(&self, number: u64) -> LedgerResult<Option<Vec<u8>>> {
        if let Some(row) = self.snapshot.get(StoreTable::Deals, &codec::number_key(number))? {
            return Ok(Some(row));
        }

        // A block of a former file stays there if it could not be read, with all deals in it.
        let block = codec::number_key(number / BLOCK_TRANSACTIONS);
        match self.snapshot.get(StoreTable::Blocks, &block)? {
            Some(_) => Err(StoreError::Damaged(name_of_row(StoreTable::Blocks, &block))),
            None => Ok(None),
        }
    }

    /// The deal with this number.
    pub(super) fn find_number(&self, number: u64) -> LedgerResult<Option<TransactionRecord>> {
        let Some(row) = self.find_row(number)? else { return Ok(None) };
        self.read_row(|names| unpack_deal(number, &row, names)).map(Some)
    }

    /// The rows of the deals with these numbers, in their order; none of one that is not there.
    fn find_rows(&self, numbers: &[u64]) -> LedgerResult<Vec<Option<Vec<u8>>>> {
        let keys: Vec<Vec<u8>> =
            numbers.iter().map(|number| codec::number_key(*number).to_vec()).collect();
        let mut rows = self.snapshot.get_many(StoreTable::Deals, &keys)?;
        for (row, number) in rows.iter_mut().zip(numbers).filter(|(row, _)| row.is_none()) {
            *row = self.find_row(*number)?;
        }
        Ok(rows)
    }

    /// Unpacks rows in their order, many of them on every core. One with a name that this process has not
    /// read yet is read again.
    fn unpack_rows<R: Sync, T: Send>(
        &self,
        rows: &[R],
        unpack: impl Fn(&R, &KnownNames) -> ReadResult<T> + Sync,
    ) -> LedgerResult<Vec<T>> {
        let known = self.names.current();
        let read: Vec<ReadResult<T>> = match rows.len() {
            ..UNPACKED_ASIDE_MIN => rows.iter().map(|row| unpack(row, &known)).collect(),
            _ => rows.par_iter().map(|row| unpack(row, &known)).collect(),
        };
        let again = |row: &R| self.read_row(|known| unpack(row, known));
        read.into_iter().zip(rows).map(|(read, row)| read.or_else(|_| again(row))).collect()
    }

    /// The deals with these numbers, in their order, without those that are not there.
    pub(super) fn find_numbers(&self, numbers: &[u64]) -> LedgerResult<Vec<TransactionRecord>> {
        let rows = self.find_rows(numbers)?.into_iter().zip(numbers);
        let rows: Vec<(u64, Vec<u8>)> =
            rows.filter_map(|(row, number)| Some((*number, row?))).collect();
        self.unpack_rows(&rows, |(number, row), known| unpack_deal(*number, row, known))
    }

    /// The numbers of the deals with these natural keys, in their order; none of one that is not there.
    pub(super) fn numbers_of(&self, ids: &[&str]) -> LedgerResult<Vec<Option<u64>>> {
        let keys: Vec<Vec<u8>> = ids.iter().map(|id| natural_key(id)).collect();
        let rows = self.snapshot.get_many(StoreTable::Keys, &keys)?;
        Ok(rows.iter().map(|row| row.as_ref().map(|row| codec::key_number(row))).collect())
    }

    /// The deals with these numbers, in their order, their content as bytes; none of one that is not there.
    pub(super) fn find_stored(&self, numbers: &[u64]) -> LedgerResult<Vec<Option<StoredDeal>>> {
        let rows = self.find_rows(numbers)?;
        self.unpack_rows(&rows, |row, known| {
            row.as_ref().map(|row| unpack_decisions(row, known)).transpose()
        })
    }

    /// Deals from a number on, at most so many, and where to go on; none at the end.
    pub(super) fn page(&self, from: u64, limit: usize) -> LedgerResult<DealPage> {
        let from = codec::number_key(from);
        let rows = self.snapshot.scan_prefix(StoreTable::Deals, b"", &from, limit)?;
        let last = rows.last().filter(|_| rows.len() == limit);
        let next = last.map(|(key, _)| codec::key_number(key) + 1);

        let unpack =
            |(key, row): &StoreRow, known: &_| unpack_deal(codec::key_number(key), row, known);
        Ok((self.unpack_rows(&rows, unpack)?, next))
    }

    /// The deal with this natural key.
    pub(super) fn find_id(&self, id: &str) -> LedgerResult<Option<TransactionRecord>> {
        match self.snapshot.get(StoreTable::Keys, &natural_key(id))? {
            Some(number) => self.find_number(codec::key_number(&number)),
            None => Ok(None),
        }
    }

    /// The deals with these natural keys, in their order, without their decisions; none of one that is not
    /// there.
    pub(super) fn find_contents(
        &self,
        ids: &[&str],
    ) -> LedgerResult<Vec<Option<TransactionRecord>>> {
        let numbers = self.numbers_of(ids)?;
        let known: Vec<u64> = numbers.iter().flatten().copied().collect();
        let rows = self.find_rows(&known)?;
        let rows: Vec<(u64, Option<Vec<u8>>)> = known.into_iter().zip(rows).collect();

        let contents = self.unpack_rows(&rows, |(number, row), known| {
            row.as_ref().map(|row| unpack_content(*number, row, known)).transpose()
        })?;
        let mut contents = contents.into_iter();
        let found = numbers.iter().map(|number| number.and_then(|_| contents.next()?));
        Ok(found.collect())
    }

    /// The credits of a deal that `is_wanted`, each with its place among all of them.
    pub(super) fn credits_of(
        &self,
        number: u64,
        is_wanted: &dyn Fn(&PostedCredit) -> bool,
    ) -> LedgerResult<Vec<(usize, PostedCredit)>> {
        let Some(row) = self.find_row(number)? else { return Ok(Vec::new()) };
        self.wanted_credits(&row, is_wanted)
    }

    /// The credits in a row that `is_wanted`, each with its place among all of them.
    pub(super) fn wanted_credits(
        &self,
        row: &[u8],
        is_wanted: &dyn Fn(&PostedCredit) -> bool,
    ) -> LedgerResult<Vec<(usize, PostedCredit)>> {
        self.read_row(|names| {
            let (mut wanted, mut place) = (Vec::new(), 0);
            visit_credits(row, names, &mut |credit| {
                if is_wanted(credit) {
                    wanted.push((place, credit.clone()));
                }
                place += 1;
            })?;
            Ok(wanted)
        })
    }

    /// The deals of a block.
    pub(super) fn block(&self, block: u64) -> LedgerResult<Vec<TransactionRecord>> {
        let first = block.saturating_mul(BLOCK_TRANSACTIONS);
        let (rows, _) = self.rest_of_block(first)?.unwrap_or_default();
        let rows = rows.into_iter();
        Ok(rows.filter(|stored| stored.number / BLOCK_TRANSACTIONS == block).collect())
    }

    /// The next deals from a number on, as many as are in their block, and where to go on; none at the
    /// end.
    pub(super) fn rest_of_block(
        &self,
        from: u64,
    ) -> LedgerResult<Option<(Vec<TransactionRecord>, u64)>> {
        let limit = usize::try_from(BLOCK_TRANSACTIONS).unwrap_or(usize::MAX);
        let from = codec::number_key(from);
        let rows = self.snapshot.scan_prefix(StoreTable::Deals, b"", &from, limit)?;
        let Some((first, _)) = rows.first() else { return Ok(None) };

        let block = codec::key_number(first) / BLOCK_TRANSACTIONS;
        let inside =
            rows.iter().filter(|(key, _)| codec::key_number(key) / BLOCK_TRANSACTIONS == block);
        let deals: LedgerResult<Vec<_>> = inside.map(|row| self.unpack_row(row)).collect();
        Ok(Some((deals?, (block + 1) * BLOCK_TRANSACTIONS)))
    }
}
