//! The shadow's part in the worker: deals that were just recorded go to it, whatever it makes of
//! them.
//!
//! **Architecture invariant:** nothing that goes wrong in a shadow reaches the deals themselves.

use std::panic::{AssertUnwindSafe, catch_unwind};

use accredit_domain::decision::Decision;
use accredit_operations::shadow;

use super::Worker;

impl Worker {
    /// Shows the shadow what was recorded, if one runs.
    pub(super) fn shadow(&self, decisions: &[(String, Vec<Decision>)]) {
        if decisions.is_empty() || shadow::running_change(&self.service.context).is_none() {
            return;
        }
        let ledger = &self.service.ledger;
        let deals = decisions.iter().filter_map(|(id, _)| ledger.transaction(id).ok().flatten());
        let deals: Vec<_> = deals.collect();
        let shown =
            catch_unwind(AssertUnwindSafe(|| shadow::show_deals(&self.service.context, deals)));

        let cause = match shown {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_) => "deciding by its rules panicked".to_owned(),
        };

        tracing::warn!(error.cause = %cause, "the shadow missed deals");
        shadow::missed(&self.service.context, decisions.len() as u64);
    }
}
