//! The ruleset in memory follows the data file: an activation with an unknown outcome may have
//! become durable all the same, and then a restart would serve it.
//!
//! Called by the worker before each of its steps.
//!
//! **Architecture invariant:** what is in force is what the data file says, or becomes so before the
//! worker's next step.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, TryLockError};

use super::swap_ruleset;
use crate::candidate::check_files;
use crate::context::Context;
use crate::error::OperationError;

/// Takes the last recorded activation in force, where memory has another one.
pub fn follow_data_file(context: &Context) {
    let _turn = match context.door.try_lock() {
        Ok(turn) => turn,
        Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
        // An activation is under way, and stores its pointer itcontext.
        Err(TryLockError::WouldBlock) => return,
    };

    // What cannot be read now is looked at again before the next step.
    let Ok(last) = context.ledger.last_activation() else { return };
    if last == context.activation.load(Ordering::Acquire) {
        return;
    }

    match take_recorded(context, last) {
        Ok(()) => tracing::warn!(
            activation.sequence = last,
            ruleset.hash = %context.ruleset.load().hash,
            "an activation with an unknown outcome was recorded and is now in force"
        ),
        Err(cause) => tracing::error!(
            activation.sequence = last,
            error.cause = %cause,
            "a recorded activation cannot be put in force"
        ),
    }
}

fn take_recorded(context: &Context, activation: u64) -> Result<(), OperationError> {
    let missing = || OperationError::Internal("its files are missing".to_owned());
    let files = context.ledger.active_files()?.ok_or_else(missing)?;

    let checked =
        check_files(&files, &BTreeSet::new(), std::iter::empty()).map_err(OperationError::Check)?;
    let ruleset = Arc::new(checked.ruleset);

    let use_secrets = context.surroundings.secrets_of(&context.ledger, &ruleset)?;
    use_secrets();
    swap_ruleset(context, ruleset, activation);

    Ok(())
}
