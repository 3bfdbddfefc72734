//! Credits decided again because an activation asked for it, a batch at a time between deliveries.
//!
//! Not the wish (`ledger::recredit` keeps it, so that a stop loses nothing). Runs on the worker's
//! thread: no decision about one transaction races another. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a transaction's credits change in one commit, decided by one ruleset:
//! the one whose activation asked last.

use accredit_ledger::record::Work;
use accredit_ledger::recredit::{Progress, Recredit};
use accredit_operations::replay::{self, Selection};
use accredit_seams::store::Error as StoreError;
use serde_json::json;

use super::Worker;

/// Transactions looked at in one round, at least.
const LOOK_AT: u64 = 512;

/// Panics in a row after which deciding again is given up.
const PANICS_MAX: u32 = 3;

impl Worker {
    /// Decides the next few again; whether there may be more.
    pub(super) fn recredit(&mut self) -> bool {
        match self.caught("deciding again after an activation", Worker::recredit_some) {
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
            let Some(wish) = self.service.ledger.recredit()? else { return Ok(()) };
            self.service.ledger.raise_alert(&json!({
                "transaction": null,
                "stage": "worker",
                "code": "not_decided",
                "message": format!(
                    "deciding again after activation {} failed inside the server {PANICS_MAX} times \
                     and was given up: activate the change again after an update",
                    wish.activation
                ),
            }))?;
            self.service.ledger.recredited(&wish, None, self.service.clock.now_ms())
        };

        let given_up: Result<(), StoreError> = given_up();
        if let Err(error) = given_up {
            tracing::error!(error.cause = %error, "deciding again was not given up");
        }

        false
    }

    fn recredit_some(&mut self) -> Result<bool, StoreError> {
        let Some(wish) = self.service.ledger.recredit()? else { return Ok(false) };
        let ruleset = self.service.ruleset.load_full();
        if *ruleset.hash != *wish.ruleset {
            // Between the commit of an activation and its pointer store.
            std::thread::yield_now();
            return Ok(true);
        }

        if !self.before_recredit(wish.activation, wish.next)? {
            self.service.ledger.recredited(&wish, None, self.service.clock.now_ms())?;
            return Ok(true);
        }

        let today = self.service.business_date();
        let pins = replay::pins(&self.service.context, &ruleset)?;
        let effective = wish.effective;
        let selection = Selection {
            ruleset: &ruleset,
            pins: &pins,
            effective,
            reaching: wish.reaching,
            today,
            finalized: &*self.finalized()?,
        };

        let mut again = Vec::new();
        let mut next = Some(wish.next);
        while let Some(from) = next.filter(|from| *from < wish.next + LOOK_AT) {
            let found = self.service.ledger.stored_from(from)?;
            next = found.map(|(stored, next)| {
                again.extend(selection.of(stored));
                next
            });
        }

        let count = again.len() as u64;
        let decided = replay::decide_stale(&self.service.context, &ruleset, &again, today)?;
        let ids = again.into_iter().map(|one| one.stored.id);
        let decisions: Vec<_> = ids.zip(decided).collect();

        let decided = wish.decided + count;
        let known = Recredit { decided, ..wish };
        let at_ms = self.service.clock.now_ms();
        let progress = Progress { known: known.clone(), next, at_ms };

        self.record_what_can_be(&mut Work {
            decisions,
            recredited: Some(progress),
            ..Work::default()
        })?;

        self.after_recredit()?;
        if next.is_none() {
            tracing::info!(activation = known.activation, transactions = decided, "decided again");
        }
        Ok(true)
    }
}
