//! Simulation: what a period would come to if the rest of it went as it has gone so far.
//!
//! The deals up to a day are repeated, with their dates moved by the days that have passed, again
//! and again until the period ends; then everything is decided as any deal is. Not a forecast by
//! statistics, and nothing of it is stored. Called by `accredit simulate`. Source: DOMAIN 2.15.
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

use crate::calculation::books::{self, Books};
use crate::calculation::{Calculation, calculation_of, decide_all, decisions, latest};
use crate::pipeline::Decided;
use crate::stage::Inputs;
use accredit_domain::calendar::{Period, days_after};
use accredit_domain::decision::{CreditRow, Decision, Outcome, RewardRow};
use accredit_domain::money;
use accredit_domain::transaction::{Record, Transaction};
use accredit_workspace::Ruleset;

/// Deals that a plan must have let in before the rest can be filled from them.
pub const DEALS_MIN: usize = 10;

/// Deals, real and repeated, that a simulation decides at most.
pub const DEALS_MAX: usize = 1_000_000;

/// What a period would come to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Simulation {
    /// Always true: nobody can take this for a result.
    pub simulation: bool,
    /// Id of the plan.
    pub plan: String,
    /// Id of the period.
    pub period: String,
    /// The last day whose deals are real.
    pub as_of: String,
    /// Days from the period's first to that one.
    pub days: usize,
    /// The ruleset that decided.
    pub ruleset: String,
    /// Deals that the plan let in.
    pub transactions: Counts,
    /// Those of them that are parked, and so in no sum.
    pub parked: Counts,
    /// Sums of active credits, by payee or team, credit type and unit.
    pub credits: Vec<Sum>,
    /// Rewards, by reward, payee, team and unit.
    pub rewards: Vec<Sum>,
}

/// How many, so far and by the end of the period.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Deals that were recorded.
    pub so_far: usize,
    /// Real and repeated ones.
    pub projected: usize,
}

/// An amount, so far and by the end of the period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// The credit type, or the name of the reward.
    pub name: String,
    /// Who has it; none on a vacant position, and on a team's credits.
    pub payee: Option<String>,
    /// Whose credits they are, where teams are measured.
    pub team: Option<String>,
    /// The unit of both amounts.
    pub unit_type: String,
    /// What is recorded: decimal text at the unit's scale.
    pub so_far: String,
    /// The part of `so_far` that deals of other periods brought: late ones, and corrections of
    /// finalized periods. None of a reward, which is worked out from the whole.
    pub posted: Option<String>,
    /// What repeated deals bring; of a reward, what there is more of it than so far.
    pub repeated: String,
    /// What it would come to: what is real, with its holds that end by then, and what is repeated.
    pub projected: String,
}

/// Why there is nothing to simulate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The ruleset has no such plan.
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
    /// Too few deals to repeat.
    #[error(
        "plan `{plan}` let in {count} deals of {period} up to {as_of}; a simulation needs \
         {DEALS_MIN} (DEALS_MIN)"
    )]
    TooFew {
        /// Id of the plan.
        plan: String,
        /// Id of the period.
        period: String,
        /// The last day whose deals were counted.
        as_of: Date,
        /// How many deals the plan let in.
        count: usize,
    },
    /// Too many deals, once they are repeated.
    #[error("repeated until the end of {0}, the deals are more than {DEALS_MAX} (DEALS_MAX)")]
    TooMany(String),
}

/// What `plan` would come to in `period`, from the `records` up to `as_of`, on `threads` workers.
///
/// Holds that end by the period's last day are released in what is projected.
///
/// # Errors
/// [`Refused`] when there is nothing that could be repeated.
pub fn simulate(
    ruleset: &Ruleset,
    records: &[Record],
    (plan, period, as_of): (&str, &Period, Date),
    threads: usize,
) -> Result<Simulation, Refused> {
    if !ruleset.plans.contains_key(plan) {
        return Err(Refused::NoPlan(plan.to_owned()));
    }
    if !period.contains(as_of) {
        return Err(Refused::Outside { as_of, period: period.id.clone() });
    }

    let real: Vec<Arc<Transaction>> = latest(ruleset, records, Some(as_of))
        .into_iter()
        .filter(|deal| deal.date().is_ok_and(|date| period.contains(date) && date <= as_of))
        .collect();

    let decide = |deals: &[Arc<Transaction>], day: Date| {
        let inputs = Inputs { as_of: Some(day), ..Inputs::default() };
        decide_all(ruleset, deals, &inputs, threads)
    };

    let finalized = !ruleset.settings.calendar.finalizations(Some(as_of)).is_empty();
    let posted = |day: Date| match finalized {
        true => posted(&books::projected(ruleset, records, (as_of, day), threads), plan, period),
        // Where no period is finalized, everything stands in the period of its deal.
        false => Vec::new(),
    };

    let so_far = decide(&real, as_of);
    let count = let_in(&so_far, plan);
    // Too few deals say nothing of a month: one that is large would be repeated until its end.
    if count < DEALS_MIN {
        let (plan, period) = (plan.to_owned(), period.id.clone());
        return Err(Refused::TooFew { plan, period, as_of, count });
    }

    let last = period.end.yesterday().unwrap_or(period.first);
    let all = repeated(&real, period, as_of)?;
    let repetitions: HashSet<&str> = all.iter().skip(real.len()).map(|deal| &*deal.id).collect();
    let projected = decide(&all, last);

    let whole = |decided: &[Vec<Decided>], day: Date| {
        let mut all = decisions(ruleset, plan, Some(period), decided);
        all.extend(posted(day));
        calculation_of(ruleset, plan, period, all)
    };

    let (now, then) = (whole(&so_far, as_of), whole(&projected, last));
    Ok(Simulation {
        simulation: true,
        plan: plan.to_owned(),
        period: period.id.clone(),
        as_of: as_of.to_string(),
        days: elapsed(period, as_of),
        ruleset: ruleset.hash.to_string(),
        transactions: Counts { so_far: count, projected: let_in(&projected, plan) },
        parked: Counts { so_far: now.parked.len(), projected: then.parked.len() },
        credits: credit_sums(ruleset, &now, &then, period, &repetitions),
        rewards: reward_sums(ruleset, &now, &then),
    })
}

/// Days of `period` up to `as_of`, that day included.
fn elapsed(period: &Period, as_of: Date) -> usize {
    let days = period.first.until(as_of).map_or(0, |span| span.get_days());
    usize::try_from(days).unwrap_or(0) + 1
}

/// What stands in the period of `plan` because of deals of other periods: their credits and nothing
/// else.
fn posted(books: &Books<'_>, plan: &str, period: &Period) -> Vec<Decision> {
    let decisions = books.decisions(plan, Some(period)).into_iter();

    let posted = decisions.map(|mut decision| {
        decision.credits.retain(|row| !own(row, period));
        Decision {
            outcome: Outcome::Filtered,
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
fn own(row: &CreditRow, period: &Period) -> bool {
    row.incentive_date.parse().is_ok_and(|date| period.contains(date))
}

/// How many deals `plan` let in.
fn let_in(decided: &[Vec<Decided>], plan: &str) -> usize {
    let mine = decided.iter().flatten().filter(|decided| *decided.plan == *plan);
    mine.filter(|decided| decided.outcome != Outcome::Filtered).count()
}

/// The deals, and their repetitions until the end of the period: the k-th has `~k` behind its id.
fn repeated(
    real: &[Arc<Transaction>],
    period: &Period,
    as_of: Date,
) -> Result<Vec<Arc<Transaction>>, Refused> {
    let days = i64::try_from(elapsed(period, as_of)).unwrap_or(i64::MAX);
    let mut all: Vec<Arc<Transaction>> = real.to_vec();

    for time in 1_i64.. {
        // Whole stretches are repeated, so weekdays and the rhythm of the deals stay roughly as
        // they were.
        let shift = time.saturating_mul(days);
        if days_after(period.first, shift).is_some_and(|first| first < period.end) {
            for deal in real {
                let date = deal.date().ok().and_then(|date| days_after(date, shift));
                let Some(date) = date.filter(|date| period.contains(*date)) else { continue };
                let id = format!("{}~{}", deal.id, time + 1);
                all.push(Arc::new(deal.repeated(&id, date)));
            }
        } else {
            break;
        }

        if all.len() > DEALS_MAX {
            return Err(Refused::TooMany(period.id.clone()));
        }
    }

    Ok(all)
}

/// What is summed: name, payee, team, unit.
type Key = (String, Option<String>, Option<String>, String);

fn of_credit(credit: &CreditRow) -> (Key, &str) {
    let team = credit.team.clone().filter(|_| credit.position.is_none());
    let key = (credit.credit_type.clone(), credit.payee.clone(), team, credit.unit_type.clone());
    (key, &credit.amount)
}

fn of_reward(reward: &RewardRow) -> (Key, &str) {
    let (payee, team) = (Some(reward.payee.clone()), reward.team.clone());
    ((reward.reward.clone(), payee, team, reward.unit_type.clone()), &reward.amount)
}

/// Four sums of one key: so far, posted, repeated, projected.
type Amounts = [Decimal; 4];

fn add(sums: &mut BTreeMap<Key, Amounts>, (key, amount): (Key, &str), into: &[usize]) {
    let amount: Decimal = amount.parse().unwrap_or_default();
    let known = sums.entry(key).or_default();
    for place in into {
        if let Some(sum) = known.get_mut(*place) {
            *sum = sum.saturating_add(amount);
        }
    }
}

fn credit_sums(
    ruleset: &Ruleset,
    now: &Calculation,
    then: &Calculation,
    period: &Period,
    repetitions: &HashSet<&str>,
) -> Vec<Sum> {
    let mut sums = BTreeMap::new();

    for row in now.credits.iter().filter(|row| row.status == "active") {
        // What was posted is real in both columns; what is the period's own is decided again below.
        let into: &[usize] = if own(row, period) { &[0] } else { &[0, 1] };
        add(&mut sums, of_credit(row), into);
    }

    for row in then.credits.iter().filter(|row| row.status == "active") {
        let repeated = repetitions.contains(row.transaction.as_str());
        add(&mut sums, of_credit(row), if repeated { &[2, 3] } else { &[3] });
    }

    let sums = sums.into_iter();
    sums.map(|(key, [now, posted, more, then])| sum(ruleset, key, [now, more, then], Some(posted)))
        .collect()
}

fn reward_sums(ruleset: &Ruleset, now: &Calculation, then: &Calculation) -> Vec<Sum> {
    let mut sums = BTreeMap::new();
    now.rewards.iter().for_each(|row| add(&mut sums, of_reward(row), &[0]));
    then.rewards.iter().for_each(|row| add(&mut sums, of_reward(row), &[3]));
    let sums = sums.into_iter().map(|(key, [now, _, _, then])| {
        sum(ruleset, key, [now, then.saturating_sub(now), then], None)
    });
    sums.collect()
}

fn sum(
    ruleset: &Ruleset,
    (name, payee, team, unit_type): Key,
    [so_far, repeated, projected]: [Decimal; 3],
    posted: Option<Decimal>,
) -> Sum {
    let units = &ruleset.settings.units;
    let scale = units.find(&unit_type).map_or(0, |unit| unit.scale);
    let text = |amount: Decimal| money::text(amount, scale);

    Sum {
        name,
        payee,
        team,
        unit_type,
        so_far: text(so_far),
        posted: posted.map(text),
        repeated: text(repeated),
        projected: text(projected),
    }
}
