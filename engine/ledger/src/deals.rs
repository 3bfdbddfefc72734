//! Recorded deals in pages, in order of first receipt.
//!
//! Not their credits (`query`). Called by the host.
//!
//! **Architecture invariant:** the order stays while deals are added, so that a list that is read page
//! by page has every deal once.

use super::deal_rows::BLOCK_TRANSACTIONS;
use super::record::TransactionRecord;
use super::{Ledger, LedgerResult};
use accredit_domain::decision::{Decision, DecisionOutcome};
use accredit_domain::keys::PeriodKey;
use accredit_seams::store::StoreError;

/// Which deals; every part that is given must fit. Plan, periods and outcome must fit one and the same
/// decision.
#[derive(Debug, Clone, Default)]
pub struct DealQuery {
    /// What the natural key begins with.
    pub prefix: Option<String>,
    /// Id of a plan.
    pub plan: Option<String>,
    /// Ids of leaf periods.
    pub periods: Option<Vec<PeriodKey>>,
    /// What became of the deal.
    pub outcome: Option<DecisionOutcome>,
    /// How many deals a page has at most.
    pub limit: usize,
    /// Where the last page ended.
    pub cursor: Option<String>,
}

/// A page of deals.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DealPage {
    /// The deals of the page, with their decisions in every plan.
    pub rows: Vec<TransactionRecord>,
    /// Where the next page begins; none when this is the last.
    pub next: Option<String>,
}

impl DealQuery {
    fn matches_transaction(&self, stored: &TransactionRecord) -> bool {
        // What a person gave without a deal is listed with the credits.
        if stored.record.manual_credit().is_some() {
            return false;
        }
        if self.prefix.as_deref().is_some_and(|prefix| !stored.id.starts_with(prefix)) {
            return false;
        }

        // A deal that is in no plan yet has no decision that could fit.
        let any_decision = self.plan.is_none() && self.periods.is_none() && self.outcome.is_none();
        any_decision || stored.decisions.iter().any(|decision| self.matches_decision(decision))
    }

    fn matches_decision(&self, decision: &Decision) -> bool {
        let period = decision.period.as_ref();

        self.plan.as_ref().is_none_or(|plan| *plan == decision.plan)
            && self.outcome.is_none_or(|outcome| outcome == decision.outcome)
            && self
                .periods
                .as_ref()
                .is_none_or(|periods| period.is_some_and(|period| periods.contains(period)))
    }
}

impl Ledger {
    /// A page of deals, in order of first receipt.
    ///
    /// # Errors
    /// When the data, or the cursor, cannot be read.
    pub fn deal_page(&self, query: &DealQuery) -> LedgerResult<DealPage> {
        let mut page = DealPage::default();
        let mut from = match &query.cursor {
            None => 0,
            Some(cursor) => read_cursor(cursor)?,
        };

        while let Some((stored, next)) = self.records_from(from)? {
            for stored in stored.into_iter().filter(|stored| query.matches_transaction(stored)) {
                if page.rows.len() >= query.limit {
                    page.next = Some(stored.number.to_string());
                    return Ok(page);
                }

                page.rows.push(stored);
            }

            from = next;
        }

        Ok(page)
    }
}

/// The number that a cursor holds. One that no deal could have is refused before it is computed with.
fn read_cursor(cursor: &str) -> LedgerResult<u64> {
    let number = cursor.parse().ok().filter(|number| *number < u64::MAX - 2 * BLOCK_TRANSACTIONS);
    number.ok_or_else(|| StoreError::Cursor(cursor.to_owned()))
}
