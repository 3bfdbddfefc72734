//! A deal made void by a person: a version like any other, decided in the same commit.
//!
//! Not what a void deal comes to (`crediting::pipeline`) and not its postings (`crediting::posting`).
//! Runs on the worker's thread. Source: REWARDS section 7.
//!
//! **Architecture invariant:** a void deal keeps its content, so that the same content again stays
//! void, and only newer content revives it.

use std::sync::Arc;

use accredit_domain::decision::Actor;
use accredit_domain::transaction::{Decoder, Remark, VoidRemark};
use accredit_ledger::record::{CommitBatch, TransactionRecord};
use accredit_ledger::voids::DealVoiding;

use crate::context::Context;
use crate::decide::{decide_transactions, record_with_postings};
use crate::error::OperationError;
use crate::manual_credits::refuse_manual;

/// A request to make a deal void.
#[derive(Debug, Clone)]
pub struct VoidOrder {
    /// Natural key of the deal.
    pub transaction: String,
    /// Why.
    pub reason: String,
    /// The user who asks, and who approved it.
    pub by: Actor,
}

/// Makes a deal void and decides it again: its credits leave open periods, and are reversed where
/// their periods are locked. Gives the deal as it is then; one that is void already stays as it is.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such deal.
pub fn void_deal(context: &Context, order: VoidOrder) -> Result<TransactionRecord, OperationError> {
    let stored = find_deal(context, &order.transaction)?;
    refuse_manual(&stored)?;
    if stored.record.void_remark().is_some() {
        return Ok(stored);
    }

    let VoidOrder { transaction, reason, by: Actor { who, approved } } = order;
    let mut record = stored.record.clone();
    let void =
        VoidRemark { date: context.business_date(), who: who.clone(), reason: reason.clone() };
    record.add_remark(&Remark::Void(void));

    let ruleset = context.ruleset.load_full();
    let fields = Arc::clone(&ruleset.settings.fields);
    let decoded = Arc::new(Decoder::new(fields).decode(&record));
    let resolutions = context.ledger.transaction_resolutions(&stored.id)?;
    let decided = decide_transactions(context, &ruleset, &[decoded], &resolutions)?;

    // By the key that it is stored under: another ruleset may read another one.
    let decided = decided.into_iter().map(|(_, decisions)| (stored.id.clone(), decisions));
    let mut changed = TransactionRecord { decisions: Vec::new(), ..stored.clone() };
    let (delivery, former) = changed.replace_content(record, stored.delivery);

    let voided = DealVoiding {
        transaction: transaction.clone(),
        version: changed.version,
        who,
        reason,
        at_ms: context.now_ms(),
        approved,
    };
    let mut work = CommitBatch {
        records: vec![changed],
        history: vec![(stored.id.clone(), delivery, former)],
        decisions: decided.collect(),
        voided: Some(voided),
        ..CommitBatch::default()
    };
    record_with_postings(context, &mut work)?;

    find_deal(context, &transaction)
}

fn find_deal(context: &Context, id: &str) -> Result<TransactionRecord, OperationError> {
    let stored = context.ledger.find_transaction(id)?;
    stored.ok_or_else(|| OperationError::not_found("transaction"))
}
