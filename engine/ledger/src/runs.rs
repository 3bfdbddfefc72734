//! Runs of calculations: who asked for which, how far it is, and how it ended.
//!
//! Not the running (the host's worker). Called by the host. Source: DOMAIN 2.13, 2.16 (start, stop and
//! cancellation of calculations).
//!
//! **Architecture invariant:** a run that was begun ends in one of the ended states, at the latest
//! when the next process opens the data.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Ledger, Result, code, lock, next_number};
use accredit_seams::store::{Batch, Table};

/// Runs that are kept; older ones are forgotten.
pub const RUNS_MAX: u64 = 1000;

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunState {
    /// Waits for others that come first.
    #[default]
    Waiting,
    /// It has begun and goes on.
    Running,
    /// Ended, with everything decided.
    Done,
    /// Ended before everything was decided.
    Failed,
    /// Ended because somebody wished it; what was decided stays.
    Cancelled,
}

impl RunState {
    /// Whether nothing more happens.
    pub fn ended(self) -> bool {
        !matches!(self, RunState::Waiting | RunState::Running)
    }
}

/// A run of a calculation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
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
    /// Who asked for it.
    pub who: String,
    /// When, milliseconds since 1970.
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
    /// The revision of the calculation at its end.
    pub revision: Option<u32>,
    /// The business date at its end.
    pub business_date: Option<String>,
    /// Why it failed, in one sentence.
    pub error: Option<String>,
}

impl Ledger {
    /// Keeps a new run; gives it with its number.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn begin_run(&self, mut run: Run) -> Result<Run> {
        let _one_at_a_time = lock(&self.others);
        let snapshot = self.snapshot()?;
        let mut batch = Batch::default();
        run.id = next_number(&*snapshot, Table::Runs)?;
        batch.expect(Table::Runs, code::key(run.id), None);
        batch.put(Table::Runs, code::key(run.id), code::json(&run)?);
        if let Some(old) = run.id.checked_sub(RUNS_MAX) {
            batch.delete(Table::Runs, code::key(old));
        }
        self.commit(&batch)?;
        Ok(run)
    }

    /// Keeps what became of a run.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn keep_run(&self, run: &Run) -> Result<()> {
        let mut batch = Batch::default();
        batch.put(Table::Runs, code::key(run.id), code::json(run)?);
        self.commit(&batch)
    }

    /// A run.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn run(&self, id: u64) -> Result<Option<Run>> {
        let row = self.snapshot()?.get(Table::Runs, &code::key(id))?;
        row.map(|row| code::from_json(&row)).transpose()
    }

    /// Every run that is kept, oldest first.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn runs(&self) -> Result<Vec<Run>> {
        let rows = self.snapshot()?.scan(Table::Runs, b"", b"", usize::MAX)?;
        rows.iter().map(|(_, row)| code::from_json(row)).collect()
    }

    /// Ends the runs that the process before left under way, since nobody goes on with them.
    ///
    /// # Errors
    /// When the data cannot be read or written.
    pub fn end_runs(&self, error: &str, at_ms: i64) -> Result<usize> {
        let left = self.runs()?.into_iter().filter(|run| !run.state.ended());
        let left: Vec<Run> = left.collect();
        for run in &left {
            let (ended_ms, error) = (Some(at_ms), Some(error.to_owned()));
            self.keep_run(&Run { state: RunState::Failed, ended_ms, error, ..run.clone() })?;
        }
        Ok(left.len())
    }
}
