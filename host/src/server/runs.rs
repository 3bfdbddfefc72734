//! Runs of calculations that have not ended, as the worker and requests see them.
//!
//! Not the deciding (`worker::run`) and not what requests ask for (`state::runs`).
//! Source: DOMAIN 2.13.
//!
//! **Architecture invariant:** of one plan in one period one run is under way at most, and a run is
//! stored before its number is returned.

use std::sync::{Mutex, PoisonError};

use accredit_ledger::runs::CalculationRun;
use tokio::sync::watch;

/// A run that has not ended.
#[derive(Debug, Clone)]
pub(crate) struct ActiveRun {
    /// How far it is.
    pub(crate) run: CalculationRun,
    /// Its plan and leaves.
    pub(crate) leaves: std::collections::BTreeSet<String>,
    /// Whether a person wants it to end.
    pub(crate) cancelled: bool,
}

/// Those that have not ended, in order of their turn.
pub(crate) struct ActiveRuns {
    active: Mutex<Vec<ActiveRun>>,
    changed: watch::Sender<()>,
}

impl Default for ActiveRuns {
    fn default() -> ActiveRuns {
        ActiveRuns { active: Mutex::default(), changed: watch::Sender::new(()) }
    }
}

impl ActiveRuns {
    /// Does something with those that have not ended.
    pub(crate) fn with_active<T>(&self, look: impl FnOnce(&mut Vec<ActiveRun>) -> T) -> T {
        look(&mut self.active.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The run with this number, if it has not ended.
    pub(crate) fn find(&self, id: u64) -> Option<CalculationRun> {
        self.with_active(|active| {
            active.iter().find(|known| known.run.id == id).map(|known| known.run.clone())
        })
    }

    /// What tells that a run has changed.
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Wakes all waiting requests.
    pub(crate) fn notify_waiters(&self) {
        self.changed.send_replace(());
    }
}
