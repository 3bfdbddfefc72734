//! Runs of a calculation: its transactions decided again, and compared with what is stored.
//!
//! Not the rules (the engine) and not the daily run, which is the worker's own. Runs on the worker's
//! thread. Source: DOMAIN 2.13, INV-G1.
//!
//! **Architecture invariant:** a full run of what nothing has changed since changes nothing.

use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_engine::decision::{Decision, Outcome};
use accredit_engine::ledger::record::{Stored, Work};
use accredit_engine::store::Error as StoreError;
use jiff::civil::Date;

use super::Worker;
use crate::error::Problem;
use crate::service::{Going, Service};

/// The business date up to which everything was decided.
pub(crate) const LAST_RUN: &str = "last_run";

/// Transactions decided again in one commit.
const CHUNK: usize = 1000;

/// Which transactions of a calculation.
#[derive(Debug, Clone)]
pub(crate) enum Mode {
    /// Every recorded one.
    Full,
    /// What is new, due or parked.
    Incremental,
    /// Those with these natural keys.
    Selected(BTreeSet<String>),
}

/// What a run found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Ran {
    /// Transactions decided again.
    pub(crate) transactions: usize,
    /// Those of which it came out otherwise than stored.
    pub(crate) differing: usize,
}

/// Without what depends on when it was decided rather than on what.
fn content(decision: &Decision) -> Decision {
    let mut decision = Decision { as_of: None, ruleset: String::new(), ..decision.clone() };
    decision.credits.iter_mut().for_each(|row| row.ruleset.clear());
    decision
}

/// However a run ends, nobody is told that it goes on.
struct Ended<'a>(&'a Service);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.going(None);
    }
}

impl Worker {
    /// Notes that everything was decided as of `today`.
    pub(super) fn ran(&self, today: Date) {
        let kept = self.service.ledger.set_meta(LAST_RUN, today.to_string().as_bytes());
        if let Err(error) = kept {
            tracing::error!(error.cause = %error, "the daily run was not noted");
        }
    }

    /// Decides the transactions of `plan` in `leaves` again, as `mode` says.
    pub(crate) fn rerun(
        &mut self,
        plan: &str,
        leaves: &BTreeSet<String>,
        mode: &Mode,
    ) -> Result<Ran, Problem> {
        let failed = |error: StoreError| Problem::internal(&error);
        while self.step() {}
        self.new_day();
        let mut wanted: Vec<Stored> = Vec::new();
        let meant = |stored: &Stored| {
            stored.decisions.iter().filter(|decision| decision.plan == plan).any(|decision| {
                let rows = decision.credits.iter().any(|row| leaves.contains(&row.period));
                let own = decision.outcome != Outcome::Filtered
                    && decision.period.as_ref().is_none_or(|own| leaves.contains(own));
                let in_mode = match mode {
                    Mode::Full => true,
                    Mode::Incremental => decision.outcome == Outcome::Parked,
                    Mode::Selected(ids) => ids.contains(&stored.id),
                };
                in_mode && (rows || own)
            })
        };
        let found = self.service.ledger.each(Some(leaves), &mut |stored| {
            wanted.extend(meant(&stored).then_some(stored));
            Ok(())
        });
        found.map_err(failed)?;
        let mut ran = Ran::default();
        let service = Arc::clone(&self.service);
        let _ended = Ended(&service);
        for chunk in wanted.chunks(CHUNK) {
            let (transactions, decided) = (wanted.len(), ran.transactions);
            service.going(Some(Going { plan: plan.to_owned(), transactions, decided }));
            let decisions = self.by_their_rules(chunk).map_err(failed)?;
            let mut work = Work { decisions, ..Work::default() };
            self.record(&mut work).map_err(failed)?;
            ran.transactions += chunk.len();
            for (before, (_, after)) in chunk.iter().zip(&work.decisions) {
                let of = |decisions: &[Decision]| -> Vec<Decision> {
                    decisions.iter().filter(|one| one.plan == plan).map(content).collect()
                };
                ran.differing += usize::from(of(&before.decisions) != of(after));
            }
        }
        Ok(ran)
    }
}
