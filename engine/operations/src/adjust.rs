//! Adjustments: kept in one commit with the decision that follows from them.
//!
//! Not HTTP and not what an adjustment does (the engine's). Runs on the worker's thread. Source:
//! DOMAIN 2.12.

use accredit_crediting::posting;
use accredit_domain::decision::{Approval, ResolutionAction, ResolutionRecord};
use accredit_domain::keys::DefinedName;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

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
