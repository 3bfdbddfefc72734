//! Adjustments: kept in one commit with the decision that follows from them.
//!
//! Not HTTP and not what an adjustment does (the engine's). Runs on the worker's thread. Source:
//! DOMAIN 2.12.

use accredit_crediting::posting;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Approved, Resolution, ResolutionAction};
use accredit_domain::keys::DefinedName;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::again::About;
use super::{Worker, fence};
use crate::http::problem::Problem;

/// A wish about an amount.
#[derive(Debug, Clone)]
pub(crate) struct Adjust {
    /// The credit, or the natural key of the transaction.
    pub(crate) subject: Subject,
    /// An adjustment or a reset.
    pub(crate) action: ResolutionAction,
    /// None of a reset.
    pub(crate) amount: Option<Decimal>,
    /// One of the workspace's.
    pub(crate) reason_code: Option<String>,
    /// By whom.
    pub(crate) who: String,
    /// Why, if said.
    pub(crate) comment: Option<String>,
    /// Who approved it, where a second person had to.
    pub(crate) approved: Option<Approved>,
}

/// Whose amount.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Subject {
    /// Of the credit with this id.
    Credit(String),
    /// Of the transaction with this natural key.
    Transaction(String),
}

impl Worker {
    /// Adjusts, decides again, and gives the adjustment as it is kept; the same twice is once.
    pub(crate) fn adjust(&mut self, order: Adjust) -> Result<Resolution, Problem> {
        let failed = |error| Problem::internal(&error);

        let mut resolution = Resolution {
            amount: order.amount,
            reason_code: order.reason_code.map(DefinedName::from),
            comment: order.comment,
            approved: order.approved,
            ..Resolution::new(order.action, self.service.business_date(), order.who)
        };

        let transaction = match order.subject {
            Subject::Credit(id) => {
                let row = self.known(&id)?;
                resolution.credit = Some(posting::credit_of(&row));
                resolution.plan = Some(row.plan);
                row.transaction
            }
            Subject::Transaction(id) => {
                self.catch_up().map_err(|error| fence::undecided(&error))?;
                let stored = self.service.ledger.transaction(&id).map_err(failed)?;
                stored.ok_or_else(|| Problem::not_found("transaction"))?.id.into()
            }
        };

        resolution.transaction = Some(transaction.clone());

        // Twice the same is done once, so a client may safely repeat it.
        if let Some(kept) = self.service.ledger.resolved_before(&resolution).map_err(failed)? {
            return Ok(kept);
        }

        self.refuse_without_rules(&transaction)?;

        let about = About { transaction: transaction.to_string(), resolution: resolution.clone() };
        let ids = std::slice::from_ref(&about.transaction);
        self.decide_with(ids, std::slice::from_ref(&about)).map_err(failed)?;

        Ok(resolution)
    }

    /// The row of a credit; one that is not known yet may still be in the inbox. The credit of a
    /// reversal or a new entry is known by the id of any of its rows.
    fn known(&mut self, id: &str) -> Result<PostedCredit, Problem> {
        let failed = |error| Problem::internal(&error);
        if let Some(row) = self.service.ledger.credit(id).map_err(failed)? {
            return Ok(row);
        }
        self.catch_up().map_err(|error| fence::undecided(&error))?;
        let row = self.service.ledger.credit(id).map_err(failed)?;
        row.ok_or_else(|| Problem::not_found("credit"))
    }
}
