//! Stored transactions decided again because their inputs changed: a release, a hold, a new day,
//! another try of what was parked.
//!
//! Not a change of rules (`recredit`): what is decided keeps the ruleset that decided it; what could
//! not be decided takes the one in force.
//!
//! **Architecture invariant:** an activation that is effective from now on changes no credit that
//! exists, whatever is released afterwards.

use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_domain::decision::{Decision, Resolution};
use accredit_domain::transaction::Decoder;
use accredit_ledger::record::{Stored, Work};
use accredit_seams::store::Error as StoreError;
use accredit_workspace::Ruleset;

use super::Worker;

/// Transactions decided again in one commit.
pub(super) const AGAIN_MAX: usize = 1000;

impl Worker {
    /// Decides stored transactions again, as their inputs are now; returns how many there were.
    pub(super) fn decide_again(&mut self, ids: &[String]) -> Result<usize, StoreError> {
        let mut count = 0;
        for chunk in ids.chunks(AGAIN_MAX) {
            count += self.decide_chunk(chunk)?;
        }
        Ok(count)
    }

    /// The same of so many that one commit holds them.
    pub(super) fn decide_chunk(&mut self, chunk: &[String]) -> Result<usize, StoreError> {
        let mut stored = Vec::with_capacity(chunk.len());
        for id in chunk {
            stored.extend(self.service.ledger.transaction(id)?);
        }
        if stored.is_empty() {
            return Ok(0);
        }

        let count = stored.len();
        let decisions = self.by_their_rules(&stored)?;
        self.record(&mut Work { decisions, ..Work::default() })?;
        Ok(count)
    }

    /// New decisions of `stored`, each plan by the ruleset that decided it; nothing is posted yet.
    pub(super) fn by_their_rules(
        &self,
        stored: &[Stored],
    ) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
        let current = self.service.ruleset.load_full();
        let mut rulesets: BTreeMap<Arc<str>, (Arc<Ruleset>, Vec<&Stored>)> = BTreeMap::new();
        // What each plan of each transaction is decided by.
        let mut wanted: Vec<BTreeMap<&str, Arc<str>>> = Vec::with_capacity(stored.len());
        for one in stored {
            let mut plans = BTreeMap::new();
            for decision in &one.decisions {
                let ruleset = self.rules_of(decision, &current);
                let hash = Arc::clone(&ruleset.hash);
                let (_, members) =
                    rulesets.entry(Arc::clone(&hash)).or_insert_with(|| (ruleset, Vec::new()));
                if members.last().is_none_or(|last| last.number != one.number) {
                    members.push(one);
                }
                plans.insert(decision.plan.as_str(), hash);
            }
            wanted.push(plans);
        }
        let mut made: BTreeMap<(Arc<str>, String), Vec<Decision>> = BTreeMap::new();
        for (hash, (ruleset, members)) in &rulesets {
            for (id, decisions) in self.decide_stored(ruleset, members)? {
                made.insert((Arc::clone(hash), id), decisions);
            }
        }
        let merged = stored.iter().zip(wanted).map(|(one, plans)| {
            let decisions = plans.into_iter().filter_map(|(plan, hash)| {
                let decisions = made.get(&(hash, one.id.clone()))?;
                decisions.iter().find(|decision| decision.plan == plan).cloned()
            });
            (one.id.clone(), decisions.collect())
        });
        Ok(merged.collect())
    }

    fn rules_of(&self, decision: &Decision, current: &Arc<Ruleset>) -> Arc<Ruleset> {
        if decision.stopped() {
            return Arc::clone(current);
        }
        self.service.ruleset_of(&decision.ruleset).unwrap_or_else(|_| {
            tracing::warn!(ruleset.hash = %decision.ruleset, "an earlier ruleset cannot be rebuilt");
            Arc::clone(current)
        })
    }

    fn decide_stored(
        &self,
        ruleset: &Ruleset,
        stored: &[&Stored],
    ) -> Result<Vec<(String, Vec<Decision>)>, StoreError> {
        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        let mut resolutions: Vec<Resolution> = Vec::new();
        let mut transactions = Vec::with_capacity(stored.len());
        for one in stored {
            transactions.push(Arc::new(decoder.decode(&one.record)));
            resolutions.extend(self.service.ledger.resolutions(&one.id)?);
        }
        let decided = self.decide(ruleset, &transactions, resolutions);
        // By the key that it is stored under: another ruleset may read another one.
        let ids = stored.iter().map(|one| one.id.clone());
        Ok(ids.zip(decided.into_iter().map(|(_, decisions)| decisions)).collect())
    }
}
