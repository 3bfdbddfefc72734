//! Periods closed, finalized and reopened: the posted entries are frozen or let go, in one commit
//! with what is said of the period.
//!
//! Not the rules of posting (the engine's) and not who may ask for it (the host's roles).
//! Called by the host's worker. Source: DOMAIN 2.11, 2.12, FORMAT section 2 (`finalized`).
//!
//! **Architecture invariant:** the entries that were confirmed to payees are frozen, regardless of
//! later decisions: the difference is posted in an open period.

use std::collections::{BTreeMap, BTreeSet};

use accredit_crediting::posting;
use accredit_domain::calendar::{LockedPeriods, Period};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Actor, Approval, FrozenRewards};
use accredit_domain::keys::{PeriodKey, PlanKey, RulesetHash};
use accredit_domain::note::NoteCode;
use accredit_domain::plan::Plan;
use accredit_ledger::periods::{CLOSED, FINALIZED, OPEN, PeriodState};
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_ledger::releases::ReleaseStatus;
use accredit_seams::store::StoreError;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::calculations::leaf_ids;
use crate::context::Context;
use crate::decide::again::redecide_pinned;
use crate::decide::{post_decided, write_work};
use crate::error::OperationError;
use crate::{rewards, runs};

/// Who finalizes what `[calendar]` lists.
const CALENDAR_FILE: &str = "accredit.toml";

/// What is done to a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeriodAct {
    /// The period is complete; it can be reopened.
    Close,
    /// The period is not complete after all.
    Reopen,
    /// It never changes again.
    Finalize,
}

impl PeriodAct {
    /// The state of a period after it: `closed`, `open` or `finalized`.
    pub fn resulting_state(self) -> &'static str {
        match self {
            PeriodAct::Close => CLOSED,
            PeriodAct::Reopen => OPEN,
            PeriodAct::Finalize => FINALIZED,
        }
    }
}

/// A request to close, reopen or finalize a period.
#[derive(Debug, Clone)]
pub struct PeriodOrder {
    /// Id of the period; the act is about every leaf in it.
    pub period: String,
    /// What is to be done.
    pub act: PeriodAct,
    /// Whether it is done before the period is over, or before earlier periods are finalized.
    pub force: bool,
    /// Why; needed where it is forced.
    pub reason: Option<String>,
    /// The user who asks, and who approved it.
    pub by: Actor,
}

/// A period after an act.
#[derive(Debug, Clone)]
pub struct ChangedPeriod {
    /// Id of the period.
    pub id: String,
    /// Its leaves in order: the id of each, and the last act of a person.
    pub leaves: Vec<(String, Option<PeriodState>)>,
}

/// Closes, reopens or finalizes the leaves of a period. Before each leaf that is closed or finalized,
/// `arrivals` has what arrived until then decided.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such period, [`OperationError::Conflict`] when it is
/// not over, earlier ones are open or it is finalized, [`OperationError::RunUnderWay`] when a run
/// decides some of what would be closed or finalized.
pub fn change_period(
    context: &Context,
    order: PeriodOrder,
    arrivals: &mut dyn FnMut() -> Result<(), OperationError>,
) -> Result<ChangedPeriod, OperationError> {
    let ruleset = context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let period = calendar.find(&order.period);
    let period = period.ok_or_else(|| OperationError::not_found("period"))?;

    if order.act != PeriodAct::Reopen {
        runs::refuse_during_run(context, None, &leaf_ids(&ruleset, &period))?;
    }
    if !order.force {
        check_allowed(context, &period, order.act)?;
    }

    let PeriodOrder { act, reason, by: Actor { who, approved }, .. } = order;
    let mut said = PeriodState {
        state: act.resulting_state().to_owned(),
        day: context.business_date().to_string(),
        who,
        at_ms: context.now_ms(),
        reason,
        approved: approved.as_ref().map(Approval::in_part),
        ..PeriodState::default()
    };

    let leaves = calendar.leaf_periods(&period);
    let mut changed = Vec::with_capacity(leaves.len());
    for (index, leaf) in leaves.iter().enumerate() {
        // The last commit ends the request.
        if index + 1 == leaves.len() {
            said.approved.clone_from(&approved);
        }
        change_leaf(context, leaf, act, &said, arrivals)?;
        changed.push((leaf.id.into(), context.ledger.period_states()?.remove(leaf.id.as_str())));
    }

    Ok(ChangedPeriod { id: period.id.into(), leaves: changed })
}

/// What is in the way, with what to do about it.
fn check_allowed(context: &Context, period: &Period, act: PeriodAct) -> Result<(), OperationError> {
    let today = context.business_date();

    // Reopening takes nothing away, so it need not wait for the end.
    if act != PeriodAct::Reopen && today < period.end {
        let last = period.end.yesterday().unwrap_or(period.end);
        let detail = format!(
            "it lasts until {last} and the business date is {today}: wait for its end, or force \
             it with a reason"
        );
        return Err(OperationError::conflict("period_not_over", detail));
    }

    if act != PeriodAct::Finalize {
        return Ok(());
    }

    let ruleset = context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let finalized = context.ledger.finalized_periods()?;
    let summaries = context.ledger.calculation_summaries()?;

    // A period without credits has nothing to finalize and blocks no other period.
    let earlier = summaries.iter().filter(|(_, summary)| summary.counts.credits > 0);
    let earlier = earlier.filter_map(|((_, leaf), _)| calendar.find(leaf));
    let earlier: BTreeMap<_, Period> = earlier
        .filter(|leaf| leaf.first < period.first && !finalized.contains(&leaf.id))
        .map(|leaf| (leaf.first, leaf))
        .collect();

    if earlier.is_empty() {
        return Ok(());
    }

    let ids: Vec<&str> = earlier.values().map(|leaf| leaf.id.as_str()).collect();
    let detail = format!(
        "earlier periods are not finalized: {}; finalize them first, or force it with a reason",
        ids.join(", ")
    );
    Err(OperationError::conflict("earlier_periods_open", detail))
}

fn change_leaf(
    context: &Context,
    leaf: &Period,
    act: PeriodAct,
    said: &PeriodState,
    arrivals: &mut dyn FnMut() -> Result<(), OperationError>,
) -> Result<(), OperationError> {
    let known = context.ledger.period_states()?.remove(leaf.id.as_str()).map(|known| known.state);

    match (act, known.as_deref() == Some(FINALIZED)) {
        // Finalized twice is once: the period stays as it is.
        (PeriodAct::Finalize, true) => (),
        (_, true) => {
            let detail = format!("{} is finalized and cannot be reopened", leaf.id);
            return Err(OperationError::conflict("period_finalized", detail));
        }
        // So are closing and reopening.
        (_, false) if known.as_deref() == Some(said.state.as_str()) => (),
        (PeriodAct::Close | PeriodAct::Finalize, false) => {
            arrivals()?;
            lock_leaf(context, leaf, said)?;
        }
        (PeriodAct::Reopen, false) => reopen_leaf(context, leaf, said)?,
    }
    Ok(())
}

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
    let closings = closings.into_iter().filter(|(_, leaf)| !said.contains_key(leaf.id.as_str()));
    let finalizations = finalizations
        .into_iter()
        .filter(|(_, leaf)| said.get(leaf.id.as_str()).is_none_or(|said| said.state != FINALIZED));

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
        locked.finalized.insert(leaf.id);
    } else {
        locked.closed.insert(leaf.id);
    }

    let said = PeriodState { frozen: true, ..said.clone() };
    let mut work =
        CommitBatch { period: Some((leaf.id.into(), said.clone())), ..CommitBatch::default() };
    let mut changed = Vec::new();
    let count = freeze_rows(context, leaf, &mut work, &mut changed)?;
    if said.state == FINALIZED {
        work.frozen_rewards = rewards_to_freeze(context, leaf, &locked.finalized)?;
    }
    write_period(context, work, &changed, locked)?;

    tracing::info!(period = leaf.id.as_str(), rows.frozen = count, "{}", said.state);
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
        CommitBatch { period: Some((leaf.id.into(), said.clone())), ..CommitBatch::default() };
    let mut changed = Vec::new();
    context.ledger.visit_transactions(Some(&BTreeSet::from([leaf.id])), &mut |stored| {
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
    tracing::info!(period = leaf.id.as_str(), "reopened");
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
    work.decisions = redecide_pinned(context, changed)?;

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
    write_work(context, &mut work)?;
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

/// The rewards of plans whose period is finalized with its last leaf. Freezing credits moves none of
/// them to another period, so the stored ones say what is paid.
fn rewards_to_freeze(
    context: &Context,
    leaf: &Period,
    finalized: &BTreeSet<PeriodKey>,
) -> Result<Vec<FrozenRewards>, StoreError> {
    let ruleset = context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let mut frozen = Vec::new();

    let manual = context.ledger.manual_rewards()?;
    let has_manual = |plan: &str| manual.iter().any(|reward| reward.row.plan == plan);
    let pays = |plan: &&Plan| plan.pays() || has_manual(&plan.id);

    for plan in ruleset.plans.values().filter(pays) {
        let Some(period) = calendar.period_on(leaf.first, plan.period) else { continue };
        let leaves = calendar.leaf_periods(&period);
        if !leaves.iter().all(|leaf| finalized.contains(&leaf.id)) {
            continue;
        }

        let rewards = rewards::rewards_in(context, &ruleset, &plan.id, &period)?;
        frozen.push(FrozenRewards {
            plan: PlanKey::from(&plan.id),
            period: PeriodKey::from(&period.id),
            ruleset: RulesetHash::from(&ruleset.hash),
            at_ms: context.now_ms(),
            rows: rewards.rows,
            balances: rewards.balances,
        });
    }

    Ok(frozen)
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
    ledger.visit_transactions(Some(&BTreeSet::from([leaf.id])), &mut |stored| {
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
    alerts.any(|alert| alert.code == NoteCode::ClosedPeriod)
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
