//! Deals whose deciding fails inside the server are set aside one by one, with an alert; the others
//! go on.
//!
//! Not deliveries, which become dead letters, and not errors of policies, which park.
//!
//! **Architecture invariant:** one deal never keeps another from being decided.

use std::panic::{AssertUnwindSafe, catch_unwind};

use accredit_ledger::record::Work;
use accredit_operations::intake::Machines;
use accredit_seams::store::Error as StoreError;
use serde_json::json;

use super::Worker;

impl Worker {
    /// Does something that may panic; none when it did.
    pub(super) fn caught<T>(
        &mut self,
        what: &'static str,
        work: impl FnOnce(&mut Worker) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        match catch_unwind(AssertUnwindSafe(|| work(self))) {
            Ok(done) => done.map(Some),
            Err(_) => {
                tracing::error!(work.kind = what, "work panicked");
                self.machines = Machines::default();
                Ok(None)
            }
        }
    }

    /// Decides stored transactions again; those that fail inside the server stay as they are, with an
    /// alert. How many were decided.
    pub(super) fn decide_what_can_be(&mut self, ids: &[String]) -> Result<usize, StoreError> {
        let mut count = 0;
        for chunk in ids.chunks(super::again::AGAIN_MAX) {
            let decided = self.caught("deciding again", |worker| worker.decide_chunk(chunk))?;
            if let Some(decided) = decided {
                count += decided;
                continue;
            }

            // One deal at fault must not keep the others of its chunk from being decided.
            for id in chunk {
                let one = std::slice::from_ref(id);
                let decided = self.caught("deciding again", |worker| worker.decide_chunk(one))?;
                count += decided.unwrap_or_default();
                if decided.is_none() {
                    self.leave_as_it_is(id)?;
                }
            }
        }

        Ok(count)
    }

    /// Records decisions; where that fails inside the server, one by one without those that do.
    pub(super) fn record_what_can_be(&mut self, work: &mut Work) -> Result<(), StoreError> {
        if self.caught("recording", |worker| worker.record(work))?.is_some() {
            return Ok(());
        }
        for one in std::mem::take(&mut work.decisions) {
            let id = one.0.clone();
            let mut alone = Work { decisions: vec![one], ..Work::default() };
            if self.caught("recording", |worker| worker.record(&mut alone))?.is_none() {
                self.leave_as_it_is(&id)?;
            }
        }

        let recredited = work.recredited.take();
        self.record(&mut Work { recredited, ..Work::default() })
    }

    fn leave_as_it_is(&self, id: &str) -> Result<(), StoreError> {
        tracing::error!(transaction.id = id, "a deal was set aside");
        self.service.ledger.raise_alert(&json!({
            "transaction": id,
            "stage": "worker",
            "code": "not_decided",
            "message": "deciding it again failed inside the server: its credits are those from \
                        before; decide it again after an update",
        }))
    }
}
