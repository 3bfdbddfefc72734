//! When credits are decided again that an activation asked for, and when that is given up.
//!
//! Not the deciding (`decide::recredit`) and not the wish, which the ledger keeps.

use accredit_operations::decide::caught::run_guarded;
use accredit_operations::decide::recredit;
use accredit_seams::store::StoreError;

use super::Worker;

/// Panics in a row after which deciding again is given up.
const PANICS_MAX: u32 = 3;

impl Worker {
    /// Decides the next few again; whether there may be more.
    pub(super) fn advance_recredit(&mut self) -> bool {
        match run_guarded("deciding again after an activation", || self.recredit_some()) {
            Ok(Some(more)) => {
                self.recredit_panics = 0;
                more
            }
            Ok(None) => self.give_up_recredit(),
            Err(error) => {
                tracing::error!(error.cause = %error, "credits were not decided again");
                std::thread::sleep(super::RETRY);
                false
            }
        }
    }

    /// After panics in a row the wish is given up with an alert; whether there is more to do.
    fn give_up_recredit(&mut self) -> bool {
        self.recredit_panics += 1;
        if self.recredit_panics < PANICS_MAX {
            std::thread::sleep(super::RETRY);
            return true;
        }

        self.recredit_panics = 0;

        let given_up = || {
            let Some(wish) = self.context.ledger.pending_recredit()? else { return Ok(()) };
            let why = format!(
                "deciding again after activation {} failed inside the server {PANICS_MAX} times and \
                 was given up: activate the change again after an update",
                wish.activation
            );
            recredit::give_up(&self.context, &wish, &why)
        };

        let given_up: Result<(), StoreError> = given_up();
        if let Err(error) = given_up {
            tracing::error!(error.cause = %error, "deciding again was not given up");
        }

        false
    }

    fn recredit_some(&mut self) -> Result<bool, StoreError> {
        let Some(wish) = self.context.ledger.pending_recredit()? else { return Ok(false) };
        let ruleset = self.context.ruleset.load_full();
        if *ruleset.hash != *wish.ruleset {
            // Between the commit of an activation and its pointer store.
            std::thread::yield_now();
            return Ok(true);
        }

        if !self.before_recredit(wish.activation, wish.next)? {
            self.context.ledger.record_recredit_progress(&wish, None, self.context.now_ms())?;
            return Ok(true);
        }

        recredit::decide_some(&self.context, wish)?;
        self.after_recredit()?;
        Ok(true)
    }
}
