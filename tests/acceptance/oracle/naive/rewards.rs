//! Rewards: what the active credits of a period are worth to whom, all added up at once.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::past::Past;
use super::periods::{self, Leaf, Own};
use super::{Case, Row, amounts, claims, money, quotas, teams, worth};
use crate::oracle::rewards::{Reward, To};
use crate::oracle::world::{Member, Pays, Plan, Tx, World};

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
    /// What could not be computed: the reward, the id of the person or team, the unit of the credits.
    pub(crate) failed: Vec<[String; 3]>,
}

impl Payments {
    /// A claim that could not be computed.
    fn fail(&mut self, reward: &str, claim: &Claim<'_>, code: &'static str) {
        let claimant = claim.claimant.id.clone();
        self.failed.push([reward.to_owned(), claimant, claim.unit.to_owned()]);
        self.alerts.push((code, reward.to_owned()));
    }
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
    /// The place among all claims of the unit, and how many there are.
    pub(super) standing: (usize, usize),
}

/// One reward in one period.
#[derive(Clone, Copy)]
pub(super) struct Desk<'a> {
    pub(super) case: Case<'a>,
    pub(super) reward: &'a Reward,
    pub(super) own: &'a Own,
    pub(super) past: &'a Past,
}

impl Desk<'_> {
    /// The id and the first day of what the reward sums up.
    pub(super) fn span(&self) -> (String, Date) {
        let leaves = self.case.leaves;
        let leaf = periods::leaf(leaves, self.own.first).unwrap();
        let id = match self.reward.to_date {
            None | Some(Pays::Month) => return (self.own.id.clone(), self.own.first),
            Some(Pays::Quarter) => &leaf.quarter,
            Some(Pays::Year) => &leaf.year,
        };
        (id.clone(), periods::meant(leaves, id)[0].first)
    }
}

/// What the plan's rewards of a period are, by its active credits up to now.
pub(super) fn payments(
    (world, leaves, plan): (&World, &[Leaf], &Plan),
    own: &Own,
    rows: &[(Row, Leaf)],
    past: &mut Past,
) -> Payments {
    let mut all = Payments::default();
    let none = Tx::default();
    for reward in plan.rewards.iter().filter(|reward| reward.span.has(own.last)) {
        let case = Case { world, leaves, plan, tx: &none, date: own.last };
        let desk = Desk { case, reward, own, past };
        let from = desk.span().1;
        let inside = rows.iter().filter(|(_, leaf)| from <= leaf.first && leaf.last <= own.last);
        let inside: Vec<&Row> = inside.map(|(row, _)| row).collect();
        let mut earned = Past::default();
        for claim in claims::claims(desk, &inside, &mut all) {
            pay(desk, &claim, &mut all, &mut earned);
        }
        past.append(earned);
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

/// The quota, what the claim is worth, and at most.
type Found = (Option<Decimal>, (Decimal, Option<Decimal>));

fn with_quota(desk: Desk<'_>, claim: &Claim<'_>) -> Result<Found, &'static str> {
    let quota = quotas::quota(desk, claim)?;
    Ok((quota, worth::worth(desk, claim, quota)?))
}

fn pay(desk: Desk<'_>, claim: &Claim<'_>, all: &mut Payments, past: &mut Past) {
    let name = &desk.reward.name;
    let (quota, (worth, most)) = match with_quota(desk, claim) {
        Ok(found) => found,
        Err(code) => return all.fail(name, claim, code),
    };
    let before = (desk.span().1, desk.own.first);
    let earned = amounts::round_below(worth, most, desk.case.world.scale_of(claim.unit));
    let due = earned - desk.past.sum(claim, before, Some(name));
    let mut pay = |payee: String, amount: Decimal, most: Option<Decimal>| {
        // The maximum is exchanged as the amount is.
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
    };
    if !claim.claimant.team {
        // What is due to date was cut and rounded as a whole.
        match desk.reward.to_date {
            None => pay(claim.claimant.id.clone(), worth, most),
            Some(_) => pay(claim.claimant.id.clone(), due, None),
        }
        return past.add(desk, claim, (None, due));
    }
    let parts = if to(desk) == To::TeamManagers {
        manager(desk, claim).map(|holder| vec![(Some(holder), due)])
    } else {
        members_parts(desk, claim, earned)
    };
    match parts {
        Ok(parts) => {
            past.add(desk, claim, (None, due));
            let mut lost = false;
            for (person, amount) in parts {
                match person {
                    Some(person) => {
                        past.add(desk, claim, (Some(person.clone()), amount));
                        pay(person, amount, None);
                    }
                    None => lost |= !amount.is_zero(),
                }
            }
            all.alerts.extend(lost.then(|| ("unmatched", name.clone())));
        }
        Err(code) => all.fail(name, claim, code),
    }
}

/// Who holds the position of a team's manager on the last day.
fn manager(desk: Desk<'_>, claim: &Claim<'_>) -> Result<String, &'static str> {
    let case = desk.case;
    let team = teams::active(case, &claim.claimant.id);
    let manager = team.and_then(|team| team.manager.clone()).ok_or("unmatched")?;
    let mut seats = case.world.seats.iter();
    let there = seats.any(|seat| seat.id == manager && seat.span.has(case.date));
    let mut sittings = case.world.sittings.iter();
    let holds = sittings.find(|s| s.seat == manager && s.span.has(case.date));
    let holder = holds.filter(|_| there).ok_or("vacant")?;
    Ok(holder.person.clone())
}

/// The parts of members in what a team earned to date, less what they had of it in earlier periods.
fn members_parts(
    desk: Desk<'_>,
    claim: &Claim<'_>,
    earned: Decimal,
) -> Result<Vec<(Option<String>, Decimal)>, &'static str> {
    let parts = brought(desk, claim);
    if parts.iter().all(|(person, _)| person.is_none()) {
        return Err("unmatched");
    }
    let (people, parts): (Vec<Option<String>>, Vec<Decimal>) = parts.into_iter().unzip();
    let scale = desk.case.world.scale_of(claim.unit);
    let shared = amounts::in_proportion(earned, &parts, scale);
    let mut all: Vec<(Option<String>, Decimal)> = people.into_iter().zip(shared).collect();
    let before = (desk.span().1, desk.own.first);
    for (member, had) in desk.past.members(claim, before, &desk.reward.name) {
        match all.iter_mut().find(|(person, _)| *person == Some(member.clone())) {
            Some((_, amount)) => *amount -= had,
            // Who had nothing has nothing to give back.
            None if had.is_zero() => (),
            None => all.push((Some(member), Decimal::ZERO - had)),
        }
    }
    Ok(all)
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
    let world = desk.case.world;
    let place = |id: &str| match world.simple {
        true => world.seats.iter().position(|seat| seat.id == id),
        false => world.people.iter().position(|person| person.id == id),
    };
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
