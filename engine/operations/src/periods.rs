//! Periods closed, reopened and finalized: with the last, the posted entries are frozen in one commit.
//!
//! Not the rules of posting (the engine's) and not who may ask for it (the host's roles).
//! Called by the host's worker. Source: DOMAIN 2.11, 2.12, FORMAT section 2 (`finalized`).
//!
//! **Architecture invariant:** the entries that were confirmed to payees are frozen, regardless of
//! later decisions: the difference is posted in an open period.

use std::collections::{BTreeMap, BTreeSet};

use accredit_crediting::posting;
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Actor, Approval, FrozenRewards};
use accredit_domain::keys::{PeriodKey, PlanKey, RulesetHash};
use accredit_ledger::periods::{FINALIZED, PeriodState};
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_ledger::releases::ReleaseStatus;
use accredit_seams::store::StoreError;
use serde::{Deserialize, Serialize};

use crate::calculations::leaf_ids;
use crate::context::Context;
use crate::decide::again::redecide_pinned;
use crate::decide::write_work;
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
            PeriodAct::Close => "closed",
            PeriodAct::Reopen => "open",
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

/// Closes, reopens or finalizes the leaves of a period. Before each leaf that is finalized, `arrivals`
/// has what arrived until then decided.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such period, [`OperationError::Conflict`] when it is
/// not over, earlier ones are open or it is finalized, [`OperationError::RunUnderWay`] when a run
/// decides some of what would be finalized.
pub fn change_period(
    context: &Context,
    order: PeriodOrder,
    arrivals: &mut dyn FnMut() -> Result<(), OperationError>,
) -> Result<ChangedPeriod, OperationError> {
    let ruleset = context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let period = calendar.find(&order.period);
    let period = period.ok_or_else(|| OperationError::not_found("period"))?;

    if order.act == PeriodAct::Finalize {
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
    };

    let leaves = calendar.leaf_periods(&period);
    let mut changed = Vec::with_capacity(leaves.len());
    for (index, leaf) in leaves.iter().enumerate() {
        // The last commit ends the request.
        if index + 1 == leaves.len() {
            said.approved.clone_from(&approved);
        }
        change_leaf(context, leaf, act, &said, arrivals)?;
        changed.push((leaf.id.clone(), context.ledger.period_states()?.remove(&leaf.id)));
    }

    Ok(ChangedPeriod { id: period.id, leaves: changed })
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
    let finalized = context.ledger.finalized_periods()?.contains(&leaf.id);

    match (act, finalized) {
        // Finalized twice is once: the period stays as it is.
        (PeriodAct::Finalize, true) => (),
        (_, true) => {
            let detail = format!("{} is finalized and cannot be reopened", leaf.id);
            return Err(OperationError::conflict("period_finalized", detail));
        }
        (PeriodAct::Finalize, false) => {
            arrivals()?;
            finalize_leaf(context, leaf, said)?;
        }
        (_, false) => context.ledger.set_period_state(&leaf.id, said)?,
    }
    Ok(())
}

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

    work.frozen_rewards = rewards_to_freeze(context, leaf, &finalized)?;

    // Whether a commit that failed was durable all the same is read from the data file.
    context.forget_finalized();
    write_work(context, &work)?;
    context.know_finalized(finalized);

    tracing::info!(period = leaf.id, rows.frozen = count, "finalized");
    Ok(count)
}

/// The rewards of plans whose period is finalized with its last leaf. Freezing credits moves none of
/// them to another period, so the stored ones say what is paid.
fn rewards_to_freeze(
    context: &Context,
    leaf: &Period,
    finalized: &BTreeSet<String>,
) -> Result<Vec<FrozenRewards>, StoreError> {
    let ruleset = context.ruleset.load_full();
    let calendar = &ruleset.settings.calendar;
    let mut frozen = Vec::new();

    for plan in ruleset.plans.values().filter(|plan| !plan.rewards.is_empty()) {
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
