//! What a claim to a reward is worth: tiers, formulas, the maximum.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::periods;
use super::rewards::{Claim, Desk, counting};
use super::scripts::{Found, reach};
use super::tables::{self, Payee};
use crate::oracle::rewards::{Formula, Worth};
use crate::oracle::tables::Key;
use crate::oracle::world::World;

/// Unrounded, and the size of the maximum if there is one; or the code of the alert that says why it
/// cannot be said.
pub(super) fn worth(
    desk: Desk<'_>,
    claim: &Claim<'_>,
    quota: Option<Decimal>,
) -> Result<(Decimal, Option<Decimal>), &'static str> {
    let run = |formula| formula_of(desk, claim, quota, formula).ok_or("policy_error");
    let worth = match &desk.reward.worth {
        Worth::Tiers(tiers, retroactive) => {
            let tiers = tiers.iter().map(|tier| (tier.up_to, tier.rate)).collect();
            by_tiers(tiers, retroactive.unwrap_or(false), claim.credited, quota)?
        }
        Worth::Table(retroactive) => {
            let payee = payee(desk, claim);
            let tiers = from_table(desk, &payee).ok_or("policy_error")?;
            by_tiers(tiers, retroactive.unwrap_or(false), claim.credited, quota)?
        }
        Worth::Value(formula) | Worth::Policy(formula) => run(*formula)?,
        Worth::Default => run(desk.case.plan.pays.unwrap())?,
    };
    let Some(formula) = desk.reward.maximum else { return Ok((worth, None)) };
    let most = run(formula)?.abs();
    let size = worth.abs().min(most);
    Ok((if worth < Decimal::ZERO { Decimal::ZERO - size } else { size }, Some(most)))
}

/// `0.10` or `10 %`, and whether it was a percentage.
fn number(text: &str) -> (Decimal, bool) {
    match text.strip_suffix('%') {
        Some(digits) => (digits.trim().parse::<Decimal>().unwrap() / Decimal::from(100), true),
        None => (text.parse().unwrap(), false),
    }
}

/// The tiers of the table for a payee.
fn from_table<'a>(desk: Desk<'a>, payee: &Payee) -> Option<Vec<(Option<&'a str>, &'a str)>> {
    let (world, date) = (desk.case.world, desk.own.last);
    let table = world.tables.iter().find(|table| table.name == "steps").unwrap();
    let keys = table.keys.iter().map(|name| match *name {
        "credit_type" => Found::Text(counting(world, desk.reward).remove(0)),
        name => tables::key(world, payee, Key::named(name), date),
    });
    let keys: Vec<Found> = keys.collect();
    reach("tiers from a table");
    tables::tiers(table, &keys, date)
}

/// What is below zero is the mirror of what is above; a tier holds its upper end; beyond the last
/// end nothing more is paid.
fn by_tiers(
    tiers: Vec<(Option<&str>, &str)>,
    retroactive: bool,
    credited: Decimal,
    quota: Option<Decimal>,
) -> Result<Decimal, &'static str> {
    let mut paid = Decimal::ZERO;
    let mut below = Decimal::ZERO;
    let size = credited.abs();
    for tier in tiers {
        let (up_to, rate) = tier;
        let end = match up_to.map(number) {
            None => size,
            Some((end, false)) => end,
            Some((share, true)) => share * quota.ok_or("no_quota")?,
        };
        let rate = number(rate).0;
        let top = size.min(end);
        if top > below || size.is_zero() {
            paid = if retroactive { top * rate } else { paid + (top - below) * rate };
            below = top;
        }
    }
    Ok(if credited < Decimal::ZERO { Decimal::ZERO - paid } else { paid })
}

/// The value of a formula; none where it fails.
fn formula_of(
    desk: Desk<'_>,
    claim: &Claim<'_>,
    quota: Option<Decimal>,
    formula: Formula,
) -> Option<Decimal> {
    let credited = claim.credited;
    let now = (desk.own.first, desk.own.last);
    let year = periods::meant(desk.case.leaves, &desk.own.year)[0].first;
    let earlier = |name: &str| {
        let mut before = desk.case.plan.rewards.iter().take_while(|r| r.name != desk.reward.name);
        before.any(|reward| reward.name == name)
    };
    let of = |name: &str| -> Decimal {
        claim.rows.iter().filter(|row| row.credit_type == name).map(|row| row.amount).sum()
    };
    Some(match formula {
        Formula::Fixed(amount) => amount,
        Formula::Share(factor) => credited * factor,
        Formula::Type(name, factor) => of(name) * factor,
        Formula::Above(limit, factor) if credited > Decimal::from(limit) => credited * factor,
        Formula::Above(..) => Decimal::ZERO,
        Formula::Attained(factor) => credited.checked_div(quota?)? * factor,
        Formula::Reached(least) => match quota {
            None => least,
            Some(quota) if credited >= quota => credited,
            Some(_) => Decimal::ZERO,
        },
        Formula::Rep(_) if payee(desk, claim).title.as_deref() == Some("Rep") => credited,
        Formula::Rep(factor) => credited * factor,
        Formula::Team(factor) if claim.claimant.team => credited * factor,
        Formula::Team(_) => credited,
        Formula::Dollars(_) if claim.unit == "USD" => credited,
        Formula::Dollars(other) => other,
        Formula::Throws(limit) if credited > Decimal::from(limit) => return None,
        Formula::Throws(_) => Decimal::ONE,
        Formula::Capped(most) => Decimal::ZERO.min(most - desk.past.sum(claim, now, None)),
        // Only rewards that come before it are known to a reward.
        Formula::OfFirst(_) if !earlier("Bonus 0") => return None,
        Formula::OfFirst(factor) => desk.past.sum(claim, now, Some("Bonus 0")) * factor,
        Formula::OfYear(least) => {
            least.min(Decimal::from(50) - desk.past.sum(claim, (year, desk.own.first), None))
        }
        Formula::Placed(factor) => {
            Decimal::from(claim.standing.0) * factor + Decimal::from(claim.standing.1)
        }
        Formula::Deals(factor) => {
            let mut deals: Vec<&String> = claim.counting.iter().map(|r| &r.transaction).collect();
            deals.sort();
            deals.dedup();
            Decimal::from(deals.len()) * factor
        }
        other => return of_tables(desk, claim, other),
    })
}

/// The value of a formula of tables, attributes and people; none where it fails.
fn of_tables(desk: Desk<'_>, claim: &Claim<'_>, formula: Formula) -> Option<Decimal> {
    let credited = claim.credited;
    Some(match formula {
        Formula::Row(key) => credited * bonus(desk, claim, ("lookup", key))??,
        Formula::Found(key, other) => {
            credited * bonus(desk, claim, ("find", key))?.unwrap_or(other)
        }
        Formula::Level => match of_payee(desk, claim, Key::Level) {
            Found::Number(level) => credited * level,
            _ => return None,
        },
        Formula::Gold(other) => match of_payee(desk, claim, Key::Grade) {
            Found::Text(grade) if grade == "gold" => credited,
            _ => other,
        },
        Formula::Who(name, other) => {
            let who = tables::who(desk.case.world, name, desk.own.last).ok()?;
            let is_rep = |fields: &[(&str, Found)]| {
                fields.contains(&("title", Found::Text("Rep".to_owned())))
            };
            match who {
                Found::Map(fields) if is_rep(&fields) => other,
                _ => credited,
            }
        }
        other => unreachable!("{other:?}"),
    })
}

fn of_payee(desk: Desk<'_>, claim: &Claim<'_>, key: Key) -> Found {
    tables::key(desk.case.world, &payee(desk, claim), key, desk.own.last)
}

/// What the table of bonuses says of a payee; the outer one is none where that fails.
fn bonus(
    desk: Desk<'_>,
    claim: &Claim<'_>,
    (function, key): (&'static str, Key),
) -> Option<Option<Decimal>> {
    let keys = [of_payee(desk, claim, key)];
    match tables::look_up(desk.case.world, (function, "bonus"), &keys, desk.own.last).ok()? {
        Found::Number(number) => Some(Some(number)),
        _ => Some(None),
    }
}

/// The payee as expressions see it; position and title are those of the first credit that counts, of
/// one day the first in the file.
pub(super) fn payee(desk: Desk<'_>, claim: &Claim<'_>) -> Payee {
    let claimant = &claim.claimant;
    let (id, team) = (claimant.id.clone(), claimant.team.then(|| claimant.id.clone()));
    seated(
        desk.case.world,
        &claim.seats,
        Payee { id, title: None, position: None, team, unit: claim.unit.to_owned() },
    )
}

/// A payee with the position and the title of the first of the seats.
pub(super) fn seated(world: &World, all: &[(String, Date)], payee: Payee) -> Payee {
    let seats = &world.seats;
    let place = |id: &str| seats.iter().position(|seat| seat.id == id);
    let first = all.iter().min_by_key(|(id, date)| (*date, place(id)));
    let Some((id, date)) = first else { return payee };
    let seat = seats.iter().find(|seat| seat.id == *id && seat.span.has(*date));
    let title = seat.map(|seat| seat.title.clone());
    Payee { title, position: Some(id.clone()), ..payee }
}
