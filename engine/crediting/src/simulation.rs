//! Simulation: the projected results of a period if its rest goes like its beginning.
//!
//! The deals up to a day are repeated, with their dates moved by the days that have passed, again
//! and again until the period ends; then everything is decided as any deal is. Not a forecast by
//! statistics, and nothing of it is stored. Called by `accredit simulate` and the
//! server. Source: DOMAIN 2.15.
//!
//! **Architecture invariant:** a simulation says of itself that it is one, its deals bear the number
//! of their repetition behind their ids, and what it projects contains what is real.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::calculation::books;
use crate::calculation::{
    Calculation, DecidedDeal, calculation_of, decide_all, latest_versions, period_decisions,
};
use crate::reward;
use crate::stage::DecisionInputs;
use accredit_domain::calendar::{Period, days_after};
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Decision, DecisionOutcome, EarnedReward};
use accredit_domain::keys::{DefinedName, ParticipantKey, TeamKey};
use accredit_domain::money;
use accredit_domain::plan::reward::LateRewards;
use accredit_domain::transaction::{Record, Transaction};
use accredit_workspace::Ruleset;
use utoipa::ToSchema;

/// A simulation that rests on fewer deals than this carries a warning.
pub const DEALS_FEW: usize = 10;

/// Deals, real and repeated, that a simulation decides at most.
pub const DEALS_MAX: usize = 1_000_000;

/// The projected results of a period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Simulation {
    /// Always true: a simulation must not be mistaken for a result.
    pub simulation: bool,
    /// Id of the plan.
    pub plan: String,
    /// Id of the period.
    pub period: String,
    /// The last day whose deals are real.
    #[schema(format = Date)]
    pub as_of: String,
    /// Days from the period's first to that one.
    pub days: usize,
    /// The ruleset that decided.
    pub ruleset: String,
    /// How little the simulation rests on, where its deals are few.
    pub warning: Option<String>,
    /// Deals that the plan let in.
    pub transactions: SimulationCounts,
    /// Those of them that are parked, and so in no sum.
    pub parked: SimulationCounts,
    /// Sums of active credits, by payee or team, credit type and unit.
    pub credits: Vec<SimulationSum>,
    /// Rewards, by reward, payee, team and unit.
    pub rewards: Vec<SimulationSum>,
}

/// How many, so far and by the end of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct SimulationCounts {
    /// The number of recorded deals.
    pub so_far: usize,
    /// The number of real and repeated deals.
    pub projected: usize,
}

/// An amount, so far and by the end of the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SimulationSum {
    /// The credit type, or the name of the reward.
    pub name: DefinedName,
    /// Who has it; none on a vacant position, and on a team's credits.
    pub payee: Option<ParticipantKey>,
    /// Whose credits they are, where teams are measured.
    pub team: Option<TeamKey>,
    /// The unit of both amounts.
    pub unit_type: DefinedName,
    /// What is recorded, at the unit's scale.
    pub so_far: Decimal,
    /// The part of `so_far` that deals of other periods brought: late ones, and corrections of
    /// finalized periods. It is absent for a reward, which is computed from the total.
    pub posted: Option<Decimal>,
    /// The amount that repeated deals add. For a reward, the increase over the amount so far.
    pub repeated: Decimal,
    /// What it would come to: what is real, with its holds that end by then, and what is repeated.
    pub projected: Decimal,
}

/// Why there is nothing to simulate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SimulationRefusal {
    /// The plan is not in the ruleset.
    #[error("there is no plan `{0}`")]
    NoPlan(String),
    /// The day lies outside the period.
    #[error("{as_of} is not a day of {period}")]
    Outside {
        /// The day that was asked for.
        as_of: Date,
        /// Id of the period.
        period: String,
    },
    /// No deal to repeat.
    #[error("plan `{plan}` has no deals in {period} up to {as_of}, so there is nothing to repeat")]
    NoDeal {
        /// Id of the plan.
        plan: String,
        /// Id of the period.
        period: String,
        /// The last day whose deals were counted.
        as_of: Date,
    },
    /// Too many deals, once they are repeated.
    #[error("repeated until the end of {0}, the deals are more than {DEALS_MAX} (DEALS_MAX)")]
    TooMany(String),
}

/// What a simulation starts from.
#[derive(Debug, Default)]
pub struct SimulationStart {
    /// The latest version of every deal; those of the period up to the day are repeated.
    pub deals: Vec<Arc<Transaction>>,
    /// What people decided about those deals and their credits. The business date is not read.
    pub inputs: DecisionInputs,
    /// Decisions with credits of other periods that are posted in this one, as of the day.
    pub posted: Vec<Decision>,
    /// The same as of the period's last day.
    pub posted_then: Vec<Decision>,
    /// Credits of earlier periods, for plans that remember them.
    pub earlier: Vec<PostedCredit>,
    /// Rewards in the period that correct frozen ones, as of the day.
    pub corrections: Vec<EarnedReward>,
    /// The same as of the period's last day.
    pub corrections_then: Vec<EarnedReward>,
}

/// Which plan is simulated in which period, and the last day whose deals are real.
pub type SimulationScope<'a> = (&'a str, &'a Period, Date);

/// Projects the results of `plan` in `period` from the `records` up to `as_of`, on `threads`
/// workers.
///
/// Holds that end by the period's last day are released in what is projected.
///
/// # Errors
/// [`SimulationRefusal`] when there is nothing that could be repeated.
pub fn simulate_period(
    ruleset: &Ruleset,
    records: &[Record],
    (plan, period, as_of): SimulationScope<'_>,
    threads: usize,
) -> Result<Simulation, SimulationRefusal> {
    let locked = !ruleset.settings.calendar.locks_before(Some(as_of)).is_empty();
    let posted_on = |day: Date| {
        if !locked || !ruleset.plans.contains_key(plan) {
            // Where no period is closed or finalized, everything stands in the period of its deal.
            return (Vec::new(), Vec::new());
        }
        let books = books::project_books(ruleset, records, (as_of, day), threads);
        let posted = posted_from_outside(books.period_decisions(plan, Some(period)), period);
        let mut corrections = books.rewards_of(plan, period).rows;
        corrections.retain(|row| row.corrects.is_some());
        (posted, corrections)
    };
    let (posted, corrections) = posted_on(as_of);
    let (posted_then, corrections_then) = posted_on(last_day(period));

    let start = SimulationStart {
        deals: latest_versions(ruleset, records, Some(as_of)),
        inputs: DecisionInputs::default(),
        posted,
        posted_then,
        corrections,
        corrections_then,
        earlier: earlier_credits(ruleset, records, (plan, period, as_of), threads),
    };
    simulate_from(ruleset, start, (plan, period, as_of), threads)
}

/// The same from deals that are read already, with what people decided about them.
///
/// # Errors
/// As [`simulate_period`].
pub fn simulate_from(
    ruleset: &Ruleset,
    start: SimulationStart,
    (plan, period, as_of): SimulationScope<'_>,
    threads: usize,
) -> Result<Simulation, SimulationRefusal> {
    if !ruleset.plans.contains_key(plan) {
        return Err(SimulationRefusal::NoPlan(plan.to_owned()));
    }
    if !period.contains(as_of) {
        return Err(SimulationRefusal::Outside { as_of, period: period.id.into() });
    }

    let of_period = |deal: &Arc<Transaction>| {
        deal.incentive_date().is_ok_and(|date| period.contains(date) && date <= as_of)
    };
    let real: Vec<Arc<Transaction>> = start.deals.into_iter().filter(of_period).collect();

    let decide = |deals: &[Arc<Transaction>], day: Date| {
        let inputs = DecisionInputs { as_of: Some(day), ..start.inputs.clone() };
        decide_all(ruleset, deals, &inputs, threads)
    };

    let so_far = decide(&real, as_of);
    let count = admitted_count(&so_far, plan);
    if count == 0 {
        let (plan, period) = (plan.to_owned(), period.id.into());
        return Err(SimulationRefusal::NoDeal { plan, period, as_of });
    }

    let all = repeat_deals(&real, period, as_of)?;
    let repetitions: HashSet<&str> = all.iter().skip(real.len()).map(|deal| &*deal.id).collect();
    let projected = decide(&all, last_day(period));

    let whole = |decided: &[DecidedDeal], posted: Vec<Decision>, corrections: Vec<EarnedReward>| {
        let mut all = period_decisions(ruleset, plan, Some(period), decided);
        all.extend(posted);
        let mut calculation = calculation_of(ruleset, plan, period, all);

        if let Some(known) = ruleset.plans.get(plan) {
            // What is posted from other periods is rewarded there.
            let own = |credit: &&PostedCredit| {
                known.late == LateRewards::Posted || period.contains(credit.incentive_date)
            };
            let credits = start.earlier.iter().chain(calculation.credits.iter().filter(own));
            let rewards = reward::compute_rewards(ruleset, known, period, credits);
            calculation.set_rewards(rewards);
            calculation.rewards.extend(corrections);
        }
        calculation
    };

    let now = whole(&so_far, start.posted, start.corrections);
    let then = whole(&projected, start.posted_then, start.corrections_then);
    Ok(Simulation {
        simulation: true,
        plan: plan.to_owned(),
        period: period.id.into(),
        as_of: as_of.to_string(),
        days: elapsed_days(period, as_of),
        ruleset: ruleset.hash.to_string(),
        warning: few_deals_warning(count, elapsed_days(period, as_of)),
        transactions: SimulationCounts {
            so_far: count,
            projected: admitted_count(&projected, plan),
        },
        parked: SimulationCounts { so_far: now.parked.len(), projected: then.parked.len() },
        credits: credit_sums(ruleset, (&now, &then), period, &repetitions),
        rewards: reward_sums(ruleset, (&now, &then)),
    })
}

/// Credits of a plan whose incentive dates are before the period; none where it does not remember.
fn earlier_credits(
    ruleset: &Ruleset,
    records: &[Record],
    (plan, period, as_of): SimulationScope<'_>,
    threads: usize,
) -> Vec<PostedCredit> {
    let known = ruleset.plans.get(plan);
    if !known.is_some_and(|plan| reward::needs_history(ruleset, plan)) {
        return Vec::new();
    }

    let books = books::build_books(ruleset, records, Some(as_of), threads);
    let decisions = books.period_decisions(plan, None).into_iter();
    let credits = decisions.flat_map(|decision| decision.credits);
    credits.filter(|credit| credit.incentive_date < period.first).collect()
}

fn last_day(period: &Period) -> Date {
    period.end.yesterday().unwrap_or(period.first)
}

/// How little a simulation rests on; nothing where its deals are enough.
fn few_deals_warning(deals: usize, days: usize) -> Option<String> {
    let counted = |count: usize, noun: &str| match count {
        1 => format!("1 {noun}"),
        _ => format!("{count} {noun}s"),
    };
    (deals < DEALS_FEW).then(|| {
        let (deals, days) = (counted(deals, "deal"), counted(days, "day"));
        format!("this is based on only {deals} of {days}: a single deal changes the result a lot")
    })
}

/// Days of `period` up to `as_of`, that day included.
fn elapsed_days(period: &Period, as_of: Date) -> usize {
    let days = period.first.until(as_of).map_or(0, |span| span.get_days());
    usize::try_from(days).unwrap_or(0) + 1
}

/// Of `decisions` that have credits in `period` the credits of deals of other periods, and nothing
/// else.
pub fn posted_from_outside(
    decisions: impl IntoIterator<Item = Decision>,
    period: &Period,
) -> Vec<Decision> {
    let posted = decisions.into_iter().map(|mut decision| {
        decision.credits.retain(|row| !is_of_period(row, period));
        Decision {
            outcome: DecisionOutcome::Filtered,
            reasons: vec![],
            alerts: vec![],
            // What other periods posted is added once, and brings no deals, reasons or alerts of
            // its own.
            log: vec![],
            ..decision
        }
    });

    posted.filter(|decision| !decision.credits.is_empty()).collect()
}

/// Whether a credit is of a deal of the period itself.
fn is_of_period(row: &PostedCredit, period: &Period) -> bool {
    period.contains(row.incentive_date)
}

/// How many deals `plan` let in.
fn admitted_count(decided: &[DecidedDeal], plan: &str) -> usize {
    let all = decided.iter().flat_map(|deal| &deal.decisions);
    let mine = all.filter(|decision| decision.plan == *plan);
    mine.filter(|decision| decision.outcome != DecisionOutcome::Filtered).count()
}

/// The deals, and their repetitions until the end of the period: the k-th has `~k` behind its id.
fn repeat_deals(
    real: &[Arc<Transaction>],
    period: &Period,
    as_of: Date,
) -> Result<Vec<Arc<Transaction>>, SimulationRefusal> {
    let days = i64::try_from(elapsed_days(period, as_of)).unwrap_or(i64::MAX);
    let mut all: Vec<Arc<Transaction>> = real.to_vec();

    for time in 1_i64.. {
        // Whole stretches are repeated, so weekdays and the rhythm of the deals stay roughly as
        // they were.
        let shift = time.saturating_mul(days);
        if days_after(period.first, shift).is_some_and(|first| first < period.end) {
            // What a person gave once does not come again.
            for deal in real.iter().filter(|deal| deal.manual_credit().is_none()) {
                let date = deal.incentive_date().ok().and_then(|date| days_after(date, shift));
                let Some(date) = date.filter(|date| period.contains(*date)) else { continue };
                let id = format!("{}~{}", deal.id, time + 1);
                all.push(Arc::new(deal.repeated_as(&id, date)));
            }
        } else {
            break;
        }

        if all.len() > DEALS_MAX {
            return Err(SimulationRefusal::TooMany(period.id.into()));
        }
    }

    Ok(all)
}

/// What is summed: name, payee, team, unit.
type SumKey = (DefinedName, Option<ParticipantKey>, Option<TeamKey>, DefinedName);

fn credit_amount(credit: &PostedCredit) -> (SumKey, Decimal) {
    let team = credit.team.filter(|_| credit.position.is_none());
    let key = (credit.credit_type, credit.payee, team, credit.unit_type);
    (key, credit.amount)
}

fn reward_amount(reward: &EarnedReward) -> (SumKey, Decimal) {
    let (payee, team) = (Some(reward.payee), reward.team);
    let key = (reward.reward, payee, team, reward.unit_type);
    (key, reward.amount)
}

/// Four sums of one key: so far, posted, repeated, projected.
type SumAmounts = [Decimal; 4];

fn add_amount(
    sums: &mut BTreeMap<SumKey, SumAmounts>,
    (key, amount): (SumKey, Decimal),
    into: &[usize],
) {
    let known = sums.entry(key).or_default();
    for place in into {
        if let Some(sum) = known.get_mut(*place) {
            *sum = sum.saturating_add(amount);
        }
    }
}

fn credit_sums(
    ruleset: &Ruleset,
    (now, then): (&Calculation, &Calculation),
    period: &Period,
    repetitions: &HashSet<&str>,
) -> Vec<SimulationSum> {
    let mut sums = BTreeMap::new();

    for row in now.credits.iter().filter(|row| row.is_active()) {
        // What was posted is real in both columns; what is the period's own is decided again below.
        let into: &[usize] = if is_of_period(row, period) { &[0] } else { &[0, 1] };
        add_amount(&mut sums, credit_amount(row), into);
    }

    for row in then.credits.iter().filter(|row| row.is_active()) {
        let repeated = repetitions.contains(row.transaction.as_str());
        add_amount(&mut sums, credit_amount(row), if repeated { &[2, 3] } else { &[3] });
    }

    let sums = sums.into_iter().map(|(key, [now, posted, more, then])| {
        build_sum(ruleset, key, [now, more, then], Some(posted))
    });
    sums.collect()
}

fn reward_sums(ruleset: &Ruleset, (now, then): (&Calculation, &Calculation)) -> Vec<SimulationSum> {
    let mut sums = BTreeMap::new();
    for row in &now.rewards {
        add_amount(&mut sums, reward_amount(row), &[0]);
    }

    for row in &then.rewards {
        add_amount(&mut sums, reward_amount(row), &[3]);
    }

    let sums = sums.into_iter().map(|(key, [now, _, _, then])| {
        build_sum(ruleset, key, [now, then.saturating_sub(now), then], None)
    });
    sums.collect()
}

fn build_sum(
    ruleset: &Ruleset,
    (name, payee, team, unit_type): SumKey,
    [so_far, repeated, projected]: [Decimal; 3],
    posted: Option<Decimal>,
) -> SimulationSum {
    let units = &ruleset.settings.units;
    let scale = units.find(&unit_type).map_or(0, |unit| unit.scale);
    let scaled = |amount: Decimal| money::at_scale(amount, scale);

    SimulationSum {
        name,
        payee,
        team,
        unit_type,
        so_far: scaled(so_far),
        posted: posted.map(scaled),
        repeated: scaled(repeated),
        projected: scaled(projected),
    }
}
