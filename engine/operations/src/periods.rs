//! Periods closed, finalized and reopened: the posted entries are frozen or let go, in one commit
//! with what is said of the period.
//!
//! Not the rules of posting (the engine's) and not who may finalize what when (`http::periods`).
//! Called by the host's worker. Source: DOMAIN 2.11, 2.12, FORMAT section 2 (`finalized`).
//!
//! **Architecture invariant:** the entries that were confirmed to payees are frozen, regardless of
//! later decisions: the difference is posted in an open period.

use std::collections::BTreeSet;

use accredit_crediting::posting;
use accredit_domain::calendar::{LockedPeriods, Period};
use accredit_domain::credit::posted::PostedCredit;
use accredit_ledger::periods::{CLOSED, FINALIZED, PeriodState};
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_ledger::releases::ReleaseStatus;
use accredit_seams::store::StoreError;
use jiff::civil::Date;

use crate::context::Context;
use crate::decide::again::redecide_pinned;
use crate::decide::{post_decided, write_work};

/// Who finalizes what `[calendar]` lists.
const CALENDAR_FILE: &str = "accredit.toml";

/// The periods that the calendar in force lists to be closed or finalized by now and that are not,
/// each with its entry. A period that a person closed or reopened is not closed by the calendar.
///
/// # Errors
/// When the data cannot be read.
pub fn periods_due_by_calendar(
    context: &Context,
) -> Result<Vec<(Period, PeriodState)>, StoreError> {
    let calendar = context.ruleset.load().settings.calendar.clone();
    let today = Some(context.business_date());
    let (closings, finalizations) =
        (calendar.closings_before(today), calendar.finalizations_before(today));
    if closings.is_empty() && finalizations.is_empty() {
        return Ok(Vec::new());
    }

    let said = context.ledger.period_states()?;
    let closings = closings.into_iter().filter(|(_, leaf)| !said.contains_key(&leaf.id));
    let finalizations = finalizations
        .into_iter()
        .filter(|(_, leaf)| said.get(&leaf.id).is_none_or(|said| said.state != FINALIZED));

    let entry = |state: &str, day: Date| PeriodState {
        state: state.to_owned(),
        day: day.to_string(),
        who: CALENDAR_FILE.to_owned(),
        at_ms: context.now_ms(),
        ..PeriodState::default()
    };
    let closings = closings.map(|(day, leaf)| (leaf, entry(CLOSED, day)));
    let finalizations = finalizations.map(|(day, leaf)| (leaf, entry(FINALIZED, day)));
    Ok(closings.chain(finalizations).collect())
}

/// Closes or finalizes a leaf period as `said`: its entries are frozen, and what differs from them is
/// posted later. Gives the number of entries in it. What was acknowledged before belongs to the
/// period: the caller has had it decided.
///
/// # Errors
/// When the data cannot be read or written.
pub fn lock_leaf(
    context: &Context,
    leaf: &Period,
    said: &PeriodState,
) -> Result<usize, StoreError> {
    let mut locked = LockedPeriods::clone(&*context.locked_periods()?);
    if said.state == FINALIZED {
        locked.closed.remove(&leaf.id);
        locked.finalized.insert(leaf.id.clone());
    } else {
        locked.closed.insert(leaf.id.clone());
    }

    let said = PeriodState { frozen: true, ..said.clone() };
    let mut work =
        CommitBatch { period: Some((leaf.id.clone(), said.clone())), ..CommitBatch::default() };
    let mut changed = Vec::new();
    let count = freeze_rows(context, leaf, &mut work, &mut changed)?;
    write_period(context, work, &changed, locked)?;

    tracing::info!(period = leaf.id, rows.frozen = count, "{}", said.state);
    Ok(count)
}

/// Reopens a closed leaf period: its entries are let go, and what was posted elsewhere comes home.
/// An entry that a later locked period takes back stays frozen.
///
/// # Errors
/// When the data cannot be read or written.
pub fn reopen_leaf(context: &Context, leaf: &Period, said: &PeriodState) -> Result<(), StoreError> {
    let mut locked = LockedPeriods::clone(&*context.locked_periods()?);
    locked.closed.remove(&leaf.id);

    let mut work =
        CommitBatch { period: Some((leaf.id.clone(), said.clone())), ..CommitBatch::default() };
    let mut changed = Vec::new();
    context.ledger.visit_transactions(Some(&BTreeSet::from([leaf.id.clone()])), &mut |stored| {
        let frozen = context.ledger.frozen_credits(&stored.id)?;
        let kept = posting::rows_to_keep(&frozen, &locked);

        let own = stored.decisions.iter().any(|one| one.period.as_deref() == Some(&*leaf.id));
        if own || kept.len() != frozen.len() {
            changed.push(stored.clone());
        }
        if kept.len() != frozen.len() {
            work.frozen.push((stored.id, kept));
        }
        Ok(())
    })?;

    write_period(context, work, &changed, locked)?;
    tracing::info!(period = leaf.id, "reopened");
    Ok(())
}

/// Decides `changed` again, posts by the periods as they are from now on, and records it all in one
/// commit.
fn write_period(
    context: &Context,
    mut work: CommitBatch,
    changed: &[TransactionRecord],
    locked: LockedPeriods,
) -> Result<(), StoreError> {
    work.decisions = redecide_pinned(context, changed, &[])?;

    for (id, decisions) in &mut work.decisions {
        let fresh = work.frozen.iter().find(|(known, _)| known == id);
        let frozen = match fresh {
            Some((_, rows)) => rows.clone(),
            None => context.ledger.frozen_credits(id)?,
        };
        post_decided(context, decisions, (&frozen, &locked));
    }

    // Whether a commit that failed was durable all the same is read from the data file.
    context.forget_locked_periods();
    write_work(context, &work)?;
    context.know_locked_periods(locked);
    Ok(())
}

/// Freezes the entries of periods that version 0.1.0 closed without that.
///
/// # Errors
/// When the data cannot be read or written.
pub fn freeze_closed_periods(context: &Context) -> Result<(), StoreError> {
    let calendar = context.ruleset.load().settings.calendar.clone();
    for (id, said) in context.ledger.period_states()? {
        let leaf = calendar.find(&id).filter(|_| said.state == CLOSED && !said.frozen);
        if let Some(leaf) = leaf {
            lock_leaf(context, &leaf, &said)?;
        }
    }
    Ok(())
}

/// Collects what is frozen with `leaf`, and the transactions of which that is not all that stands
/// there: a hold goes on, something changed after it was certain, or a frozen entry follows one
/// that is not; and those with an alert of a closed period, which may go.
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

        let mut frozen = ledger.frozen_credits(&stored.id)?;
        let mut fresh: Vec<PostedCredit> =
            posting::rows_to_freeze(&all, &leaf.id).cloned().collect();
        fresh.retain(|row| !certain.contains(&*row.plan));
        for plan in &certain {
            fresh.extend(ledger.confirmed_credits(plan, &leaf.id, &stored.id)?);
        }
        // What was frozen when the period was closed stays as it was.
        fresh.retain(|row| frozen.iter().all(|known| known.id != row.id));

        let is_frozen = !fresh.is_empty();
        frozen.extend(fresh);
        let stays = frozen.iter().filter(|row| row.period == leaf.id);
        let stays: Vec<&PostedCredit> = stays.collect();
        count += stays.len();

        let differs = all.len() != stays.len() || all.iter().any(|row| !stays.contains(&row));
        if differs || !stands_first(&frozen, &stored) || has_closed_alert(&stored) {
            changed.push(stored.clone());
        }
        if is_frozen {
            work.frozen.push((stored.id, frozen));
        }
        Ok(())
    })?;

    Ok(count)
}

/// Whether a transaction has an alert of a closed period.
fn has_closed_alert(stored: &TransactionRecord) -> bool {
    let mut alerts = stored.decisions.iter().flat_map(|decision| &decision.alerts);
    alerts.any(|alert| alert.code == posting::CLOSED_PERIOD)
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
