//! Periods finalized: the posted entries are frozen, in one commit with the finalization.
//!
//! Not the rules of posting (the engine's) and not who may finalize what when (`http::periods`).
//! Called by the host's worker. Source: DOMAIN 2.11, 2.12, FORMAT section 2 (`finalized`).
//!
//! **Architecture invariant:** the entries that were confirmed to payees are frozen, regardless of
//! later decisions: the difference is posted in an open period.

use std::collections::BTreeSet;

use accredit_crediting::posting;
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_ledger::periods::{FINALIZED, PeriodState};
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_ledger::releases::ReleaseStatus;
use accredit_seams::store::StoreError;

use crate::context::Context;
use crate::decide::again::redecide_pinned;
use crate::decide::write_work;

/// Who finalizes what `[calendar]` lists.
const CALENDAR_FILE: &str = "accredit.toml";

/// The periods that the calendar in force lists to be finalized by now and that are not, each
/// with its entry.
///
/// # Errors
/// When the data cannot be read.
pub fn periods_due_by_calendar(
    context: &Context,
) -> Result<Vec<(Period, PeriodState)>, StoreError> {
    let calendar = context.ruleset.load().settings.calendar.clone();
    let finalized = context.finalized_leaves()?;
    let due = calendar.finalizations_before(Some(context.business_date())).into_iter();
    let due = due.filter(|(_, leaf)| !finalized.contains(&leaf.id));

    let entries = due.map(|(day, leaf)| {
        let said = PeriodState {
            state: FINALIZED.to_owned(),
            day: day.to_string(),
            who: CALENDAR_FILE.to_owned(),
            at_ms: context.now_ms(),
            reason: None,
            approved: None,
        };
        (leaf, said)
    });
    Ok(entries.collect())
}

/// Freezes a leaf period; gives the number of rows in it. What was acknowledged before belongs to the
/// period: the caller has had it decided.
///
/// # Errors
/// When the data cannot be read or written.
pub fn finalize_leaf(
    context: &Context,
    leaf: &Period,
    said: &PeriodState,
) -> Result<usize, StoreError> {
    let mut finalized = BTreeSet::clone(&*context.finalized_leaves()?);
    finalized.insert(leaf.id.clone());

    let mut work =
        CommitBatch { finalized: Some((leaf.id.clone(), said.clone())), ..CommitBatch::default() };
    let mut changed = Vec::new();
    let count = freeze_rows(context, leaf, &mut work, &mut changed)?;
    work.decisions = redecide_pinned(context, &changed, &[])?;

    let calendar = context.ruleset.load().settings.calendar.clone();
    for (id, decisions) in &mut work.decisions {
        let fresh = work.frozen.iter().find(|(known, _)| known == id);
        let frozen = match fresh {
            Some((_, rows)) => rows.clone(),
            None => context.ledger.frozen_credits(id)?,
        };
        posting::post_corrections(decisions, &frozen, &calendar, &finalized);
    }

    // Whether a commit that failed was durable all the same is read from the data file.
    context.forget_finalized();
    write_work(context, &work)?;
    context.know_finalized(finalized);

    tracing::info!(period = leaf.id, rows.frozen = count, "finalized");
    Ok(count)
}

/// Collects what is frozen with `leaf`, and the transactions of which that is not all that stands
/// there: a hold goes on, something changed after it was certain, or a frozen entry follows one
/// that is not.
fn freeze_rows(
    context: &Context,
    leaf: &Period,
    work: &mut CommitBatch,
    changed: &mut Vec<TransactionRecord>,
) -> Result<usize, StoreError> {
    let ledger = &context.ledger;
    let certain = certain_in(context, leaf)?;
    let mut count = 0;
    ledger.visit_transactions(Some(&BTreeSet::from([leaf.id.clone()])), &mut |stored| {
        let rows = stored.decisions.iter().flat_map(|decision| &decision.credits);
        let here: Vec<&PostedCredit> = rows.filter(|row| row.period == leaf.id).collect();
        let all: Vec<PostedCredit> = here.iter().copied().cloned().collect();

        let mut fresh: Vec<PostedCredit> =
            posting::rows_to_freeze(&all, &leaf.id).cloned().collect();
        fresh.retain(|row| !certain.contains(&*row.plan));
        for plan in &certain {
            fresh.extend(ledger.confirmed_credits(plan, &leaf.id, &stored.id)?);
        }

        let differs = all.len() != fresh.len() || all.iter().any(|row| !fresh.contains(row));
        count += fresh.len();
        let is_frozen = !fresh.is_empty();

        let mut frozen = ledger.frozen_credits(&stored.id)?;
        frozen.extend(fresh);

        if differs || !stands_first(&frozen, &stored) {
            changed.push(stored.clone());
        }
        if is_frozen {
            work.frozen.push((stored.id, frozen));
        }
        Ok(())
    })?;

    Ok(count)
}

/// The plans whose rewards are released in the period that `leaf` is a part of.
fn certain_in(context: &Context, leaf: &Period) -> Result<BTreeSet<String>, StoreError> {
    let calendar = context.ruleset.load().settings.calendar.clone();
    let releases = context.ledger.list_releases()?.into_iter();
    let certain = releases.filter(|release| {
        release.status == ReleaseStatus::Confirmed
            && calendar.find(&release.period).is_some_and(|period| period.contains(leaf.first))
    });
    Ok(certain.map(|release| release.plan).collect())
}

/// Whether the frozen rows of each plan are the first ones of its decision, in their order.
fn stands_first(frozen: &[PostedCredit], stored: &TransactionRecord) -> bool {
    stored.decisions.iter().all(|decision| {
        let own: Vec<&PostedCredit> =
            frozen.iter().filter(|row| row.plan == decision.plan).collect();
        let first: Vec<&PostedCredit> = decision.credits.iter().take(own.len()).collect();
        own == first
    })
}
