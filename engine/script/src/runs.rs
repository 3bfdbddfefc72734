//! Counts of runs: by kind of program, whether compiled code answered or the interpreter.
//!
//! Not lines and branches (`coverage`). A machine counts its own runs and adds them up here when it is
//! handed back or ends. Read by the metrics of a server.
//!
//! **Architecture invariant:** a run touches nothing that threads share; the lock here is taken once
//! a batch.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use accredit_domain::policy::ProgramForm;

/// How many runs ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RunCounts {
    /// Compiled code answered.
    pub compiled: u64,
    /// Compiled code gave up, and the interpreter ran the program: mostly because of an error.
    pub fallen_back: u64,
    /// The program is not compiled.
    pub interpreted: u64,
}

impl RunCounts {
    fn add(&mut self, more: RunCounts) {
        self.compiled = self.compiled.saturating_add(more.compiled);
        self.fallen_back = self.fallen_back.saturating_add(more.fallen_back);
        self.interpreted = self.interpreted.saturating_add(more.interpreted);
    }
}

/// The runs of this process.
static TOTALS: Mutex<BTreeMap<&'static str, RunCounts>> = Mutex::new(BTreeMap::new());

/// The runs of this process so far, by kind of program: `crediting`, `hold`, `expression`. Texts that
/// need no compiler, such as `tx.amount`, are not counted.
pub fn run_totals() -> BTreeMap<&'static str, RunCounts> {
    TOTALS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Adds the runs of some programs.
pub(crate) fn add_runs(counts: impl Iterator<Item = (ProgramForm, RunCounts)>) {
    let mut counted = counts.filter(|(_, counts)| *counts != RunCounts::default()).peekable();
    if counted.peek().is_none() {
        return;
    }

    let mut totals = TOTALS.lock().unwrap_or_else(PoisonError::into_inner);
    for (form, counts) in counted {
        let kind = match form {
            ProgramForm::Policy(kind) => kind.as_str(),
            ProgramForm::Expression(_) => "expression",
        };
        totals.entry(kind).or_default().add(counts);
    }
}
