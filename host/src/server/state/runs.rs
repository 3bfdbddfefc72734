//! Runs that requests ask for, cancel and wait for.
//!
//! Not the rules of runs (`accredit_operations::runs`) and not the deciding (`worker::run`).

use std::time::Duration;

use accredit_ledger::runs::CalculationRun;
use accredit_operations::error::OperationError;
use accredit_operations::runs::{self, RunOrder};

use super::Service;

impl Service {
    /// Begins a run, or joins the one of the same kind that is under way.
    pub(crate) fn begin_run(&self, order: RunOrder) -> Result<CalculationRun, OperationError> {
        let begun = runs::begin_run(&self.context, order);
        self.orders.wake();
        begun
    }

    /// Ends a run before its end; one that has ended stays as it is.
    pub(crate) fn cancel_run(&self, id: u64) -> Result<CalculationRun, OperationError> {
        let cancelled = runs::cancel_run(&self.context, id);
        self.orders.wake();
        cancelled
    }

    /// The run once it has ended, or as it is after `wait`.
    pub(crate) async fn await_run(
        &self,
        id: u64,
        wait: Duration,
    ) -> Result<CalculationRun, OperationError> {
        let mut changed = self.run_notices.changes();

        let ended = async {
            loop {
                // Marked as seen before looking, so that an end in between is not missed.
                changed.borrow_and_update();
                let run = runs::find_run(&self.context, id)?;
                let stopping = self.stopping.load(std::sync::atomic::Ordering::Acquire);
                if run.state.has_ended() || stopping || changed.changed().await.is_err() {
                    return Ok(run);
                }
            }
        };

        match tokio::time::timeout(wait, ended).await {
            Ok(run) => run,
            Err(_) => runs::find_run(&self.context, id),
        }
    }
}
