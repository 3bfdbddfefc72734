//! Deals whose deciding fails inside the server are set aside one by one, with an alert; the others
//! go on.
//!
//! Not deliveries, which become dead letters, and not errors of policies, which park.
//!
//! **Architecture invariant:** one deal never keeps another from being decided.

use std::panic::{AssertUnwindSafe, catch_unwind};

use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::record::CommitBatch;
use accredit_seams::store::StoreError;

use super::again::{REDECIDE_BATCH_MAX, TakesRulesInForce, decide_chunk};
use super::record_with_postings;
use crate::context::Context;

/// Does something that may panic; none when it did.
pub fn run_guarded<T>(
    what: &'static str,
    work: impl FnOnce() -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map(Some),
        Err(_) => {
            tracing::error!(work.kind = what, "work panicked");
            Ok(None)
        }
    }
}

/// Decides stored transactions again, by the rules in force where `in_force` is true; those that fail
/// inside the server stay as they are, with an alert. How many were decided.
pub(crate) fn decide_isolated(
    context: &Context,
    ids: &[String],
    in_force: TakesRulesInForce<'_>,
) -> Result<usize, StoreError> {
    let mut count = 0;
    for chunk in ids.chunks(REDECIDE_BATCH_MAX) {
        let decided = run_guarded("deciding again", || decide_chunk(context, chunk, in_force))?;
        if let Some(decided) = decided {
            count += decided;
            continue;
        }

        // One deal at fault must not keep the others of its chunk from being decided.
        for id in chunk {
            let one = std::slice::from_ref(id);
            let decided = run_guarded("deciding again", || decide_chunk(context, one, in_force))?;
            count += decided.unwrap_or_default();
            if decided.is_none() {
                alert_undecided(context, id)?;
            }
        }
    }

    Ok(count)
}

/// Records decisions; where that fails inside the server, one by one without those that do.
pub(crate) fn record_isolated(context: &Context, work: &mut CommitBatch) -> Result<(), StoreError> {
    if run_guarded("recording", || record_with_postings(context, work))?.is_some() {
        return Ok(());
    }
    for one in std::mem::take(&mut work.decisions) {
        let id = one.0.clone();
        let mut alone = CommitBatch { decisions: vec![one], ..CommitBatch::default() };
        if run_guarded("recording", || record_with_postings(context, &mut alone))?.is_none() {
            alert_undecided(context, &id)?;
        }
    }

    let recredited = work.recredited.take();
    record_with_postings(context, &mut CommitBatch { recredited, ..CommitBatch::default() })
}

fn alert_undecided(context: &Context, id: &str) -> Result<(), StoreError> {
    tracing::error!(transaction.id = id, "a deal was set aside");
    let message = "an internal error stopped the new decision, and the earlier credits stay; \
        decide it again after an update";
    let alert = RaisedAlert {
        transaction: Some(id.to_owned()),
        ..RaisedAlert::new("worker", "not_decided", message)
    };
    context.ledger.raise_alert(&alert, context.now_ms())
}
