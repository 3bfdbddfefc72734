//! What people ask the worker for: what had arrived before is decided first, then the operation is
//! done.
//!
//! Not the operations themselves (`accredit_operations`) and not the requests (`http`). Not a wait for an
//! empty inbox either: under traffic that never pauses there is none.
//!
//! **Architecture invariant:** a release, an adjustment or a finalization waits for a number of
//! deliveries that does not grow.

use accredit_domain::calendar::Period;
use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Actor, ResolutionRecord};
use accredit_ledger::manual_rewards::ManualReward;
use accredit_ledger::periods::PeriodState;
use accredit_ledger::record::TransactionRecord;
use accredit_ledger::releases::Release;
use accredit_operations::adjust::{self, AdjustOrder, AdjustmentSubject};
use accredit_operations::calculations::{self, CalculationScope};
use accredit_operations::context::Context;
use accredit_operations::decide::{redrive, run};
use accredit_operations::error::OperationError;
use accredit_operations::holds::{self, HoldFilter};
use accredit_operations::manual_credits::{
    self, ManualCreditOrder, ManualCreditSubject, PostedAct,
};
use accredit_operations::manual_rewards::{self, ManualRewardOrder};
use accredit_operations::periods::{self, ChangedPeriod, PeriodOrder};
use accredit_operations::release::{self, PublishOrder};
use accredit_operations::resolve::{self, ResolveOrder};
use accredit_operations::runs::RunOrder;
use accredit_operations::void::{self, VoidOrder};

use crate::server::channels::WorkerTurn;

/// Resolves a credit; one that is not known yet may still be in the inbox.
pub(crate) fn resolve_known(
    turn: &mut dyn WorkerTurn,
    order: ResolveOrder,
) -> Result<PostedCredit, OperationError> {
    decide_until_known(turn, &order.credit)?;
    resolve::resolve_credit(turn.context(), order)
}

/// Adjusts a credit or a transaction; one that is not known yet may still be in the inbox.
pub(crate) fn adjust_amount(
    turn: &mut dyn WorkerTurn,
    order: AdjustOrder,
) -> Result<ResolutionRecord, OperationError> {
    match &order.subject {
        AdjustmentSubject::Credit(id) => decide_until_known(turn, id)?,
        AdjustmentSubject::Transaction(_) => catch_up(turn)?,
    }
    adjust::adjust_amount(turn.context(), order)
}

/// Makes a deal void; one that is not known yet may still be in the inbox.
pub(crate) fn void_deal(
    turn: &mut dyn WorkerTurn,
    order: VoidOrder,
) -> Result<TransactionRecord, OperationError> {
    catch_up(turn)?;
    void::void_deal(turn.context(), order)
}

/// Gives a credit by hand, or takes one back.
pub(crate) fn add_credit(
    turn: &mut dyn WorkerTurn,
    order: ManualCreditOrder,
) -> Result<PostedAct, OperationError> {
    // A deal with the key that the credit would have may still be in the inbox.
    if matches!(order.subject, ManualCreditSubject::New(_)) {
        catch_up(turn)?;
    }
    manual_credits::add_credit(turn.context(), order)
}

/// Adds a reward by hand, between two batches.
pub(crate) fn add_reward(
    turn: &mut dyn WorkerTurn,
    order: ManualRewardOrder,
) -> Result<ManualReward, OperationError> {
    manual_rewards::add_reward(turn.context(), order)
}

/// Releases every held credit that the filter selects, in one decision; gives their ids.
pub(crate) fn release_holds(
    turn: &mut dyn WorkerTurn,
    filter: &HoldFilter,
    by: &Actor,
) -> Result<Vec<CreditId>, OperationError> {
    catch_up(turn)?;
    holds::release_holds(turn.context(), filter, by)
}

/// Publishes a calculation; the release as it is then.
pub(crate) fn publish_release(
    turn: &mut dyn WorkerTurn,
    wanted: &CalculationScope,
    order: PublishOrder,
) -> Result<Release, OperationError> {
    catch_up(turn)?;
    turn.new_day();
    release::publish_calculation(turn.context(), wanted, order)
}

/// Closes or finalizes a leaf period, with everything that was acknowledged until now.
pub(crate) fn lock_with_arrivals(
    turn: &mut dyn WorkerTurn,
    leaf: &Period,
    said: &PeriodState,
) -> Result<usize, OperationError> {
    turn.catch_up()?;
    Ok(periods::lock_leaf(turn.context(), leaf, said)?)
}

/// Closes, reopens or finalizes a period; what had arrived is frozen with it.
pub(crate) fn change_period(
    turn: &mut dyn WorkerTurn,
    context: &Context,
    order: PeriodOrder,
) -> Result<ChangedPeriod, OperationError> {
    periods::change_period(context, order, &mut || Ok(turn.catch_up()?))
}

/// Refuses a selection with transactions that were never delivered, or with unknown payees.
pub(crate) fn check_selected(
    turn: &mut dyn WorkerTurn,
    order: &RunOrder,
) -> Result<(), OperationError> {
    // An unknown plan or period is refused before unknown deals are.
    calculations::calculation_scope(turn.context(), &order.plan, &order.period)?;
    catch_up(turn)?;
    run::check_selected(turn.context(), &order.selected, &order.payees)
}

/// Decides again what is parked or held by an error; how many deals are not any more.
pub(crate) fn redrive_parked(turn: &mut dyn WorkerTurn) -> Result<usize, OperationError> {
    Ok(redrive::redrive_parked(turn.context())?)
}

/// Decides what has arrived, unless the credit is known already.
fn decide_until_known(turn: &mut dyn WorkerTurn, credit: &str) -> Result<(), OperationError> {
    if turn.context().ledger.find_credit(credit)?.is_some() {
        return Ok(());
    }
    catch_up(turn)
}

/// What could not be decided refuses what was asked for.
fn catch_up(turn: &mut dyn WorkerTurn) -> Result<(), OperationError> {
    turn.catch_up().map_err(|error| {
        tracing::error!(error.cause = %error, "earlier deliveries are not decided");
        let detail = "earlier deliveries could not be decided; nothing was done";
        OperationError::unavailable(detail)
    })
}
