//! Questions about transactions and credits.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::record::{BLOCK, Stored, block, natural_key};
use super::{Ledger, Result, code, statements};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, Status};
use accredit_domain::decision::{Note, Outcome};
use accredit_domain::keys::PeriodKey;
use accredit_seams::store::{Error, Snapshot, Table};

/// Which credits; every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct CreditQuery {
    /// Id of a participant.
    pub payee: Option<String>,
    /// Id of a position.
    pub position: Option<String>,
    /// Team id: credits of the team, or those that came through it.
    pub team: Option<String>,
    /// Ids of leaf periods.
    pub periods: Option<Vec<PeriodKey>>,
    /// Status of the credits.
    pub status: Option<Status>,
    /// Natural key of the transaction.
    pub transaction: Option<String>,
    /// Id of the plan.
    pub plan: Option<String>,
    /// How many credits a page has at most.
    pub limit: usize,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of credits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The credits of the page.
    pub rows: Vec<PostedCredit>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<String>,
}

/// Blocks or statements that are read at a time.
const ROWS_A_TIME: usize = 16;

impl CreditQuery {
    fn fits(&self, credit: &PostedCredit) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        same(&self.payee, credit.payee.as_deref().unwrap_or(""))
            && same(&self.position, credit.position.as_deref().unwrap_or(""))
            && same(&self.team, credit.team.as_deref().unwrap_or(""))
            && self.status.is_none_or(|status| status == credit.status)
            && same(&self.transaction, &credit.transaction)
            && same(&self.plan, &credit.plan)
            && self.periods.as_ref().is_none_or(|periods| periods.contains(&credit.period))
    }
}

/// The place of a credit in the order of pages: the key of its row, its place in it.
pub(super) struct Cursor {
    pub(super) key: Vec<u8>,
    pub(super) index: usize,
}

impl Cursor {
    /// The place that `text` names, the beginning when there is none.
    pub(super) fn read(text: Option<&str>) -> Result<Cursor> {
        let Some(text) = text else { return Ok(Cursor { key: Vec::new(), index: 0 }) };
        Cursor::parse(text).ok_or_else(|| Error::Cursor(text.to_owned()))
    }

    fn parse(text: &str) -> Option<Cursor> {
        let (key, index) = text.split_once('-')?;
        let digits = |start: usize| key.get(start..start + 2);
        let starts = (0..key.len()).step_by(2);
        let key = starts.map(|start| u8::from_str_radix(digits(start)?, 16).ok());
        Some(Cursor { key: key.collect::<Option<_>>()?, index: index.parse().ok()? })
    }

    pub(super) fn text(key: &[u8], index: usize) -> String {
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{digits}-{index}")
    }
}

fn credits_of(table: Table, row: &[u8]) -> Result<Vec<PostedCredit>> {
    if table == Table::Segments {
        let row: statements::Row = code::unpack(row)?;
        return Ok(row.into_iter().map(|(_, credit)| credit).collect());
    }
    let stored: Vec<Stored> = code::unpack(row)?;
    let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
    Ok(decisions.flat_map(|decision| decision.credits).collect())
}

impl Ledger {
    /// A page of credits, in an order that stays while credits are added.
    ///
    /// # Errors
    /// When the data, or the cursor, cannot be read.
    pub fn credits(&self, query: &CreditQuery) -> Result<Page> {
        let snapshot = self.snapshot()?;

        if let Some(id) = &query.transaction {
            let stored = find(&*snapshot, id)?;
            let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
            let credits = decisions.flat_map(|decision| decision.credits);
            return Ok(Page { rows: credits.filter(|c| query.fits(c)).collect(), next: None });
        }

        // Statements answer what one payee asks; everything else goes through the blocks.
        let (table, prefix) = match (&query.payee, query.periods.as_deref()) {
            (Some(payee), Some([period])) => (Table::Segments, code::parts(&[payee, period])),
            (Some(payee), _) => (Table::Segments, code::parts(&[payee])),
            (None, _) => (Table::Blocks, Vec::new()),
        };

        let start = Cursor::read(query.cursor.as_deref())?;
        collect(&*snapshot, query, table, &prefix, start)
    }

    /// A credit, by its id (`crd_…`).
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn credit(&self, id: &str) -> Result<Option<PostedCredit>> {
        let snapshot = self.snapshot()?;
        let Some(id) = CreditId::parse(id) else { return Ok(None) };
        let prefix = id.prefix();

        for (_, number) in snapshot.scan(Table::Keys, &prefix, &prefix, usize::MAX)? {
            let stored = by_number(&*snapshot, code::number(&number))?;
            let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
            let mut credits = decisions.flat_map(|decision| decision.credits);
            if let Some(credit) = credits.find(|credit| credit.id == id) {
                return Ok(Some(credit));
            }
        }
        Ok(None)
    }

    /// The transaction with this natural key.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn transaction(&self, id: &str) -> Result<Option<Stored>> {
        find(&*self.snapshot()?, id)
    }

    /// Natural keys of the transactions with a hold that ends on or before `date`.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn due_holds(&self, date: Date) -> Result<Vec<String>> {
        let snapshot = self.snapshot()?;
        let (date, mut due) = (date.to_string(), BTreeSet::new());
        for (key, _) in snapshot.scan(Table::Holds, b"", b"", usize::MAX)? {
            if key.get(..date.len()).is_none_or(|end| end > date.as_bytes()) {
                break;
            }
            due.insert(code::number(&key));
        }
        let stored = due.into_iter().map(|number| by_number(&*snapshot, number));
        let stored = stored.collect::<Result<Vec<_>>>()?;
        Ok(stored.into_iter().flatten().map(|stored| stored.id).collect())
    }

    /// Why transactions are parked, a note for each plan that has it so.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn parked(&self) -> Result<Vec<Note>> {
        Ok(self.parked_page(0, usize::MAX)?.0)
    }

    /// The reasons of about `limit` parked transactions from the number `from` on, 0 for the first;
    /// also the number with which the next page begins, none behind the last.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn parked_page(&self, from: u64, limit: usize) -> Result<(Vec<Note>, Option<u64>)> {
        let snapshot = self.snapshot()?;
        let keys = snapshot.scan(Table::Parked, b"", &code::key(from), limit)?;
        let last = keys.last().filter(|_| keys.len() >= limit);
        let next = last.map(|(key, _)| code::number(key).saturating_add(1));

        let mut notes = Vec::new();
        for (key, _) in keys {
            let stored = by_number(&*snapshot, code::number(&key))?;
            let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
            let parked = decisions.filter(|decision| decision.outcome == Outcome::Parked);
            notes.extend(parked.flat_map(|decision| decision.reasons.into_iter().take(1)));
        }
        Ok((notes, next))
    }

    /// Every column that a row has had.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn columns(&self) -> Result<BTreeSet<String>> {
        let rows = self.snapshot()?.scan(Table::Columns, b"", b"", usize::MAX)?;
        let names = rows.into_iter().map(|(key, _)| String::from_utf8_lossy(&key).into_owned());
        Ok(names.collect())
    }
}

fn collect(
    snapshot: &dyn Snapshot,
    query: &CreditQuery,
    table: Table,
    prefix: &[u8],
    start: Cursor,
) -> Result<Page> {
    let mut page = Page::default();
    let (mut from, mut skip) = (start.key, start.index);

    loop {
        let rows = snapshot.scan(table, prefix, &from, ROWS_A_TIME)?;
        let last = rows.len() < ROWS_A_TIME;

        for (key, row) in rows {
            let credits = credits_of(table, &row)?;
            let skipped = if key == from { skip } else { 0 };

            for (index, credit) in credits.into_iter().enumerate().skip(skipped) {
                if !query.fits(&credit) {
                    continue;
                }

                if page.rows.len() >= query.limit {
                    page.next = Some(Cursor::text(&key, index));
                    return Ok(page);
                }

                page.rows.push(credit);
            }

            from = [key.as_slice(), &[0]].concat();
            skip = 0;
        }

        if last {
            return Ok(page);
        }
    }
}

fn by_number(snapshot: &dyn Snapshot, number: u64) -> Result<Option<Stored>> {
    let block = block(snapshot, number / BLOCK)?;
    Ok(block.into_iter().find(|stored| stored.number == number))
}

pub(super) fn find(snapshot: &dyn Snapshot, id: &str) -> Result<Option<Stored>> {
    match snapshot.get(Table::Keys, &natural_key(id))? {
        Some(number) => by_number(snapshot, code::number(&number)),
        None => Ok(None),
    }
}
