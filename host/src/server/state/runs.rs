//! Runs that are asked for: begun, joined, waited for, cancelled.
//!
//! Not the deciding (`worker::run`). Called by `http::runs` and `http::calculations`.
//!
//! **Architecture invariant:** of one plan in one period one run is under way at most, and a run is
//! stored before its number is returned.

use std::time::Duration;

use accredit_ledger::runs::{CalculationRun, RunState};
use accredit_operations::calculations::CalculationScope;
use axum::http::{HeaderValue, header};

use super::Service;
use crate::http::problem::Problem;
use crate::server::runs::ActiveRun;

/// Runs that wait at a time.
const WAITING_MAX: usize = 64;

/// Where a run is found.
pub(crate) fn run_location(id: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("/v1/runs/{id}"))
        .unwrap_or_else(|_| HeaderValue::from_static("/v1/runs"))
}

impl Service {
    /// Begins a run, or joins the one of the same kind that is under way.
    pub(crate) fn begin_run(
        &self,
        wanted: &CalculationScope,
        run: CalculationRun,
    ) -> Result<CalculationRun, Problem> {
        let begun = self.runs.with_active(|active| {
            let same =
                |known: &&ActiveRun| known.run.plan == run.plan && known.run.period == run.period;

            if let Some(known) = active.iter().find(same) {
                let alike = known.run.mode == run.mode && known.run.selected == run.selected;
                if alike && !known.cancelled {
                    return Ok(known.run.clone());
                }
                return Err(under_way(&known.run));
            }

            if active.len() >= WAITING_MAX {
                let detail = format!("{WAITING_MAX} runs are under way (WAITING_MAX)");
                return Err(Problem::unavailable(detail));
            }

            let run = self.context.ledger.begin_run(run)?;
            let leaves = wanted.leaves.clone();
            active.push(ActiveRun { run: run.clone(), leaves, cancelled: false });
            Ok(run)
        });

        self.orders.wake();
        begun
    }

    /// A run, under way or ended.
    pub(crate) fn run_of(&self, id: u64) -> Result<CalculationRun, Problem> {
        if let Some(run) = self.runs.find(id) {
            return Ok(run);
        }
        let run = self.context.ledger.find_run(id)?;
        run.ok_or_else(|| Problem::not_found("run"))
    }

    /// Ends a run before its end; one that has ended stays as it is.
    pub(crate) fn cancel_run(&self, id: u64) -> Result<CalculationRun, Problem> {
        self.runs.with_active(|active| {
            let known = active.iter_mut().filter(|known| known.run.id == id);
            known.for_each(|known| known.cancelled = true);
        });
        self.orders.wake();
        self.run_of(id)
    }

    /// The run of a plan that has something of `leaves`, as a reason to refuse what needs all of it.
    pub(crate) fn refuse_during_run(
        &self,
        plan: Option<&str>,
        leaves: &std::collections::BTreeSet<String>,
    ) -> Result<(), Problem> {
        self.runs.with_active(|active| {
            let meant = |known: &&ActiveRun| {
                plan.is_none_or(|plan| known.run.plan == plan) && !known.leaves.is_disjoint(leaves)
            };
            active.iter().find(meant).map_or(Ok(()), |known| Err(under_way(&known.run)))
        })
    }

    /// The run once it has ended, or as it is after `wait`.
    pub(crate) async fn await_run(
        &self,
        id: u64,
        wait: Duration,
    ) -> Result<CalculationRun, Problem> {
        let mut changed = self.runs.changes();

        let ended = async {
            loop {
                // Marked as seen before looking, so that an end in between is not missed.
                changed.borrow_and_update();
                let run = self.run_of(id)?;
                let stopping = self.stopping.load(std::sync::atomic::Ordering::Acquire);
                if run.state.has_ended() || stopping || changed.changed().await.is_err() {
                    return Ok(run);
                }
            }
        };

        match tokio::time::timeout(wait, ended).await {
            Ok(run) => run,
            Err(_) => self.run_of(id),
        }
    }

    /// The run that is being decided now.
    pub(crate) fn current_run(&self) -> Option<CalculationRun> {
        let running = |active: &mut Vec<ActiveRun>| {
            let known = active.iter().find(|known| known.run.state == RunState::Running);
            known.or(active.first()).map(|known| known.run.clone())
        };
        self.runs.with_active(running)
    }
}

fn under_way(run: &CalculationRun) -> Problem {
    let detail = format!("run {} of plan `{}` in {} is under way", run.id, run.plan, run.period);
    Problem::conflict("run_under_way", detail).with_header(header::LOCATION, run_location(run.id))
}
