//! Runs of calculations: transactions decided again, step by step between deliveries, and compared with
//! what is stored.
//!
//! Not the rules (the engine), not who asks (`runs`) and not the daily run, which is the worker's own.
//! Runs on the worker's thread. Source: DOMAIN 2.13, INV-G1.
//!
//! **Architecture invariant:** a full run of what nothing has changed since changes nothing; a step
//! decides what is stored when its turn comes, so that nothing that arrived meanwhile is undone.

use std::collections::{BTreeSet, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;

use accredit_domain::decision::{Decision, Outcome};
use accredit_domain::keys::RulesetHash;
use accredit_ledger::record::{Stored, Work};
use accredit_ledger::runs::{Run, RunState};
use accredit_operations::calculations;
use accredit_operations::context::LAST_RUN;
use accredit_seams::store::Error as StoreError;
use axum::http::StatusCode;
use jiff::civil::Date;

use super::{PENDING_MAX, Worker, fence};
use crate::http::problem::Problem;
use crate::server::runs::Active;

/// Transactions decided again in one step, at least.
const STEP: usize = 512;

/// Why a run has no end when its process has one.
pub(crate) const UNFINISHED: &str = "the server stopped before the end of the run; run it again";

/// The run whose turn it is.
pub(super) struct Turn {
    id: u64,
    /// Deliveries that the worker must have handled before it begins: those that had come before it.
    after: u64,
    /// Numbers of the transactions that are left; none until they were looked up.
    left: Option<VecDeque<u64>>,
}

/// Without what depends on when it was decided rather than on what.
fn content(decision: &Decision) -> Decision {
    let mut decision =
        Decision { as_of: None, ruleset: RulesetHash::default(), ..decision.clone() };
    decision.credits.iter_mut().for_each(|row| row.ruleset = RulesetHash::default());
    decision
}

/// Whether a run is about a stored transaction.
fn meant(Active { run, leaves, .. }: &Active, stored: &Stored) -> bool {
    stored.decisions.iter().filter(|one| is_in_calculation(one, &run.plan, leaves)).any(
        |decision| match run.mode.as_str() {
            "full" => true,
            "incremental" => decision.outcome == Outcome::Parked,
            _ => run.selected.contains(&stored.id),
        },
    )
}

/// Whether a decision is part of the calculation of a plan in these leaf periods.
fn is_in_calculation(decision: &Decision, plan: &str, leaves: &BTreeSet<String>) -> bool {
    let rows = decision.credits.iter().any(|row| leaves.contains(&*row.period));
    let own = decision.outcome != Outcome::Filtered
        && decision.period.as_ref().is_none_or(|own| leaves.contains(&**own));
    decision.plan == plan && (rows || own)
}

/// Transactions that a refusal names, at most.
const NAMED_MAX: usize = 20;

impl Worker {
    /// Refuses a selection that names transactions which nobody delivered; what was acknowledged
    /// before is known. One of another plan or period is none of the run's business, as before.
    pub(crate) fn check_selected(&mut self, selected: &BTreeSet<String>) -> Result<(), Problem> {
        let failed = |error: StoreError| Problem::internal(&error);
        self.catch_up().map_err(|error| fence::undecided(&error))?;

        let mut missing = Vec::new();
        for id in selected {
            if self.service.ledger.transaction(id).map_err(failed)?.is_none() {
                missing.push(format!("`{id}`"));
            }
        }
        if missing.is_empty() {
            return Ok(());
        }

        let more = missing.len().saturating_sub(NAMED_MAX);
        missing.truncate(NAMED_MAX);
        let and_more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let detail =
            format!("there are no transactions {}{and_more}; nothing was run", missing.join(", "));
        Err(Problem::new(StatusCode::NOT_FOUND, "not_found", detail))
    }

    /// Notes that everything was decided as of `today`.
    pub(super) fn ran(&self, today: Date) {
        let kept = self.service.ledger.set_meta(LAST_RUN, today.to_string().as_bytes());
        if let Err(error) = kept {
            tracing::error!(error.cause = %error, "the daily run was not noted");
        }
    }

    /// Does the next step of the run whose turn it is; whether there is more to do.
    pub(super) fn run_on(&mut self) -> bool {
        let Some(active) = self.service.runs.with(|active| active.first().cloned()) else {
            return false;
        };

        if self.service.stopping.load(Ordering::Acquire) {
            self.end(active.run, RunState::Failed, Some(UNFINISHED));
        } else if active.cancelled {
            self.end(active.run, RunState::Cancelled, None);
        } else {
            let id = active.run.id;
            let stepped = catch_unwind(AssertUnwindSafe(|| self.run_step(&active)));
            let cause = match stepped {
                Ok(Ok(())) => return true,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "a step panicked".to_owned(),
            };

            tracing::error!(error.cause = %cause, run.id = id, "a run failed");
            let run = self.service.run_of(id).unwrap_or(active.run);
            self.end(run, RunState::Failed, Some("something went wrong here; the log says what"));
        }

        true
    }

    fn run_step(&mut self, active: &Active) -> Result<(), StoreError> {
        let id = active.run.id;
        let mut turn = match self.turn.take().filter(|turn| turn.id == id) {
            Some(turn) => turn,
            None => {
                let waiting = self.service.ledger.pending_count(PENDING_MAX)? as u64;
                Turn { id, after: self.handled + waiting, left: None }
            }
        };

        // Everything that waited when the run's turn came is decided first, so that it takes part.
        let Some(left) = &mut turn.left else {
            let waiting = self.service.ledger.pending_count(1)?;
            if waiting == 0 || self.handled >= turn.after {
                self.new_day();
                let found = self.look_up(active)?;

                let run = &active.run;
                self.went(Run {
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
            self.end(active.run.clone(), RunState::Done, None);
            return Ok(());
        }

        let some = self.next_few(left)?;
        let run = self.decide_step(&active.run, &some)?;
        self.went(run)?;
        self.turn = Some(turn);
        Ok(())
    }

    /// Numbers of the transactions that a run is about.
    fn look_up(&self, active: &Active) -> Result<VecDeque<u64>, StoreError> {
        let mut found = Vec::new();
        self.service.ledger.each(Some(&active.leaves), &mut |stored| {
            found.extend(meant(active, &stored).then_some(stored.number));
            Ok(())
        })?;
        found.sort_unstable();
        Ok(found.into())
    }

    /// The next transactions, block by block, as they are stored now.
    fn next_few(&self, left: &mut VecDeque<u64>) -> Result<Vec<Stored>, StoreError> {
        let mut some: Vec<Stored> = Vec::new();
        while let Some(first) = left.front().copied().filter(|_| some.len() < STEP) {
            let Some((stored, next)) = self.service.ledger.stored_from(first)? else {
                left.clear();
                break;
            };

            for one in stored {
                if left.front() == Some(&one.number) {
                    left.pop_front();
                    some.push(one);
                }
            }

            // A number that nothing is stored under would stay in front for ever.
            while left.front().is_some_and(|number| *number < next) {
                left.pop_front();
            }
        }

        Ok(some)
    }

    fn decide_step(&mut self, run: &Run, some: &[Stored]) -> Result<Run, StoreError> {
        let decisions = self.by_their_rules(some, &[])?;
        let mut work = Work { decisions, ..Work::default() };
        self.record(&mut work)?;
        let mut run = Run { decided: run.decided + some.len(), ..run.clone() };
        for (id, after) in &work.decisions {
            let Some(before) = some.iter().find(|one| one.id == *id) else { continue };
            let of = |decisions: &[Decision]| -> Vec<Decision> {
                decisions.iter().filter(|one| one.plan == run.plan).map(content).collect()
            };
            run.differing += usize::from(of(&before.decisions) != of(after));
        }
        Ok(run)
    }

    /// Keeps and shows how far a run is.
    fn went(&self, run: Run) -> Result<(), StoreError> {
        self.service.ledger.keep_run(&run)?;
        self.service.runs.with(|active| {
            let known = active.iter_mut().filter(|known| known.run.id == run.id);
            known.for_each(|known| known.run.clone_from(&run));
        });
        Ok(())
    }

    /// Ends a run, and tells those who wait.
    fn end(&mut self, run: Run, state: RunState, error: Option<&str>) {
        self.turn = None;
        let service = &self.service;
        let mut run = Run { state, error: error.map(str::to_owned), ..run };
        run.ended_ms = Some(service.clock.now_ms());

        let wanted = calculations::wanted(&service.context, &run.plan, &run.period).ok();
        if let (RunState::Done, Some(wanted), Ok(index)) =
            (state, wanted, calculations::index(&service.context))
        {
            run.revision = Some(index.revision(&run.plan, &run.period, &wanted.leaves));
            run.business_date = Some(service.business_date().to_string());
        }

        if let Err(error) = service.ledger.keep_run(&run) {
            tracing::error!(error.cause = %error, run.id = run.id, "the end of a run was not kept");
        }
        tracing::info!(run.id = run.id, run.decided = run.decided, "a run ended");

        service.runs.with(|active| active.retain(|known| known.run.id != run.id));
        service.runs.tell();
    }

    /// Ends the runs that no time is left for.
    pub(super) fn end_all(&mut self) {
        while let Some(run) =
            self.service.runs.with(|active| active.first().map(|one| one.run.clone()))
        {
            self.end(run, RunState::Failed, Some(UNFINISHED));
        }
    }
}
