//! What direct and indirect credits have in common while they are made.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::credit::{Credit, CreditId, Rolled, Status};
use crate::money;
use crate::organization::PositionId;
use crate::stage::{Case, maximum};

/// A credit with everything but its amount, type and status known.
pub(super) fn blank_credit(
    case: &mut Case<'_>,
    rule: &Arc<str>,
    result: &Arc<str>,
    position: PositionId,
    rolled: Option<Rolled>,
) -> Credit {
    let organization = &case.ruleset.organization;
    let settings = &case.ruleset.settings;
    let position_id = organization.position_id(position);
    let transaction = Arc::clone(case.transaction());
    let relationship = rolled.as_ref().map(|r| settings.relationship_name(r.relationship));
    let via = rolled.as_ref().map(|r| organization.position_id(r.via));
    let source = rolled.as_ref().map(|r| r.source.to_string());
    let parts = [
        &*case.plan.id,
        rule,
        result,
        &position_id,
        relationship.as_deref().unwrap_or(""),
        via.as_deref().unwrap_or(""),
        source.as_deref().unwrap_or(""),
    ];
    let id = CreditId::of(&transaction, &parts, 0);
    let payee = organization.holder(position, case.date);
    if payee.is_none() {
        let message = format!("`{position_id}` is vacant on {}", case.date);
        case.warn("crediting", "vacant", message);
    }
    Credit {
        id,
        transaction,
        incentive_date: case.date,
        plan: Arc::clone(&case.plan.id),
        rule: Arc::clone(rule),
        result: Arc::clone(result),
        rolled,
        position,
        payee,
        share: None,
        period: Arc::clone(&case.period),
        credit_type: Arc::from(""),
        unit: settings.currency,
        amount: Decimal::ZERO,
        status: Status::Active,
        release_date: None,
        reason: None,
        reason_code: None,
        rollable: false,
        rollable_on_reporting: false,
    }
}

/// Cuts a credit to its headroom; false when nothing is left of it, which is no credit.
pub(super) fn capped(case: &mut Case<'_>, credit: &mut Credit, headroom: Decimal) -> bool {
    let wanted = credit.amount;
    let headroom = money::round(headroom, credit.unit.scale);
    let trimmed = maximum::trim(wanted, headroom);
    if trimmed == wanted {
        return true;
    }
    credit.amount = trimmed;
    maximum::warn(case, credit, wanted);
    if trimmed.is_zero() {
        let position = case.position_id(credit.position);
        let message =
            format!("rule `{}`: the maximum leaves nothing for `{position}`", credit.rule);
        case.reason("maximum", "over_maximum", message);
        return false;
    }
    true
}
