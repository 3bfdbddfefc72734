//! Deals decided and recorded: those that arrived, and those whose inputs or rules changed.
//!
//! Not the rules (the engine) and not the order of things: the host's one worker calls this, so that
//! two decisions about one transaction never race.
//!
//! **Architecture invariant:** a round of work is recorded in one commit.

pub mod again;
pub mod batch;
pub mod caught;
pub mod recredit;
pub mod redrive;
pub mod run;
pub mod timeouts;

use std::sync::Arc;

use accredit_crediting::calculation;
use accredit_crediting::posting::{self, PostingRules};
use accredit_domain::calendar::LockedPeriods;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, ResolutionRecord};
use accredit_domain::transaction::Transaction;
use accredit_ledger::record::CommitBatch;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;

use crate::context::Context;
use crate::explain;

/// Decides transactions on one ruleset, all plans; results in order.
pub(crate) fn decide_transactions(
    context: &Context,
    ruleset: &Ruleset,
    transactions: &[Arc<Transaction>],
    resolutions: &[ResolutionRecord],
) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
    let inputs = explain::decision_inputs(Some(context.business_date()), resolutions)?;
    let threads = std::thread::available_parallelism().map_or(1, Into::into);

    let decided = calculation::decide_all(ruleset, transactions, &inputs, threads);
    let ids = transactions.iter().map(|transaction| transaction.id.to_string());
    let decisions = decided.into_iter().map(|deal| deal.decisions);

    Ok(ids.zip(decisions).collect())
}

/// Records a round of work, with what is posted because periods are closed or finalized.
pub(crate) fn record_with_postings(
    context: &Context,
    batch: &mut CommitBatch,
) -> Result<(), StoreError> {
    add_postings(context, &mut batch.decisions)?;
    write_work(context, batch)
}

/// Adds the posted entries to decisions by natural key.
pub(crate) fn add_postings(
    context: &Context,
    decided: &mut [(String, Vec<Decision>)],
) -> Result<(), StoreError> {
    let locked = context.locked_periods()?;
    if locked.is_empty() {
        return Ok(());
    }
    for (id, decisions) in decided {
        let frozen = context.ledger.frozen_credits(id)?;
        post_decided(context, decisions, (&frozen, &locked));
    }
    Ok(())
}

/// Adds the posted entries to the decisions of one transaction, each by the rules that decided it.
pub(crate) fn post_decided(
    context: &Context,
    decisions: &mut Vec<Decision>,
    (frozen, locked): (&[PostedCredit], &LockedPeriods),
) {
    let calendar = context.ruleset.load().settings.calendar.clone();
    let across_years = |row: &PostedCredit| {
        let ruleset = explain::ruleset_of(context, &row.ruleset);
        ruleset.is_ok_and(|ruleset| posting::holds_across_years(&ruleset, row))
    };
    let rules = PostingRules { calendar: &calendar, locked, across_years: &across_years };
    posting::post_corrections(decisions, frozen, &rules);
}

/// Records a round of work as it is.
pub(crate) fn write_work(context: &Context, work: &mut CommitBatch) -> Result<(), StoreError> {
    work.at_ms = context.now_ms();
    let started = context.surroundings.elapsed();
    context.ledger.commit_batch(work)?;
    context.deal_index().note_commit(work);
    timeouts::note_timeouts(context, &work.decisions);

    let took = context.surroundings.elapsed().saturating_sub(started);
    context.surroundings.note_commit(&work.decisions, took);
    Ok(())
}
