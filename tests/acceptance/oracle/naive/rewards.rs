//! Rewards: what the active credits of a period are worth to whom, all added up at once.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::periods::{self, Leaf};
use super::posting::Entry;
use super::{Case, Row, Status, amounts, exists, money, payee, quotas, teams, worth};
use crate::oracle::rewards::{Reward, To};
use crate::oracle::world::{Member, Plan, Tx, World};

/// An expected reward.
#[derive(Debug)]
pub(crate) struct Paid {
    pub(crate) reward: String,
    pub(crate) payee: String,
    pub(crate) team: Option<String>,
    pub(crate) credit_types: Vec<String>,
    pub(crate) credited: Decimal,
    pub(crate) credited_unit: String,
    pub(crate) quota: Option<Decimal>,
    pub(crate) amount: Decimal,
    pub(crate) unit: String,
    /// Keys of the credits that count.
    pub(crate) credits: Vec<String>,
}

/// What a plan pays in a period, and what people must know: the code and the reward.
#[derive(Debug, Default)]
pub(crate) struct Payments {
    pub(crate) paid: Vec<Paid>,
    pub(crate) alerts: Vec<(&'static str, String)>,
}

/// Whose attainment it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Claimant {
    pub(super) id: String,
    pub(super) team: bool,
}

/// The credits of one claimant in one unit.
pub(super) struct Claim<'a> {
    pub(super) claimant: Claimant,
    pub(super) unit: &'a str,
    /// Of every credit type of the plan.
    pub(super) rows: Vec<&'a Row>,
    /// Those that count.
    pub(super) counting: Vec<&'a Row>,
    /// Positions by which the claimant has those that count, with their dates.
    pub(super) seats: Vec<(String, Date)>,
    pub(super) credited: Decimal,
}

/// One reward in one period.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) case: Case<'a>,
    pub(super) reward: &'a Reward,
    pub(super) period: &'a str,
}

/// What the plan's rewards of the period are, by the entries that stand in it.
pub(crate) fn payments(
    world: &World,
    leaves: &[Leaf],
    plan: &Plan,
    period: &str,
    entries: &[Entry],
) -> Payments {
    let mut all = Payments::default();
    let inside = periods::meant(leaves, period);
    let last = inside.iter().map(|leaf| leaf.last).max().unwrap();
    let stands = |entry: &&Entry| inside.iter().any(|leaf| leaf.id == entry.period);
    let active = |entry: &&Entry| entry.row.status == Status::Active;
    let rows: Vec<&Row> =
        entries.iter().filter(stands).filter(active).map(|entry| &entry.row).collect();
    let none = Tx::default();
    for reward in &plan.rewards {
        let case = Case { world, leaves, plan, tx: &none, date: last };
        let desk = Desk { case, reward, period };
        for claim in claims(desk, &rows, &mut all) {
            pay(desk, &claim, &mut all);
        }
    }
    all
}

/// The credit types that count.
pub(super) fn counting(world: &World, reward: &Reward) -> Vec<String> {
    let mut types = match reward.credit_types.as_slice() {
        [] => world.credit_types.clone(),
        named => named.to_vec(),
    };
    types.sort();
    types
}

fn to(desk: Desk<'_>) -> To {
    let default = if desk.case.plan.teams { To::Members } else { To::Credited };
    desk.reward.to.unwrap_or(default)
}

/// Claims by claimant, then by unit in the order of the settings.
fn claims<'a>(desk: Desk<'a>, rows: &[&'a Row], all: &mut Payments) -> Vec<Claim<'a>> {
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
    let units = &desk.case.world.units;
    let place = |unit: &str| units.iter().position(|known| known.name == unit);
    claims.retain(|claim| !claim.counting.is_empty());
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

/// Members of a team on the day; outside the dates of their own rows participants are nobody.
pub(super) fn members<'a>(case: Case<'a>, team: &str) -> Vec<&'a Member> {
    let here = |seat: &crate::oracle::world::Seat, person: &str| {
        seat.id == person && seat.span.has(case.date)
    };
    let there =
        |person: &str| !case.world.simple || case.world.seats.iter().any(|seat| here(seat, person));
    teams::members(case, team).into_iter().filter(|member| there(&member.person)).collect()
}

fn pay(desk: Desk<'_>, claim: &Claim<'_>, all: &mut Payments) {
    let quota = quotas::quota(desk, claim);
    let name = &desk.reward.name;
    let (worth, most) = match worth::worth(desk, claim, quota) {
        Ok(found) => found,
        Err(code) => return all.alerts.push((code, name.clone())),
    };
    let paid = match people(desk, claim, (worth, most)) {
        Ok(paid) => paid,
        Err(code) => return all.alerts.push((code, name.clone())),
    };
    for (payee, amount) in paid {
        // The maximum is exchanged as the amount is; a team's has counted already.
        let most = most.filter(|_| !claim.claimant.team);
        let exchanged = |size| own_currency(desk, &payee, size, claim.unit);
        let most = most.map(|most| exchanged(most).map_or(most, |(most, _)| most));
        let (amount, unit) = match exchanged(amount) {
            Ok(exchanged) => exchanged,
            Err(code) => {
                all.alerts.push((code, name.clone()));
                (amount, claim.unit.to_owned())
            }
        };
        all.paid.push(Paid {
            reward: name.clone(),
            payee,
            team: claim.claimant.team.then(|| claim.claimant.id.clone()),
            credit_types: counting(desk.case.world, desk.reward),
            credited: claim.credited,
            credited_unit: claim.unit.to_owned(),
            quota,
            amount: amounts::round_below(amount, most, desk.case.world.scale_of(&unit)),
            unit,
            credits: claim.counting.iter().map(|row| row.key()).collect(),
        });
    }
}

/// Who gets what of it: the claimant all, or the members of a team their parts of the rounded
/// whole, or its manager.
fn people(
    desk: Desk<'_>,
    claim: &Claim<'_>,
    (worth, most): (Decimal, Option<Decimal>),
) -> Result<Vec<(String, Decimal)>, &'static str> {
    let (case, id) = (desk.case, &claim.claimant.id);
    if !claim.claimant.team {
        return Ok(vec![(id.clone(), worth)]);
    }
    let scale = case.world.scale_of(claim.unit);
    let worth = amounts::round_below(worth, most, scale);
    if to(desk) == To::TeamManagers {
        let team = teams::active(case, id);
        let manager = team.and_then(|team| team.manager.clone()).ok_or("unmatched")?;
        let mut seats = case.world.seats.iter();
        let there = seats.any(|seat| seat.id == manager && seat.span.has(case.date));
        let mut sittings = case.world.sittings.iter();
        let holds = sittings.find(|s| s.seat == manager && s.span.has(case.date));
        let holder = holds.filter(|_| there).ok_or("vacant")?;
        return Ok(vec![(holder.person.clone(), worth)]);
    }
    let mut weights: Vec<(String, Decimal)> = Vec::new();
    for member in members(case, id) {
        let weight = match member.weight.as_str() {
            "" => Decimal::ONE,
            weight => weight.parse().unwrap(),
        };
        match weights.iter_mut().find(|(known, _)| *known == member.person) {
            Some((_, sum)) => *sum += weight,
            None => weights.push((member.person.clone(), weight)),
        }
    }
    if weights.is_empty() {
        return Err("unmatched");
    }
    let (people, weights): (Vec<String>, Vec<Decimal>) = weights.into_iter().unzip();
    Ok(people.into_iter().zip(amounts::shared(worth, &weights, scale)).collect())
}

/// Money in the payee's currency, if they have one, at the rate of the period's last day.
fn own_currency(
    desk: Desk<'_>,
    payee: &str,
    amount: Decimal,
    unit: &str,
) -> Result<(Decimal, String), &'static str> {
    let mut people = desk.case.world.people.iter();
    let own = people.find(|person| person.id == payee).and_then(|person| person.currency.clone());
    match own {
        Some(own) if money::is_currency(desk.case, unit) => {
            let exchanged = money::exchanged(desk.case, amount, unit, &own);
            Ok((exchanged.map_err(|_| "no_exchange_rate")?, own))
        }
        _ => Ok((amount, unit.to_owned())),
    }
}
