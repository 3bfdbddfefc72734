//! What is expected of a claimant: the nearest rows of the period, else those of its parts.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::claims::target_days;
use super::rewards::{Claim, Desk, counting, members};
use super::scripts::reach;
use super::{Case, dues, periods, worth};
use crate::oracle::rewards::Quota;

/// Person, position, title, team, everybody.
const RANKS: usize = 5;

/// Of the period, or to date; of the whole span where the reward compares with that.
pub(super) fn quota(desk: Desk<'_>, claim: &Claim<'_>) -> Result<Option<Decimal>, &'static str> {
    let (span, first) = desk.span();
    if desk.reward.to_date.is_none() || desk.reward.of_span {
        return of_rows_or_plan(desk, claim, &span);
    }
    let owns = periods::owns(desk.case.leaves, desk.case.plan.by).into_iter();
    let so_far = owns.filter(|own| first <= own.first && own.first <= desk.own.first);
    let mut sum = None;
    for own in so_far {
        if let Some(quota) = of_rows_or_plan(desk, claim, &own.id)? {
            sum = Some(sum.unwrap_or_default() + quota);
        }
    }
    Ok(sum)
}

/// What the plan says where neither the period nor its parts have a row.
fn of_rows_or_plan(
    desk: Desk<'_>,
    claim: &Claim<'_>,
    period: &str,
) -> Result<Option<Decimal>, &'static str> {
    if let Some(quota) = of_period_or_parts(desk, claim, period) {
        return Ok(Some(quota));
    }
    let case = desk.case;
    let Some((due, _)) = &case.plan.quota else { return Ok(None) };
    // An earlier period is read on its own last day, a longer one on that of the reward's.
    let last = periods::meant(case.leaves, period).last().unwrap().last.min(desk.own.last);
    let payee = worth::payee(desk, claim);
    reach("a quota of the plan");
    if case.plan.prorate && !claim.claimant.team {
        reach("a quota of the plan by days");
    }
    let found = dues::due(case.world, due, &payee, (period, last)).ok_or("policy_error")?;
    // An amount that is not above zero is no quota.
    Ok(Some(found)
        .filter(|found| *found > Decimal::ZERO)
        .map(|found| by_days(desk, claim, period, found)))
}

/// The period's own rows, else the sum over its parts, each by the same rule.
fn of_period_or_parts(desk: Desk<'_>, claim: &Claim<'_>, period: &str) -> Option<Decimal> {
    of_period(desk, claim, period).or_else(|| {
        let parts = periods::parts(desk.case.leaves, period);
        let prorate = desk.case.plan.prorate && !claim.claimant.team;
        let sums: Vec<Decimal> =
            parts.iter().filter_map(|part| of_period_or_parts(desk, claim, part)).collect();
        (!sums.is_empty()).then(|| {
            reach(if prorate { "a quota of parts by days" } else { "a quota of parts" });
            sums.iter().sum()
        })
    })
}

/// Rows for the credit types of the reward, else those for any; of days as a target only.
fn of_period(desk: Desk<'_>, claim: &Claim<'_>, period: &str) -> Option<Decimal> {
    let types = counting(desk.case.world, desk.reward);
    let typed = |quota: &Quota| types.contains(&quota.credit_type);
    let untyped = |quota: &Quota| quota.credit_type.is_empty();
    let row =
        nearest(desk, claim, period, typed).or_else(|| nearest(desk, claim, period, untyped))?;
    Some(by_days(desk, claim, period, row))
}

/// Of days as a target only, where the plan prorates them.
fn by_days(desk: Desk<'_>, claim: &Claim<'_>, period: &str, row: Decimal) -> Decimal {
    if !desk.case.plan.prorate || claim.claimant.team {
        return row;
    }
    let leaves = periods::meant(desk.case.leaves, period);
    let (first, last) = (leaves[0].first, leaves[leaves.len() - 1].last);
    let days = target_days(desk, &claim.claimant, (first, last));
    let whole = first.until(last.tomorrow().unwrap()).unwrap().get_days();
    row * days / Decimal::from(whole)
}

/// Rows of the nearest kind, added up.
fn nearest(
    desk: Desk<'_>,
    claim: &Claim<'_>,
    period: &str,
    counts: impl Fn(&Quota) -> bool,
) -> Option<Decimal> {
    let mut sums: [Option<Decimal>; RANKS] = [None; RANKS];
    for quota in desk.case.world.quotas.iter().filter(|quota| counts(quota)) {
        if quota.plan != desk.case.plan.id || quota.period != period {
            continue;
        }
        if let Some(rank) = rank(desk, claim, quota) {
            let amount: Decimal = quota.amount.parse().unwrap();
            sums[rank] = Some(sums[rank].unwrap_or_default() + amount);
        }
    }
    sums.into_iter().flatten().next()
}

/// How near the row is to the claimant; none when it is about others.
fn rank(desk: Desk<'_>, claim: &Claim<'_>, quota: &Quota) -> Option<usize> {
    let (case, who) = (desk.case, &claim.claimant);
    let held = |id: &str| claim.seats.iter().any(|(seat, _)| seat == id);
    let titled = |title: &str| {
        let mut versions = case.world.seats.iter();
        versions.any(|version| {
            let of = |(seat, date): &(String, _)| *seat == version.id && version.span.has(*date);
            version.title == title && claim.seats.iter().any(of)
        })
    };
    let (rank, fits) = match quota.target.split_once(':') {
        Some(("participant", id)) => (0, !who.team && who.id == id),
        Some(("position", id)) => (1, held(id)),
        Some(("title", title)) => (2, titled(title)),
        Some(("team", id)) if who.team => (3, who.id == id),
        Some(("team", id)) => {
            let then = Case { date: last_day(case, &who.id), ..case };
            (3, members(then, id).iter().any(|member| member.person == who.id))
        }
        _ if quota.target == "*" => (4, true),
        // A bare id: of a team, or a position before a person.
        _ if who.team => (3, who.id == quota.target),
        _ if case.world.seats.iter().any(|seat| seat.id == quota.target) => {
            (1, held(&quota.target))
        }
        _ => (0, who.id == quota.target),
    };
    fits.then_some(rank)
}

/// The day of the case, or the last before it on which the participant was there.
fn last_day(case: Case<'_>, person: &str) -> Date {
    let mut day = case.date;
    let there = |day: Date| {
        let mut own = case.world.seats.iter().filter(|seat| seat.id == person);
        !case.world.simple || own.any(|seat| seat.span.has(day))
    };
    while !there(day) {
        day = day.yesterday().unwrap();
    }
    day
}
