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
                claims.push(Claim { claimant, unit, rows, counting, seats, credited });
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
    claims.extend(without_credits(desk, &claims));
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
    for (claimant, seats) in targets(desk) {
        if known.iter().any(|claim| claim.claimant == claimant) {
            continue;
        }
        let (rows, counting) = (Vec::new(), Vec::new());
        let claim = Claim { claimant, unit: "USD", rows, counting, seats, credited: Decimal::ZERO };
        if quotas::quota(desk, &claim).is_some() {
            all.push(claim);
        }
    }
    all
}

/// Days of the period after which something about the organisation may be different.
fn days(desk: Desk<'_>) -> Vec<Date> {
    let world = desk.case.world;
    let mut spans: Vec<crate::oracle::world::Span> = Vec::new();
    spans.extend(world.seats.iter().map(|seat| seat.span));
    spans.extend(world.sittings.iter().map(|sitting| sitting.span));
    spans.extend(world.teams.iter().map(|team| team.span));
    spans.extend(world.members.iter().map(|member| member.span));
    let after = |day: Date| day.tomorrow().unwrap();
    let mut all = vec![desk.own.first];
    all.extend(spans.iter().filter_map(|span| span.from));
    all.extend(spans.iter().filter_map(|span| span.to).map(after));
    all.retain(|day| desk.own.first <= *day && *day <= desk.own.last);
    all.sort();
    all.dedup();
    all
}

/// The targets of the plan on any day of the period, with the positions that make them targets.
fn targets(desk: Desk<'_>) -> Vec<(Claimant, Vec<(String, Date)>)> {
    let (world, plan) = (desk.case.world, desk.case.plan);
    let mut all: Vec<(Claimant, Vec<(String, Date)>)> = Vec::new();
    for day in days(desk) {
        let then = Case { date: day, ..desk.case };
        let mut add = |claimant: Claimant, seat: Option<(String, Date)>| match all
            .iter_mut()
            .find(|(known, _)| *known == claimant)
        {
            Some((_, seats)) => seats.extend(seat),
            None => all.push((claimant, seat.into_iter().collect())),
        };
        if plan.teams {
            for team in world.teams.iter().filter(|team| receives(then, &plan.targets, &team.id)) {
                add(Claimant { id: team.id.clone(), team: true }, None);
            }
            continue;
        }
        let mut ids: Vec<&String> = world.seats.iter().map(|seat| &seat.id).collect();
        ids.sort();
        ids.dedup();
        for seat in ids.into_iter().filter(|seat| selected(then, &plan.targets, seat)) {
            if let Some(person) = payee(then, seat) {
                add(Claimant { id: person, team: false }, Some((seat.clone(), day)));
            }
        }
    }
    all
}
