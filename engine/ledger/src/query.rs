//! Questions about transactions and credits.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::record::{BLOCK_TRANSACTIONS, TransactionRecord, natural_key, read_block};
use super::{Ledger, LedgerResult, codec, statements};
use accredit_domain::credit::posted::{CreditOrigin, PostedCredit};
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::DecisionOutcome;
use accredit_domain::keys::PeriodKey;
use accredit_domain::note::Note;
use accredit_seams::store::{Snapshot, StoreError, StoreTable};

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
    pub status: Option<CreditStatus>,
    /// Natural key of the transaction.
    pub transaction: Option<String>,
    /// Id of the plan.
    pub plan: Option<String>,
    /// How the credits came into their periods.
    pub origin: Option<CreditOrigin>,
    /// How many credits a page has at most.
    pub limit: usize,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of credits.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreditPage {
    /// The credits of the page.
    pub rows: Vec<PostedCredit>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<String>,
}

/// Blocks or statements that are read at a time.
const SCAN_BATCH_ROWS: usize = 16;

impl CreditQuery {
    fn matches_credit(&self, credit: &PostedCredit) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        same(&self.payee, credit.payee.as_deref().unwrap_or(""))
            && same(&self.position, credit.position.as_deref().unwrap_or(""))
            && same(&self.team, credit.team.as_deref().unwrap_or(""))
            && self.status.is_none_or(|status| status == credit.status)
            && same(&self.transaction, &credit.transaction)
            && same(&self.plan, &credit.plan)
            && self.origin.is_none_or(|origin| origin == credit.origin)
            && self.periods.as_ref().is_none_or(|periods| periods.contains(&credit.period))
    }
}

/// The place of a credit in the order of pages: the key of its row, its place in it.
pub(super) struct CreditCursor {
    pub(super) key: Vec<u8>,
    pub(super) index: usize,
}

impl CreditCursor {
    /// The place that `text` names, the beginning when there is none.
    pub(super) fn from_text(text: Option<&str>) -> LedgerResult<CreditCursor> {
        let Some(text) = text else { return Ok(CreditCursor { key: Vec::new(), index: 0 }) };
        CreditCursor::parse(text).ok_or_else(|| StoreError::Cursor(text.to_owned()))
    }

    fn parse(text: &str) -> Option<CreditCursor> {
        let (key, index) = text.split_once('-')?;
        let digits = |start: usize| key.get(start..start + 2);
        let starts = (0..key.len()).step_by(2);
        let key = starts.map(|start| u8::from_str_radix(digits(start)?, 16).ok());
        Some(CreditCursor { key: key.collect::<Option<_>>()?, index: index.parse().ok()? })
    }

    pub(super) fn format_place(key: &[u8], index: usize) -> String {
        let digits: String = key.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{digits}-{index}")
    }
}

fn credits_of(table: StoreTable, row: &[u8]) -> LedgerResult<Vec<PostedCredit>> {
    if table == StoreTable::Segments {
        let row: statements::StatementRow = codec::unpack_row(row)?;
        return Ok(row.into_iter().map(|(_, credit)| credit).collect());
    }
    let stored: Vec<TransactionRecord> = codec::unpack_row(row)?;
    let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
    Ok(decisions.flat_map(|decision| decision.credits).collect())
}

impl Ledger {
    /// A page of credits, in an order that stays while credits are added.
    ///
    /// # Errors
    /// When the data, or the cursor, cannot be read.
    pub fn credit_page(&self, query: &CreditQuery) -> LedgerResult<CreditPage> {
        let snapshot = self.snapshot()?;

        if let Some(id) = &query.transaction {
            let stored = find_by_id(&*snapshot, id)?;
            let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
            let credits = decisions.flat_map(|decision| decision.credits);
            return Ok(CreditPage {
                rows: credits.filter(|c| query.matches_credit(c)).collect(),
                next: None,
            });
        }

        // Statements answer what one payee asks; everything else goes through the blocks.
        let (table, prefix) = match (&query.payee, query.periods.as_deref()) {
            (Some(payee), Some([period])) => {
                (StoreTable::Segments, codec::parts_key(&[payee, period]))
            }
            (Some(payee), _) => (StoreTable::Segments, codec::parts_key(&[payee])),
            (None, _) => (StoreTable::Blocks, Vec::new()),
        };

        let start = CreditCursor::from_text(query.cursor.as_deref())?;
        collect_page(&*snapshot, query, table, &prefix, start)
    }

    /// A credit, by its id (`crd_…`).
    pub fn find_credit(&self, id: &str) -> LedgerResult<Option<PostedCredit>> {
        let snapshot = self.snapshot()?;
        let Some(id) = CreditId::parse(id) else { return Ok(None) };
        let prefix = id.transaction_prefix();

        for (_, number) in snapshot.scan_prefix(StoreTable::Keys, &prefix, &prefix, usize::MAX)? {
            let stored = find_by_number(&*snapshot, codec::key_number(&number))?;
            let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
            let mut credits = decisions.flat_map(|decision| decision.credits);
            if let Some(credit) = credits.find(|credit| credit.id == id) {
                return Ok(Some(credit));
            }
        }
        Ok(None)
    }

    /// The transaction with this natural key.
    pub fn find_transaction(&self, id: &str) -> LedgerResult<Option<TransactionRecord>> {
        find_by_id(&*self.snapshot()?, id)
    }

    /// Natural keys of the transactions with a hold that ends on or before `date`.
    pub fn due_holds(&self, date: Date) -> LedgerResult<Vec<String>> {
        let snapshot = self.snapshot()?;
        let (date, mut due) = (date.to_string(), BTreeSet::new());
        for (key, _) in snapshot.scan_prefix(StoreTable::Holds, b"", b"", usize::MAX)? {
            if key.get(..date.len()).is_none_or(|end| end > date.as_bytes()) {
                break;
            }
            due.insert(codec::key_number(&key));
        }
        let stored = due.into_iter().map(|number| find_by_number(&*snapshot, number));
        let stored = stored.collect::<LedgerResult<Vec<_>>>()?;
        Ok(stored.into_iter().flatten().map(|stored| stored.id).collect())
    }

    /// Why transactions are parked, a note for each plan that has it so.
    pub fn parked_notes(&self) -> LedgerResult<Vec<Note>> {
        Ok(self.parked_page(0, usize::MAX)?.0)
    }

    /// The reasons of about `limit` parked transactions from the number `from` on, 0 for the first;
    /// also the number with which the next page begins, none behind the last.
    pub fn parked_page(&self, from: u64, limit: usize) -> LedgerResult<(Vec<Note>, Option<u64>)> {
        let snapshot = self.snapshot()?;
        let keys =
            snapshot.scan_prefix(StoreTable::Parked, b"", &codec::number_key(from), limit)?;
        let last = keys.last().filter(|_| keys.len() >= limit);
        let next = last.map(|(key, _)| codec::key_number(key).saturating_add(1));

        let mut notes = Vec::new();
        for (key, _) in keys {
            let stored = find_by_number(&*snapshot, codec::key_number(&key))?;
            let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
            let parked = decisions.filter(|decision| decision.outcome == DecisionOutcome::Parked);
            notes.extend(parked.flat_map(|decision| decision.reasons.into_iter().take(1)));
        }
        Ok((notes, next))
    }

    /// Every column that a row has had.
    pub fn known_columns(&self) -> LedgerResult<BTreeSet<String>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Columns, b"", b"", usize::MAX)?;
        let names = rows.into_iter().map(|(key, _)| String::from_utf8_lossy(&key).into_owned());
        Ok(names.collect())
    }
}

fn collect_page(
    snapshot: &dyn Snapshot,
    query: &CreditQuery,
    table: StoreTable,
    prefix: &[u8],
    start: CreditCursor,
) -> LedgerResult<CreditPage> {
    let mut page = CreditPage::default();
    let (mut from, mut skip) = (start.key, start.index);

    loop {
        let rows = snapshot.scan_prefix(table, prefix, &from, SCAN_BATCH_ROWS)?;
        let last = rows.len() < SCAN_BATCH_ROWS;

        for (key, row) in rows {
            let credits = credits_of(table, &row)?;
            let skipped = if key == from { skip } else { 0 };

            for (index, credit) in credits.into_iter().enumerate().skip(skipped) {
                if !query.matches_credit(&credit) {
                    continue;
                }

                if page.rows.len() >= query.limit {
                    page.next = Some(CreditCursor::format_place(&key, index));
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

fn find_by_number(snapshot: &dyn Snapshot, number: u64) -> LedgerResult<Option<TransactionRecord>> {
    let block = read_block(snapshot, number / BLOCK_TRANSACTIONS)?;
    Ok(block.into_iter().find(|stored| stored.number == number))
}

pub(super) fn find_by_id(
    snapshot: &dyn Snapshot,
    id: &str,
) -> LedgerResult<Option<TransactionRecord>> {
    match snapshot.get(StoreTable::Keys, &natural_key(id))? {
        Some(number) => find_by_number(snapshot, codec::key_number(&number)),
        None => Ok(None),
    }
}
