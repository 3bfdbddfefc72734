//! Deals whose deciding fails inside the server are set aside one by one, with an alert; the others
//! go on.
//!
//! Not deliveries, which become dead letters, and not errors of policies, which park.
//!
//! **Architecture invariant:** one deal never keeps another from being decided.

use std::panic::{AssertUnwindSafe, catch_unwind};

use accredit_ledger::record::Work;
use accredit_seams::store::Error as StoreError;
use serde_json::json;

use super::again::{AGAIN_MAX, decide_chunk};
use super::record;
use crate::context::Context;

/// Does something that may panic; none when it did.
pub fn caught<T>(
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

/// Decides stored transactions again; those that fail inside the server stay as they are, with an
/// alert. How many were decided.
pub fn decide_what_can_be(context: &Context, ids: &[String]) -> Result<usize, StoreError> {
    let mut count = 0;
    for chunk in ids.chunks(AGAIN_MAX) {
        let decided = caught("deciding again", || decide_chunk(context, chunk))?;
        if let Some(decided) = decided {
            count += decided;
            continue;
        }

        // One deal at fault must not keep the others of its chunk from being decided.
        for id in chunk {
            let one = std::slice::from_ref(id);
            let decided = caught("deciding again", || decide_chunk(context, one))?;
            count += decided.unwrap_or_default();
            if decided.is_none() {
                leave_as_it_is(context, id)?;
            }
        }
    }

    Ok(count)
}

/// Records decisions; where that fails inside the server, one by one without those that do.
pub(crate) fn record_what_can_be(context: &Context, work: &mut Work) -> Result<(), StoreError> {
    if caught("recording", || record(context, work))?.is_some() {
        return Ok(());
    }
    for one in std::mem::take(&mut work.decisions) {
        let id = one.0.clone();
        let mut alone = Work { decisions: vec![one], ..Work::default() };
        if caught("recording", || record(context, &mut alone))?.is_none() {
            leave_as_it_is(context, &id)?;
        }
    }

    let recredited = work.recredited.take();
    record(context, &mut Work { recredited, ..Work::default() })
}

fn leave_as_it_is(context: &Context, id: &str) -> Result<(), StoreError> {
    tracing::error!(transaction.id = id, "a deal was set aside");
    context.ledger.raise_alert(&json!({
        "transaction": id,
        "stage": "worker",
        "code": "not_decided",
        "message": "deciding it again failed inside the server: its credits are those from \
                    before; decide it again after an update",
    }))
}
