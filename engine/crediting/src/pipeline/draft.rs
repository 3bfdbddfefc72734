//! What direct and indirect credits have in common while they are made.

use accredit_domain::note::{NoteCode, NoteStage};

use rust_decimal::Decimal;

use crate::stage::rollup::Candidate;
use crate::stage::{DealCase, ParkReason, maximum};
use accredit_domain::credit::posted::{CreditKind, CreditOrigin};
use accredit_domain::credit::{Credit, CreditSource, CreditStatus};
use accredit_domain::keys::DefinedName;
use accredit_domain::money::{self, Unit};
use accredit_domain::organization::{Recipient, TeamId};
use accredit_domain::plan::ResultBase;

/// The way of an indirect credit: the direct one that it comes from, and how it reached its receiver.
pub(super) type RolledFrom<'a> = (CreditSource, &'a Candidate);

/// A credit with everything but its amount known.
pub(super) fn blank_credit(
    case: &DealCase<'_>,
    (rule, result): (DefinedName, &ResultBase),
    (recipient, team): (Recipient, Option<TeamId>),
    (unit, credit_type): (Unit, DefinedName),
    rolled: Option<RolledFrom<'_>>,
) -> Credit {
    let organization = &case.ruleset.organization;
    let settings = &case.ruleset.settings;

    let position = recipient.position();
    let known = position.and_then(|position| organization.position_on(position, case.date));
    let team = team.or(recipient.team());

    Credit {
        recipient,
        title: position.map(|_| known.map(|known| known.title).unwrap_or_default()),
        unit,
        rollable: false,
        rollable_on_reporting: false,
        source: rolled.map(|(source, _)| source),
        amount: Decimal::ZERO,
        incentive_date: case.date,
        plan: case.plan.id,
        rule,
        result: result.name,
        kind: if rolled.is_none() { CreditKind::Direct } else { CreditKind::Indirect },
        position: position.map(|position| organization.position_id(position)),
        payee: known.and_then(|known| known.payee),
        team: team.map(|team| organization.team_id(team)),
        relationship: rolled.map(|(_, to)| settings.relationship_name(to.relationship)),
        via: rolled.map(|(_, to)| organization.recipient_id(to.via)),
        level: rolled.map(|(_, to)| to.level),
        share: None,
        period: case.period,
        credit_type,
        unit_type: settings.units.shared_name(unit),
        status: CreditStatus::Active,
        release_date: None,
        reason: None,
        reason_code: result.reason_code,
        origin: CreditOrigin::Calculated,
        reverses: None,
    }
}

/// Parks a deal whose value no credit may have.
///
/// # Errors
/// [`ParkReason`] beyond the limit on amounts, which it names.
pub(super) fn check_value_limit(
    stage: NoteStage,
    value: Decimal,
    unit: Unit,
) -> Result<(), ParkReason> {
    match money::within_limit(value, unit.scale) {
        Ok(_) => Ok(()),
        Err(too_large) => Err(ParkReason::new(stage, NoteCode::PolicyError, too_large.to_string())),
    }
}

/// Adds a credit, and a warning if no one is paid by it.
pub(super) fn add_credit(case: &mut DealCase<'_>, credit: Credit) {
    if credit.is_vacant() {
        let who = case.recipient_id(credit.recipient);
        let message = format!("`{who}` is vacant on {}", case.date);
        case.warn(NoteStage::Crediting, NoteCode::Vacant, message);
    }
    case.credits.push(credit);
}

/// Cuts a credit to its headroom, of which a fraction of the unit does not count: no credit is above
/// its maximum. False when nothing is left of it, which is no credit.
pub(super) fn cap_to_headroom(
    case: &mut DealCase<'_>,
    credit: &mut Credit,
    headroom: Decimal,
) -> bool {
    let wanted = credit.amount;
    let headroom = money::cut_to_scale(headroom, credit.unit.scale);
    let trimmed = maximum::trim_to_headroom(wanted, headroom);

    if trimmed == wanted {
        return true;
    }

    credit.amount = trimmed;
    maximum::warn_trimmed(case, credit, wanted);
    // A row of 0.00 would look like a payment, so nothing is left without a credit.
    if trimmed.is_zero() {
        let who = case.recipient_id(credit.recipient);
        let (rule, wanted) = (&credit.rule, money::format_amount(wanted, credit.unit.scale));
        let message = format!("rule `{rule}`: the maximum leaves nothing of {wanted} for `{who}`");
        case.add_reason_for(
            NoteStage::Maximum,
            NoteCode::OverMaximum,
            message,
            vec![credit.recipient],
        );
        return false;
    }

    true
}
