//! Rewards: the rewards that the credits of a plan earn for each payee, over time.
//!
//! Attainment is the sum of the active credits of the reward's credit types, for each payee and
//! unit, independent of the order of the deals (DOMAIN 2.19 tells of the trap). Not the terms
//! (`plan::reward`) and not deciding credits. Called by `calculation` and by the server's operations.
//! Source: REWARDS, FORMAT section 3, seed 001 last paragraph, DOMAIN 2.19, 3.12.
//!
//! Read [`compute_book`] first: it goes through the periods of a plan in order.
//!
//! **Architecture invariant:** rewards depend on the credits as a set: their order changes nothing,
//! and credits that sum to nothing pay nothing.

mod balance;
mod book;
mod claim;
mod correction;
mod draw;
mod history;
mod members;
mod parts;
mod pay;
mod periods;
mod quota;
mod reached;
mod reads;
mod scope;
mod targets;
#[cfg(test)]
mod tests;
mod tiers;

use std::sync::Arc;

use rust_decimal::Decimal;

use self::history::EarnedHistory;
use self::scope::{DatedCredits, PlanPeriod, RewardContext};
use accredit_domain::calendar::{LockedPeriods, Period};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, PayeeBalance};
use accredit_domain::note::Note;
use accredit_domain::plan::Plan;
use accredit_domain::plan::reward::Reward;
use accredit_script::{EarnedView, PayeeView, RewardArguments, StandingView, TotalsView};
use accredit_workspace::Ruleset;

pub use self::balance::CARRIED;
pub use self::book::{
    BookInputs, BookPeriod, ClaimantFilter, FrozenPeriod, RewardBook, compute_book, needs_history,
};
pub use self::parts::{claim_keys, why_undivided};
pub use self::periods::pays_without_credits;
pub use self::reached::{NextTier, ReachedTier, reached_tier};

/// The rewards of a plan in a period, and what people must know about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanRewards {
    /// By reward in file order, then payee, then unit; then draws, corrections of frozen periods,
    /// manual rows and what is carried.
    pub rows: Vec<EarnedReward>,
    /// What payees owe at the end of the period.
    pub balances: Vec<PayeeBalance>,
    /// What could not be paid or exchanged; always alerts.
    pub alerts: Vec<Note>,
}

impl PlanRewards {
    /// Adds those of another plan or period.
    pub fn append(&mut self, other: PlanRewards) {
        self.rows.extend(other.rows);
        self.balances.extend(other.balances);
        self.alerts.extend(other.alerts);
    }
}

/// What `credits` of `plan` are worth in `period` where no period is frozen: one set of rows for each
/// period of the plan's own kind that begins in it. Credits of earlier periods count where the plan
/// remembers them ([`needs_history`]).
pub fn compute_rewards<'a>(
    ruleset: &Ruleset,
    plan: &Plan,
    period: &Period,
    credits: impl IntoIterator<Item = &'a PostedCredit>,
) -> PlanRewards {
    let Some(through) = last_period_in(ruleset, plan, period) else {
        return PlanRewards::default();
    };

    let locked = LockedPeriods::default();
    let inputs = plan_inputs(ruleset, plan, &locked);
    compute_book(&inputs, credits, &through).rewards_within(period)
}

/// What `credits` of `plan` are worth in `period` to those whom `claimants` wants. The credits may be
/// those of one part ([`claim_keys`]), where the plan allows parts ([`why_undivided`]).
pub fn compute_part<'a>(
    (ruleset, plan): (&Ruleset, &Plan),
    period: &Period,
    credits: impl IntoIterator<Item = &'a PostedCredit>,
    claimants: &ClaimantFilter,
) -> PlanRewards {
    let Some(through) = last_period_in(ruleset, plan, period) else {
        return PlanRewards::default();
    };

    let locked = LockedPeriods::default();
    let inputs = BookInputs { claimants: Some(claimants), ..plan_inputs(ruleset, plan, &locked) };
    compute_book(&inputs, credits, &through).rewards_within(period)
}

/// The inputs of a plan of which no period is frozen.
fn plan_inputs<'a>(
    ruleset: &'a Ruleset,
    plan: &'a Plan,
    locked: &'a LockedPeriods,
) -> BookInputs<'a> {
    BookInputs { plan: &plan.id, rules: ruleset, frozen: &[], manual: &[], locked, claimants: None }
}

/// The last period of the plan's own kind that begins in `period`; none where the plan is calculated
/// by longer ones.
pub fn last_period_in(ruleset: &Ruleset, plan: &Plan, period: &Period) -> Option<Period> {
    let own = ruleset.settings.calendar.periods_within(period, plan.period);
    own.into_iter().rfind(|own| period.contains(own.first))
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
    /// What earlier rewards of the plan earned in the period.
    pub earned: Arc<EarnedView>,
    /// What earlier periods of the fiscal year paid.
    pub paid: Arc<EarnedView>,
    /// The place among all who have a claim to the reward.
    pub standing: Arc<StandingView>,
}

impl ClaimContext {
    /// The same, as a machine takes it.
    pub fn reward_arguments(&self) -> RewardArguments<'_> {
        RewardArguments {
            payee: &self.payee,
            totals: &self.totals,
            quota: self.quota,
            earned: &self.earned,
            paid: &self.paid,
            standing: &self.standing,
        }
    }
}

/// What a program of `reward` would see of each claimant of `credits`, by claimant and unit; for
/// trying a policy without a payment. Earlier periods are not known.
pub fn claim_contexts(
    ruleset: &Ruleset,
    plan: &Plan,
    reward: &Reward,
    period: &Period,
    credits: &[PostedCredit],
) -> Vec<ClaimContext> {
    let credits = DatedCredits::new(credits, ruleset, plan.late);
    let scope = PlanPeriod::new(ruleset, plan, period, &credits);
    let history = EarnedHistory::default();
    let context = RewardContext { scope: &scope, reward, history: &history };

    ruleset.with_machine(|machine| {
        let claims = claim::collect_claims(&context, Some(machine), &mut Vec::new());
        let seen = claims.iter().filter_map(|claim| {
            let credited = claim.credited?;
            let quota = quota::find_quota(&context, claim, Some(machine)).ok().flatten();
            let standing = book::standing_of(claim, &claims);
            Some(pay::claim_context(&context, claim, (credited, quota, standing)))
        });
        seen.collect()
    })
}
