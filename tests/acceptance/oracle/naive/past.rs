//! What claimants earned in the periods so far, by what is known.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::rewards::{Claim, Claimant, Desk};

/// What was earned by a reward; of a team also what each member had of it.
#[derive(Debug)]
struct Earning {
    /// The first day of the period.
    first: Date,
    reward: String,
    claimant: Claimant,
    unit: String,
    member: Option<String>,
    amount: Decimal,
}

/// All earnings of a plan so far.
#[derive(Debug, Default)]
pub(super) struct Past(Vec<Earning>);

impl Past {
    pub(super) fn add(
        &mut self,
        desk: Desk<'_>,
        claim: &Claim<'_>,
        (member, amount): (Option<String>, Decimal),
    ) {
        let (reward, claimant) = (desk.reward.name.clone(), claim.claimant.clone());
        let (first, unit) = (desk.own.first, claim.unit.to_owned());
        self.0.push(Earning { first, reward, claimant, unit, member, amount });
    }

    pub(super) fn append(&mut self, more: Past) {
        self.0.extend(more.0);
    }

    /// What the claimant earned from a day on until before another, by one reward or by all.
    pub(super) fn sum(
        &self,
        claim: &Claim<'_>,
        (from, until): (Date, Date),
        reward: Option<&str>,
    ) -> Decimal {
        let own = |e: &&Earning| e.claimant == claim.claimant && e.unit == claim.unit;
        let own = self.0.iter().filter(own).filter(|e| e.member.is_none());
        let then = own.filter(|e| from <= e.first && e.first < until);
        then.filter(|e| reward.is_none_or(|name| name == e.reward)).map(|e| e.amount).sum()
    }

    /// What each member had of what a team earned by a reward.
    pub(super) fn members(
        &self,
        claim: &Claim<'_>,
        (from, until): (Date, Date),
        reward: &str,
    ) -> Vec<(String, Decimal)> {
        let own = |e: &&Earning| e.claimant == claim.claimant && e.unit == claim.unit;
        let then = self.0.iter().filter(own).filter(|e| from <= e.first && e.first < until);
        let mut all: Vec<(String, Decimal)> = Vec::new();
        for earning in then.filter(|e| e.reward == reward) {
            let Some(member) = &earning.member else { continue };
            match all.iter_mut().find(|(known, _)| known == member) {
                Some((_, sum)) => *sum += earning.amount,
                None => all.push((member.clone(), earning.amount)),
            }
        }
        all
    }
}
