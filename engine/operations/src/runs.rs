//! Runs of calculations: begun, joined, cancelled; and what cannot be done while one is under way.
//!
//! Not the steps of a run (`decide::run`) and not whose turn it is (the host's worker). Source:
//! DOMAIN 2.13.
//!
//! **Architecture invariant:** of one plan in one period one run is under way at most, and a run is
//! stored before its number is returned.

use accredit_domain::keys::PeriodKey;
use std::collections::BTreeSet;

use accredit_ledger::runs::{CalculationRun, RunRules, RunState};

use crate::calculations::{calculation_scope, calculation_scopes};
use crate::context::{ActiveRun, Context};
use crate::error::OperationError;

/// Runs that are under way at a time.
const WAITING_MAX: usize = 64;

/// A request to run a calculation.
#[derive(Debug, Clone)]
pub struct RunOrder {
    /// Id of the plan.
    pub plan: String,
    /// Id of the period.
    pub period: String,
    /// `full`, `incremental` or `selected`.
    pub mode: String,
    /// Natural keys of the deals that are run again; only where the mode is `selected`.
    pub selected: BTreeSet<String>,
    /// Ids of participants whose deals are run again; only where the mode is `selected`.
    pub payees: BTreeSet<String>,
    /// By which rules the run decides; none: what has no credit by those in force, the rest by those
    /// that decided it.
    pub rules: Option<RunRules>,
    /// Whether nothing is recorded but what would change.
    pub dry_run: bool,
    /// The user who asks.
    pub who: String,
}

impl RunOrder {
    /// The order with its mode checked; deals are only kept where the mode uses them.
    ///
    /// # Errors
    /// [`OperationError::Invalid`] when there is no such mode, or no deal is selected.
    pub fn checked(mut self) -> Result<RunOrder, OperationError> {
        match self.mode.as_str() {
            "full" | "incremental" => {
                self.selected.clear();
                self.payees.clear();
            }
            "selected" if !self.selected.is_empty() || !self.payees.is_empty() => (),
            _ => {
                let detail = "`mode` is `full`, `incremental`, or `selected` with `transactions` \
                    or `payees`";
                return Err(OperationError::invalid("unknown_mode", detail));
            }
        }
        Ok(self)
    }
}

/// Begins a run, or joins the one of the same kind that is under way.
///
/// # Errors
/// [`OperationError::Invalid`] when the plan is calculated by longer periods,
/// [`OperationError::RunUnderWay`] when another run of the calculation is under way,
/// [`OperationError::Unavailable`] when too many are.
pub fn begin_run(context: &Context, order: RunOrder) -> Result<CalculationRun, OperationError> {
    let wanted = calculation_scope(context, &order.plan, &order.period)?;
    // A part of the plan's own period is no calculation.
    calculation_scopes(context, &order.plan, &order.period)?;
    let run = CalculationRun {
        plan: order.plan,
        period: order.period,
        mode: order.mode,
        selected: order.selected,
        payees: order.payees,
        rules: order.rules,
        dry_run: order.dry_run,
        who: order.who,
        at_ms: context.now_ms(),
        ..CalculationRun::default()
    };

    context.runs.with_active(|active| {
        let same =
            |known: &&ActiveRun| known.run.plan == run.plan && known.run.period == run.period;

        if let Some(known) = active.iter().find(same) {
            if is_alike(&known.run, &run) && !known.cancelled {
                return Ok(known.run.clone());
            }
            return Err(under_way(known));
        }

        if active.len() >= WAITING_MAX {
            let detail = format!("{WAITING_MAX} runs are under way (WAITING_MAX)");
            return Err(OperationError::unavailable(detail));
        }

        let run = context.ledger.begin_run(run)?;
        active.push(ActiveRun { run: run.clone(), leaves: wanted.leaves, cancelled: false });
        Ok(run)
    })
}

/// Whether two runs of one calculation do the same.
fn is_alike(one: &CalculationRun, other: &CalculationRun) -> bool {
    let what = |run: &CalculationRun| {
        (run.mode.clone(), run.selected.clone(), run.payees.clone(), run.rules, run.dry_run)
    };
    what(one) == what(other)
}

/// A run, under way or ended.
///
/// # Errors
/// [`OperationError::NotFound`] when no run has this number, or it is no longer kept.
pub fn find_run(context: &Context, id: u64) -> Result<CalculationRun, OperationError> {
    if let Some(run) = context.runs.find(id) {
        return Ok(run);
    }
    context.ledger.find_run(id)?.ok_or_else(|| OperationError::not_found("run"))
}

/// Asks a run to end before its end; one that has ended stays as it is.
///
/// # Errors
/// [`OperationError::NotFound`] when no run has this number.
pub fn cancel_run(context: &Context, id: u64) -> Result<CalculationRun, OperationError> {
    context.runs.with_active(|active| {
        let known = active.iter_mut().filter(|known| known.run.id == id);
        known.for_each(|known| known.cancelled = true);
    });
    find_run(context, id)
}

/// The run that is being decided now.
pub fn current_run(context: &Context) -> Option<CalculationRun> {
    context.runs.with_active(|active| {
        let known = active.iter().find(|known| known.run.state == RunState::Running);
        known.or(active.first()).map(|known| known.run.clone())
    })
}

/// Refuses what needs all of `leaves` while a run, of `plan` or of any, decides some of them.
///
/// # Errors
/// [`OperationError::RunUnderWay`] with the run.
pub fn refuse_during_run(
    context: &Context,
    plan: Option<&str>,
    leaves: &BTreeSet<PeriodKey>,
) -> Result<(), OperationError> {
    context.runs.with_active(|active| {
        let meant = |known: &&ActiveRun| {
            plan.is_none_or(|plan| known.run.plan == plan) && !known.leaves.is_disjoint(leaves)
        };
        active.iter().find(meant).map_or(Ok(()), |known| Err(under_way(known)))
    })
}

fn under_way(known: &ActiveRun) -> OperationError {
    OperationError::RunUnderWay(Box::new(known.run.clone()))
}
