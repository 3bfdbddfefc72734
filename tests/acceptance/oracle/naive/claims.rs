//! Who has a claim to a reward: by credits, and targets with a quota.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::rewards::{Claim, Claimant, Desk, Payments, counting, to};
use super::{Case, Row, exists, payee, quotas, receives, selected};
use crate::oracle::rewards::To;

/// Claims by claimant, then by unit in the order of the settings.
pub(super) fn claims<'a>(desk: Desk<'a>, rows: &[&'a Row], all: &mut Payments) -> Vec<Claim<'a>> {
    let types = counting(desk.case.world, desk.reward);
    let mut claims: Vec<Claim<'a>> = Vec::new();
    for row in rows {
        let counts = types.contains(&row.credit_type);
        let (claimant, seat) = match claimant(desk, row) {
            Ok(Some(found)) => found,
            Ok(None) => continue,
            Err(code) => {
                if counts {
                    all.alerts.push((code, desk.reward.name.clone()));
                }
                continue;
            }
        };
        let same = |claim: &&mut Claim<'a>| claim.claimant == claimant && claim.unit == row.unit;
        let claim = match claims.iter_mut().find(same) {
            Some(claim) => claim,
            None => {
                let (rows, counting, seats) = (Vec::new(), Vec::new(), Vec::new());
                let (unit, credited) = (row.unit.as_str(), Decimal::ZERO);
                let standing = (0, 0);
                claims.push(Claim { claimant, unit, rows, counting, seats, credited, standing });
                claims.last_mut().unwrap()
            }
        };
        claim.rows.push(row);
        if counts {
            claim.counting.push(row);
            claim.credited += row.amount;
            claim.seats.extend(seat.map(|seat| (seat, row.date)));
        }
    }
    claims.retain(|claim| !claim.counting.is_empty());
    let meant: Vec<Claimant> = among(desk, &desk.reward.targets);
    let is_meant = |claimant: &Claimant| desk.reward.targets.is_empty() || meant.contains(claimant);
    claims.extend(without_credits(desk, &claims));
    claims.retain(|claim| is_meant(&claim.claimant));
    let sums: Vec<(String, Decimal)> =
        claims.iter().map(|claim| (claim.unit.to_owned(), claim.credited)).collect();
    for claim in &mut claims {
        let same = sums.iter().filter(|(unit, _)| unit == claim.unit);
        let better = same.clone().filter(|(_, credited)| *credited > claim.credited).count();
        claim.standing = (better + 1, same.count());
    }
    let units = &desk.case.world.units;
    let place = |unit: &str| units.iter().position(|known| known.name == unit);
    claims.sort_by_key(|claim| (claim.claimant.clone(), place(claim.unit)));
    claims
}

/// Who has the claim from a credit, and by which position.
fn claimant(desk: Desk<'_>, row: &Row) -> Result<Option<(Claimant, Option<String>)>, &'static str> {
    let person = |id: String| Claimant { id, team: false };
    let then = Case { date: row.date, ..desk.case };
    Ok(match to(desk) {
        To::Credited => row.payee.clone().map(|payee| (person(payee), Some(row.receiver.clone()))),
        To::UserManagers => {
            let mut seats = desk.case.world.seats.iter();
            let seat = seats.find(|seat| seat.id == row.receiver && seat.span.has(row.date));
            let Some(manager) = seat.and_then(|seat| seat.manager.clone()) else { return Ok(None) };
            let holder = payee(then, &manager).filter(|_| exists(then, &manager));
            Some((person(holder.ok_or("vacant")?), Some(manager)))
        }
        To::Members | To::TeamManagers => {
            Some((Claimant { id: row.receiver.clone(), team: true }, None))
        }
    })
}

/// Targets with a quota who have no credits that count, in the workspace's own unit. Managers have
/// claims by the credits of others alone.
fn without_credits<'a>(desk: Desk<'a>, known: &[Claim<'a>]) -> Vec<Claim<'a>> {
    let mut all: Vec<Claim<'a>> = Vec::new();
    if matches!(to(desk), To::UserManagers | To::TeamManagers) {
        return all;
    }
    let (first, last) = (desk.own.first, desk.own.last);
    for (claimant, seats) in targets(desk, &desk.case.plan.targets, (first, last)) {
        if known.iter().any(|claim| claim.claimant == claimant) {
            continue;
        }
        let (rows, counting) = (Vec::new(), Vec::new());
        let (credited, standing) = (Decimal::ZERO, (0, 0));
        let claim = Claim { claimant, unit: "USD", rows, counting, seats, credited, standing };
        if desk.reward.everyone || quotas::quota(desk, &claim) != Ok(None) {
            all.push(claim);
        }
    }
    all
}

/// Days on which something about the organisation may change.
fn days(desk: Desk<'_>, (first, last): (Date, Date)) -> Vec<Date> {
    let world = desk.case.world;
    let mut spans: Vec<crate::oracle::world::Span> = Vec::new();
    spans.extend(world.seats.iter().map(|seat| seat.span));
    spans.extend(world.sittings.iter().map(|sitting| sitting.span));
    spans.extend(world.teams.iter().map(|team| team.span));
    spans.extend(world.members.iter().map(|member| member.span));
    let after = |day: Date| day.tomorrow().unwrap();
    let mut all = vec![first];
    all.extend(spans.iter().filter_map(|span| span.from));
    all.extend(spans.iter().filter_map(|span| span.to).map(after));
    all.retain(|day| first <= *day && *day <= last);
    all.sort();
    all.dedup();
    all
}

/// A target with the positions that make it one.
type Target = (Claimant, Vec<(String, Date)>);

/// Who is a target on a day.
fn on_day(desk: Desk<'_>, selectors: &[String], day: Date) -> Vec<Target> {
    let (world, then) = (desk.case.world, Case { date: day, ..desk.case });
    if desk.case.plan.teams {
        let teams = world.teams.iter().filter(|team| receives(then, selectors, &team.id));
        return teams
            .map(|team| (Claimant { id: team.id.clone(), team: true }, Vec::new()))
            .collect();
    }
    let mut ids: Vec<&String> = world.seats.iter().map(|seat| &seat.id).collect();
    ids.sort();
    ids.dedup();
    let chosen = ids.into_iter().filter(|seat| selected(then, selectors, seat));
    let held = chosen.filter_map(|seat| Some((payee(then, seat)?, seat)));
    held.map(|(id, seat)| (Claimant { id, team: false }, vec![(seat.clone(), day)])).collect()
}

/// The targets on any day, with the positions that make them targets.
fn targets(desk: Desk<'_>, selectors: &[String], between: (Date, Date)) -> Vec<Target> {
    let mut all: Vec<Target> = Vec::new();
    for day in days(desk, between) {
        for (claimant, more) in on_day(desk, selectors, day) {
            match all.iter_mut().find(|(known, _)| *known == claimant) {
                Some((_, seats)) => seats.extend(more),
                None => all.push((claimant, more)),
            }
        }
    }
    all
}

/// Who is among the targets on any day of the period.
fn among(desk: Desk<'_>, selectors: &[String]) -> Vec<Claimant> {
    let between = (desk.own.first, desk.own.last);
    targets(desk, selectors, between).into_iter().map(|(claimant, _)| claimant).collect()
}

/// On how many of the days a claimant is a target of the plan.
pub(super) fn target_days(
    desk: Desk<'_>,
    claimant: &Claimant,
    (first, last): (Date, Date),
) -> Decimal {
    let mut count = 0;
    let days = days(desk, (first, last));
    for (place, day) in days.iter().enumerate() {
        let end = days.get(place + 1).copied().unwrap_or(last.tomorrow().unwrap());
        let here = on_day(desk, &desk.case.plan.targets, *day);
        if here.iter().any(|(known, _)| known == claimant) {
            count += day.until(end).unwrap().get_days();
        }
    }
    Decimal::from(count)
}
