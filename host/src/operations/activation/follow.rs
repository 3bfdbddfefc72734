//! The ruleset in memory follows the data file: an activation whose outcome nobody could tell in time
//! may have become durable all the same, and then it is what a restart would serve.
//!
//! Called by the worker before each of its steps.
//!
//! **Architecture invariant:** what is in force is what the data file says, or becomes so before the
//! worker's next step.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};

use super::check;
use crate::server::secrets;
use crate::server::state::Service;

impl Service {
    /// Takes the last recorded activation in force, where memory has another one.
    pub(crate) fn follow_data_file(&self) {
        let _turn = match self.door.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            // An activation is under way, and stores its pointer itself.
            Err(TryLockError::WouldBlock) => return,
        };

        // What cannot be read now is looked at again before the next step.
        let Ok(last) = self.ledger.last_activation() else { return };
        if last == self.activation.load(Ordering::Acquire) {
            return;
        }

        match self.take_recorded(last) {
            Ok(()) => tracing::warn!(
                activation.sequence = last,
                ruleset.hash = %self.ruleset.load().hash,
                "an activation of unknown outcome was recorded after all, and is in force"
            ),
            Err(cause) => tracing::error!(
                activation.sequence = last,
                error.cause = cause,
                "an activation is recorded that cannot be taken in force"
            ),
        }
    }

    fn take_recorded(&self, activation: u64) -> Result<(), String> {
        let files = self.ledger.files().map_err(|error| error.to_string())?;
        let files = files.ok_or("its files are missing")?;

        let checked = check(&files, &BTreeSet::new(), std::iter::empty());
        let checked = checked.map_err(|found| format!("check finds {} errors", found.len()))?;
        let ruleset = Arc::new(checked.ruleset);

        let secrets = secrets::secrets(&self.ledger, &self.credentials.load(), &ruleset)
            .map_err(|error| error.to_string())?;
        self.swap(ruleset, secrets, activation);

        Ok(())
    }
}
