//! Draws and guarantees: the amount that a payee has in every period at least.
//!
//! Where less is earned, the rest is paid; of a recoverable draw it is owed and taken back from
//! periods that earn more. Not the balances of frozen periods (`balance`). Called by `book`. Source:
//! REWARDS section 6.
//!
//! **Architecture invariant:** no more is recovered than is owed, than was earned above the draw,
//! and than the plan allows in a period.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::balance::{BalanceKey, Balances};
use super::history::EarnedBy;
use super::pay::{person_view, reward_id, run_for_payee};
use super::scope::PlanPeriod;
use super::targets::TargetDays;
use accredit_domain::decision::{EarnedReward, RewardOrigin};
use accredit_domain::keys::{DefinedName, PeriodKey, PlanKey, RewardId};
use accredit_domain::money::{self, Unit};
use accredit_domain::note::{Note, NoteCode};
use accredit_domain::organization::ParticipantId;
use accredit_domain::plan::reward::Draw;
use accredit_script::Machine;

/// What a payee earned by the covered rewards in a unit: by the payee's id and the unit's name.
pub(super) type EarnedByPayee<'a> = dyn Fn(&str, &str) -> Decimal + 'a;

/// What a draw comes to in a period.
#[derive(Default)]
pub(super) struct DrawPayments {
    pub(super) rows: Vec<EarnedReward>,
    /// Payees whose draw cannot be computed, with the alerts that say why.
    pub(super) failed: Vec<(EarnedBy, Note)>,
}

/// What a draw pays everybody who has it. `earned` says what the covered rewards of a payee came to
/// in a unit, and `owed` what was owed when the period began.
pub(super) fn pay_draw(
    scope: &PlanPeriod<'_>,
    draw: &Draw,
    (earned, owed): (&EarnedByPayee<'_>, &Balances),
    mut machine: Option<&mut Machine>,
) -> DrawPayments {
    let mut payments = DrawPayments::default();
    if !draw.validity.contains(scope.last) {
        return payments;
    }

    let organization = &scope.ruleset.organization;
    let targets = TargetDays::find(organization, &draw.targets, scope.period);

    let wanted = |person| scope.wants_claimant(&organization.participant_id(person));
    for (person, seats) in targets.people().filter(|(person, _)| wanted(*person)) {
        // A participant who has left is paid in the currency of their last day.
        let there = organization.last_day(person, scope.last);
        let home = scope.ruleset.settings.currency;
        let unit = organization.currency_on(person, there).unwrap_or(home);

        let seat = seats.iter().min_by_key(|(seat, date)| (*date, *seat)).copied();
        let payee = Arc::new(person_view(scope, person, seat, unit));
        let program = (draw.amount, scope.period);
        let amount = run_for_payee(scope, &draw.name, &payee, program, machine.as_deref_mut());

        let terms = amount.and_then(|amount| payee_terms(scope, draw, amount, unit));
        let terms = match terms {
            Ok(terms) => terms,
            Err(alert) => {
                let unit = Arc::from(scope.ruleset.settings.units.name(unit));
                let by = EarnedBy { is_team: false, id: Arc::clone(&payee.id), unit };
                payments.failed.push((by, alert));
                continue;
            }
        };

        let unit_name = scope.ruleset.settings.units.name(unit);
        let key = BalanceKey::new(&draw.name, &payee.id, unit_name);
        let paid = paid_by_draw(draw, &terms, earned(&payee.id, unit_name), owed.of(&key));
        if !paid.is_zero() {
            payments.rows.push(draw_row(scope, draw, person, (paid, unit)));
        }
    }

    payments
}

/// A draw in the currency of a payee.
struct DrawTerms {
    amount: Decimal,
    recover_at_most: Option<Decimal>,
}

fn payee_terms(
    scope: &PlanPeriod<'_>,
    draw: &Draw,
    amount: Decimal,
    unit: Unit,
) -> Result<DrawTerms, Note> {
    let home = scope.ruleset.settings.currency;
    let exchanged = |amount: Decimal| {
        let rates = &scope.ruleset.rates;
        let found = match home == unit {
            true => Some(amount),
            false => rates.exchange(amount, (home, unit), scope.last).ok(),
        };
        let found = found.map(|amount| money::round_to_scale(amount, unit.scale));
        found.ok_or_else(|| {
            let name = |unit| scope.ruleset.settings.units.name(unit);
            let message =
                format!("no exchange rate from {} to {} on {}", name(home), name(unit), scope.last);
            scope.reward_alert(&draw.name, NoteCode::NoExchangeRate, &message)
        })
    };

    Ok(DrawTerms {
        amount: exchanged(amount.max(Decimal::ZERO))?,
        recover_at_most: draw.recover_at_most.map(exchanged).transpose()?,
    })
}

/// What a draw pays, or takes back as a negative amount.
fn paid_by_draw(draw: &Draw, terms: &DrawTerms, earned: Decimal, owed: Decimal) -> Decimal {
    if earned < terms.amount {
        return terms.amount.saturating_sub(earned);
    }
    if !draw.recoverable {
        return Decimal::ZERO;
    }

    let above = earned.saturating_sub(terms.amount);
    let recovered = above.min(owed.max(Decimal::ZERO));
    -terms.recover_at_most.map_or(recovered, |most| recovered.min(most))
}

fn draw_row(
    scope: &PlanPeriod<'_>,
    draw: &Draw,
    person: ParticipantId,
    (amount, unit): (Decimal, Unit),
) -> EarnedReward {
    let payee = scope.ruleset.organization.participant_id(person);
    let unit_name = scope.ruleset.settings.units.name(unit);
    let (plan, period) = (&scope.plan.id, scope.period.id.as_str());

    EarnedReward {
        id: RewardId::from(reward_id(&[plan, period, &draw.name, &payee, "", unit_name, "draw"])),
        plan: PlanKey::from(plan),
        period: PeriodKey::from(period),
        reward: DefinedName::from(&draw.name),
        payee,
        team: None,
        credit_type: DefinedName::default(),
        credited: money::at_scale(Decimal::ZERO, unit.scale),
        credited_unit_type: DefinedName::from(unit_name),
        quota: None,
        attainment: None,
        amount: money::at_scale(amount, unit.scale),
        unit_type: DefinedName::from(unit_name),
        credits: Vec::new(),
        origin: RewardOrigin::Draw,
        corrects: None,
    }
}
