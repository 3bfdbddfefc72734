//! Simulations over the ledger: the recorded deals of a period, repeated until it ends.
//!
//! Not the simulating (the engine). Called by `http::simulations`.
//!
//! **Architecture invariant:** nothing here writes; what is `so_far` on the business date is what
//! the calculation shows.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;

use accredit_crediting::reward;
use accredit_crediting::simulation::{self, Simulation, SimulationStart};
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Decision;
use accredit_domain::transaction::{Decoder, Transaction};
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

use crate::calculations::CalculationScope;
use crate::context::Context;
use crate::error::OperationError;
use crate::explain;
use crate::{reward_books, rewards};

/// Projects the results of a plan in a period from the deals recorded up to `as_of`.
///
/// # Errors
/// When that day is not of the period or still to come, or there is no deal to repeat.
pub fn simulate_calculation(
    context: &Context,
    wanted: &CalculationScope,
    as_of: Option<Date>,
) -> Result<Simulation, OperationError> {
    let refused = |detail: String| OperationError::invalid("no_simulation", detail);
    let today = context.business_date();
    let last = wanted.period.end.yesterday().unwrap_or(wanted.period.first);
    let as_of = as_of.unwrap_or_else(|| today.min(last));
    if as_of > today {
        let detail = format!("`as_of` is {as_of}, and the business date is {today}");
        return Err(refused(detail));
    }

    let start = start_of(context, wanted, today)?;
    let threads = thread::available_parallelism().map_or(1, Into::into);
    let about = (wanted.plan.as_str(), &wanted.period, as_of);
    let simulated = simulation::simulate_from(&wanted.ruleset, start, about, threads);
    simulated.map_err(|error| refused(error.to_string()))
}

/// The recorded deals, what people decided about them, and what is posted in the period.
fn start_of(
    context: &Context,
    wanted: &CalculationScope,
    today: Date,
) -> Result<SimulationStart, StoreError> {
    let CalculationScope { ruleset, plan, period, leaves } = wanted;
    let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
    let (mut deals, mut ids, mut decisions) = (Vec::new(), Vec::new(), Vec::new());

    context.ledger.visit_transactions(Some(leaves), &mut |stored| {
        let deal: Arc<Transaction> = Arc::new(decoder.decode(&stored.record));
        if deal.incentive_date().is_ok_and(|date| period.contains(date)) {
            ids.push(stored.id.clone());
            deals.push(deal);
        }

        let of_plan = stored.decisions.into_iter().filter(|one| one.plan == *plan);
        let inside = of_plan.filter_map(|one| one.within_periods(|id| leaves.contains(id)));
        decisions.extend(inside);
        Ok(())
    })?;

    let resolutions = context.ledger.resolutions_of(ids.iter().map(AsRef::as_ref))?;
    let inputs = explain::decision_inputs(Some(today), &resolutions)?;
    let posted: Vec<Decision> = simulation::posted_from_outside(decisions, period);
    let earlier = earlier_credits(context, ruleset, plan, period)?;
    let mut corrections = rewards::rewards_in(context, ruleset, plan, period)?.rows;
    corrections.retain(|row| row.corrects.is_some());

    Ok(SimulationStart {
        deals,
        inputs,
        posted_then: posted.clone(),
        posted,
        earlier,
        corrections_then: corrections.clone(),
        corrections,
    })
}

/// Stored credits of a plan whose incentive dates are before the period; none where the plan
/// remembers none.
fn earlier_credits(
    context: &Context,
    ruleset: &Ruleset,
    plan: &str,
    period: &Period,
) -> Result<Vec<PostedCredit>, StoreError> {
    let known = ruleset.plans.get(plan);
    if !known.is_some_and(|plan| reward::needs_history(ruleset, plan)) {
        return Ok(Vec::new());
    }

    let summaries = context.ledger.calculation_summaries()?.into_keys();
    let leaves =
        summaries.filter(|(known, _)| known == plan).map(|(_, leaf)| leaf.into()).collect();
    let credits = reward_books::credits_of(context, &BTreeSet::from([plan.to_owned()]), &leaves)?;
    let credits = credits.into_values().flat_map(|by_leaf| by_leaf.into_values().flatten());
    Ok(credits.filter(|credit| credit.incentive_date < period.first).collect())
}
