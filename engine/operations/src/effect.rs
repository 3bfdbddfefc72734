//! What a change moves in money by itself, as it is answered, recorded and limited.
//!
//! Not the comparison of all recorded deals with the ledger (`replay`), which a preview shows as
//! well. Called by the door in its turn and by previews. Source: DESIGN section 5.
//!
//! **Architecture invariant:** nothing here writes; what an earlier change moved is not counted again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_crediting::affected;
use accredit_crediting::impact::{self, Impact};
use accredit_domain::decision::Decision;
use accredit_domain::keys::PeriodKey;
use accredit_domain::limits::{Limits, MoneyEffect, MoneyLine, MovedMoney, RewardDetails};
use accredit_domain::transaction::{Decoder, Transaction};
use accredit_ledger::definitions::Effective;
use accredit_ledger::record::TransactionRecord;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;

use crate::context::Context;
use crate::error::OperationError;
use crate::losses::{self, BookedCredits, RewardChange};
use crate::replay::{self, RedecideItem, is_open, is_waiting, reuse};
use crate::reward_books;

/// The money that a change moves, for all payees.
#[derive(Debug, Clone, Default)]
pub struct MoneyChange {
    credits: Impact,
    rewards: Vec<MoneyLine>,
    /// Rewards by plan.
    by_plan: Vec<MoneyLine>,
    details: RewardDetails,
}

impl MoneyChange {
    /// Which limit it exceeds, in words; none when it stays within all.
    pub fn exceeded_limit(&self, limits: &Limits) -> Option<String> {
        let credits = self.credits.exceeded_limit(limits);
        let moved = self.rewards.iter();
        let moved = moved.map(|line| (&*line.name, &*line.unit_type, line.difference));
        let rewards = || limits.exceeded(moved);

        let named = |kind: &str, exceeded: String| format!("{kind}: {exceeded}");
        let credits = credits.map(|exceeded| named("credits", exceeded));
        credits.or_else(|| rewards().map(|exceeded| named("rewards", exceeded)))
    }

    /// The credits that differ.
    pub(crate) fn credits(&self) -> &Impact {
        &self.credits
    }

    /// What is recorded and answered of it.
    pub fn money_effect(&self) -> MoneyEffect {
        let report = self.credits.to_report();
        let credits = MovedMoney {
            by_plan: report.by_plan,
            by_credit_type: report.by_credit_type,
            ..MovedMoney::of(report.by_payee)
        };
        let details = self.details.clone().limited();
        let rewards =
            MovedMoney { by_plan: self.by_plan.clone(), ..MovedMoney::of(self.rewards.clone()) };
        MoneyEffect { credits, rewards, details }
    }
}

/// What it moves that `new` takes the place of `current`: credits of the recorded deals of open
/// periods, and rewards of the credits that exist. Effective `now`, deals are compared as both
/// rulesets decide them; otherwise as they stand with how they are decided again.
pub fn money_change(
    context: &Context,
    current: &Ruleset,
    new: &Ruleset,
    effective: Effective,
) -> Result<MoneyChange, OperationError> {
    // The credits that rewards follow from afterwards.
    let mut booked = paying_plans(context, (current, new), effective)?;
    let mut collect = |record: &TransactionRecord, decisions: &[Decision]| {
        let paying = decisions.iter().filter(|decision| booked.contains_key(&*decision.plan));
        let paying: Vec<&Decision> = paying.collect();
        for credit in reward_books::rewarded_credits(new, record, paying) {
            if let Some(credits) = booked.get_mut(&*credit.plan) {
                credits.push(credit);
            }
        }
    };

    let credits = match effective {
        Effective::Now => {
            replay::visit_waiting(context, new, &mut collect)?;
            decided_by_both(context, current, new)?
        }
        _ => replay::replay_stored(context, (current, new), effective, &mut collect)?.impact,
    };

    let compared = losses::compare_rewards(context, (current, new), effective, &booked)?;
    let changes = &compared.changes;
    let rewards = sums_of(changes, |change, _| vec![change.payee.clone()]);
    let details = RewardDetails {
        rewards_by_payee: differing(rewards.clone()),
        rewards_by_manager: differing(by_manager(changes, (current, new))),
        ..compared.details
    };
    let by_plan = differing(sums_of(changes, |change, _| vec![change.plan.clone()]));
    Ok(MoneyChange { credits, rewards, by_plan, details })
}

/// The plans that pay by one of two rulesets and whose credits a change may move, without any credit
/// yet. Effective for deals that are credited already, those are also plans that an earlier change
/// left as they were: all that is decided by other rules is decided again.
fn paying_plans(
    context: &Context,
    (current, new): (&Ruleset, &Ruleset),
    effective: Effective,
) -> Result<BookedCredits, StoreError> {
    let pays =
        |ruleset: &Ruleset, plan: &str| ruleset.plans.get(plan).is_some_and(|plan| plan.pays());
    let mut plans = changed_plans(current, new);
    if effective != Effective::Now {
        let after = new.plan_hashes();
        for activation in context.ledger.list_activations()? {
            let stale = activation.plans.into_iter();
            let stale = stale.filter(|(plan, hash)| after.get(plan) != Some(hash));
            plans.extend(stale.map(|(plan, _)| plan));
        }
    }

    let plans = plans.into_iter().filter(|plan| pays(current, plan) || pays(new, plan));
    Ok(plans.map(|plan| (plan, Vec::new())).collect())
}

/// The recorded deals of open periods, and those that wait, decided by both rulesets.
fn decided_by_both(
    context: &Context,
    current: &Ruleset,
    new: &Ruleset,
) -> Result<Impact, StoreError> {
    let mut impact = Impact::default();
    let plans = changed_plans(current, new);
    if plans.is_empty() {
        return Ok(impact);
    }

    let today = context.business_date();
    let locked = context.locked_periods()?;
    let mut from = Some(0);

    while let Some(first) = from {
        let (stored, next) = replay::replay_page(context, first)?;
        from = next;

        let by = |ruleset: &Ruleset, stored: &[TransactionRecord]| {
            let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
            let again = |stored: &TransactionRecord| RedecideItem {
                transaction: Arc::new(decoder.decode(&stored.record)),
                stored: stored.clone(),
                plans: plans.clone(),
            };
            stored.iter().map(again).collect::<Vec<RedecideItem>>()
        };

        let mut after = by(new, &stored);
        // As a recalculation of open periods would: what is finalized keeps its credits.
        after.retain(|one| {
            is_waiting(&one.stored) || may_still_change(new, one, today, &locked.finalized)
        });
        let asked = after.len();
        keep_affected(context, (current, new), &plans, &mut after)?;
        // Both rulesets decide the others alike.
        (after.len()..asked).for_each(|_| impact.add_delta(None));

        let stored: Vec<TransactionRecord> = after.iter().map(|one| one.stored.clone()).collect();
        let before = by(current, &stored);

        let one = replay::decide_and_post(context, current, &before, today, &locked)?;
        let two = replay::decide_and_post(context, new, &after, today, &locked)?;
        for (one, two) in one.iter().zip(&two) {
            let delta = impact::compare_decisions((current, one), (new, two));
            impact.add_delta(delta.as_ref());
        }
    }

    Ok(impact)
}

/// Keeps the deals that the two rulesets may decide differently in one of `plans`.
fn keep_affected(
    context: &Context,
    (current, new): (&Ruleset, &Ruleset),
    plans: &BTreeSet<String>,
    deals: &mut Vec<RedecideItem>,
) -> Result<(), StoreError> {
    // A plan that only one of the two has may let any deal in.
    let change = reuse::ruleset_change(context, current, new);
    if plans.iter().any(|plan| change.affects_everything(plan)) {
        return Ok(());
    }

    let inputs = replay::stored_inputs(context, deals, context.business_date())?;
    let transactions: Vec<Arc<Transaction>> =
        deals.iter().map(|one| Arc::clone(&one.transaction)).collect();
    let asked = |_: usize, plan: &str| plans.contains(plan);
    let rulesets = (current, new);
    let affected = affected::affected_plans(&change, rulesets, &transactions, &inputs, &asked);

    let mut affected = affected.into_iter();
    deals.retain(|_| affected.next().is_some_and(|plans| !plans.is_empty()));
    Ok(())
}

/// Whether the period of a deal may still change.
fn may_still_change(
    ruleset: &Ruleset,
    one: &RedecideItem,
    today: jiff::civil::Date,
    finalized: &BTreeSet<PeriodKey>,
) -> bool {
    let transaction: &Transaction = &one.transaction;
    let date = transaction.incentive_date().ok();
    let calendar = &ruleset.settings.calendar;
    let month = accredit_domain::calendar::PeriodKind::Leaf;
    let own = date.and_then(|date| calendar.period_on(date, month));
    is_open(ruleset, date, today) && own.is_none_or(|own| !finalized.contains(&own.id))
}

/// Plans that may decide differently, those that come and those that go included.
fn changed_plans(current: &Ruleset, new: &Ruleset) -> BTreeSet<String> {
    let (before, after) = (current.plan_hashes(), new.plan_hashes());
    let plans: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let changed = plans.into_iter().filter(|plan| before.get(*plan) != after.get(*plan));
    changed.cloned().collect()
}

/// The two sides of a comparison.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ChangeSide {
    Before,
    After,
}

/// Changes of rewards added up, by unit type and by what they are `named` on each side.
fn sums_of(
    changes: &[RewardChange],
    named: impl Fn(&RewardChange, ChangeSide) -> Vec<String>,
) -> Vec<MoneyLine> {
    let mut lines: BTreeMap<(String, String), MoneyLine> = BTreeMap::new();

    for change in changes {
        for side in [ChangeSide::Before, ChangeSide::After] {
            let (before, after) = match side {
                ChangeSide::Before => (change.before, Decimal::ZERO),
                ChangeSide::After => (Decimal::ZERO, change.after),
            };
            let difference = after.saturating_sub(before);
            let one = MoneyLine { before, after, difference, ..MoneyLine::default() };
            for name in named(change, side) {
                let unit_type = change.unit_type.clone();
                let key = (name.clone(), unit_type.clone());
                let none = MoneyLine { name, unit_type, ..MoneyLine::default() };
                lines.entry(key).or_insert(none).add(&one);
            }
        }
    }

    lines.into_values().collect()
}

/// The lines whose sums differ.
fn differing(mut lines: Vec<MoneyLine>) -> Vec<MoneyLine> {
    lines.retain(|line| !line.difference.is_zero());
    lines
}

/// Changes of rewards by the positions above those that a payee holds on the last day of the period: on
/// each side by its own organisation.
fn by_manager(changes: &[RewardChange], (current, new): (&Ruleset, &Ruleset)) -> Vec<MoneyLine> {
    sums_of(changes, |change, side| {
        let ruleset = if side == ChangeSide::Before { current } else { new };
        let organization = &ruleset.organization;
        let period = ruleset.settings.calendar.find(&change.period);
        let last = period.and_then(|period| period.end.yesterday().ok());
        let payee = organization.find_participant(&change.payee);
        let (Some(last), Some(payee)) = (last, payee) else { return Vec::new() };

        let day = organization.last_day(payee, last);
        let held = organization.positions_held_by(payee, day);
        let above = held.iter().flat_map(|seat| organization.ancestors_of(*seat, day));
        let above: BTreeSet<String> =
            above.map(|(seat, _)| organization.position_id(*seat).to_string()).collect();
        above.into_iter().collect()
    })
}
