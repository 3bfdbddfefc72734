//! Which periods a book goes through, and where corrections count.
//!
//! Not what a period pays (`book`). Called by `book`. Source: REWARDS section 1.
//!
//! **Architecture invariant:** no day is in two periods of a book, however the kind of the plan's
//! periods changed since some were frozen.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::book::{BookInputs, FrozenPeriod, needs_history};
use super::scope::{DatedCredits, PlanPeriod};
use accredit_domain::calendar::{Calendar, Period, PeriodKind};
use accredit_domain::plan::Plan;
use accredit_workspace::Ruleset;

/// The periods of a book in order, with their frozen rows: from the first one that matters.
pub(super) fn planned_periods<'a>(
    inputs: &BookInputs<'a>,
    credits: &DatedCredits<'_>,
    through: &Period,
) -> Vec<(Period, Option<FrozenPeriod<'a>>)> {
    let calendar = &inputs.rules.settings.calendar;
    let plan = inputs.rules.plans.get(inputs.plan);
    let kind = plan.map_or(PeriodKind::Leaf, |plan| plan.period);

    let mut planned: BTreeMap<Date, (Period, Option<FrozenPeriod<'a>>)> = BTreeMap::new();
    for frozen in inputs.frozen {
        let rules = frozen.rules.unwrap_or(inputs.rules);
        let known = rules.settings.calendar.find(&frozen.rewards.period);
        let known = known.filter(|period| period.first <= through.first);
        if let Some(period) = known {
            planned.insert(period.first, (period, Some(*frozen)));
        }
    }

    let remembers = plan.is_some_and(|plan| needs_history(inputs.rules, plan));
    let first = match remembers {
        true => first_day(inputs, credits, planned.keys().next().copied()),
        // What is frozen may be corrected in a period that is not asked for.
        false => [credits.first_day(), planned.keys().next().copied()].into_iter().flatten().min(),
    };
    // Rewards to date, and rows of people without credits, begin with the fiscal year.
    let without_credits = plan.is_some_and(|plan| pays_without_credits(inputs.rules, plan));
    let year = calendar.period_on(through.first, PeriodKind::Year);
    let year = year.filter(|_| remembers || without_credits).map(|year| year.first);
    let first = [first, year, Some(through.first)].into_iter().flatten().min();
    let first = first.unwrap_or(through.first);

    let mut next = calendar.period_on(first, kind);
    while let Some(period) = next.filter(|period| period.first <= through.first) {
        let end = period.end;
        let is_covered =
            planned.values().any(|(known, _)| known.first < end && period.first < known.end);
        if !is_covered {
            planned.insert(period.first, (period, None));
        }
        next = calendar.period_on(end, kind).filter(|later| later.first >= end);
    }

    planned.into_values().collect()
}

/// The first day on which the plan may have paid.
fn first_day(
    inputs: &BookInputs<'_>,
    credits: &DatedCredits<'_>,
    frozen: Option<Date>,
) -> Option<Date> {
    let (rules, calendar) = (inputs.rules, &inputs.rules.settings.calendar);
    let plan = rules.plans.get(inputs.plan)?;

    let of_quotas = rules.quotas.periods_of(inputs.plan).filter_map(|id| calendar.find(id));
    let of_quotas = of_quotas.map(|period| period.first).min();
    let of_manual = inputs.manual.iter().filter_map(|row| calendar.find(&row.period));
    let of_manual = of_manual.map(|period| period.first).min();

    // Draws and rewards for everyone are paid without any credit, from the plan's first day on.
    let by_people = !plan.draws.is_empty() || plan.rewards.iter().any(|reward| reward.everyone);
    // A plan may be older than the calendar, which then begins the book.
    let in_calendar = |day: &Date| calendar.period_on(*day, PeriodKind::Leaf).is_some();
    let of_plan = plan.validity.from.filter(|_| by_people).filter(in_calendar);
    // A draw that began in an earlier year is owed in this one as well.
    let of_draws = plan.draws.iter().filter_map(|draw| draw.validity.from).filter(in_calendar);

    let other = [credits.first_day(), frozen, of_quotas, of_manual, of_plan];
    other.into_iter().flatten().chain(of_draws).min()
}

/// Whether people may have rows of a period in which nobody was credited.
pub fn pays_without_credits(rules: &Ruleset, plan: &Plan) -> bool {
    let for_everyone = plan.rewards.iter().any(|reward| reward.everyone);
    for_everyone || plan.quota.is_some() || rules.quotas.has_quota(&plan.id)
}

/// The earliest period, at or after that of `scope`, in which something may still be posted.
pub(super) fn earliest_open(inputs: &BookInputs<'_>, scope: &PlanPeriod<'_>) -> Option<Period> {
    let calendar: &Calendar = &inputs.rules.settings.calendar;
    let kind = inputs.rules.plans.get(inputs.plan).unwrap_or(scope.plan).period;

    let is_open = |period: &Period| {
        let frozen = inputs.frozen.iter().any(|known| *known.rewards.period == *period.id);
        let leaves = calendar.leaf_periods(period);
        !frozen && leaves.iter().any(|leaf| !inputs.locked.contains(&leaf.id))
    };
    let later = |period: &Period| {
        calendar.period_on(period.end, kind).filter(|next| next.first > period.first)
    };
    std::iter::successors(calendar.period_on(scope.period.first, kind), later).find(is_open)
}
