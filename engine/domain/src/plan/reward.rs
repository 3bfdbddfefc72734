//! Rewards of a plan as they are written: tiers of rates or an expression, and who gets them.
//!
//! Not who was credited what (`crediting::reward` adds that up). Called by `workspace` (fills it) and by
//! `crediting::reward`. Source: FORMAT section 3, DOMAIN 2.19, seed 001 last paragraph.
//!
//! **Architecture invariant:** what [`Tiers::payout_for`] pays for a total and for its opposite
//! sums to zero, so a sale and its return pay nothing together.

use std::sync::Arc;

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::Selector;
use crate::calendar::{PeriodKind, Validity};
use crate::keys::DefinedName;
use crate::policy::ProgramId;

/// One `[[reward]]` of a plan.
#[derive(Debug, Clone)]
pub struct Reward {
    /// Name, unique among the plan's rewards.
    pub name: Arc<str>,
    /// The credit types whose credits count.
    pub credit_types: Vec<DefinedName>,
    /// The recipients who are paid.
    pub to: RewardRecipient,
    /// The formula that computes the payout.
    pub worth: PayoutFormula,
    /// The most that is paid, as an expression.
    pub maximum: Option<ProgramId>,
    /// When it is in force: the last day of a period counts.
    pub validity: Validity,
    /// Who may have it, by the positions held on any day of the period.
    pub targets: Vec<Selector>,
    /// The span over which credits and quota are summed; none for the period alone.
    pub to_date: Option<PeriodKind>,
    /// Whether the quota of a reward to date is that of the whole span.
    pub whole_span_quota: bool,
    /// Whether all targets of the plan have a row, with credits and a quota or without.
    pub everyone: bool,
}

/// One `[[draw]]` of a plan: an amount that a payee has in every period at least.
#[derive(Debug, Clone)]
pub struct Draw {
    /// Name, unique among the plan's rewards and draws.
    pub name: Arc<str>,
    /// The amount of a period, in the workspace's currency.
    pub amount: ProgramId,
    /// Whether it is owed and recovered later; otherwise it is a guarantee.
    pub recoverable: bool,
    /// The rewards that it covers, by name; none for all rewards of the plan.
    pub covers: Option<Vec<Arc<str>>>,
    /// The most that is recovered in a period, in the workspace's currency.
    pub recover_at_most: Option<Decimal>,
    /// When it is in force: the last day of a period counts.
    pub validity: Validity,
    /// Who has it, by the positions held on any day of the period.
    pub targets: Vec<Selector>,
}

/// Where credits that were posted late are rewarded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum LateRewards {
    /// In the period of their incentive date.
    #[default]
    Own,
    /// In the period in which they are posted.
    Posted,
}

/// The recipients of a reward.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RewardRecipient {
    /// Each participant who was credited, separately.
    Credited,
    /// The members of the team that was credited.
    Members,
    /// The holder of the credited position's manager position on the incentive date.
    UserManagers,
    /// The holder of the credited team's manager position.
    TeamManagers,
}

impl RewardRecipient {
    /// The word in a plan.
    pub fn as_str(self) -> &'static str {
        match self {
            RewardRecipient::Credited => "credited",
            RewardRecipient::Members => "members",
            RewardRecipient::UserManagers => "user-managers",
            RewardRecipient::TeamManagers => "team-managers",
        }
    }

    /// Whether teams are credited, as in a plan that measures them.
    pub fn of_teams(self) -> bool {
        matches!(self, RewardRecipient::Members | RewardRecipient::TeamManagers)
    }
}

/// What a reward is worth.
#[derive(Debug, Clone)]
pub enum PayoutFormula {
    /// Rates by how much was credited.
    Tiers(Tiers),
    /// The same, with the tiers in a table.
    TableTiers(TableTiers),
    /// An expression or a reward policy.
    Program(ProgramId),
}

/// Rates by how much was credited, upwards.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tiers {
    /// At least one; limits grow, only the last may have none.
    pub tiers: Vec<Tier>,
    /// Whether the rate of the tier that is reached holds for the whole.
    pub retroactive: bool,
}

/// The words that a table of tiers may have for keys, besides attributes.
pub const TIER_KEYS: [&str; 6] = ["title", "position", "payee", "team", "credit_type", "unit_type"];

/// Tiers that are looked up in a table, for each claimant and period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableTiers {
    /// The name of a table of tiers.
    pub table: Arc<str>,
    /// Whether the rate of the tier that is reached holds for the whole.
    pub retroactive: bool,
}

/// A range of amounts with its rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tier {
    /// The last amount in it; the last tier may have no end.
    pub up_to: Option<TierLimit>,
    /// What is paid of one unit.
    pub rate: Decimal,
}

/// Where a tier ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierLimit {
    /// At an amount, in the unit of the credits.
    Amount(Decimal),
    /// At a share of the quota: 1 is all of it.
    OfQuota(Decimal),
}

/// A tier with both its ends as amounts, in the unit of the credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct TierRange {
    /// Where it begins: what is above this amount is in it.
    pub from: Decimal,
    /// The last amount in it; null for one without an end.
    pub up_to: Option<Decimal>,
    /// What is paid of one unit.
    pub rate: Decimal,
}

/// Why tiers pay nothing that could be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unpayable {
    /// A limit is a share of a quota that there is not.
    NoQuota,
    /// A number does not fit a decimal.
    TooLarge,
    /// The parts in the tiers do not add up to the total: an error of this program.
    PartsDiffer,
}

impl Tiers {
    /// What a total pays, unrounded; for a negative total the opposite of what its opposite pays.
    ///
    /// # Errors
    /// [`Unpayable`] when it cannot be said.
    pub fn payout_for(&self, total: Decimal, quota: Option<Decimal>) -> Result<Decimal, Unpayable> {
        let (mut paid, mut below, mut reached) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
        let mut parts = Decimal::ZERO;
        // Negative totals are paid back at the rates at which they were earned.
        let wanted = total.abs();

        for tier in &self.tiers {
            let limit = tier.limit_amount(quota)?;
            let until = limit.map_or(wanted, |limit| wanted.min(limit));
            let part = until.checked_sub(below).ok_or(Unpayable::TooLarge)?;
            parts = parts.checked_add(part).ok_or(Unpayable::TooLarge)?;
            let worth = part.checked_mul(tier.rate).ok_or(Unpayable::TooLarge)?;
            paid = paid.checked_add(worth).ok_or(Unpayable::TooLarge)?;
            (below, reached) = (until, tier.rate);

            if below == wanted {
                break;
            }
        }

        // INVARIANT (sum of tier parts): nothing is paid twice and nothing is left out.
        let last = self.tiers.last().map(|tier| tier.limit_amount(quota)).transpose()?.flatten();
        if parts != last.map_or(wanted, |last| wanted.min(last)) {
            return Err(Unpayable::PartsDiffer);
        }

        if self.retroactive {
            // Beyond the last limit nothing more is paid, in this way as in the other.
            paid = below.checked_mul(reached).ok_or(Unpayable::TooLarge)?;
        }

        Ok(if total.is_sign_negative() { -paid } else { paid })
    }
}

impl Tiers {
    /// The tiers with their ends as amounts: shares of the quota are amounts of it.
    ///
    /// # Errors
    /// [`Unpayable`] when a limit is not an amount.
    pub fn ranges(&self, quota: Option<Decimal>) -> Result<Vec<TierRange>, Unpayable> {
        let mut from = Decimal::ZERO;
        let ranges = self.tiers.iter().map(|tier| {
            let up_to = tier.limit_amount(quota)?;
            let range = TierRange { from, up_to, rate: tier.rate };
            from = up_to.unwrap_or(from);
            Ok(range)
        });
        ranges.collect()
    }
}

impl Tier {
    fn limit_amount(&self, quota: Option<Decimal>) -> Result<Option<Decimal>, Unpayable> {
        Ok(match self.up_to {
            None => None,
            Some(TierLimit::Amount(amount)) => Some(amount),
            Some(TierLimit::OfQuota(share)) => {
                let quota = quota.ok_or(Unpayable::NoQuota)?;
                Some(quota.checked_mul(share).ok_or(Unpayable::TooLarge)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// `10000 0.10; - 0.20`: a limit, a share of the quota (`100%`) or none, and a rate.
    fn tiers(text: &str, retroactive: bool) -> Tiers {
        let tier = |text: &str| {
            let (limit, rate) = text.trim().split_once(' ').unwrap();
            let up_to = match limit.strip_suffix('%') {
                _ if limit == "-" => None,
                Some(share) => Some(TierLimit::OfQuota(number(share) / number("100"))),
                None => Some(TierLimit::Amount(number(limit))),
            };
            Tier { up_to, rate: number(rate) }
        };
        Tiers { tiers: text.split(';').map(tier).collect(), retroactive }
    }

    #[test]
    fn sales_cookie_of_domain_2_19() {
        let check = |text: &str, retroactive, total: &str, quota: Option<&str>, expected: &str| {
            let tiers = tiers(text, retroactive);
            let paid = tiers.payout_for(number(total), quota.map(number)).unwrap();
            assert_eq!(paid, number(expected), "{text} of {total}");
        };
        let two = "10000 0.10; 20000 0.20";
        check(two, false, "100", None, "10");
        check(two, false, "10000", None, "1000");
        check(two, false, "15000", None, "2000");
        check(two, false, "20000", None, "3000");
        check(two, false, "25000", None, "3000");
        check(two, false, "-15000", None, "-2000");
        check(two, false, "0", None, "0");
        check(two, true, "10000", None, "1000");
        check(two, true, "10000.01", None, "2000.002");
        check(two, true, "15000", None, "3000");
        check(two, true, "25000", None, "4000");
        check("10000 0.10; - 0.20", false, "25000", None, "4000");
        check("50% 0.05; 100% 0.10; - 0.15", false, "300", Some("200"), "30");
        check("50% 0.05; 100% 0.10; - 0.15", true, "300", Some("200"), "45");
        check("- 0.15", false, "300", None, "45");
    }

    #[test]
    fn what_cannot_be_said() {
        let shares = tiers("50% 0.05; - 0.10", false);
        assert_eq!(shares.payout_for(number("1"), None), Err(Unpayable::NoQuota));
        let most = tiers("- 2", false).payout_for(Decimal::MAX, None);
        assert_eq!(most, Err(Unpayable::TooLarge));
    }

    proptest! {
        /// A sale and its return pay zero together, and what is cumulative never falls.
        #[test]
        fn opposites_pay_opposites(
            limits in prop::collection::vec(1_i64..100_000, 1..5),
            rates in prop::collection::vec(0_i64..100, 6),
            cents in 0_i64..50_000_000,
            retroactive: bool,
        ) {
            let mut limits = limits;
            limits.sort_unstable();
            limits.dedup();
            let ends = limits.iter().map(|limit| Some(TierLimit::Amount(Decimal::from(*limit))));
            let ends = ends.chain([None]).zip(&rates);
            let tiers = ends.map(|(up_to, rate)| Tier { up_to, rate: Decimal::new(*rate, 2) });
            let tiers = Tiers { tiers: tiers.collect(), retroactive };
            let total = Decimal::new(cents, 2);
            let paid = tiers.payout_for(total, None).unwrap();
            prop_assert_eq!(tiers.payout_for(-total, None).unwrap(), -paid);
            if !retroactive {
                let more = tiers.payout_for(total + Decimal::ONE, None).unwrap();
                prop_assert!(more >= paid);
            }
        }
    }
}
