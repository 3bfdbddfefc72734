//! Questions about transactions and credits.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::deal_rows::DealRows;
use super::record::TransactionRecord;
use super::scope::ReadScope;
use super::{Ledger, LedgerResult, codec, statements};
use accredit_domain::credit::posted::{CreditOrigin, PostedCredit};
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::DecisionOutcome;
use accredit_domain::keys::PeriodKey;
use accredit_domain::note::Note;
use accredit_seams::store::{Snapshot, StoreError, StoreTable};

/// Which credits; every part that is given must fit.
#[derive(Debug, Clone)]
pub struct CreditQuery {
    /// Whose credits may be in the answer at all.
    pub scope: ReadScope,
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

/// Lists of the deals of a payee that are read at a time.
const SCAN_BATCH_LISTS: usize = 16;

/// Deals that are read at a time.
const SCAN_BATCH_DEALS: usize = 256;

impl CreditQuery {
    /// Every credit of a scope, in pages of none: the limit is still to be set.
    pub fn within(scope: ReadScope) -> CreditQuery {
        CreditQuery {
            scope,
            payee: None,
            position: None,
            team: None,
            periods: None,
            status: None,
            transaction: None,
            plan: None,
            origin: None,
            limit: 0,
            cursor: None,
        }
    }

    fn matches_credit(&self, credit: &PostedCredit) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        self.scope.admits(credit.payee.as_deref())
            && same(&self.payee, credit.payee.as_deref().unwrap_or(""))
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

/// The deals that are recorded at one moment.
pub struct RecordedDeals<'l> {
    ledger: &'l Ledger,
    snapshot: Box<dyn Snapshot>,
}

impl RecordedDeals<'_> {
    /// The transaction with this natural key, without its decisions: there may be many credits in them.
    pub fn find_content(&self, id: &str) -> LedgerResult<Option<TransactionRecord>> {
        Ok(self.find_contents(&[id])?.pop().flatten())
    }

    /// The same of several, in their order.
    pub fn find_contents(&self, ids: &[&str]) -> LedgerResult<Vec<Option<TransactionRecord>>> {
        self.ledger.deal_rows(&*self.snapshot).find_contents(ids)
    }
}

impl Ledger {
    /// The deals that are recorded now, for those who look for many.
    pub fn recorded_deals(&self) -> LedgerResult<RecordedDeals<'_>> {
        Ok(RecordedDeals { ledger: self, snapshot: self.snapshot()? })
    }

    /// A page of credits, in an order that stays while credits are added.
    ///
    /// # Errors
    /// When the data, or the cursor, cannot be read.
    pub fn credit_page(&self, query: &CreditQuery) -> LedgerResult<CreditPage> {
        let snapshot = self.snapshot()?;

        if let Some(id) = &query.transaction {
            let stored = self.deal_rows(&*snapshot).find_id(id)?;
            let decisions = stored.into_iter().flat_map(|stored| stored.decisions);
            let credits = decisions.flat_map(|decision| decision.credits);
            return Ok(CreditPage {
                rows: credits.filter(|c| query.matches_credit(c)).collect(),
                next: None,
            });
        }

        let start = CreditCursor::from_text(query.cursor.as_deref())?;
        let rows = self.deal_rows(&*snapshot);
        match &query.payee {
            // The deals of one payee are known; everything else goes through all of them.
            Some(payee) => page_of_payee(rows, query, payee, start),
            None => page_of_all(rows, query, start),
        }
    }

    /// A credit, by its id (`crd_…`).
    pub fn find_credit(&self, id: &str) -> LedgerResult<Option<PostedCredit>> {
        let Some(id) = CreditId::parse(id) else { return Ok(None) };
        self.stored_credit(&*self.snapshot()?, &id)
    }

    /// The credit with this id in a view of one moment.
    pub(super) fn stored_credit(
        &self,
        snapshot: &dyn Snapshot,
        id: &CreditId,
    ) -> LedgerResult<Option<PostedCredit>> {
        let prefix = id.transaction_prefix();
        for (_, number) in snapshot.scan_prefix(StoreTable::Keys, &prefix, &prefix, usize::MAX)? {
            let rows = self.deal_rows(snapshot);
            let found = rows.credits_of(codec::key_number(&number), &|credit| credit.id == *id)?;
            if let Some((_, credit)) = found.into_iter().next() {
                return Ok(Some(credit));
            }
        }
        Ok(None)
    }

    /// The transaction with this natural key.
    pub fn find_transaction(&self, id: &str) -> LedgerResult<Option<TransactionRecord>> {
        self.deal_rows(&*self.snapshot()?).find_id(id)
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
        let rows = self.deal_rows(&*snapshot);
        let stored = due.into_iter().map(|number| rows.find_number(number));
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
            let stored = self.deal_rows(&*snapshot).find_number(codec::key_number(&key))?;
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

/// A page of the credits of one payee, by period, then by deal.
fn page_of_payee(
    rows: DealRows<'_>,
    query: &CreditQuery,
    payee: &str,
    start: CreditCursor,
) -> LedgerResult<CreditPage> {
    let payee_prefix = codec::parts_key(&[payee]);
    let prefix = match query.periods.as_deref() {
        Some([period]) => codec::parts_key(&[payee, period]),
        _ => payee_prefix.clone(),
    };

    // A place is the key of a row, the number of a deal in it, and a credit of that.
    let (mut from, first) = match start.key.split_last_chunk::<8>() {
        Some((key, number)) => (key.to_vec(), u64::from_be_bytes(*number)),
        None => (Vec::new(), 0),
    };
    let (start_key, mut page) = (from.clone(), CreditPage::default());

    loop {
        let lists =
            rows.snapshot.scan_prefix(StoreTable::PayeeDeals, &prefix, &from, SCAN_BATCH_LISTS)?;
        let is_last = lists.len() < SCAN_BATCH_LISTS;

        for (key, list) in lists {
            // The list is that of one period: what the payee has in others stands there.
            let period = key.get(payee_prefix.len()..key.len().saturating_sub(9));
            let is_wanted = |credit: &PostedCredit| {
                period == Some(credit.period.as_bytes()) && query.matches_credit(credit)
            };

            let is_start = key == start_key;
            let numbers = statements::unpack_numbers(&key, &list)?.into_iter();
            for number in numbers.filter(|number| !is_start || *number >= first) {
                let skipped = if is_start && number == first { start.index } else { 0 };
                let place = [&key[..], &codec::number_key(number)].concat();
                let credits = rows.credits_of(number, &is_wanted)?;
                if page.add_credits(credits, (query.limit, skipped), &place) {
                    return Ok(page);
                }
            }

            from = [key.as_slice(), &[0]].concat();
        }

        if is_last {
            return Ok(page);
        }
    }
}

/// A page of the credits of all deals, by deal.
fn page_of_all(
    rows: DealRows<'_>,
    query: &CreditQuery,
    start: CreditCursor,
) -> LedgerResult<CreditPage> {
    let mut page = CreditPage::default();
    let (mut from, mut skip) = (start.key, start.index);

    loop {
        let deals = rows.snapshot.scan_prefix(StoreTable::Deals, b"", &from, SCAN_BATCH_DEALS)?;
        let is_last = deals.len() < SCAN_BATCH_DEALS;

        for (key, row) in deals {
            let skipped = if key == from { skip } else { 0 };
            let credits = rows.wanted_credits(&row, &|credit| query.matches_credit(credit))?;
            if page.add_credits(credits, (query.limit, skipped), &key) {
                return Ok(page);
            }

            from = [key.as_slice(), &[0]].concat();
            skip = 0;
        }

        if is_last {
            return Ok(page);
        }
    }
}

impl CreditPage {
    /// Adds credits of a deal, from the place `skipped` in it on; whether the page is full, and the next
    /// one begins in this deal.
    fn add_credits(
        &mut self,
        credits: Vec<(usize, PostedCredit)>,
        (limit, skipped): (usize, usize),
        place: &[u8],
    ) -> bool {
        for (index, credit) in credits {
            if index < skipped {
                continue;
            }
            if self.rows.len() >= limit {
                self.next = Some(CreditCursor::format_place(place, index));
                return true;
            }
            self.rows.push(credit);
        }
        false
    }
}
