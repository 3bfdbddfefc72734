//! Adjust: amounts that people set manually, for a transaction or for one credit.
//!
//! An adjustment is an input of a decision, like a release: of a transaction, the amount that
//! everything sees from then on; of a credit, applied after its maximum and before its hold. Not the
//! act of adjusting, which the ledger keeps. Called by the pipeline. Source: DOMAIN 2.12.
//!
//! **Architecture invariant:** the last adjustment of a target counts, and a reset is as if there had
//! never been one.

use accredit_domain::note::{NoteCode, NoteStage};
use std::sync::Arc;

use rust_decimal::Decimal;

use crate::stage::{DealCase, DecisionInputs, ParkReason};
use accredit_domain::credit::posted::CreditOrigin;
use accredit_domain::credit::{Credit, CreditId};
use accredit_domain::keys::DefinedName;
use accredit_domain::money;
use accredit_domain::transaction::Transaction;

const STAGE: NoteStage = NoteStage::Adjustment;

/// A manual amount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Adjustment {
    /// The transaction or credit whose amount is set.
    pub target: AdjustmentTarget,
    /// The change of the amount.
    pub change: AmountChange,
    /// One of the workspace's reason codes.
    pub reason_code: Option<Arc<str>>,
}

/// The target of an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AdjustmentTarget {
    /// The transaction with this natural key.
    Transaction(Arc<str>),
    /// The credit with this id.
    Credit(CreditId),
}

/// What becomes of an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AmountChange {
    /// This amount, in place of the computed one.
    To(Decimal),
    /// So much more, or less.
    By(Decimal),
    /// What it was without adjustments.
    Reset,
}

impl AmountChange {
    /// `amount` with the change; none when it is left as it was. A sum that no number holds is the
    /// largest number, which is beyond the limit of every unit.
    fn apply_to(self, amount: Decimal) -> Option<Decimal> {
        match self {
            AmountChange::To(amount) => Some(amount),
            AmountChange::By(difference) => Some(amount.saturating_add(difference)),
            AmountChange::Reset => None,
        }
    }
}

/// The adjustment of `target` that counts; none after a reset.
fn last_adjustment<'a>(
    inputs: &'a DecisionInputs,
    target: &AdjustmentTarget,
) -> Option<&'a Adjustment> {
    let last = inputs.adjustments.iter().rfind(|adjustment| adjustment.target == *target);
    last.filter(|adjustment| adjustment.change != AmountChange::Reset)
}

/// The transaction with the amount that everything sees; the delivered one stays known as
/// [`Transaction::unadjusted_amount`]. An amount that cannot be read can be replaced, not raised.
pub fn adjust_transaction(
    inputs: &DecisionInputs,
    transaction: &Arc<Transaction>,
) -> Arc<Transaction> {
    if inputs.adjustments.is_empty() {
        return Arc::clone(transaction);
    }

    let target = AdjustmentTarget::Transaction(Arc::clone(&transaction.id));

    let adjusted = last_adjustment(inputs, &target).and_then(|adjustment| {
        let amount = match adjustment.change {
            AmountChange::To(amount) => amount,
            change => change.apply_to(transaction.amount().ok()?)?,
        };
        transaction.with_amount(amount)
    });

    adjusted.map_or_else(|| Arc::clone(transaction), Arc::new)
}

/// Says in the explanation that the amount of the transaction was adjusted.
pub fn explain_adjustment(case: &mut DealCase<'_>) {
    let transaction = Arc::clone(&case.tx);
    let Some(before) = transaction.unadjusted_amount() else { return };
    let now = transaction.amount().map(|amount| amount.to_string()).unwrap_or_default();
    let before = before.map_or_else(|| "an amount that is no number".to_owned(), |b| b.to_string());
    case.trace_step(STAGE, || {
        format!("the amount of the deal is {now} by hand; it came as {before}")
    });
}

/// Applies the adjustment of `credit`, if one counts: rounded to the unit's scale, marked as
/// manual, with the reason code of the adjustment.
///
/// # Errors
/// [`ParkReason`] when the amount is beyond the limit.
pub fn adjust_credit(case: &mut DealCase<'_>, credit: &mut Credit) -> Result<(), ParkReason> {
    // Most deals have none, and then no id is made.
    if case.inputs.adjustments.is_empty() {
        return Ok(());
    }
    let target = AdjustmentTarget::Credit(case.credit_id(credit));
    let Some(adjustment) = last_adjustment(case.inputs, &target) else { return Ok(()) };
    let Some(amount) = adjustment.change.apply_to(credit.amount) else { return Ok(()) };
    money::within_limit(amount, credit.unit.scale).map_err(|too_large| {
        ParkReason::new(STAGE, NoteCode::PolicyError, too_large.to_string())
    })?;

    let now = money::round_to_scale(amount, credit.unit.scale);
    let before = std::mem::replace(&mut credit.amount, now);
    credit.origin = CreditOrigin::Manual;
    if let Some(code) = &adjustment.reason_code {
        credit.reason_code = Some(DefinedName::from(code));
    }

    let who = case.recipient_id(credit.recipient);
    case.trace_step(STAGE, || {
        format!("rule `{}`: {before} for `{who}` is {now} by hand", credit.rule)
    });
    Ok(())
}
