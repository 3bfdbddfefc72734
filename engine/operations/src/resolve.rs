//! Releases and manual holds: recorded once, in one commit with the decision that follows; answered
//! with the row as it is then.
//!
//! Not HTTP. Runs on the worker's thread, so that the status it judges by cannot change meanwhile.

use accredit_crediting::posting;
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::CreditStatus;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Approval, HoldAction, ResolutionAction, ResolutionRecord};

use crate::context::Context;
use crate::decide::again::{NewResolution, decide_with, has_rules};
use crate::error::OperationError;
use crate::manual_credits::refuse_manual_entry;

/// A wish about one credit.
#[derive(Debug, Clone)]
pub struct ResolveOrder {
    /// The id of the credit, `crd_…`.
    pub credit: String,
    /// What is to be done.
    pub action: HoldAction,
    /// The user who releases or holds.
    pub who: String,
    /// Why, if given.
    pub comment: Option<String>,
    /// Who approved it, where a second person had to.
    pub approved: Option<Approval>,
}

/// Does it, or answers with what the first time did.
pub fn resolve_credit(
    context: &Context,
    order: ResolveOrder,
) -> Result<PostedCredit, OperationError> {
    let row = row_of(context, &order.credit)?;
    refuse_manual_entry(&row)?;

    let credit = Some(posting::credit_of(&row));
    let earlier = context.ledger.transaction_resolutions(&row.transaction)?;
    let last = earlier.iter().rev().find(|one| one.credit == credit && !one.is_adjustment());
    let action = ResolutionAction::Wait(order.action);
    if last.is_some_and(|last| last.action == action) {
        return Ok(row);
    }

    if order.action == HoldAction::Hold {
        refuse_locked(context, &row)?;
    }

    match (order.action, row.status) {
        (HoldAction::Release, CreditStatus::Held) | (HoldAction::Hold, CreditStatus::Active) => (),

        (HoldAction::Hold, CreditStatus::Held) => return Ok(row),
        // Its hold has ended by itself: that was the first release.
        (HoldAction::Release, CreditStatus::Active) if row.release_date.is_some() => {
            return Ok(row);
        }

        (HoldAction::Release, status) => {
            let detail = format!("the credit is {status}, not held");
            return Err(OperationError::conflict("not_held", detail));
        }

        (HoldAction::Hold, status) => {
            let detail = format!("the credit is {status}, not active");
            return Err(OperationError::conflict("not_active", detail));
        }
    }

    let resolution = ResolutionRecord {
        credit,
        comment: order.comment,
        approved: order.approved,
        ..ResolutionRecord::new(action, context.business_date(), order.who)
    };

    refuse_without_rules(context, &row.transaction)?;
    let about = NewResolution { transaction: row.transaction.to_string(), resolution };
    let ids = std::slice::from_ref(&about.transaction);
    decide_with(context, ids, std::slice::from_ref(&about))?;

    row_of(context, &order.credit)
}

/// Refuses what could not be carried out: the transaction was decided by a ruleset that this
/// version of the program cannot rebuild.
pub(crate) fn refuse_without_rules(
    context: &Context,
    transaction: &str,
) -> Result<(), OperationError> {
    let stored = context.ledger.find_transaction(transaction);
    let stored = stored?;
    if stored.is_none_or(|stored| has_rules(context, &stored)) {
        return Ok(());
    }
    let detail = "this version of the program cannot rebuild the ruleset that decided it: \
                      activate the rules of today with `effective: recredit`, then do it again";
    Err(OperationError::conflict("ruleset_not_rebuilt", detail))
}

/// Refuses to hold an entry that does not change: its period, or the one that its credit belongs to,
/// is finalized, or its period is closed.
fn refuse_locked(context: &Context, row: &PostedCredit) -> Result<(), OperationError> {
    let locked = context.locked_periods()?;
    let calendar = context.ruleset.load().settings.calendar.clone();
    let own = calendar.period_on(row.incentive_date, PeriodKind::Leaf);

    let finalized = |id: &str| locked.finalized.contains(id);
    if finalized(&row.period) || own.is_some_and(|own| finalized(&own.id)) {
        let detail = "its period is finalized: adjust the credit instead";
        return Err(OperationError::conflict("period_finalized", detail));
    }
    if locked.closed.contains(row.period.as_str()) {
        let detail = format!("{} is closed: reopen it, or adjust the credit", row.period);
        return Err(OperationError::conflict("period_closed", detail));
    }
    Ok(())
}

pub(crate) fn row_of(context: &Context, credit: &str) -> Result<PostedCredit, OperationError> {
    let row = context.ledger.find_credit(credit)?;
    row.ok_or_else(|| OperationError::not_found("credit"))
}
