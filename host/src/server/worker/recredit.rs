//! Credits decided again because an activation asked for it, a batch at a time between deliveries.
//!
//! Not the wish (`ledger::recredit` keeps it, so that a stop loses nothing). Runs on the worker's
//! thread: no decision about one transaction races another. Source: DESIGN section 5.
//!
//! **Architecture invariant:** a transaction's credits change in one commit, decided by one ruleset:
//! the one whose activation asked last.

use accredit_ledger::record::Work;
use accredit_ledger::recredit::{Progress, Recredit};
use accredit_seams::store::Error as StoreError;

use super::Worker;
use crate::operations::replay::Selection;

/// Transactions looked at in one round, at least.
const LOOK_AT: u64 = 512;

impl Worker {
    /// Decides the next few again; whether there may be more.
    pub(super) fn recredit(&mut self) -> bool {
        match self.recredit_some() {
            Ok(more) => more,
            Err(error) => {
                tracing::error!(error.cause = %error, "credits were not decided again");
                std::thread::sleep(super::RETRY);
                false
            }
        }
    }

    fn recredit_some(&mut self) -> Result<bool, StoreError> {
        let Some(wish) = self.service.ledger.recredit()? else { return Ok(false) };
        let ruleset = self.service.ruleset.load_full();
        if *ruleset.hash != *wish.ruleset {
            // Between the commit of an activation and its pointer store.
            std::thread::yield_now();
            return Ok(true);
        }
        let today = self.service.business_date();
        let pins = self.service.pins(&ruleset)?;
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
        let decided = self.service.decide_stale(&ruleset, &again, today)?;
        let ids = again.into_iter().map(|one| one.stored.id);
        let decisions: Vec<_> = ids.zip(decided).collect();
        let decided = wish.decided + count;
        let known = Recredit { decided, ..wish };
        let at_ms = self.service.clock.now_ms();
        let progress = Progress { known: known.clone(), next, at_ms };
        self.record(&mut Work { decisions, recredited: Some(progress), ..Work::default() })?;
        if next.is_none() {
            tracing::info!(activation = known.activation, transactions = decided, "decided again");
        }
        Ok(true)
    }
}
