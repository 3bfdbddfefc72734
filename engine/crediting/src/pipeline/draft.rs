//! What direct and indirect credits have in common while they are made.

use accredit_domain::note::{NoteCode, NoteStage};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::stage::{DealCase, ParkReason, maximum};
use accredit_domain::credit::{Credit, CreditId, CreditStatus, RollupOrigin};
use accredit_domain::money::{self, Unit};
use accredit_domain::organization::{Recipient, TeamId};

/// A credit with everything but its amount, type and status known.
pub(super) fn blank_credit(
    case: &mut DealCase<'_>,
    rule: &Arc<str>,
    result: &Arc<str>,
    recipient: Recipient,
    team: Option<TeamId>,
    rolled: Option<RollupOrigin>,
) -> Credit {
    let organization = &case.ruleset.organization;
    let settings = &case.ruleset.settings;
    let who = organization.recipient_id(recipient);
    let transaction = Arc::clone(case.transaction_id());
    let relationship = rolled.as_ref().map(|r| settings.relationship_name(r.relationship));
    let via = rolled.as_ref().map(|r| organization.recipient_id(r.via));
    let source = rolled.as_ref().map(|r| r.source.to_string());
    let parts = [
        &*case.plan.id,
        rule,
        result,
        &who,
        relationship.as_deref().unwrap_or(""),
        via.as_deref().unwrap_or(""),
        source.as_deref().unwrap_or(""),
    ];

    // The id says who got it and how, so the same credit has the same id at every decision.
    let id = CreditId::from_parts(&transaction, &parts, 0);

    let position = recipient.position();
    let payee = position.and_then(|position| organization.holder_on(position, case.date));

    Credit {
        id,
        transaction,
        incentive_date: case.date,
        plan: Arc::clone(&case.plan.id),
        rule: Arc::clone(rule),
        result: Arc::clone(result),
        rolled,
        recipient,
        team: team.or(recipient.team()),
        payee,
        share: None,
        period: Arc::clone(&case.period),
        credit_type: Arc::from(""),
        unit: settings.currency,
        amount: Decimal::ZERO,
        status: CreditStatus::Active,
        release_date: None,
        reason: None,
        reason_code: None,
        manual: false,
        rollable: false,
        rollable_on_reporting: false,
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
    if credit.recipient.position().is_some() && credit.payee.is_none() {
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
