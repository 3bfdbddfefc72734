//! Releases and manual holds: recorded once, in one commit with the decision that follows; answered
//! with the row as it is then.
//!
//! Not HTTP. Runs on the worker's thread, so that the status it judges by cannot change meanwhile.

use std::collections::BTreeSet;

use accredit_crediting::posting;
use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, Status};
use accredit_domain::decision::{Approved, HoldAction, Resolution, ResolutionAction};
use accredit_ledger::query::CreditQuery;
use accredit_seams::store::Error as StoreError;

use crate::context::Context;
use crate::decide::again::{About, decide_with, has_rules};
use crate::error::Error;

/// A wish about one credit.
#[derive(Debug, Clone)]
pub struct Resolve {
    /// Its id.
    pub credit: String,
    /// What is to be done.
    pub action: HoldAction,
    /// By whom.
    pub who: String,
    /// Why, if said.
    pub comment: Option<String>,
    /// Who approved it, where a second person had to.
    pub approved: Option<Approved>,
}

/// Does it, or answers with what the first time did.
pub fn resolve(context: &Context, order: Resolve) -> Result<PostedCredit, Error> {
    let row = row_of(context, &order.credit)?;

    let credit = Some(posting::credit_of(&row));
    let earlier = context.ledger.resolutions(&row.transaction)?;
    let last = earlier.iter().rev().find(|one| one.credit == credit && !one.is_adjustment());
    let action = ResolutionAction::Wait(order.action);
    if last.is_some_and(|last| last.action == action) {
        return Ok(row);
    }

    match (order.action, row.status) {
        (HoldAction::Hold, _) if is_finalized(context, &row)? => {
            let detail = "its period is finalized: adjust the credit instead";
            return Err(Error::conflict("period_finalized", detail));
        }
        (HoldAction::Release, Status::Held) | (HoldAction::Hold, Status::Active) => (),

        (HoldAction::Hold, Status::Held) => return Ok(row),
        // Its hold has ended by itself: that was the first release.
        (HoldAction::Release, Status::Active) if row.release_date.is_some() => return Ok(row),

        (HoldAction::Release, status) => {
            let detail = format!("the credit is {status}, not held");
            return Err(Error::conflict("not_held", detail));
        }

        (HoldAction::Hold, status) => {
            let detail = format!("the credit is {status}, not active");
            return Err(Error::conflict("not_active", detail));
        }
    }

    let resolution = Resolution {
        credit,
        comment: order.comment,
        approved: order.approved,
        ..Resolution::new(action, context.business_date(), order.who)
    };

    refuse_without_rules(context, &row.transaction)?;
    let about = About { transaction: row.transaction.to_string(), resolution };
    let ids = std::slice::from_ref(&about.transaction);
    decide_with(context, ids, std::slice::from_ref(&about))?;

    row_of(context, &order.credit)
}

/// Refuses what could not be carried out: the transaction was decided by a ruleset that this
/// version of the program cannot rebuild.
pub(crate) fn refuse_without_rules(context: &Context, transaction: &str) -> Result<(), Error> {
    let stored = context.ledger.transaction(transaction);
    let stored = stored?;
    if stored.is_none_or(|stored| has_rules(context, &stored)) {
        return Ok(());
    }
    let detail = "this version of the program cannot rebuild the ruleset that decided it: \
                      activate the rules of today with `effective: recredit`, then do it again";
    Err(Error::conflict("ruleset_not_rebuilt", detail))
}

/// Whether the row, or the period that its credit belongs to, never changes again.
fn is_finalized(context: &Context, row: &PostedCredit) -> Result<bool, StoreError> {
    let finalized = context.finalized()?;
    let calendar = context.ruleset.load().settings.calendar.clone();
    let own = calendar.period(row.incentive_date, PeriodKind::Month);
    Ok(finalized.contains(&*row.period) || own.is_some_and(|own| finalized.contains(&own.id)))
}

/// Releases every held credit that `wanted` selects, in one decision; gives their ids.
pub fn release_all(
    context: &Context,
    query: &CreditQuery,
    wanted: &dyn Fn(&PostedCredit) -> bool,
    (who, comment, approved): (&str, Option<&str>, Option<&Approved>),
) -> Result<Vec<CreditId>, Error> {
    let (mut query, mut held) = (query.clone(), Vec::new());
    loop {
        let page = context.ledger.credits(&query)?;
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
        let resolution = Resolution {
            credit: Some(posting::credit_of(row)),
            comment: comment.map(str::to_owned),
            approved: approved.map(Approved::in_part),
            ..Resolution::new(release, date, who.to_owned())
        };

        if context.ledger.resolved_before(&resolution)?.is_none() {
            let transaction = row.transaction.to_string();
            released.push(About { transaction, resolution });
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

pub(crate) fn row_of(context: &Context, credit: &str) -> Result<PostedCredit, Error> {
    let row = context.ledger.credit(credit)?;
    row.ok_or_else(|| Error::not_found("credit"))
}
