//! What a claim is worth, and who is paid it in which currency.
//!
//! Not who has a claim (`claim`) and not the parts of a team's members (`members`). Called by `book`.
//!
//! **Architecture invariant:** an amount is rounded once, at the scale of the unit that it is paid
//! in, and never above its maximum; the members of a team get the team's rounded amount to the last
//! cent. A reward that cannot be computed raises an alert and is never zero.

use std::collections::BTreeMap;
use std::sync::Arc;

use rust_decimal::Decimal;

use super::ClaimContext;
use super::claim::{Claim, Claimant};
use super::history::{EarnedBy, EarnedHistory};
use super::scope::{PlanPeriod, RewardContext};
use super::tiers::tiers_of_claim;
use super::{members, quota};
use accredit_domain::calendar::Period;
use accredit_domain::decision::{EarnedReward, RewardOrigin};
use accredit_domain::exchange::NoExchange;
use accredit_domain::keys::{DefinedName, PeriodKey, PlanKey, RewardId, TeamKey};
use accredit_domain::money::{self, Unit};
use accredit_domain::note::{Note, NoteCode};
use accredit_domain::organization::{ParticipantId, PositionId};
use accredit_domain::plan::reward::{PayoutFormula, RewardRecipient, Unpayable};
use accredit_domain::policy::ProgramId;
use accredit_script::{EarnedView, Machine, PayeeView, ScriptFault, StandingView, TotalsView};
use jiff::civil::Date;

/// Decimals of an attainment.
const ATTAINMENT_DECIMALS: u8 = 4;

/// Hexadecimal digits of a reward's id.
const ID_DIGITS: usize = 32;

/// What became of a claim.
#[derive(Debug, Default)]
pub(super) struct ClaimPayment {
    pub(super) rows: Vec<EarnedReward>,
    pub(super) alerts: Vec<Note>,
    /// What is recorded of it for later rewards and periods.
    earned: Vec<EarnedEntry>,
    /// Whether it could not be computed.
    pub(super) failed: bool,
}

/// An amount that was earned in the unit of the credits.
#[derive(Debug)]
struct EarnedEntry {
    by: EarnedBy,
    /// The member whose part it is; none for the whole.
    member: Option<Arc<str>>,
    amount: Decimal,
}

impl ClaimPayment {
    fn failed(alert: Note) -> ClaimPayment {
        ClaimPayment { alerts: vec![alert], failed: true, ..ClaimPayment::default() }
    }

    /// Records what was earned by the reward `name` in the period that begins on `first`.
    pub(super) fn record_in(&mut self, history: &mut EarnedHistory, name: &Arc<str>, first: Date) {
        for entry in self.earned.drain(..) {
            match entry.member {
                Some(member) => history.add_member((entry.by, name, &member), first, entry.amount),
                None => history.add_claim(entry.by, name, first, entry.amount),
            }
        }
    }
}

/// The rows of a claim, or the alert that says why there are none.
pub(super) fn pay_claim(
    context: &RewardContext<'_>,
    claim: &Claim,
    standing: StandingView,
    mut machine: Option<&mut Machine>,
) -> ClaimPayment {
    let quota = match quota::find_quota(context, claim, machine.as_deref_mut()) {
        Ok(quota) => quota,
        Err(alert) => return ClaimPayment::failed(alert),
    };

    let worth = match claim_worth(context, claim, (quota, standing), machine) {
        Ok(worth) => worth,
        Err(alert) => return ClaimPayment::failed(alert),
    };

    let mut payment = ClaimPayment::default();
    let by = claim.account(context);
    // In the unit of the credits: what is earned to date, less what earlier periods earned.
    let earned = round_payout(worth.exact, worth.most, claim.unit.scale);
    let due = earned.saturating_sub(earned_before(context, &by));
    payment.earned.push(EarnedEntry { by: by.clone(), member: None, amount: due });

    match &claim.claimant {
        Claimant::Participant(_, payee) => {
            let (amount, unit) = match context.reward.to_date {
                Some(_) => exchange_for_payee(context, *payee, due, claim.unit, &mut payment),
                None => exchange_for_payee(context, *payee, worth.exact, claim.unit, &mut payment),
            };
            let units = (claim.unit, unit);
            // The maximum is exchanged as well, so that rounding is the last thing that happens.
            let exchanged_most =
                |most| context.ruleset().rates.exchange(most, units, context.scope.last).ok();

            // What is due to date was cut already, and is a part of what may be paid.
            let most = worth.most.filter(|_| context.reward.to_date.is_none());
            let amount = round_payout(amount, most.and_then(exchanged_most), unit.scale);
            add_reward(context, claim, quota, (*payee, amount, unit), &mut payment);
        }
        Claimant::Team(_, team) => {
            let paid = match context.reward.to {
                RewardRecipient::TeamManagers => {
                    members::manager_part(context, *team, due).map(|parts| (parts, None))
                }
                _ => members::member_parts(context, (claim, *team), earned, &by),
            };

            let (parts, warning) = match paid {
                Ok(parts) => parts,
                Err(alert) => return ClaimPayment::failed(alert),
            };
            payment.alerts.extend(warning);

            for (payee, amount) in parts {
                let member = context.ruleset().organization.participant_id(payee).into();
                payment.earned.push(EarnedEntry { by: by.clone(), member: Some(member), amount });

                let (amount, unit) =
                    exchange_for_payee(context, payee, amount, claim.unit, &mut payment);
                let amount = money::round_to_scale(amount, unit.scale);
                add_reward(context, claim, quota, (payee, amount, unit), &mut payment);
            }
        }
    }

    payment
}

/// What a claimant earned by the reward in earlier periods of its span; nothing unless it is to date.
fn earned_before(context: &RewardContext<'_>, by: &EarnedBy) -> Decimal {
    if context.reward.to_date.is_none() {
        return Decimal::ZERO;
    }
    let span = context.whole_span();
    let first = context.scope.period.first;
    context.history.earlier_in_span(by, &context.reward.name, (&span, first))
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
    context: &RewardContext<'_>,
    claim: &Claim,
    quota: Option<Decimal>,
    paid: (ParticipantId, Decimal, Unit),
    payment: &mut ClaimPayment,
) {
    let (payee, amount, unit) = paid;

    match money::within_limit(amount, unit.scale) {
        Ok(_) => payment.rows.push(reward_row(context, claim, quota, paid)),
        Err(too_large) => {
            let id = context.ruleset().organization.participant_id(payee);
            let message = format!("for `{id}`: {too_large}");
            payment.alerts.push(context.reward_alert(NoteCode::PolicyError, &message));
            payment.failed = true;
        }
    }
}

/// What the claim is worth.
fn claim_worth(
    context: &RewardContext<'_>,
    claim: &Claim,
    (quota, standing): (Option<Decimal>, StandingView),
    mut machine: Option<&mut Machine>,
) -> Result<ClaimWorth, Note> {
    let id = claim.claimant.id();
    let too_large =
        || context.reward_alert(NoteCode::PolicyError, &format!("what `{id}` has is too large"));

    let credited = claim.credited.ok_or_else(too_large)?;
    let seen = claim_context(context, claim, (credited, quota, standing));

    let unpayable = |why: Unpayable| match why {
        Unpayable::NoQuota => context.reward_alert(
            NoteCode::NoQuota,
            &format!("`{id}` has no quota, and the tiers are shares of it"),
        ),
        Unpayable::TooLarge => too_large(),
        Unpayable::PartsDiffer => context.reward_alert(
            NoteCode::PolicyError,
            &format!("law broken (sum of tier parts): for `{id}`; nothing is paid"),
        ),
    };

    let worth = match &context.reward.worth {
        PayoutFormula::Tiers(tiers) => tiers.payout_for(credited, quota).map_err(unpayable)?,
        PayoutFormula::TableTiers(named) => {
            let tiers = tiers_of_claim(context, claim, named)?;
            tiers.payout_for(credited, quota).map_err(unpayable)?
        }
        PayoutFormula::Program(program) => {
            run_program(context, &seen, *program, machine.as_deref_mut())?
        }
    };

    let Some(program) = context.reward.maximum else {
        return Ok(ClaimWorth { exact: worth, most: None });
    };

    let most = run_program(context, &seen, program, machine)?.abs();
    let left = worth.abs().min(most);
    let exact = if worth.is_sign_negative() { -left } else { left };
    Ok(ClaimWorth { exact, most: Some(most) })
}

/// Runs a program of the reward.
fn run_program(
    context: &RewardContext<'_>,
    seen: &ClaimContext,
    program: ProgramId,
    machine: Option<&mut Machine>,
) -> Result<Decimal, Note> {
    let Some(machine) = machine else {
        return Err(
            context.reward_alert(NoteCode::PolicyError, "there is nothing to run its program with")
        );
    };

    let number = machine.run_reward(program, &seen.reward_arguments());
    number
        .map_err(|fault| program_alert(context.scope, &context.reward.name, &seen.payee.id, &fault))
}

/// What the plan's formula expects of a claimant in a period; nothing where that is not above zero.
/// An earlier period of a sum to date is read on its own last day, so it stays what it was.
///
/// # Errors
/// The alert about the formula.
pub(super) fn run_quota(
    context: &RewardContext<'_>,
    claim: &Claim,
    (formula, period): (ProgramId, &Period),
    machine: Option<&mut Machine>,
) -> Result<Option<Decimal>, Note> {
    let last = period.end.yesterday().map_or(context.scope.last, |day| day.min(context.scope.last));
    let payee = PayeeView { last_day: Some(last), ..payee_view(context, claim) };
    let payee = Arc::new(payee);
    let quota =
        run_for_payee(context.scope, &context.reward.name, &payee, (formula, period), machine)?;
    Ok(Some(quota).filter(|quota| *quota > Decimal::ZERO))
}

/// The number of a program that sees a payee and a period: a quota, or the amount of a draw.
///
/// # Errors
/// The alert about the program, as one of the reward or draw called `name`.
pub(super) fn run_for_payee(
    scope: &PlanPeriod<'_>,
    name: &str,
    payee: &Arc<PayeeView>,
    (program, period): (ProgramId, &Period),
    machine: Option<&mut Machine>,
) -> Result<Decimal, Note> {
    let Some(machine) = machine else {
        return Err(scope.reward_alert(
            name,
            NoteCode::PolicyError,
            "there is nothing to run its program with",
        ));
    };

    let number = machine.run_for_payee(program, payee, &period.id);
    number.map_err(|fault| program_alert(scope, name, &payee.id, &fault))
}

/// The alert about a program that failed for the payee `id`.
fn program_alert(scope: &PlanPeriod<'_>, name: &str, id: &str, fault: &ScriptFault) -> Note {
    let alert =
        scope.reward_alert(name, NoteCode::PolicyError, &format!("for `{id}`: {}", fault.message));
    Note {
        policy: (!fault.policy.is_empty()).then(|| fault.policy.to_string()),
        // A program of a line in the plan has no policy to name.
        file: Some(fault.place.file.clone()),
        line: Some(fault.place.line),
        column: Some(fault.place.column),
        ..alert
    }
}

/// What programs see of a claim.
pub(super) fn claim_context(
    context: &RewardContext<'_>,
    claim: &Claim,
    (credited, quota, standing): (Decimal, Option<Decimal>, StandingView),
) -> ClaimContext {
    let settings = &context.ruleset().settings;
    let types = settings.credit_types.iter().chain(&context.reward.credit_types);

    let mut totals = claim.totals.clone();
    // A type without a credit is 0 to a program, not an error.
    types.for_each(|name| {
        totals.entry(Arc::clone(name.shared())).or_default();
    });

    let totals = TotalsView { credited, by_credit_type: totals, count: claim.deals.len() };
    let (earned, paid) = earned_views(context, claim);
    ClaimContext {
        payee: Arc::new(payee_view(context, claim)),
        totals: Arc::new(totals),
        quota,
        earned: Arc::new(earned),
        paid: Arc::new(paid),
        standing: Arc::new(standing),
    }
}

/// What earlier rewards of the period earned, and what earlier periods of the fiscal year paid.
fn earned_views(context: &RewardContext<'_>, claim: &Claim) -> (EarnedView, EarnedView) {
    let by = claim.account(context);
    let period = context.scope.period;
    let names = || context.scope.plan.rewards.iter().map(|reward| &reward.name);

    let before = names().take_while(|name| **name != context.reward.name);
    let earned = context.history.earned_between(&by, (period.first, period.end));

    let year = context.fiscal_year().map_or(period.first, |year| year.first);
    let paid = context.history.earned_between(&by, (year, period.first));

    (earned_view(before, &earned), earned_view(names(), &paid))
}

/// A reward that earned nothing is 0 to a program, not an error.
fn earned_view<'a>(
    names: impl Iterator<Item = &'a Arc<str>>,
    amounts: &BTreeMap<Arc<str>, Decimal>,
) -> EarnedView {
    let by_reward: BTreeMap<Arc<str>, Decimal> = names
        .map(|name| (Arc::clone(name), amounts.get(name).copied().unwrap_or_default()))
        .collect();
    let total = by_reward.values().copied().fold(Decimal::ZERO, Decimal::saturating_add);
    EarnedView { by_reward, total }
}

/// The claimant as programs see it; a person by the seat of the first credit that counts.
pub(super) fn payee_view(context: &RewardContext<'_>, claim: &Claim) -> PayeeView {
    let organization = &context.ruleset().organization;

    // The first position, independent of the order of the credits.
    let seat = claim.seats.iter().min_by_key(|(seat, date)| (*date, *seat)).copied();

    let person = match &claim.claimant {
        Claimant::Participant(_, payee) => Some(*payee),
        Claimant::Team(..) => None,
    };
    if let Some(person) = person {
        return person_view(context.scope, person, seat, claim.unit);
    }

    let (id, last) = (claim.claimant.id(), context.scope.last);
    let team = organization.teams.find(id);
    let version = team.and_then(|team| organization.teams.version_on(team, last));
    PayeeView {
        id: Arc::clone(id),
        name: version.map_or_else(|| Arc::clone(id), |known| Arc::clone(&known.name)),
        position: None,
        title: None,
        team: Some(Arc::clone(id)),
        period: Arc::from(context.scope.period.id.as_str()),
        unit_type: Arc::from(context.ruleset().settings.units.name(claim.unit)),
        last_day: Some(last),
        reference: Arc::clone(&context.ruleset().reference),
    }
}

/// A person as programs see them, in the position `seat`.
pub(super) fn person_view(
    scope: &PlanPeriod<'_>,
    person: ParticipantId,
    seat: Option<(PositionId, Date)>,
    unit: Unit,
) -> PayeeView {
    let organization = &scope.ruleset.organization;
    let version = seat.and_then(|(seat, date)| organization.version_on(seat, date));

    PayeeView {
        id: organization.participant_id(person).into(),
        name: organization.participant_name(person),
        position: seat.map(|(seat, _)| organization.position_id(seat)),
        title: version.map(|version| version.title),
        team: None,
        period: Arc::from(scope.period.id.as_str()),
        unit_type: Arc::from(scope.ruleset.settings.units.name(unit)),
        last_day: Some(scope.last),
        reference: Arc::clone(&scope.ruleset.reference),
    }
}

/// An amount in the payee's currency at the rate of the period's last day; as it is, with an alert,
/// where there is no rate.
fn exchange_for_payee(
    context: &RewardContext<'_>,
    payee: ParticipantId,
    amount: Decimal,
    unit: Unit,
    payment: &mut ClaimPayment,
) -> (Decimal, Unit) {
    let (organization, rates) = (&context.ruleset().organization, &context.ruleset().rates);
    // A participant who has left is paid in the currency of their last day.
    let there = organization.last_day(payee, context.scope.last);
    let Some(own) = organization.currency_on(payee, there) else { return (amount, unit) };

    if !rates.is_currency(unit) {
        return (amount, unit);
    }

    match rates.exchange(amount, (unit, own), context.scope.last) {
        Ok(exchanged) => (exchanged, own),
        Err(why) => {
            let name = |unit| context.ruleset().settings.units.name(unit);

            let (one, other, last) = (name(unit), name(own), context.scope.last);
            let why = match why {
                NoExchange::NoRate => format!("no exchange rate from {one} to {other} on {last}"),
                NoExchange::TooLarge => format!("{amount} {one} is too large to be exchanged"),
            };

            let id = organization.participant_id(payee);
            let message = format!("what `{id}` gets stays in {one}: {why}");
            payment.alerts.push(context.reward_alert(NoteCode::NoExchangeRate, &message));
            (amount, unit)
        }
    }
}

fn reward_row(
    context: &RewardContext<'_>,
    claim: &Claim,
    quota: Option<Decimal>,
    (payee, amount, unit): (ParticipantId, Decimal, Unit),
) -> EarnedReward {
    let (units, reward) = (&context.ruleset().settings.units, context.reward);
    let payee = context.ruleset().organization.participant_id(payee);

    let team = match &claim.claimant {
        Claimant::Team(id, _) => Some(TeamKey::from(id)),
        Claimant::Participant(..) => None,
    };

    let (of, credited) = (claim.unit, claim.credited.unwrap_or_default());

    let share = quota.and_then(|quota| credited.checked_div(quota));
    let attainment = share.map(|share| money::round_to_scale(share, ATTAINMENT_DECIMALS));

    let (plan, period) = (&context.scope.plan.id, context.scope.period.id.as_str());
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
        payee,
        team,
        origin: RewardOrigin::Calculated,
        corrects: None,
    }
}

/// `rwd_` and a hash of what names a reward.
pub(super) fn reward_id(parts: &[&str]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        // Lengths keep the end of one part from passing as the beginning of the next.
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part.as_bytes());
    }
    let digits: String = hasher.finalize().to_hex().chars().take(ID_DIGITS).collect();
    format!("rwd_{digits}")
}
