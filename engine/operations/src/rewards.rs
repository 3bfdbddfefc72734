//! Rewards of stored credits: where other rules change them, and what cannot be computed.
//!
//! Not working them out (the engine) and not what is published (`worker::release`). Called by the
//! door before an activation and by `http::alerts`. Source: DOMAIN 2.16, DESIGN section 6.
//!
//! **Architecture invariant:** nothing here writes; an alert stands as long as the calculation that
//! it is of says it, and no longer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use accredit_crediting::reward::{self, PlanRewards};
use accredit_domain::calendar::{Period, PeriodKind};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::EarnedReward;
use accredit_domain::keys::PeriodKey;
use accredit_ledger::notes::NoteRow;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use serde::{Deserialize, Serialize};

use crate::calculations::{self, leaf_ids, own_period};
use crate::context::{CalculationAlerts, Context};

/// Credits that count, by plan and leaf period.
pub(super) type CreditsByPlan = BTreeMap<String, BTreeMap<String, Vec<PostedCredit>>>;

/// Plans, each with its periods.
type PeriodsByPlan = BTreeMap<String, BTreeSet<String>>;

/// Periods of plans, by plan and first day.
type RewardedPeriods = BTreeMap<(String, String), Period>;

/// A place in the list of all rewards: by plan, by the first day of the period, then as a calculation
/// has them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RewardPlace {
    plan: String,
    first: String,
    index: usize,
}

/// At most `limit` rewards that fit, from `start` on, with the place of the next one: of one plan
/// or of all, in the periods that lie within leaves or in all. One calculation is held at a time.
pub fn rewards_from(
    context: &Context,
    (plan, within): (Option<&str>, Option<&[PeriodKey]>),
    start: &RewardPlace,
    limit: usize,
    fits: impl Fn(&EarnedReward) -> bool,
) -> Result<(Vec<EarnedReward>, Option<RewardPlace>), StoreError> {
    let ruleset = context.ruleset.load_full();
    let mut found = Vec::new();

    for ((id, first), period) in rewarded_periods(context, &ruleset)? {
        let own = leaf_ids(&ruleset, &period);
        let inside =
            within.is_none_or(|within| own.iter().all(|leaf| within.iter().any(|one| one == leaf)));
        let place = (id.as_str(), first.as_str());
        let behind = place >= (start.plan.as_str(), start.first.as_str());
        if !inside || !behind || plan.is_some_and(|plan| plan != id) {
            continue;
        }

        let credits = credits_of(context, &BTreeSet::from([id.clone()]), &own)?;
        let by_leaf = credits.get(&id).cloned().unwrap_or_default();
        let here = place == (start.plan.as_str(), start.first.as_str());
        let skipped = if here { start.index } else { 0 };
        let rows = plan_rewards(&ruleset, &id, &period.id, &by_leaf).rows.into_iter().enumerate();

        for (index, row) in rows.skip(skipped).filter(|(_, row)| fits(row)) {
            if found.len() >= limit {
                return Ok((found, Some(RewardPlace { plan: id, first, index })));
            }
            found.push(row);
        }
    }

    Ok((found, None))
}

/// Plans that pay, with each of their periods that has decisions, by the plan and the first day of
/// the period.
fn rewarded_periods(context: &Context, ruleset: &Ruleset) -> Result<RewardedPeriods, StoreError> {
    let mut found = RewardedPeriods::new();

    for (id, leaf) in context.ledger.calculation_summaries()?.into_keys() {
        let pays = ruleset.plans.get(id.as_str()).is_some_and(|plan| !plan.rewards.is_empty());
        let leaf = ruleset.settings.calendar.find(&leaf).filter(|_| pays);

        if let Some(period) = leaf.and_then(|leaf| own_period(ruleset, &id, leaf.first)) {
            found.insert((id, period.first.to_string()), period);
        }
    }

    Ok(found)
}

/// The plans and periods in which `new` makes the credits that stand worth something else than
/// `old` does. What is decided meanwhile raises the revision by itself.
pub fn restated_periods(
    context: &Context,
    old: &Ruleset,
    new: &Ruleset,
) -> Result<PeriodsByPlan, StoreError> {
    let changed = changed_reward_plans(old, new);
    let mut restated = PeriodsByPlan::new();
    if changed.is_empty() {
        return Ok(restated);
    }

    let summaries = context.ledger.calculation_summaries()?;
    let stored = summaries.keys().filter(|(plan, _)| changed.contains(plan));
    let stored: BTreeSet<&String> = stored.map(|(_, leaf)| leaf).collect();

    // Year by year, so that no more than the credits of one are held at a time.
    let mut years: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for leaf in stored {
        let year = year_of_leaf(new, leaf)
            .or_else(|| year_of_leaf(old, leaf))
            .unwrap_or_else(|| leaf.clone());
        years.entry(year).or_default().insert(leaf.clone());
    }

    for stored in years.values() {
        let credits = credits_of(context, &changed, stored)?;
        let around =
            stored.iter().flat_map(|leaf| enclosing_periods(new, leaf)).collect::<BTreeSet<_>>();

        for (plan, by_leaf) in &credits {
            let differs = around.iter().filter(|period| {
                plan_rewards(old, plan, period, by_leaf) != plan_rewards(new, plan, period, by_leaf)
            });
            let differs: BTreeSet<String> = differs.cloned().collect();
            if !differs.is_empty() {
                restated.entry(plan.clone()).or_default().extend(differs);
            }
        }
    }

    Ok(restated)
}

/// Credits that count of `plans` in leaf periods.
pub(super) fn credits_of(
    context: &Context,
    plans: &BTreeSet<String>,
    leaves: &BTreeSet<String>,
) -> Result<CreditsByPlan, StoreError> {
    let mut credits = CreditsByPlan::new();

    context.ledger.visit_transactions(Some(leaves), &mut |stored| {
        let decisions = stored.decisions.into_iter();
        let decisions = decisions.filter(|decision| plans.contains(&*decision.plan));
        for row in decisions.flat_map(|decision| decision.credits) {
            if row.is_active() && leaves.contains(&*row.period) {
                let of_plan = credits.entry(row.plan.to_string()).or_default();
                of_plan.entry(row.period.to_string()).or_default().push(row);
            }
        }
        Ok(())
    })?;

    Ok(credits)
}

/// Alerts of rewards that cannot be computed: of one plan or of all, in the periods that lie
/// in `within` or in all.
pub fn reward_alerts(
    context: &Context,
    plan: Option<&str>,
    within: Option<&BTreeSet<String>>,
) -> Result<Vec<NoteRow>, StoreError> {
    let ruleset = context.ruleset.load_full();
    let index = calculations::calculation_index(context)?;
    let mut known = context.reward_alerts.lock().unwrap_or_else(PoisonError::into_inner);

    let mut found = BTreeMap::new();
    for (id, leaf) in index.summaries.keys() {
        let rewarded = ruleset.plans.get(id.as_str()).is_some_and(|p| !p.rewards.is_empty());
        let leaf = ruleset.settings.calendar.find(leaf).filter(|_| rewarded);
        if let Some(period) = leaf.and_then(|leaf| own_period(&ruleset, id, leaf.first)) {
            found.insert((id.clone(), period.id.clone()), period);
        }
    }

    // Forgotten when it no longer exists, so that what is kept does not grow for ever.
    known.retain(|key, _| found.contains_key(key));

    found.retain(|(id, _), period| {
        let own = leaf_ids(&ruleset, period);
        let inside = within.is_none_or(|within| own.is_subset(within));
        inside && plan.is_none_or(|plan| plan == id)
    });

    let mut alerts = Vec::new();
    for (key, period) in found {
        let own = leaf_ids(&ruleset, &period);
        let revision = index.revision(&key.0, &period.id, &own);

        // Working rewards out takes every credit of the period, so it is done once a revision.
        let fresh = |known: &&CalculationAlerts| {
            known.revision == revision && Arc::ptr_eq(&known.ruleset, &ruleset.hash)
        };
        if let Some(known) = known.get(&key).filter(fresh) {
            alerts.extend(known.notes.iter().cloned());
            continue;
        }

        let credits = credits_of(context, &BTreeSet::from([key.0.clone()]), &own)?;
        let by_leaf = credits.get(&key.0).cloned().unwrap_or_default();
        let found = plan_rewards(&ruleset, &key.0, &period.id, &by_leaf);
        let notes = found.alerts.into_iter();
        let notes = notes.map(|note| NoteRow { note, period: Some(PeriodKey::from(&period.id)) });
        let notes: Vec<NoteRow> = notes.collect();

        alerts.extend(notes.iter().cloned());
        known
            .insert(key, CalculationAlerts { revision, ruleset: Arc::clone(&ruleset.hash), notes });
    }

    Ok(alerts)
}

/// Plans whose credits may be worth something else.
pub(super) fn changed_reward_plans(old: &Ruleset, new: &Ruleset) -> BTreeSet<String> {
    let pays = |ruleset: &Ruleset, plan: &str| {
        ruleset.plans.get(plan).is_some_and(|plan| !plan.rewards.is_empty())
    };
    let (before, after) = (old.reward_hashes(), new.reward_hashes());
    let plans: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = plans.into_iter().filter(|plan| {
        (pays(old, plan) || pays(new, plan)) && before.get(*plan) != after.get(*plan)
    });
    changed.cloned().collect()
}

fn year_of_leaf(ruleset: &Ruleset, leaf: &str) -> Option<String> {
    let calendar = &ruleset.settings.calendar;
    let leaf = calendar.find(leaf)?;
    calendar.period_on(leaf.first, PeriodKind::Year).map(|year| year.id)
}

/// The periods that a leaf is part of, itself included: what a calculation can be asked for.
fn enclosing_periods(ruleset: &Ruleset, leaf: &str) -> Vec<String> {
    let calendar = &ruleset.settings.calendar;
    let Some(leaf) = calendar.find(leaf) else { return Vec::new() };
    let kinds = [PeriodKind::Leaf, PeriodKind::Quarter, PeriodKind::Year];
    let larger = kinds.into_iter().filter_map(|kind| calendar.period_on(leaf.first, kind));
    larger.map(|period| period.id).chain([leaf.id.clone()]).collect()
}

/// What the credits of a plan in a period are worth under a ruleset: nothing, where it has no such
/// plan or period.
pub(super) fn plan_rewards(
    ruleset: &Ruleset,
    plan: &str,
    period: &str,
    by_leaf: &BTreeMap<String, Vec<PostedCredit>>,
) -> PlanRewards {
    let period = ruleset.settings.calendar.find(period);
    let Some((plan, period)) = ruleset.plans.get(plan).zip(period) else {
        return PlanRewards::default();
    };
    let own = leaf_ids(ruleset, &period);
    let credits = own.iter().filter_map(|leaf| by_leaf.get(leaf)).flatten();
    reward::compute_rewards(ruleset, plan, &period, credits)
}
