//! Rewards: what the active credits of a period are worth to whom, all added up at once.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::periods::{Leaf, Own};
use super::{Case, Row, amounts, claims, money, quotas, teams, worth};
use crate::oracle::rewards::{Reward, To};
use crate::oracle::world::{Member, Plan, Tx, World};

/// An expected reward.
#[derive(Debug, Clone)]
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
#[derive(Debug, Clone, Default)]
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
    pub(super) own: &'a Own,
}

/// What the plan's rewards of a period are, by the active credits of its days.
pub(super) fn payments(
    (world, leaves, plan): (&World, &[Leaf], &Plan),
    own: &Own,
    rows: &[&Row],
) -> Payments {
    let mut all = Payments::default();
    let none = Tx::default();
    for reward in &plan.rewards {
        let case = Case { world, leaves, plan, tx: &none, date: own.last };
        let desk = Desk { case, reward, own };
        for claim in claims::claims(desk, rows, &mut all) {
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

pub(super) fn to(desk: Desk<'_>) -> To {
    let default = if desk.case.plan.teams { To::Members } else { To::Credited };
    desk.reward.to.unwrap_or(default)
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
        let Some(payee) = payee else {
            if !amount.is_zero() {
                all.alerts.push(("unmatched", name.clone()));
            }
            continue;
        };
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
) -> Result<Vec<(Option<String>, Decimal)>, &'static str> {
    let (case, id) = (desk.case, &claim.claimant.id);
    if !claim.claimant.team {
        return Ok(vec![(Some(id.clone()), worth)]);
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
        return Ok(vec![(Some(holder.person.clone()), worth)]);
    }
    let parts = brought(desk, claim);
    if parts.iter().all(|(person, _)| person.is_none()) {
        return Err("unmatched");
    }
    let (people, parts): (Vec<Option<String>>, Vec<Decimal>) = parts.into_iter().unzip();
    let all = people.into_iter().zip(amounts::shared(worth, &parts, scale));
    Ok(all.collect())
}

/// What each member brought in by their weights on the days of the credits; nobody for a day
/// without members. Where that comes to nothing, the weights of the last day.
fn brought(desk: Desk<'_>, claim: &Claim<'_>) -> Vec<(Option<String>, Decimal)> {
    let team = &claim.claimant.id;
    let mut all: Vec<(Option<String>, Decimal)> = Vec::new();
    let mut add = |person: Option<String>, part: Decimal| match all
        .iter_mut()
        .find(|(known, _)| *known == person)
    {
        Some((_, sum)) => *sum += part,
        None => all.push((person, part)),
    };
    for row in &claim.counting {
        let then = Case { date: row.date, ..desk.case };
        let weights = weights(then, team);
        let whole: Decimal = weights.iter().map(|(_, weight)| weight).sum();
        for (person, weight) in &weights {
            add(Some(person.clone()), row.amount * weight / whole);
        }
        if weights.is_empty() {
            add(None, row.amount);
        }
    }
    if all.iter().map(|(_, part)| part).sum::<Decimal>().is_zero() {
        all = weights(desk.case, team).into_iter().map(|(p, w)| (Some(p), w)).collect();
    }
    // Nobody first, then people as in the file.
    let place = |id: &str| desk.case.world.people.iter().position(|person| person.id == id);
    all.sort_by_key(|(person, _)| person.as_deref().and_then(place));
    all
}

/// The members of a team on a day; equal where all weigh nothing.
fn weights(case: Case<'_>, team: &str) -> Vec<(String, Decimal)> {
    let mut all: Vec<(String, Decimal)> = Vec::new();
    for member in members(case, team) {
        let weight = match member.weight.as_str() {
            "" => Decimal::ONE,
            weight => weight.parse().unwrap(),
        };
        match all.iter_mut().find(|(known, _)| *known == member.person) {
            Some((_, sum)) => *sum += weight,
            None => all.push((member.person.clone(), weight)),
        }
    }
    if all.iter().all(|(_, weight)| weight.is_zero()) {
        all.iter_mut().for_each(|(_, weight)| *weight = Decimal::ONE);
    }
    all
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
