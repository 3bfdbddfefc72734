//! Adjustments: read as a person writes them, kept in one commit with the decision that follows, and
//! listed with what is left of them.
//!
//! Not HTTP and not what an adjustment does (the engine's). Runs on the worker's thread. Source:
//! DOMAIN 2.12.

use accredit_crediting::posting;
use accredit_domain::decision::{Approval, ResolutionAction, ResolutionRecord};
use accredit_domain::keys::DefinedName;
use accredit_domain::money;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::by_hand::{bad_amount, check_reason_code, read_decimal};
use crate::calculations;
use crate::context::Context;
use crate::decide::again::{NewResolution, decide_with};
use crate::error::OperationError;
use crate::manual_credits::{refuse_manual, refuse_manual_entry};
use crate::resolve::{refuse_without_rules, row_of};

/// A wish about an amount.
#[derive(Debug, Clone)]
pub struct AdjustOrder {
    /// The credit, or the natural key of the transaction.
    pub subject: AdjustmentSubject,
    /// An adjustment or a reset.
    pub action: ResolutionAction,
    /// The amount, as a decimal; none for a reset.
    pub amount: Option<Decimal>,
    /// One of the workspace's.
    pub reason_code: Option<String>,
    /// The user who made the adjustment.
    pub who: String,
    /// Why, if given.
    pub comment: Option<String>,
    /// Who approved it, where a second person had to.
    pub approved: Option<Approval>,
}

/// The transaction or the credit whose amount is adjusted.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AdjustmentSubject {
    /// Of the credit with this id.
    Credit(String),
    /// Of the transaction with this natural key.
    Transaction(String),
}

/// Adjusts, decides again, and gives the adjustment as it is kept; the same twice is once.
pub fn adjust_amount(
    context: &Context,
    order: AdjustOrder,
) -> Result<ResolutionRecord, OperationError> {
    let mut resolution = ResolutionRecord {
        amount: order.amount,
        reason_code: order.reason_code.map(DefinedName::from),
        comment: order.comment,
        approved: order.approved,
        ..ResolutionRecord::new(order.action, context.business_date(), order.who)
    };

    let transaction = match order.subject {
        AdjustmentSubject::Credit(id) => {
            let row = row_of(context, &id)?;
            refuse_manual_entry(&row)?;
            resolution.credit = Some(posting::credit_of(&row));
            resolution.plan = Some(row.plan);
            row.transaction
        }
        AdjustmentSubject::Transaction(id) => {
            let stored = context.ledger.find_transaction(&id)?;
            let stored = stored.ok_or_else(|| OperationError::not_found("transaction"))?;
            refuse_manual(&stored)?;
            stored.id.into()
        }
    };

    resolution.transaction = Some(transaction.clone());

    // Twice the same is done once, so a client may safely repeat it.
    if let Some(kept) = context.ledger.resolved_before(&resolution)? {
        return Ok(kept);
    }

    refuse_without_rules(context, &transaction)?;

    let about =
        NewResolution { transaction: transaction.to_string(), resolution: resolution.clone() };
    let ids = std::slice::from_ref(&about.transaction);
    decide_with(context, ids, std::slice::from_ref(&about))?;

    Ok(resolution)
}

/// The action and the amount of an adjustment as a person writes them; a reset has no amount.
///
/// # Errors
/// [`OperationError::Invalid`] for an action that is none, an amount that is missing, too large or
/// no decimal, and a reason code that is missing or not the workspace's.
pub fn read_adjustment(
    context: &Context,
    (action, amount): (&str, Option<&str>),
    reason_code: Option<&str>,
) -> Result<(ResolutionAction, Option<Decimal>), OperationError> {
    let (action, amount) = read_amount(action, amount)?;

    // A reset says nothing new, so that it alone needs no reason code.
    match reason_code {
        Some(code) => check_reason_code(context, code)?,
        None if action == ResolutionAction::Reset => (),
        None => {
            let detail = "an adjustment needs one of the workspace's reason codes";
            return Err(OperationError::invalid("reason_code_needed", detail));
        }
    }
    Ok((action, amount))
}

fn read_amount(
    action: &str,
    amount: Option<&str>,
) -> Result<(ResolutionAction, Option<Decimal>), OperationError> {
    let known = ResolutionAction::parse(action).filter(|action| action.is_adjustment());
    let action = known.ok_or_else(|| {
        let detail = format!("`{action}` is not one of `adjust_to`, `adjust_by` and `reset`");
        OperationError::invalid("unknown_action", detail)
    })?;

    let amount = amount.map(read_decimal).transpose()?;

    if let Some(amount) = amount.filter(|amount| amount.abs() > money::AMOUNT_MAX) {
        let most = money::AMOUNT_MAX;
        return Err(bad_amount(money::TooLarge { amount, most }.to_string()));
    }

    // A reset takes back what was adjusted, so an amount would mean nothing.
    match (action, amount) {
        (ResolutionAction::Reset, _) => Ok((action, None)),
        (_, Some(amount)) => Ok((action, Some(amount))),
        (_, None) => Err(bad_amount(format!("`{action}` needs an `amount`"))),
    }
}

/// An adjustment, and what it means now.
#[derive(Debug, Clone)]
pub struct AdjustmentStatus {
    /// The adjustment as it is kept.
    pub adjustment: ResolutionRecord,
    /// Whether it is the last adjustment of its target, and no reset.
    pub counts: bool,
    /// Whether it counts and the target still has what it adjusts.
    pub applied: bool,
}

/// What an adjustment means now; `is_last` says that no later one is of the same target.
///
/// # Errors
/// When the data cannot be read.
pub fn adjustment_status(
    context: &Context,
    adjustment: ResolutionRecord,
    is_last: bool,
) -> Result<AdjustmentStatus, OperationError> {
    let counts = is_last && adjustment.action != ResolutionAction::Reset;
    let (applies, _) = calculations::adjustment_applies(context, &adjustment)?;
    Ok(AdjustmentStatus { adjustment, counts, applied: counts && applies })
}

/// The adjustments of a transaction and of its credits, oldest first.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such transaction.
pub fn transaction_adjustments(
    context: &Context,
    id: &str,
) -> Result<Vec<AdjustmentStatus>, OperationError> {
    let stored = context.ledger.find_transaction(id)?;
    stored.ok_or_else(|| OperationError::not_found("transaction"))?;
    adjustments_of(context, id, |_| true)
}

/// The adjustments of a credit, oldest first.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such credit.
pub fn credit_adjustments(
    context: &Context,
    id: &str,
) -> Result<Vec<AdjustmentStatus>, OperationError> {
    let row = row_of(context, id)?;
    let credit = Some(posting::credit_of(&row));
    adjustments_of(context, &row.transaction, |one| one.credit == credit)
}

fn adjustments_of(
    context: &Context,
    transaction: &str,
    wanted: impl Fn(&ResolutionRecord) -> bool,
) -> Result<Vec<AdjustmentStatus>, OperationError> {
    let mut all = context.ledger.transaction_resolutions(transaction)?;
    all.retain(|one| one.is_adjustment() && one.transaction.as_deref() == Some(transaction));

    let shown = all.iter().enumerate().filter(|(_, one)| wanted(one)).map(|(index, one)| {
        let later = all.get(index + 1..).unwrap_or_default();
        let is_last = !later.iter().any(|later| later.same_target(one));
        adjustment_status(context, one.clone(), is_last)
    });
    shown.collect()
}
