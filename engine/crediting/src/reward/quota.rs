//! What was expected of a claimant in a period.
//!
//! A period's quota is its own row, or else the sum over its parts, each by the same rule; where no
//! row fits it is what the plan's formula says. Not which of several rows is the nearest
//! (`plan::quota`). Called by `claim` and `pay`. Source: REWARDS sections 2 and 3.
//!
//! **Architecture invariant:** a part without a row adds nothing, and a claimant without any row has
//! no quota, which is not a quota of zero.

use rust_decimal::Decimal;

use super::claim::{Claim, Claimant};
use super::pay;
use super::scope::RewardContext;
use super::targets::days_between;
use accredit_domain::calendar::Period;
use accredit_domain::note::Note;
use accredit_domain::organization::fold_name;
use accredit_domain::plan::Selector;
use accredit_script::Machine;

/// The quota of a claim: of the period, or to date where the reward is.
///
/// # Errors
/// The alert about a formula that cannot be computed.
pub(super) fn find_quota(
    context: &RewardContext<'_>,
    claim: &Claim,
    mut machine: Option<&mut Machine>,
) -> Result<Option<Decimal>, Note> {
    let (scope, calendar) = (context.scope, &context.ruleset().settings.calendar);
    if context.reward.to_date.is_none() {
        return quota_of_period(context, claim, scope.period, machine);
    }

    let span = context.whole_span();
    if context.reward.whole_span_quota {
        return quota_of_period(context, claim, &span, machine);
    }

    let mut sum = None;
    let periods = calendar.periods_within(&span, scope.plan.period);
    for period in periods.iter().filter(|period| period.first <= scope.period.first) {
        let quota = quota_of_period(context, claim, period, machine.as_deref_mut())?;
        sum = add_quotas(sum, quota);
    }
    Ok(sum)
}

fn quota_of_period(
    context: &RewardContext<'_>,
    claim: &Claim,
    period: &Period,
    machine: Option<&mut Machine>,
) -> Result<Option<Decimal>, Note> {
    if let Some(quota) = quota_by_rows(context, claim, period) {
        return Ok(Some(quota));
    }

    let Some(formula) = context.scope.plan.quota else { return Ok(None) };
    let quota = pay::run_quota(context, claim, (formula, period), machine)?;
    Ok(quota.map(|quota| prorated(context, claim, quota, period)))
}

/// The quota by the rows of the file: that of the period, or else the sum of its parts.
fn quota_by_rows(context: &RewardContext<'_>, claim: &Claim, period: &Period) -> Option<Decimal> {
    let (ruleset, plan) = (context.ruleset(), context.scope.plan);
    let types = &context.reward.credit_types;
    let fits = |target: &Selector| fits_claim(context, claim, target);

    if let Some(row) = ruleset.quotas.find(plan.id, &period.id, types, fits) {
        return Some(prorated(context, claim, row, period));
    }

    let parts = ruleset.settings.calendar.parts_of(period);
    let parts = parts.iter().map(|part| quota_by_rows(context, claim, part));
    parts.fold(None, add_quotas)
}

fn add_quotas(sum: Option<Decimal>, quota: Option<Decimal>) -> Option<Decimal> {
    match (sum, quota) {
        (Some(sum), Some(quota)) => Some(sum.saturating_add(quota)),
        (sum, quota) => sum.or(quota),
    }
}

/// A quota reduced to the days in a target position, where the plan asks for it.
fn prorated(
    context: &RewardContext<'_>,
    claim: &Claim,
    quota: Decimal,
    period: &Period,
) -> Decimal {
    let Claimant::Participant(_, person) = &claim.claimant else { return quota };
    if !context.scope.plan.prorate {
        return quota;
    }

    let days = Decimal::from(context.scope.plan_targets(period).days_of(*person));
    let whole = Decimal::from(days_between(period.first, period.end));
    // Multiplied first, so that a half is exactly one.
    let part = quota.checked_mul(days).and_then(|part| part.checked_div(whole));
    part.unwrap_or(quota)
}

/// Whether a row for `target` is for the claimant.
fn fits_claim(context: &RewardContext<'_>, claim: &Claim, target: &Selector) -> bool {
    let organization = &context.ruleset().organization;

    let titled = |title: &str| {
        claim.seats.iter().any(|(seat, date)| {
            let version = organization.version_on(*seat, *date);
            version.is_some_and(|version| fold_name(&version.title) == *title)
        })
    };

    match (target, &claim.claimant) {
        (Selector::All, _) => true,
        (Selector::Team(team), Claimant::Team(_, own)) => team == own,
        (_, Claimant::Team(..)) => false,
        (Selector::Participant(who), Claimant::Participant(_, own)) => who == own,
        (Selector::Position(wanted), _) => claim.seats.iter().any(|(seat, _)| seat == wanted),
        (Selector::Title(title), _) => titled(title),
        // A member who has left is measured with the team of their last day.
        (Selector::Team(team), Claimant::Participant(_, own)) => {
            let there = organization.last_day(*own, context.scope.last);
            organization.teams.is_member(*team, *own, there)
        }
    }
}
