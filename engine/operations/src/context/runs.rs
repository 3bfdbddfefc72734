//! Runs of calculations that have not ended, in order of their turn.
//!
//! Not what is asked of them (`crate::runs`) and not those that have ended, which the ledger keeps.

use accredit_domain::keys::PeriodKey;
use std::collections::BTreeSet;
use std::sync::Mutex;

use accredit_ledger::runs::CalculationRun;

use super::lock_shared;

/// A run that has not ended.
#[derive(Debug, Clone)]
pub struct ActiveRun {
    /// How far the run is.
    pub run: CalculationRun,
    /// Ids of the leaf periods that it decides.
    pub leaves: BTreeSet<PeriodKey>,
    /// Whether a person wants it to end.
    pub cancelled: bool,
}

/// The runs that have not ended, in order of their turn.
#[derive(Debug, Default)]
pub struct ActiveRuns(Mutex<Vec<ActiveRun>>);

impl ActiveRuns {
    /// Does something with the runs that have not ended.
    pub fn with_active<T>(&self, look: impl FnOnce(&mut Vec<ActiveRun>) -> T) -> T {
        look(&mut lock_shared(&self.0))
    }

    /// The run with this number, if it has not ended.
    pub fn find(&self, id: u64) -> Option<CalculationRun> {
        self.with_active(|active| {
            active.iter().find(|known| known.run.id == id).map(|known| known.run.clone())
        })
    }
}
