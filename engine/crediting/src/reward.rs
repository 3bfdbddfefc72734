//! Rewards: the rewards that the credits of a plan in a period earn for each payee.
//!
//! Attainment is the sum of the active credits of the reward's credit types, for each payee and
//! unit, independent of the order of the deals (DOMAIN 2.19 tells of the trap). Not the terms
//! (`plan::reward`) and not deciding credits. Called by `calculation` and by the host. Source:
//! FORMAT section 3, seed 001 last paragraph, DOMAIN 2.19, 3.12.
//!
//! **Architecture invariant:** rewards depend on the credits as a set: their order changes nothing,
//! and credits that sum to nothing pay nothing.

mod claim;
mod pay;
mod tiers;

use std::sync::Arc;

use rust_decimal::Decimal;

use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, Note};
use accredit_domain::plan::Plan;
use accredit_domain::plan::reward::{PayoutFormula, Reward};
use accredit_script::{Machine, PayeeView, RewardArguments, TotalsView};
use accredit_workspace::Ruleset;

/// The rewards of a plan in a period, and what people must know about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanRewards {
    /// By reward in file order, then payee, then unit.
    pub rows: Vec<EarnedReward>,
    /// What could not be paid or exchanged; always alerts.
    pub alerts: Vec<Note>,
}

/// What `credits` of `plan` in `period` are worth. Only active ones count.
pub fn compute_rewards<'a>(
    ruleset: &Ruleset,
    plan: &Plan,
    period: &Period,
    credits: impl IntoIterator<Item = &'a PostedCredit, IntoIter: Clone>,
) -> PlanRewards {
    let mut rewards = PlanRewards::default();
    if plan.rewards.is_empty() {
        return rewards;
    }

    let credits = credits.into_iter();
    let last = period.end.yesterday().unwrap_or(period.first);
    let mut pay_all = |mut machine: Option<&mut Machine>| {
        for reward in &plan.rewards {
            let desk = claim::RewardContext { ruleset, plan, reward, period, last };
            let claims = claim::collect_claims(&desk, credits.clone(), &mut rewards.alerts);
            for claim in claims {
                pay::pay_claim(&desk, &claim, machine.as_deref_mut(), &mut rewards);
            }
        }
    };

    // Most plans pay by tiers alone, which need no machine.
    if plan.rewards.iter().any(has_program) {
        ruleset.with_machine(|machine| pay_all(Some(machine)));
    } else {
        pay_all(None);
    }
    rewards
}

/// What a program of a reward sees of one claimant, in one unit.
#[derive(Debug, Clone)]
pub struct ClaimContext {
    /// The payee who has the claim.
    pub payee: Arc<PayeeView>,
    /// What was credited to the claimant, in all and by credit type.
    pub totals: Arc<TotalsView>,
    /// What was expected, if anything was.
    pub quota: Option<Decimal>,
}

impl ClaimContext {
    /// The same, as a machine takes it.
    pub fn reward_arguments(&self) -> RewardArguments<'_> {
        RewardArguments { payee: &self.payee, totals: &self.totals, quota: self.quota }
    }
}

/// What a program of `reward` would see of each claimant of `credits`, by claimant and unit; for
/// trying a policy without a payment.
pub fn claim_contexts(
    ruleset: &Ruleset,
    plan: &Plan,
    reward: &Reward,
    period: &Period,
    credits: &[PostedCredit],
) -> Vec<ClaimContext> {
    let last = period.end.yesterday().unwrap_or(period.first);
    let desk = claim::RewardContext { ruleset, plan, reward, period, last };

    let claims = claim::collect_claims(&desk, credits.iter(), &mut Vec::new()).into_iter();
    let seen = claims.filter_map(|claim| {
        let credited = claim.credited?;
        Some(pay::claim_context(&desk, &claim, (credited, claim.find_quota(&desk))))
    });

    seen.collect()
}

fn has_program(reward: &Reward) -> bool {
    matches!(reward.worth, PayoutFormula::Program(_)) || reward.maximum.is_some()
}
