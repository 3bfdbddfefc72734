//! What waits to be fetched, by source, and what people want tried at once; for the fetcher, for metrics
//! and for people.
//!
//! Not trying (`fetcher`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use accredit_ledger::Ledger;
use accredit_ledger::fetches::{FetchKey, PendingFetch};
use accredit_seams::store::StoreError;

/// Entries that are read at a time: each has its payload.
const PAGE: usize = 256;

/// Fetches that people want tried at once.
#[derive(Default)]
pub(crate) struct FetchRetries(Mutex<Vec<RetryOrder>>);

/// Which fetches are tried at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RetryOrder {
    /// One of them.
    One(FetchKey),
    /// Those of a source, or of all.
    Of(Option<String>),
}

impl FetchRetries {
    /// Asks for a try; a stop forgets it, and the fetch is tried in its time.
    pub(crate) fn ask(&self, order: RetryOrder) {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !asked.contains(&order) {
            asked.push(order);
        }
    }

    /// What was asked since the last time.
    pub(super) fn take(&self) -> Vec<RetryOrder> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The fetches of a source that wait.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct SourceBacklog {
    /// How many there are.
    pub(crate) waiting: u64,
    /// When the event of the oldest arrived, milliseconds since 1970; none where it is not known.
    pub(crate) oldest_ms: Option<i64>,
    /// How often that one was tried.
    pub(crate) attempts: u32,
    /// Why the last try of the oldest that was tried gave nothing.
    pub(crate) last_error: Option<String>,
}

impl SourceBacklog {
    /// Seconds since the event of the oldest arrived.
    pub(crate) fn age_s(&self, now_ms: i64) -> i64 {
        self.oldest_ms.map_or(0, |oldest| (now_ms - oldest).max(0) / 1000)
    }
}

/// Goes through everything that waits; what there is, by source.
///
/// # Errors
/// When the data cannot be read.
pub(crate) fn read_backlog(
    ledger: &Ledger,
    mut each: impl FnMut(&PendingFetch),
) -> Result<BTreeMap<String, SourceBacklog>, StoreError> {
    let mut found: BTreeMap<String, SourceBacklog> = BTreeMap::new();
    let mut after = None;
    loop {
        let page = ledger.pending_fetches(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.key());

        for fetch in &page {
            if !found.contains_key(&fetch.source) {
                let delivery = ledger.find_delivery(fetch.sequence)?;
                let oldest_ms = delivery.map(|delivery| delivery.received_ms);
                let attempts = fetch.attempts;
                let first = SourceBacklog { oldest_ms, attempts, ..SourceBacklog::default() };
                found.insert(fetch.source.clone(), first);
            }
            if let Some(of_source) = found.get_mut(&fetch.source) {
                of_source.waiting += 1;
                if of_source.last_error.is_none() {
                    of_source.last_error.clone_from(&fetch.last_error);
                }
            }
            each(fetch);
        }
    }
}

/// Makes fetches due at once, but those that are tried now.
///
/// # Errors
/// When the data cannot be read or written.
pub(super) fn bring_forward(
    ledger: &Ledger,
    orders: &[RetryOrder],
    now_ms: i64,
    is_tried: impl Fn(&PendingFetch) -> bool,
) -> Result<(), StoreError> {
    let is_wanted = |fetch: &PendingFetch| {
        orders.iter().any(|order| match order {
            RetryOrder::One(key) => *key == fetch.key(),
            RetryOrder::Of(source) => source.as_ref().is_none_or(|source| *source == fetch.source),
        })
    };
    let mut after = None;
    loop {
        let page = ledger.pending_fetches(after, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        after = Some(last.key());
        let wanted = page
            .into_iter()
            .filter(|fetch| fetch.next_ms > now_ms && is_wanted(fetch) && !is_tried(fetch));
        let due: Vec<_> = wanted.map(|fetch| PendingFetch { next_ms: now_ms, ..fetch }).collect();
        ledger.record_fetch_attempts(&due)?;
    }
}
