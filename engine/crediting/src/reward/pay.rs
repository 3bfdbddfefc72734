//! What a claim is worth, and who is paid it in which currency.
//!
//! Not who has a claim (`claim`). Called by `reward`.
//!
//! **Architecture invariant:** an amount is rounded once, at the scale of the unit that it is paid
//! in, and never above its maximum; the members of a team get the team's rounded amount to the last
//! cent. A reward that cannot be computed raises an alert and is never zero.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::claim::{Claim, Claimant, RewardContext};
use super::tiers::tiers_of_claim;
use super::{ClaimContext, PlanRewards};
use accredit_domain::decision::{EarnedReward, Note};
use accredit_domain::exchange::NoExchange;
use accredit_domain::keys::{DefinedName, ParticipantKey, PeriodKey, PlanKey, RewardId, TeamKey};
use accredit_domain::money::{self, Shares, Unit};
use accredit_domain::organization::{ParticipantId, TeamId};
use accredit_domain::plan::reward::{PayoutFormula, RewardRecipient, Unpayable};
use accredit_domain::policy::ProgramId;
use accredit_script::{Machine, PayeeView, TotalsView};

/// Decimals of an attainment.
const ATTAINMENT_DECIMALS: u8 = 4;

/// Hexadecimal digits of a reward's id.
const ID_DIGITS: usize = 32;

/// Adds the rows of a claim, or the alert that says why there are none.
pub(super) fn pay_claim(
    desk: &RewardContext<'_>,
    claim: &Claim,
    machine: Option<&mut Machine>,
    rewards: &mut PlanRewards,
) {
    let quota = claim.find_quota(desk);

    let worth = match claim_worth(desk, claim, quota, machine) {
        Ok(worth) => worth,
        Err(alert) => return rewards.alerts.push(alert),
    };

    match &claim.claimant {
        Claimant::Participant(_, payee) => {
            let (amount, unit) = exchange_for_payee(desk, *payee, worth.exact, claim.unit, rewards);
            let units = (claim.unit, unit);
            // The maximum is exchanged as well, so that rounding is the last thing that happens.
            let exchanged_most = |most| desk.ruleset.rates.exchange(most, units, desk.last).ok();

            let most = worth.most.and_then(exchanged_most);
            let amount = round_payout(amount, most, unit.scale);
            add_reward(desk, claim, quota, (*payee, amount, unit), rewards);
        }
        Claimant::Team(_, team) => {
            let worth = round_payout(worth.exact, worth.most, claim.unit.scale);

            let paid = match desk.reward.to {
                RewardRecipient::TeamManagers => manager_part(desk, *team, worth),
                _ => member_parts(desk, *team, claim.unit, worth),
            };

            match paid {
                Ok(paid) => {
                    for (payee, amount) in paid {
                        let (amount, unit) =
                            exchange_for_payee(desk, payee, amount, claim.unit, rewards);
                        let amount = money::round_to_scale(amount, unit.scale);
                        add_reward(desk, claim, quota, (payee, amount, unit), rewards);
                    }
                }
                Err(alert) => rewards.alerts.push(alert),
            }
        }
    }
}

/// What a claim is worth, in the unit of its credits.
struct ClaimWorth {
    /// Unrounded, cut to the maximum.
    exact: Decimal,
    /// The maximum, without a sign, where the reward has one.
    most: Option<Decimal>,
}

/// `amount` at `scale` decimals; rounding up does not lead above `most`.
fn round_payout(amount: Decimal, most: Option<Decimal>, scale: u8) -> Decimal {
    let rounded = money::round_to_scale(amount, scale);
    let Some(most) = most.map(|most| money::cut_to_scale(most, scale)) else { return rounded };

    if rounded.abs() <= most {
        rounded
    } else if rounded.is_sign_negative() {
        -most
    } else {
        most
    }
}

/// Adds the row of a reward, or the alert that its amount is beyond the limit.
fn add_reward(
    desk: &RewardContext<'_>,
    claim: &Claim,
    quota: Option<Decimal>,
    paid: (ParticipantId, Decimal, Unit),
    rewards: &mut PlanRewards,
) {
    let (payee, amount, unit) = paid;

    match money::within_limit(amount, unit.scale) {
        Ok(_) => rewards.rows.push(reward_row(desk, claim, quota, paid)),
        Err(too_large) => {
            let id = desk.ruleset.organization.participant_id(payee);
            rewards
                .alerts
                .push(desk.reward_alert("policy_error", &format!("for `{id}`: {too_large}")));
        }
    }
}

/// What the claim is worth.
fn claim_worth(
    desk: &RewardContext<'_>,
    claim: &Claim,
    quota: Option<Decimal>,
    mut machine: Option<&mut Machine>,
) -> Result<ClaimWorth, Note> {
    let id = claim.claimant.id();
    let too_large = || desk.reward_alert("policy_error", &format!("what `{id}` has is too large"));

    let credited = claim.credited.ok_or_else(too_large)?;

    let unpayable = |why: Unpayable| match why {
        Unpayable::NoQuota => desk.reward_alert(
            "no_quota",
            &format!("`{id}` has no quota, and the tiers are shares of it"),
        ),
        Unpayable::TooLarge => too_large(),
    };

    let worth = match &desk.reward.worth {
        PayoutFormula::Tiers(tiers) => tiers.payout_for(credited, quota).map_err(unpayable)?,
        PayoutFormula::TableTiers(named) => {
            let tiers = tiers_of_claim(desk, claim, named)?;
            tiers.payout_for(credited, quota).map_err(unpayable)?
        }
        PayoutFormula::Program(program) => {
            run_program(desk, claim, (credited, quota), *program, machine.as_deref_mut())?
        }
    };
    let Some(program) = desk.reward.maximum else {
        return Ok(ClaimWorth { exact: worth, most: None });
    };

    let most = run_program(desk, claim, (credited, quota), program, machine)?.abs();
    let left = worth.abs().min(most);
    let exact = if worth.is_sign_negative() { -left } else { left };
    Ok(ClaimWorth { exact, most: Some(most) })
}

/// Runs a program of the reward.
fn run_program(
    desk: &RewardContext<'_>,
    claim: &Claim,
    (credited, quota): (Decimal, Option<Decimal>),
    program: ProgramId,
    machine: Option<&mut Machine>,
) -> Result<Decimal, Note> {
    let id = claim.claimant.id();

    let Some(machine) = machine else {
        return Err(desk.reward_alert("policy_error", "there is nothing to run its program with"));
    };

    let seen = claim_context(desk, claim, (credited, quota));
    machine.run_reward(program, &seen.reward_arguments()).map_err(|fault| {
        let alert = desk.reward_alert("policy_error", &format!("for `{id}`: {}", fault.message));
        Note {
            policy: (!fault.policy.is_empty()).then(|| fault.policy.to_string()),
            // A program of a line in the plan has no policy to name.
            file: Some(fault.place.file),
            line: Some(fault.place.line),
            column: Some(fault.place.column),
            ..alert
        }
    })
}

/// What programs see of a claim.
pub(super) fn claim_context(
    desk: &RewardContext<'_>,
    claim: &Claim,
    (credited, quota): (Decimal, Option<Decimal>),
) -> ClaimContext {
    let settings = &desk.ruleset.settings;
    let types = settings.credit_types.iter().chain(&desk.reward.credit_types);

    let mut totals = claim.totals.clone();
    // A type without a credit is 0 to a program, not an error.
    types.for_each(|name| {
        totals.entry(Arc::clone(name)).or_default();
    });

    let totals = Arc::new(TotalsView { credited, by_credit_type: totals });
    ClaimContext { payee: Arc::new(payee_view(desk, claim)), totals, quota }
}

/// The claimant as programs see it; a person by the seat of the first credit that counts.
pub(super) fn payee_view(desk: &RewardContext<'_>, claim: &Claim) -> PayeeView {
    let organization = &desk.ruleset.organization;

    // The first position, independent of the order of the credits.
    let seat = claim.seats.iter().min_by_key(|(seat, date)| (*date, *seat)).copied();
    let version = seat.and_then(|(seat, date)| organization.version_on(seat, date));

    let (name, team) = match &claim.claimant {
        Claimant::Participant(_, payee) => (organization.participant_name(*payee), None),
        Claimant::Team(id, team) => {
            let version = organization.teams.version_on(*team, desk.last);
            let name = version.map_or_else(|| Arc::clone(id), |known| Arc::clone(&known.name));
            (name, Some(Arc::clone(id)))
        }
    };

    PayeeView {
        id: Arc::clone(claim.claimant.id()),
        name,
        position: seat.map(|(seat, _)| organization.position_id(seat)),
        title: version.map(|version| Arc::clone(&version.title)),
        team,
        period: Arc::from(desk.period.id.as_str()),
        unit_type: Arc::from(desk.ruleset.settings.units.name(claim.unit)),
    }
}

/// The members of a team on the period's last day, and their parts by weight.
fn member_parts(
    desk: &RewardContext<'_>,
    team: TeamId,
    unit: Unit,
    worth: Decimal,
) -> Result<Vec<(ParticipantId, Decimal)>, Note> {
    let organization = &desk.ruleset.organization;

    let mut members: Vec<(ParticipantId, Decimal)> = Vec::new();
    for member in organization.existing_members(team, desk.last) {
        // Two rows of one person are one member with the sum of their weights.
        match members.iter_mut().find(|(known, _)| *known == member.participant) {
            Some((_, weight)) => *weight = weight.saturating_add(member.weight),
            None => members.push((member.participant, member.weight)),
        }
    }

    let id = organization.team_id(team);
    if members.is_empty() {
        let message = format!("team `{id}` has no member on {}, so nobody is paid", desk.last);
        return Err(desk.reward_alert("unmatched", &message));
    }

    let weights: Vec<Decimal> = members.iter().map(|(_, weight)| *weight).collect();
    // Weights that are all zero divide nothing: the members share equally.
    let shares = if weights.iter().all(Decimal::is_zero) {
        Shares::Equal(weights.len())
    } else {
        Shares::Parts(weights)
    };

    let parts = money::split_exactly(worth, &shares, unit.scale)
        .map_err(|error| desk.reward_alert("policy_error", &format!("team `{id}`: {error}")))?;
    Ok(members.into_iter().map(|(payee, _)| payee).zip(parts).collect())
}

/// The holder of a team's manager position on the period's last day.
fn manager_part(
    desk: &RewardContext<'_>,
    team: TeamId,
    worth: Decimal,
) -> Result<Vec<(ParticipantId, Decimal)>, Note> {
    let organization = &desk.ruleset.organization;

    let (id, last) = (organization.team_id(team), desk.last);

    let manager = organization.teams.version_on(team, last).and_then(|version| version.manager);
    let Some(manager) = manager else {
        let message = format!("team `{id}` has no manager on {last}, so nobody is paid");
        return Err(desk.reward_alert("unmatched", &message));
    };

    match desk.manager_on(manager, last) {
        Some(holder) => Ok(vec![(holder, worth)]),
        None => {
            let vacant = organization.position_id(manager);
            let message =
                format!("`{vacant}` is vacant on {last}, so nobody gets what `{id}` earned");
            Err(desk.reward_alert("vacant", &message))
        }
    }
}

/// An amount in the payee's currency at the rate of the period's last day; as it is, with an alert,
/// where there is no rate.
fn exchange_for_payee(
    desk: &RewardContext<'_>,
    payee: ParticipantId,
    amount: Decimal,
    unit: Unit,
    rewards: &mut PlanRewards,
) -> (Decimal, Unit) {
    let (organization, rates) = (&desk.ruleset.organization, &desk.ruleset.rates);
    // A participant who has left is paid in the currency of their last day.
    let there = organization.last_day(payee, desk.last);
    let Some(own) = organization.currency_on(payee, there) else { return (amount, unit) };

    if !rates.is_currency(unit) {
        return (amount, unit);
    }

    match rates.exchange(amount, (unit, own), desk.last) {
        Ok(exchanged) => (exchanged, own),
        Err(why) => {
            let name = |unit| desk.ruleset.settings.units.name(unit);

            let (one, other, last) = (name(unit), name(own), desk.last);
            let why = match why {
                NoExchange::NoRate => format!("no exchange rate from {one} to {other} on {last}"),
                NoExchange::TooLarge => format!("{amount} {one} is too large to be exchanged"),
            };

            let id = organization.participant_id(payee);
            let message = format!("what `{id}` gets stays in {one}: {why}");
            rewards.alerts.push(desk.reward_alert("no_exchange_rate", &message));
            (amount, unit)
        }
    }
}

fn reward_row(
    desk: &RewardContext<'_>,
    claim: &Claim,
    quota: Option<Decimal>,
    (payee, amount, unit): (ParticipantId, Decimal, Unit),
) -> EarnedReward {
    let (units, reward) = (&desk.ruleset.settings.units, desk.reward);
    let payee = desk.ruleset.organization.participant_id(payee);

    let team = match &claim.claimant {
        Claimant::Team(id, _) => Some(TeamKey::from(id)),
        Claimant::Participant(..) => None,
    };

    let (of, credited) = (claim.unit, claim.credited.unwrap_or_default());

    let share = quota.and_then(|quota| credited.checked_div(quota));
    let attainment = share.map(|share| money::round_to_scale(share, ATTAINMENT_DECIMALS));

    let (plan, period) = (&desk.plan.id, desk.period.id.as_str());
    let parts = [plan, period, &reward.name, &payee, team.as_deref().unwrap_or(""), units.name(of)];

    EarnedReward {
        id: RewardId::from(reward_id(&parts)),
        reward: DefinedName::from(&reward.name),
        credit_type: DefinedName::from(reward.credit_types.join(";")),
        credited: money::at_scale(credited, of.scale),
        credited_unit_type: DefinedName::from(units.name(of)),
        quota: quota.map(|quota| money::at_scale(quota, of.scale)),
        attainment: attainment.map(|share| money::at_scale(share, ATTAINMENT_DECIMALS)),
        amount: money::at_scale(amount, unit.scale),
        unit_type: DefinedName::from(units.name(unit)),
        credits: claim.credits.clone(),
        plan: PlanKey::from(plan),
        period: PeriodKey::from(period),
        payee: ParticipantKey::from(payee),
        team,
    }
}

/// `rwd_` and a hash of what names a reward.
fn reward_id(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        // Lengths keep the end of one part from passing as the beginning of the next.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digits: String = hasher.finalize().to_hex().chars().take(ID_DIGITS).collect();
    format!("rwd_{digits}")
}
