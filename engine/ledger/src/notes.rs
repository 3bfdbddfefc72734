//! Questions about the notes of recorded decisions: alerts, which plans asked for, and the log,
//! which has every warning.
//!
//! Not why nothing was credited (`query::parked_notes`, the decisions themselves). Called by the
//! host. Source: DOMAIN 2.16 (alerts optional, log always).
//!
//! **Architecture invariant:** a page reads a bounded number of deals, so it may be short, and
//! even empty, while there is a next one.

use serde::Serialize;

use super::query::CreditCursor;
use super::record::TransactionRecord;
use super::{Ledger, LedgerResult};
use accredit_domain::keys::PeriodKey;
use accredit_domain::note::Note;
use accredit_seams::store::StoreTable;
use utoipa::ToSchema;

/// Which notes; every part that is given must fit.
#[derive(Debug, Clone, Default)]
pub struct NoteQuery {
    /// Whether alerts alone are meant, else the log.
    pub alerts: bool,
    /// Id of the plan.
    pub plan: Option<String>,
    /// Ids of leaf periods.
    pub periods: Option<Vec<PeriodKey>>,
    /// `unmatched`, `ambiguous`, `vacant` and so on.
    pub code: Option<String>,
    /// Natural key of the transaction.
    pub transaction: Option<String>,
    /// How many notes a page has at most.
    pub limit: usize,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A note with the period of its transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct NoteRow {
    /// The note itself.
    #[serde(flatten)]
    pub note: Note,
    /// Leaf period of the incentive date; none when the transaction has none.
    pub period: Option<PeriodKey>,
    /// The number of the deal whose decision made the note; none for other notes.
    #[serde(skip)]
    pub deal: Option<u64>,
}

/// A page of notes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NotePage {
    /// The notes of the page.
    pub rows: Vec<NoteRow>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<String>,
}

/// Deals that are read at a time.
const SCAN_BATCH_DEALS: usize = 1024;

/// Deals that are read for one page.
const DEALS_MAX: usize = 32 * SCAN_BATCH_DEALS;

impl NoteQuery {
    fn matching_notes(&self, stored: Option<TransactionRecord>) -> Vec<NoteRow> {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };

        let mut rows = Vec::new();
        let deal = stored.as_ref().map(|stored| stored.number);
        for decision in stored.into_iter().flat_map(|stored| stored.decisions) {
            let period = decision.period.as_ref();
            let inside = self
                .periods
                .as_ref()
                .is_none_or(|periods| period.is_some_and(|period| periods.contains(period)));

            if !inside || !same(&self.plan, &decision.plan) {
                continue;
            }

            let notes = if self.alerts { decision.alerts } else { decision.log };
            let notes = notes.into_iter().filter(|note| same(&self.code, note.code.as_str()));
            rows.extend(notes.map(|note| NoteRow { note, period: decision.period, deal }));
        }

        rows
    }
}

impl Ledger {
    /// The alerts of the deal with this number, as a query has them.
    pub fn deal_alerts(&self, deal: u64) -> LedgerResult<Vec<NoteRow>> {
        let snapshot = self.snapshot()?;
        let stored = self.deal_rows(&*snapshot).find_number(deal)?;
        Ok(NoteQuery { alerts: true, ..NoteQuery::default() }.matching_notes(stored))
    }

    /// A page of notes, in an order that stays while transactions are added.
    ///
    /// # Errors
    /// When the data, or the cursor, cannot be read.
    pub fn note_page(&self, query: &NoteQuery) -> LedgerResult<NotePage> {
        let snapshot = self.snapshot()?;

        if let Some(id) = &query.transaction {
            let stored = self.deal_rows(&*snapshot).find_id(id)?;
            return Ok(NotePage { rows: query.matching_notes(stored), next: None });
        }

        let CreditCursor { key: mut from, index: mut skip } =
            CreditCursor::from_text(query.cursor.as_deref())?;
        let mut page = NotePage::default();

        // A limit of deals, so that a page of few notes ends: the cursor says where to go on.
        for _ in 0..DEALS_MAX / SCAN_BATCH_DEALS {
            let rows = snapshot.scan_prefix(StoreTable::Deals, b"", &from, SCAN_BATCH_DEALS)?;

            let last = rows.len() < SCAN_BATCH_DEALS;
            for row in rows {
                let stored = self.deal_rows(&*snapshot).unpack_row(&row)?;
                let (key, _) = row;
                let skipped = if key == from { skip } else { 0 };
                let notes = query.matching_notes(Some(stored));
                for (index, note) in notes.into_iter().enumerate().skip(skipped) {
                    if page.rows.len() >= query.limit {
                        page.next = Some(CreditCursor::format_place(&key, index));
                        return Ok(page);
                    }
                    page.rows.push(note);
                }

                (from, skip) = ([key.as_slice(), &[0]].concat(), 0);
            }

            if last {
                return Ok(page);
            }
        }

        page.next = Some(CreditCursor::format_place(&from, 0));
        Ok(page)
    }
}
