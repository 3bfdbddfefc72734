//! What a claim to a reward is worth: tiers, formulas, the maximum.

use rust_decimal::Decimal;

use super::periods;
use super::rewards::{Claim, Desk};
use crate::oracle::rewards::{Formula, Tier, Worth};

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

/// What is below zero is the mirror of what is above; a tier holds its upper end; beyond the last
/// end nothing more is paid.
fn by_tiers(
    tiers: &[Tier],
    retroactive: bool,
    credited: Decimal,
    quota: Option<Decimal>,
) -> Result<Decimal, &'static str> {
    let mut paid = Decimal::ZERO;
    let mut below = Decimal::ZERO;
    let size = credited.abs();
    for tier in tiers {
        let end = match tier.up_to.map(number) {
            None => size,
            Some((end, false)) => end,
            Some((share, true)) => share * quota.ok_or("no_quota")?,
        };
        let rate = number(tier.rate).0;
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
        Formula::Rep(_) if title(desk, claim).as_deref() == Some("Rep") => credited,
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
    })
}

/// The title of the seat of the first credit that counts; of one day the first in the file.
fn title(desk: Desk<'_>, claim: &Claim<'_>) -> Option<String> {
    let seats = &desk.case.world.seats;
    let place = |id: &str| seats.iter().position(|seat| seat.id == id);
    let (id, date) = claim.seats.iter().min_by_key(|(id, date)| (*date, place(id)))?;
    let seat = seats.iter().find(|seat| seat.id == *id && seat.span.has(*date));
    seat.map(|seat| seat.title.clone())
}
