//! Periods finalized: what stands in them is frozen, in one commit with the finalization.
//!
//! Not the rules of posting (the engine's) and not who may finalize what when (`http::periods`).
//! Runs on the worker's thread. Source: DOMAIN 2.11, 2.12, FORMAT section 2 (`finalized`).
//!
//! **Architecture invariant:** what payees were told is certain is what is frozen, whatever was
//! decided since: the difference is posted in an open period.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use accredit_crediting::posting;
use accredit_domain::calendar::Period;
use accredit_domain::credit::posted::PostedCredit;
use accredit_ledger::periods::{FINALIZED, Said};
use accredit_ledger::record::{Stored, Work};
use accredit_ledger::releases::CONFIRMED;
use accredit_seams::store::Error as StoreError;

use super::Worker;

/// Who finalizes what `[calendar]` lists.
const LISTED: &str = "accredit.toml";

impl Worker {
    /// Leaf periods that are finalized.
    pub(super) fn finalized(&mut self) -> Result<Arc<BTreeSet<String>>, StoreError> {
        if let Some(known) = &self.finalized {
            return Ok(Arc::clone(known));
        }
        let known = Arc::new(self.service.ledger.finalized()?);
        self.finalized = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Finalizes what the calendar in force lists, once its day is over.
    pub(super) fn finalize_listed(&mut self) {
        let calendar = self.service.ruleset.load().settings.calendar.clone();
        for (day, leaf) in calendar.finalizations(Some(self.service.business_date())) {
            if self.finalized().is_ok_and(|known| known.contains(&leaf.id)) {
                continue;
            }

            // A panic over one period must not keep the worker from its other work.
            let done = catch_unwind(AssertUnwindSafe(|| {
                let said = Said {
                    state: FINALIZED.to_owned(),
                    day: day.to_string(),
                    who: LISTED.to_owned(),
                    at_ms: self.service.clock.now_ms(),
                    reason: None,
                    approved: None,
                };
                self.finalize(&leaf, &said)
            }));

            match done {
                Ok(Ok(_)) => (),
                Ok(Err(error)) => {
                    tracing::error!(error.cause = %error, period = leaf.id, "not finalized");
                }
                Err(_) => tracing::error!(period = leaf.id, "finalizing panicked"),
            }
        }
    }

    /// Freezes a leaf period; gives the number of rows in it.
    pub(crate) fn finalize(&mut self, leaf: &Period, said: &Said) -> Result<usize, StoreError> {
        // What was acknowledged until now belongs to the period.
        self.catch_up()?;
        let mut finalized = BTreeSet::clone(&*self.finalized()?);
        finalized.insert(leaf.id.clone());

        let mut work = Work { finalized: Some((leaf.id.clone(), said.clone())), ..Work::default() };
        let mut changed = Vec::new();
        let count = self.freeze(leaf, &mut work, &mut changed)?;
        work.decisions = self.by_their_rules(&changed, &[])?;

        let calendar = self.service.ruleset.load().settings.calendar.clone();
        for (id, decisions) in &mut work.decisions {
            let fresh = work.frozen.iter().find(|(known, _)| known == id);
            let frozen = match fresh {
                Some((_, rows)) => rows.clone(),
                None => self.service.ledger.frozen(id)?,
            };
            posting::settle(decisions, &frozen, &calendar, &finalized);
        }

        // Whether a commit that failed was durable all the same is read from the data file.
        self.finalized = None;
        self.write(&work)?;
        self.finalized = Some(Arc::new(finalized));

        tracing::info!(period = leaf.id, rows.frozen = count, "finalized");
        Ok(count)
    }

    /// Collects what is frozen with `leaf`, and the transactions of which that is not all that
    /// stands there: a hold goes on, something changed after it was certain, or what is frozen now
    /// stands behind what is not.
    fn freeze(
        &self,
        leaf: &Period,
        work: &mut Work,
        changed: &mut Vec<Stored>,
    ) -> Result<usize, StoreError> {
        let ledger = &self.service.ledger;
        let certain = self.certain_in(leaf)?;
        let mut count = 0;
        ledger.each(Some(&BTreeSet::from([leaf.id.clone()])), &mut |stored| {
            let rows = stored.decisions.iter().flat_map(|decision| &decision.credits);
            let here: Vec<&PostedCredit> = rows.filter(|row| row.period == leaf.id).collect();
            let all: Vec<PostedCredit> = here.iter().copied().cloned().collect();

            let mut fresh: Vec<PostedCredit> = posting::freeze(&all, &leaf.id).cloned().collect();
            fresh.retain(|row| !certain.contains(&*row.plan));
            for plan in &certain {
                fresh.extend(ledger.confirmed(plan, &leaf.id, &stored.id)?);
            }

            let differs = all.len() != fresh.len() || all.iter().any(|row| !fresh.contains(row));
            count += fresh.len();
            let is_frozen = !fresh.is_empty();

            let mut frozen = ledger.frozen(&stored.id)?;
            frozen.extend(fresh);

            if differs || !stands_first(&frozen, &stored) {
                changed.push(stored.clone());
            }
            if is_frozen {
                work.frozen.push((stored.id, frozen));
            }
            Ok(())
        })?;

        Ok(count)
    }

    /// The plans whose rewards are released in the period that `leaf` is a part of.
    fn certain_in(&self, leaf: &Period) -> Result<BTreeSet<String>, StoreError> {
        let calendar = self.service.ruleset.load().settings.calendar.clone();
        let releases = self.service.ledger.releases()?.into_iter();
        let certain = releases.filter(|release| {
            release.status == CONFIRMED
                && calendar.find(&release.period).is_some_and(|period| period.contains(leaf.first))
        });
        Ok(certain.map(|release| release.plan).collect())
    }
}

/// Whether the frozen rows of each plan are the first ones of its decision, in their order.
fn stands_first(frozen: &[PostedCredit], stored: &Stored) -> bool {
    stored.decisions.iter().all(|decision| {
        let own: Vec<&PostedCredit> =
            frozen.iter().filter(|row| row.plan == decision.plan).collect();
        let first: Vec<&PostedCredit> = decision.credits.iter().take(own.len()).collect();
        own == first
    })
}
