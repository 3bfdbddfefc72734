//! Deals that ran out of time: remembered, and tried again, since the machine may have been busy.
//!
//! Not errors of policies, which park for people. When they are tried again is the host's.

use accredit_domain::decision::Decision;
use accredit_seams::store::StoreError;

use super::caught;
use crate::context::Context;

/// How many deals are remembered.
const TIMEOUTS_MAX: usize = 100_000;

/// Parked deals that are read at a time.
const PAGE: usize = 1000;

/// Remembers deals that an earlier process parked since they ran out of time.
pub fn find(context: &Context) {
    let mut from = Some(0);
    while let Some(number) =
        from.filter(|_| context.with_timeouts(|known| known.len()) < TIMEOUTS_MAX)
    {
        let (parked, next) = context.ledger.parked_page(number, PAGE).unwrap_or_default();
        let late = parked.into_iter().filter(|note| accredit_script::is_timeout(&note.message));
        context.with_timeouts(|known| known.extend(late.map(|note| note.transaction)));
        from = next;
    }
}

/// Remembers deals that ran out of time.
pub(crate) fn note_timeouts(context: &Context, decisions: &[(String, Vec<Decision>)]) {
    let is_late = |decision: &Decision| {
        let mut notes = decision.reasons.iter().chain(&decision.alerts).chain(&decision.log);
        notes.any(|note| accredit_script::is_timeout(&note.message))
    };

    let late = decisions.iter().filter(|(_, plans)| plans.iter().any(is_late));
    context.with_timeouts(|known| {
        let room = TIMEOUTS_MAX.saturating_sub(known.len());
        known.extend(late.map(|(id, _)| id.clone()).take(room));
    });
}

/// Whether any deal is remembered.
#[must_use]
pub fn any_timed_out(context: &Context) -> bool {
    context.with_timeouts(|known| !known.is_empty())
}

/// Decides the deals again that are remembered; how many that were.
///
/// # Errors
/// When the data cannot be read or written; the deals stay remembered.
pub fn retry_timed_out(context: &Context) -> Result<usize, StoreError> {
    let late: Vec<String> = context.with_timeouts(std::mem::take).into_iter().collect();
    let decided = caught::decide_isolated(context, &late, &Decision::is_incomplete);
    if decided.is_err() {
        context.with_timeouts(|known| known.extend(late));
    }
    decided
}
