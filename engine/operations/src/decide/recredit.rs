//! Credits decided again because an activation asked for it, a batch at a time between deliveries.
//!
//! Not the wish (`ledger::recredit` keeps it, so that a stop loses nothing). Called by the host's one
//! worker: no decision about one transaction races another. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a transaction's credits change in one commit, decided by one ruleset:
//! the one whose activation asked last.

use accredit_ledger::alerts::RaisedAlert;
use accredit_ledger::record::CommitBatch;
use accredit_ledger::recredit::{RecreditProgress, RecreditRequest};
use accredit_seams::store::StoreError;

use super::caught::record_isolated;
use crate::context::Context;
use crate::replay::{self, ReplaySelection, candidates};

/// Transactions looked at in one round: enough for all cores, few enough that a delivery does not wait
/// for half a second.
const RECREDIT_CHUNK: usize = 4096;

/// Decides the next few transactions again that `wish` is about.
///
/// # Errors
/// When the data cannot be read or written.
pub fn decide_some(context: &Context, wish: RecreditRequest) -> Result<(), StoreError> {
    let ruleset = context.ruleset.load_full();
    let today = context.business_date();
    let pins = replay::stored_pins(context, &ruleset)?;
    let finalized = &context.locked_periods()?.finalized;
    let selection = ReplaySelection {
        ruleset: &ruleset,
        pins: &pins,
        effective: wish.effective,
        reaching: wish.reaching,
        today,
        finalized,
    };

    let wanted = (&ruleset, &selection);
    let (deals, next) = candidates::next_deals(context, wanted, (wish.next, RECREDIT_CHUNK))?;
    let looked_at = wish.looked_at + deals.len() as u64;
    let again = selection.select_decoded(deals);
    let decisions = replay::decide_affected(context, &ruleset, &again, today)?;
    let count = decisions.len() as u64;

    let decided = wish.decided + count;
    let known = RecreditRequest { decided, looked_at, ..wish };
    let at_ms = context.now_ms();
    let progress = RecreditProgress { known: known.clone(), next, at_ms };
    let mut work = CommitBatch { decisions, recredited: Some(progress), ..CommitBatch::default() };
    record_isolated(context, &mut work)?;
    context.deal_index().note_decided(&again, &work.decisions, today);
    // Giving back the memory of thousands of deals takes as long as deciding them.
    rayon::spawn(move || drop((again, work)));

    if next.is_none() {
        tracing::info!(activation = known.activation, transactions = decided, "decided again");
    }
    Ok(())
}

/// Ends a wish before everything was decided again, with an alert that says why.
///
/// # Errors
/// When the data cannot be read or written.
pub fn give_up(context: &Context, wish: &RecreditRequest, why: &str) -> Result<(), StoreError> {
    let alert = RaisedAlert::new("worker", "not_decided", why);
    context.ledger.raise_alert(&alert, context.now_ms())?;
    context.ledger.record_recredit_progress(wish, None, context.now_ms())
}
