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

use super::again::About;
use super::{Worker, fence};
use crate::http::problem::Problem;

/// A wish about one credit.
#[derive(Debug, Clone)]
pub(crate) struct Resolve {
    /// Its id.
    pub(crate) credit: String,
    /// What is to be done.
    pub(crate) action: HoldAction,
    /// By whom.
    pub(crate) who: String,
    /// Why, if said.
    pub(crate) comment: Option<String>,
    /// Who approved it, where a second person had to.
    pub(crate) approved: Option<Approved>,
}

impl Worker {
    /// Does it, or answers with what the first time did.
    pub(super) fn resolve(&mut self, order: Resolve) -> Result<PostedCredit, Problem> {
        let failed = |error| Problem::internal(&error);
        let row = self.row(&order.credit)?;

        let credit = Some(posting::credit_of(&row));
        let earlier = self.service.ledger.resolutions(&row.transaction).map_err(failed)?;
        let last = earlier.iter().rev().find(|one| one.credit == credit && !one.is_adjustment());
        let action = ResolutionAction::Wait(order.action);
        if last.is_some_and(|last| last.action == action) {
            return Ok(row);
        }

        match (order.action, row.status) {
            (HoldAction::Hold, _) if self.is_finalized(&row).map_err(failed)? => {
                let detail = "its period is finalized: adjust the credit instead";
                return Err(Problem::conflict("period_finalized", detail));
            }
            (HoldAction::Release, Status::Held) | (HoldAction::Hold, Status::Active) => (),

            (HoldAction::Hold, Status::Held) => return Ok(row),
            // Its hold has ended by itself: that was the first release.
            (HoldAction::Release, Status::Active) if row.release_date.is_some() => return Ok(row),

            (HoldAction::Release, status) => {
                let detail = format!("the credit is {status}, not held");
                return Err(Problem::conflict("not_held", detail));
            }

            (HoldAction::Hold, status) => {
                let detail = format!("the credit is {status}, not active");
                return Err(Problem::conflict("not_active", detail));
            }
        }

        let resolution = Resolution {
            credit,
            comment: order.comment,
            approved: order.approved,
            ..Resolution::new(action, self.service.business_date(), order.who)
        };

        self.refuse_without_rules(&row.transaction)?;
        let about = About { transaction: row.transaction.to_string(), resolution };
        let ids = std::slice::from_ref(&about.transaction);
        self.decide_with(ids, std::slice::from_ref(&about)).map_err(failed)?;

        self.row(&order.credit)
    }

    /// Refuses what could not be carried out: the transaction was decided by a ruleset that this
    /// version of the program cannot rebuild.
    pub(super) fn refuse_without_rules(&self, transaction: &str) -> Result<(), Problem> {
        let stored = self.service.ledger.transaction(transaction);
        let stored = stored.map_err(|error| Problem::internal(&error))?;
        if stored.is_none_or(|stored| self.has_rules(&stored)) {
            return Ok(());
        }
        let detail = "this version of the program cannot rebuild the ruleset that decided it: \
                      activate the rules of today with `effective: recredit`, then do it again";
        Err(Problem::conflict("ruleset_not_rebuilt", detail))
    }

    /// Whether the row, or the period that its credit belongs to, never changes again.
    fn is_finalized(&mut self, row: &PostedCredit) -> Result<bool, StoreError> {
        let finalized = self.finalized()?;
        let calendar = self.service.ruleset.load().settings.calendar.clone();
        let own = calendar.period(row.incentive_date, PeriodKind::Month);
        Ok(finalized.contains(&*row.period) || own.is_some_and(|own| finalized.contains(&own.id)))
    }

    /// Releases every held credit that `wanted` selects, in one decision; gives their ids.
    pub(crate) fn release_all(
        &mut self,
        query: &CreditQuery,
        wanted: &dyn Fn(&PostedCredit) -> bool,
        (who, comment, approved): (&str, Option<&str>, Option<&Approved>),
    ) -> Result<Vec<CreditId>, Problem> {
        let failed = |error| Problem::internal(&error);
        self.catch_up().map_err(|error| fence::undecided(&error))?;

        let (mut query, mut held) = (query.clone(), Vec::new());
        loop {
            let page = self.service.ledger.credits(&query).map_err(failed)?;
            held.extend(page.rows.into_iter().filter(wanted));
            query.cursor = page.next;
            if query.cursor.is_none() {
                break;
            }
        }

        let date = self.service.business_date();
        let release = ResolutionAction::Wait(HoldAction::Release);
        let mut transactions = BTreeSet::new();
        let mut released = Vec::with_capacity(held.len());
        for row in &held {
            self.refuse_without_rules(&row.transaction)?;
            let resolution = Resolution {
                credit: Some(posting::credit_of(row)),
                comment: comment.map(str::to_owned),
                approved: approved.map(Approved::in_part),
                ..Resolution::new(release, date, who.to_owned())
            };

            if self.service.ledger.resolved_before(&resolution).map_err(failed)?.is_none() {
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
        self.decide_with(&transactions, &released).map_err(failed)?;
        Ok(held.into_iter().map(|row| row.id).collect())
    }

    fn row(&self, credit: &str) -> Result<PostedCredit, Problem> {
        let row = self.service.ledger.credit(credit).map_err(|error| Problem::internal(&error))?;
        row.ok_or_else(|| Problem::not_found("credit"))
    }
}
