//! Runs of calculations, step by step between deliveries: whose turn it is, and how far it is.
//!
//! Not the steps themselves (`decide::run`), not who asks (`accredit_operations::runs`) and not the
//! daily run, which is the worker's own. Runs on the worker's thread. Source: DOMAIN 2.13.
//!
//! **Architecture invariant:** a run begins after every delivery that had come before it.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use accredit_ledger::runs::{CalculationRun, RunState};
use accredit_operations::calculations;
use accredit_operations::context::ActiveRun;
use accredit_operations::decide::run::{self, RunChanges};
use accredit_seams::store::StoreError;

use super::Worker;
use crate::server::channels::WorkerTurn as _;

/// Why a run has no end when its process has one.
pub(crate) const UNFINISHED: &str = "the server stopped before the end of the run; run it again";

/// The run whose turn it is.
pub(super) struct RunTurn {
    id: u64,
    /// Deliveries that the worker must have handled before it begins: those that had come before it.
    after: u64,
    /// Numbers of the transactions that are left; none until they were looked up.
    left: Option<VecDeque<u64>>,
    /// What came out otherwise so far.
    changes: RunChanges,
}

impl Worker {
    /// Does the next step of the run whose turn it is; whether there is more to do.
    pub(super) fn advance_run(&mut self) -> bool {
        let Some(active) = self.context.runs.with_active(|active| active.first().cloned()) else {
            return false;
        };

        if self.is_stopping() {
            self.end_run(active.run, RunState::Failed, Some(UNFINISHED));
        } else if active.cancelled {
            self.end_run(active.run, RunState::Cancelled, None);
        } else {
            let id = active.run.id;
            let stepped = catch_unwind(AssertUnwindSafe(|| self.run_step(&active)));
            let cause = match stepped {
                Ok(Ok(())) => return true,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "a step panicked".to_owned(),
            };

            tracing::error!(error.cause = %cause, run.id = id, "a run failed");
            let run = self.context.runs.find(id).unwrap_or(active.run);
            self.end_run(run, RunState::Failed, Some("internal error; see the server's log"));
        }

        true
    }

    fn run_step(&mut self, active: &ActiveRun) -> Result<(), StoreError> {
        let id = active.run.id;
        let mut turn = match self.turn.take().filter(|turn| turn.id == id) {
            Some(turn) => turn,
            None => {
                let waiting = self.context.ledger.pending_count()?;
                RunTurn {
                    id,
                    after: self.handled + waiting,
                    left: None,
                    changes: RunChanges::default(),
                }
            }
        };

        // Everything that waited when the run's turn came is decided first, so that it takes part.
        let Some(left) = &mut turn.left else {
            let waiting = self.context.ledger.pending_count()?;
            if waiting == 0 || self.handled >= turn.after {
                self.new_day();
                let found = run::look_up(&self.context, &active.run, &active.leaves)?;

                let run = &active.run;
                self.save_progress(CalculationRun {
                    state: RunState::Running,
                    transactions: found.len(),
                    ..run.clone()
                })?;
                turn.left = Some(found);
            }

            self.turn = Some(turn);
            return Ok(());
        };

        if left.is_empty() {
            let rewards = run::reward_lines(&self.context, &active.run, &turn.changes)?;
            let run = CalculationRun { rewards, ..active.run.clone() };
            self.end_run(run, RunState::Done, None);
            return Ok(());
        }

        let some = run::next_few(&self.context, left)?;
        let run = run::decide_step(&self.context, &active.run, &some, &mut turn.changes)?;
        self.save_progress(run)?;
        self.turn = Some(turn);
        Ok(())
    }

    /// Keeps and shows how far a run is.
    fn save_progress(&self, run: CalculationRun) -> Result<(), StoreError> {
        self.context.ledger.store_run(&run)?;
        self.context.runs.with_active(|active| {
            let known = active.iter_mut().filter(|known| known.run.id == run.id);
            known.for_each(|known| known.run.clone_from(&run));
        });
        Ok(())
    }

    /// Ends a run, and tells those who wait.
    fn end_run(&mut self, run: CalculationRun, state: RunState, error: Option<&str>) {
        self.turn = None;
        let context = &self.context;
        let mut run = CalculationRun { state, error: error.map(str::to_owned), ..run };
        run.ended_ms = Some(context.now_ms());

        let wanted = calculations::calculation_scope(context, &run.plan, &run.period).ok();
        if let (RunState::Done, Some(wanted), Ok(index)) =
            (state, wanted, calculations::calculation_index(context))
        {
            run.revision = Some(index.revision(&run.plan, &run.period, &wanted.leaves));
            run.business_date = Some(context.business_date().to_string());
        }

        if let Err(error) = context.ledger.store_run(&run) {
            tracing::error!(error.cause = %error, run.id = run.id, "the end of a run was not kept");
        }
        tracing::info!(run.id = run.id, run.decided = run.decided, "a run ended");
        let took_ms = run.ended_ms.unwrap_or(run.at_ms).saturating_sub(run.at_ms);
        let took = Duration::from_millis(u64::try_from(took_ms).unwrap_or_default());
        self.metrics.own_work.observe_run(took);

        self.context.runs.with_active(|active| active.retain(|known| known.run.id != run.id));
        self.run_notices.notify_waiters();
    }

    /// Ends the runs that no time is left for.
    pub(super) fn end_all(&mut self) {
        while let Some(run) =
            self.context.runs.with_active(|active| active.first().map(|one| one.run.clone()))
        {
            self.end_run(run, RunState::Failed, Some(UNFINISHED));
        }
    }
}
