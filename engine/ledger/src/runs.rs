//! Runs of calculations: who asked for which, how far it is, and how it ended.
//!
//! Not the running (the host's worker). Called by the host. Source: DOMAIN 2.13, 2.16 (start, stop and
//! cancellation of calculations).
//!
//! **Architecture invariant:** a run that was begun ends in one of the ended states, at the latest
//! when the next process opens the data.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Ledger, LedgerResult, codec, lock_mutex, next_number};
use accredit_domain::events::EventKind;
use accredit_domain::limits::MoneyLine;
use accredit_seams::store::{StoreTable, WriteBatch};
use utoipa::ToSchema;

/// Runs that are kept; older ones are forgotten.
pub const RUNS_MAX: u64 = 1000;

/// The state of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Waits for others that come first.
    #[default]
    Waiting,
    /// The run has begun and is not finished.
    Running,
    /// The run ended, and every deal is decided.
    Done,
    /// Ended before everything was decided.
    Failed,
    /// The run was cancelled. Its decisions are kept.
    Cancelled,
}

impl RunState {
    /// Whether the run has ended.
    pub fn has_ended(self) -> bool {
        !matches!(self, RunState::Waiting | RunState::Running)
    }
}

/// By which rules a run decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunRules {
    /// The calculation is made again by the rules in force.
    InForce,
    /// Every decision is checked: it is made again by the rules that made it.
    Pinned,
}

/// A run of a calculation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalculationRun {
    /// Its number, from 1; 0 until it is kept.
    pub id: u64,
    /// Id of the plan.
    pub plan: String,
    /// Id of the period.
    pub period: String,
    /// `full`, `incremental` or `selected`.
    pub mode: String,
    /// Natural keys, where the mode is `selected`.
    pub selected: BTreeSet<String>,
    /// Ids of participants, where the mode is `selected`: deals that credit them.
    #[serde(default)]
    pub payees: BTreeSet<String>,
    /// By which rules it decides; none: what has no credit by those in force, the rest by those that
    /// decided it.
    #[serde(default)]
    pub rules: Option<RunRules>,
    /// Whether it records nothing but what it would change.
    #[serde(default)]
    pub dry_run: bool,
    /// The user who started it.
    pub who: String,
    /// The time in milliseconds since 1970.
    pub at_ms: i64,
    /// What became of it so far.
    pub state: RunState,
    /// When it ended, milliseconds since 1970.
    pub ended_ms: Option<i64>,
    /// Transactions that it has to decide; 0 until they were counted.
    pub transactions: usize,
    /// Those that it has decided.
    pub decided: usize,
    /// Those of which it came out otherwise than stored.
    pub differing: usize,
    /// What it changes in money, held credits included: a line a payee and unit type.
    #[serde(default)]
    pub by_payee: Vec<MoneyLine>,
    /// The same in all: a line a unit type.
    #[serde(default)]
    pub total: Vec<MoneyLine>,
    /// What it changes in rewards, in all periods of the plan: a line a payee and unit type.
    #[serde(default)]
    pub rewards: Vec<MoneyLine>,
    /// The revision of the calculation at its end.
    pub revision: Option<u32>,
    /// The business date at its end.
    pub business_date: Option<String>,
    /// Why it failed, in one sentence.
    pub error: Option<String>,
}

impl Ledger {
    /// Keeps a new run; gives it with its number.
    pub fn begin_run(&self, mut run: CalculationRun) -> LedgerResult<CalculationRun> {
        let _one_at_a_time = lock_mutex(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = WriteBatch::default();
        run.id = next_number(&*snapshot, StoreTable::Runs)?;
        batch.expect_row(StoreTable::Runs, codec::number_key(run.id), None);
        batch.put_row(StoreTable::Runs, codec::number_key(run.id), codec::to_json(&run)?);
        if let Some(old) = run.id.checked_sub(RUNS_MAX) {
            batch.delete_row(StoreTable::Runs, codec::number_key(old));
        }
        if !run.dry_run {
            let detail = serde_json::json!({
                "run": run.id, "plan": run.plan, "period": run.period, "mode": run.mode,
                "rules": run.rules,
            });
            let (who, at_ms) = (&run.who, run.at_ms);
            self.append_audit(&*snapshot, &mut batch, at_ms, who, "run_begun", detail)?;
        }
        self.commit_changes(&batch)?;
        Ok(run)
    }

    /// Keeps what became of a run; one that has ended is an event.
    pub fn store_run(&self, run: &CalculationRun) -> LedgerResult<()> {
        let mut batch = WriteBatch::default();
        batch.put_row(StoreTable::Runs, codec::number_key(run.id), codec::to_json(run)?);
        if run.state.has_ended() {
            let events = self.event_writer(run.ended_ms.unwrap_or(run.at_ms));
            let subject = format!("{}/{}", run.plan, run.period);
            let data = codec::to_value(run)?;
            events.add_event(&mut batch, EventKind::CalculationFinished, &subject, &data)?;
        }
        self.commit_changes(&batch)
    }

    /// A run.
    pub fn find_run(&self, id: u64) -> LedgerResult<Option<CalculationRun>> {
        let row = self.snapshot()?.get(StoreTable::Runs, &codec::number_key(id))?;
        row.map(|row| codec::from_json(&row)).transpose()
    }

    /// Every run that is kept, oldest first.
    pub fn list_runs(&self) -> LedgerResult<Vec<CalculationRun>> {
        let rows = self.snapshot()?.scan_prefix(StoreTable::Runs, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| codec::from_json(row)).collect()
    }

    /// Ends the runs that the previous process left unfinished: no process continues them.
    pub fn end_runs(&self, error: &str, at_ms: i64) -> LedgerResult<usize> {
        let left = self.list_runs()?.into_iter().filter(|run| !run.state.has_ended());
        let left: Vec<CalculationRun> = left.collect();
        for run in &left {
            let (ended_ms, error) = (Some(at_ms), Some(error.to_owned()));
            self.store_run(&CalculationRun {
                state: RunState::Failed,
                ended_ms,
                error,
                ..run.clone()
            })?;
        }
        Ok(left.len())
    }
}
