//! Holds released many at a time: which held credits, and their release in one decision.
//!
//! Not one release (`resolve`). Called by the host on the worker's thread. Source: DOMAIN 2.10.
//!
//! **Architecture invariant:** every hold at once is never released: at least one part of the filter
//! is given.

use std::collections::BTreeSet;

use accredit_crediting::posting;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::{Actor, Approval, HoldAction, ResolutionAction, ResolutionRecord};
use accredit_domain::keys::PeriodKey;
use accredit_ledger::query::CreditQuery;
use accredit_ledger::scope::ReadScope;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::calculations::leaf_ids;
use crate::context::Context;
use crate::decide::again::{NewResolution, decide_with};
use crate::error::OperationError;
use crate::resolve::refuse_without_rules;

/// Held credits read at a time.
const PAGE: usize = 1000;

/// Which held credits; every part that is given must fit.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HoldFilter {
    /// Id of the plan.
    pub plan: Option<String>,
    /// Id of a period; credits of its leaf periods.
    pub period: Option<String>,
    /// Id of the position.
    pub position: Option<String>,
    /// Id of the participant.
    pub payee: Option<String>,
    /// Natural key of the transaction.
    pub transaction: Option<String>,
    /// The credit type.
    pub credit_type: Option<String>,
    /// One of the workspace's reason codes.
    pub reason_code: Option<String>,
    /// Why they are released; this selects nothing.
    pub comment: Option<String>,
}

impl HoldFilter {
    /// Refuses a filter that selects every hold.
    ///
    /// # Errors
    /// [`OperationError::Invalid`] when no part is given.
    pub fn check(&self) -> Result<(), OperationError> {
        let parts = [&self.plan, &self.period, &self.position, &self.payee, &self.transaction];
        let more = [&self.credit_type, &self.reason_code];
        if parts.into_iter().chain(more).any(Option::is_some) {
            return Ok(());
        }
        let detail = "give at least one filter; releasing every hold at once is not allowed";
        Err(OperationError::invalid("filter_needed", detail))
    }

    fn fits(&self, row: &PostedCredit) -> bool {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        same(&self.credit_type, Some(&row.credit_type))
            && same(&self.reason_code, row.reason_code.as_deref())
    }
}

/// Releases every held credit that the filter selects, in one decision; gives their ids.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such period, [`OperationError::Conflict`] when a
/// deal was decided by a ruleset that this version of the program cannot rebuild.
pub fn release_holds(
    context: &Context,
    filter: &HoldFilter,
    by: &Actor,
) -> Result<Vec<CreditId>, OperationError> {
    let held = held_credits(context, filter)?;

    let date = context.business_date();
    let release = ResolutionAction::Wait(HoldAction::Release);
    let mut transactions = BTreeSet::new();
    let mut released = Vec::with_capacity(held.len());

    for row in &held {
        refuse_without_rules(context, &row.transaction)?;
        let resolution = ResolutionRecord {
            credit: Some(posting::credit_of(row)),
            comment: filter.comment.clone(),
            approved: by.approved.as_ref().map(Approval::in_part),
            ..ResolutionRecord::new(release, date, by.who.clone())
        };

        if context.ledger.resolved_before(&resolution)?.is_none() {
            let transaction = row.transaction.to_string();
            released.push(NewResolution { transaction, resolution });
        }
        transactions.insert(row.transaction.to_string());
    }

    // The last commit is of the last transaction: it ends the request.
    if let Some(last) = released.iter_mut().max_by(|a, b| a.transaction.cmp(&b.transaction)) {
        last.resolution.approved = by.approved.clone();
    }

    let transactions: Vec<String> = transactions.into_iter().collect();
    decide_with(context, &transactions, &released)?;
    Ok(held.into_iter().map(|row| row.id).collect())
}

/// The held credits that the filter selects.
fn held_credits(
    context: &Context,
    filter: &HoldFilter,
) -> Result<Vec<PostedCredit>, OperationError> {
    let mut query = CreditQuery {
        payee: filter.payee.clone(),
        position: filter.position.clone(),
        periods: filter.period.as_deref().map(|id| leaf_periods(context, id)).transpose()?,
        status: Some(CreditStatus::Held),
        transaction: filter.transaction.clone(),
        plan: filter.plan.clone(),
        limit: PAGE,
        ..CreditQuery::within(ReadScope::All)
    };

    let mut held = Vec::new();
    loop {
        let page = context.ledger.credit_page(&query)?;
        held.extend(page.rows.into_iter().filter(|row| filter.fits(row)));
        query.cursor = page.next;
        if query.cursor.is_none() {
            return Ok(held);
        }
    }
}

/// The leaf periods of a period.
fn leaf_periods(context: &Context, id: &str) -> Result<Vec<PeriodKey>, OperationError> {
    let ruleset = context.ruleset.load();
    let period = ruleset.settings.calendar.find(id);
    let period = period.ok_or_else(|| OperationError::not_found("period"))?;
    Ok(leaf_ids(&ruleset, &period).into_iter().collect())
}
