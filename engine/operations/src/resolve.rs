//! Releases and manual holds: recorded once, in one commit with the decision that follows; answered
//! with the row as it is then.
//!
//! Not HTTP. Runs on the worker's thread, so that the status it judges by cannot change meanwhile.

use std::collections::BTreeSet;

use accredit_crediting::posting;
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::{Approval, HoldAction, ResolutionAction, ResolutionRecord};
use accredit_ledger::query::CreditQuery;

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

/// Releases every held credit that `wanted` selects, in one decision; gives their ids.
pub fn release_all(
    context: &Context,
    query: &CreditQuery,
    wanted: &dyn Fn(&PostedCredit) -> bool,
    (who, comment, approved): (&str, Option<&str>, Option<&Approval>),
) -> Result<Vec<CreditId>, OperationError> {
    let (mut query, mut held) = (query.clone(), Vec::new());
    loop {
        let page = context.ledger.credit_page(&query)?;
        held.extend(page.rows.into_iter().filter(wanted));
        query.cursor = page.next;
        if query.cursor.is_none() {
            break;
        }
    }

    let date = context.business_date();
    let release = ResolutionAction::Wait(HoldAction::Release);
    let mut transactions = BTreeSet::new();
    let mut released = Vec::with_capacity(held.len());
    for row in &held {
        refuse_without_rules(context, &row.transaction)?;
        let resolution = ResolutionRecord {
            credit: Some(posting::credit_of(row)),
            comment: comment.map(str::to_owned),
            approved: approved.map(Approval::in_part),
            ..ResolutionRecord::new(release, date, who.to_owned())
        };

        if context.ledger.resolved_before(&resolution)?.is_none() {
            let transaction = row.transaction.to_string();
            released.push(NewResolution { transaction, resolution });
        }
        transactions.insert(row.transaction.to_string());
    }

    // The last commit is of the last transaction: it ends the request.
    if let Some(last) = released.iter_mut().max_by(|a, b| a.transaction.cmp(&b.transaction)) {
        last.resolution.approved = approved.cloned();
    }

    let transactions: Vec<String> = transactions.into_iter().collect();
    decide_with(context, &transactions, &released)?;
    Ok(held.into_iter().map(|row| row.id).collect())
}

pub(crate) fn row_of(context: &Context, credit: &str) -> Result<PostedCredit, OperationError> {
    let row = context.ledger.find_credit(credit)?;
    row.ok_or_else(|| OperationError::not_found("credit"))
}
