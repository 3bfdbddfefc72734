//! Who would be paid something else under other rules, and who less, from the credits that are stored.
//!
//! Not what a deal would be credited as (`replay`). Called by the door before an activation and by
//! previews. Source: DESIGN section 5, REWARDS.
//!
//! **Architecture invariant:** nothing here writes; a renamed person is compared with their former
//! id.

mod details;

use std::collections::{BTreeMap, BTreeSet};

use accredit_crediting::reward::PlanRewards;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::limits::RewardDetails;
use accredit_ledger::definitions::Effective;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Context;
use crate::rewards;

/// What a person would be paid less of a plan in a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RewardLoss {
    /// Participant id, as it is now.
    pub payee: String,
    /// The id of the plan: the stem of its file.
    pub plan: String,
    /// The period by which the plan is calculated.
    pub period: String,
    /// Unit of both amounts.
    pub unit_type: String,
    /// What they are paid now, a decimal as text.
    #[schema(value_type = Decimal)]
    pub before: String,
    /// What they would be paid.
    #[schema(value_type = Decimal)]
    pub after: String,
}

/// What a person would be paid of a plan in a period instead of what they are paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RewardChange {
    /// Participant id, as it is now; as it would be, where nothing is paid now.
    pub(crate) payee: String,
    /// The id of the plan: the stem of its file.
    pub(crate) plan: String,
    /// The period by which the plan is calculated.
    pub(crate) period: String,
    /// Unit of both amounts.
    pub(crate) unit_type: String,
    /// What they are paid now.
    pub(crate) before: Decimal,
    /// What they would be paid.
    pub(crate) after: Decimal,
}

/// Sums of rewards by payee and unit.
type RewardSums = BTreeMap<(String, String), Decimal>;

/// Active credits after a change, by plan: of plans whose credits it moves.
pub(crate) type BookedCredits = BTreeMap<String, Vec<PostedCredit>>;

/// All payees who would get less under `new` than under `old` for the stored credits.
pub fn reward_losses(
    context: &Context,
    old: &Ruleset,
    new: &Ruleset,
) -> Result<Vec<RewardLoss>, StoreError> {
    let compared = compare_rewards(context, (old, new), Effective::Now, &BookedCredits::new())?;
    let mut changes = compared.changes;
    changes.retain(|change| change.after < change.before);
    Ok(changes.into_iter().map(RewardLoss::from).collect())
}

/// What differs in rewards.
#[derive(Debug, Default)]
pub(crate) struct ComparedRewards {
    /// All payees who would get a different amount of a plan in a period.
    pub(crate) changes: Vec<RewardChange>,
    /// Each reward, balance and quota that differs.
    pub(crate) details: RewardDetails,
}

/// What differs in rewards once `new` has taken the place of `old`: corrections of frozen periods
/// count where they are posted. Plans in `booked` have these credits then, others those that are
/// stored.
pub(crate) fn compare_rewards(
    context: &Context,
    (old, new): (&Ruleset, &Ruleset),
    effective: Effective,
    booked: &BookedCredits,
) -> Result<ComparedRewards, StoreError> {
    let mut plans = rewards::compared_plans(context, (old, new), effective)?;
    plans.extend(booked.keys().cloned());
    let mut compared = ComparedRewards::default();

    for plan in plans {
        let credits = booked.get(&plan).map(Vec::as_slice);
        let (before, after) =
            rewards::compared_books(context, (old, new), &plan, effective, credits)?;

        let periods = before.periods().chain(after.periods());
        let periods: BTreeSet<&str> = periods.map(|known| known.period.id.as_str()).collect();
        for period in periods {
            let (before, after) = (before.rewards_of(period), after.rewards_of(period));
            compared.changes.extend(differing_payees((&plan, period), new, &before, &after));
        }
        details::add_differences(&mut compared.details, new, (&before, &after));
    }

    Ok(compared)
}

/// Who gets another amount of a plan in a period.
fn differing_payees(
    (plan, period): (&str, &str),
    new: &Ruleset,
    before: &PlanRewards,
    after: &PlanRewards,
) -> Vec<RewardChange> {
    let mut left = sum_rewards(after);
    let mut changes = Vec::new();
    let change = |(payee, unit_type): (String, String), before: Decimal, after: Decimal| {
        let (plan, period) = (plan.to_owned(), period.to_owned());
        RewardChange { payee, plan, period, unit_type, before, after }
    };

    for ((payee, unit), amount) in sum_rewards(before) {
        let name = present_id(new, &payee);
        let after = left.remove(&(name, unit.clone())).unwrap_or_default();
        changes.push(change((payee, unit), amount, after));
    }

    let others = left.into_iter().map(|(key, amount)| change(key, Decimal::ZERO, amount));
    changes.extend(others);
    changes.retain(|change| change.before != change.after);

    changes
}

/// The id of a payee in the new ruleset: one whose id was renamed is found under the new one.
fn present_id(new: &Ruleset, payee: &str) -> String {
    let organization = &new.organization;
    let renamed = organization.find_participant(payee);
    renamed.map_or_else(|| payee.to_owned(), |id| organization.participant_id(id).to_string())
}

impl From<RewardChange> for RewardLoss {
    fn from(change: RewardChange) -> RewardLoss {
        RewardLoss {
            payee: change.payee,
            plan: change.plan,
            period: change.period,
            unit_type: change.unit_type,
            before: change.before.to_string(),
            after: change.after.to_string(),
        }
    }
}

fn sum_rewards(rewards: &PlanRewards) -> RewardSums {
    let mut sums = RewardSums::new();
    for row in &rewards.rows {
        let sum = sums.entry((row.payee.to_string(), row.unit_type.to_string())).or_default();
        *sum = sum.saturating_add(row.amount);
    }
    sums
}
