//! The tier that an earned reward has reached, and what the next one asks for.
//!
//! Reads a row that was computed before: nothing is paid here (`pay`). Called by what payees see of
//! their progress. Source: REWARDS, FORMAT section 3.
//!
//! **Architecture invariant:** the tiers are those that the row was paid by, for the same claimant: a
//! table is asked with the keys of that person or team.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::claim::{Claim, Claimant};
use super::history::EarnedHistory;
use super::scope::{DatedCredits, PlanPeriod, RewardContext};
use super::tiers::tiers_of_claim;
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, RewardOrigin};
use accredit_domain::money;
use accredit_domain::organization::PositionId;
use accredit_domain::plan::Plan;
use accredit_domain::plan::reward::{PayoutFormula, Reward, RewardRecipient, TierRange, Tiers};
use accredit_workspace::Ruleset;
use jiff::civil::Date;

/// The tiers behind an earned reward.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReachedTier {
    /// Whether the rate of the tier that is reached holds for the whole; else each part is paid by the
    /// rate of its own tier.
    pub retroactive: bool,
    /// The span over which credits are summed; none for the period alone.
    pub to_date: Option<PeriodKind>,
    /// Whether the reward has a maximum beside its tiers.
    pub has_maximum: bool,
    /// Every tier, upwards.
    pub tiers: Vec<TierRange>,
    /// The place of the tier that is reached, from 0.
    pub index: usize,
    /// What the next tier asks for; none in the last one.
    pub next: Option<NextTier>,
}

/// The tier behind the one that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct NextTier {
    /// Where it begins: what is above this amount is in it.
    pub from: Decimal,
    /// What is paid of one unit in it.
    pub rate: Decimal,
    /// What must still be credited to come to its beginning.
    pub missing: Decimal,
}

/// The tiers behind a reward that these rules earned, with the claimant's `credits`; none where the row
/// is of no reward with tiers, or where its tiers are not found.
pub fn reached_tier(
    ruleset: &Ruleset,
    row: &EarnedReward,
    credits: &[PostedCredit],
) -> Option<ReachedTier> {
    if row.origin != RewardOrigin::Calculated {
        return None;
    }

    let plan = ruleset.plans.get(row.plan.as_str())?;
    let reward = plan.rewards.iter().find(|reward| *reward.name == *row.reward)?;
    let tiers = match &reward.worth {
        PayoutFormula::Program(_) => return None,
        PayoutFormula::Tiers(tiers) => tiers.clone(),
        PayoutFormula::TableTiers(_) => table_tiers(ruleset, (plan, reward), row, credits)?,
    };

    let scale = ruleset.settings.units.find(&row.credited_unit_type)?.scale;
    let ranges = tiers.ranges(row.quota).ok()?.into_iter().map(|range| TierRange {
        from: shown_limit(range.from, scale),
        up_to: range.up_to.map(|limit| shown_limit(limit, scale)),
        rate: range.rate.normalize(),
    });
    let ranges: Vec<TierRange> = ranges.collect();

    let holds = |range: &TierRange| range.up_to.is_none_or(|limit| row.credited <= limit);
    // Beyond the last limit nothing more is paid, and the last tier is the one that is reached.
    let index = ranges.iter().position(holds).unwrap_or(ranges.len().saturating_sub(1));
    let next = ranges.get(index + 1).map(|range| NextTier {
        from: range.from,
        rate: range.rate,
        missing: shown_limit(range.from.saturating_sub(row.credited), scale),
    });

    Some(ReachedTier {
        retroactive: tiers.retroactive,
        to_date: reward.to_date,
        has_maximum: reward.maximum.is_some(),
        tiers: ranges,
        index,
        next,
    })
}

/// A limit with the decimals of its unit; with more of them where a share of a quota needs more.
fn shown_limit(limit: Decimal, scale: u8) -> Decimal {
    let limit = limit.normalize();
    if limit.scale() > u32::from(scale) { limit } else { money::at_scale(limit, scale) }
}

/// The tiers that the table of a reward has for the claimant of a row.
fn table_tiers(
    ruleset: &Ruleset,
    (plan, reward): (&Plan, &Reward),
    row: &EarnedReward,
    credits: &[PostedCredit],
) -> Option<Tiers> {
    let PayoutFormula::TableTiers(named) = &reward.worth else { return None };
    let period = ruleset.settings.calendar.find(&row.period)?;
    let (none, history) = (DatedCredits::default(), EarnedHistory::default());
    let scope = PlanPeriod::new(ruleset, plan, &period, &none);
    let context = RewardContext { scope: &scope, reward, history: &history };

    let organization = &ruleset.organization;
    let claimant = match &row.team {
        Some(team) => Claimant::Team((*team).into(), organization.teams.find(team)?),
        None => {
            let payee = organization.find_participant(&row.payee)?;
            Claimant::Participant(organization.participant_id(payee).into(), payee)
        }
    };
    let unit = ruleset.settings.units.find(&row.credited_unit_type)?;
    let seats = seats_of(&context, &claimant, (row, credits));
    let claim = Claim { seats, ..Claim::new(claimant, unit) };
    tiers_of_claim(&context, &claim, named).ok()
}

/// The positions by which a claimant has a row, as the claim had them.
fn seats_of(
    context: &RewardContext<'_>,
    claimant: &Claimant,
    (row, credits): (&EarnedReward, &[PostedCredit]),
) -> Vec<(PositionId, Date)> {
    let Claimant::Participant(_, person) = claimant else { return Vec::new() };
    let organization = &context.ruleset().organization;
    let last = context.scope.last;

    // A manager is paid for credits of others, which are not among the manager's own.
    let by_manager = context.reward.to == RewardRecipient::UserManagers;
    if by_manager {
        let day = organization.last_day(*person, last);
        let held = organization.positions_held_by(*person, day);
        return held.into_iter().map(|seat| (seat, day)).collect();
    }

    let behind = credits.iter().filter(|credit| row.credits.contains(&credit.id));
    let seats = behind.filter_map(|credit| {
        let seat = organization.find_position(credit.position.as_deref()?)?;
        Some((seat, credit.incentive_date))
    });
    let seats: Vec<(PositionId, Date)> = seats.collect();
    if !seats.is_empty() {
        return seats;
    }

    // Without a credit it is the plan's targets who have a row.
    let days = context.scope.plan_targets(context.scope.period);
    let own = days.people().find(|(known, _)| known == person);
    own.map(|(_, seats)| seats.to_vec()).unwrap_or_default()
}
