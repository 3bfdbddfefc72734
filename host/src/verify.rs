//! Every recorded decision made again from its pins, and compared byte for byte.
//!
//! Not an explanation (`explain`). Called by `accredit verify` on a data file and by `http::verify`.
//! Source: DESIGN invariants 1 and 12.
//!
//! **Architecture invariant:** verifying writes nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use accredit_engine::calculation;
use accredit_engine::decision::{Decision, Outcome};
use accredit_engine::impact;
use accredit_engine::ledger::Ledger;
use accredit_engine::ledger::record::Stored;
use accredit_engine::pipeline::row;
use accredit_engine::posting;
use accredit_engine::store::Error as StoreError;
use accredit_engine::transaction::Decoder;
use accredit_engine::workspace::Ruleset;
use serde::Serialize;

use crate::explain;

/// Which decisions.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    /// Only of this plan.
    pub(crate) plan: Option<String>,
    /// Only of this period, or of the leaves of this parent.
    pub(crate) period: Option<String>,
}

/// A decision that does not come out as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Deviation {
    transaction: String,
    plan: String,
    ruleset: String,
    message: String,
}

/// What came of it.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Verified {
    /// Decisions that were made again.
    pub(crate) decisions: u64,
    /// Those that do not come out alike, up to a limit.
    pub(crate) differences: Vec<Deviation>,
    /// All that do not.
    pub(crate) differing: u64,
}

/// Deviations that are listed one by one.
const LISTED_MAX: usize = 1000;

/// Transactions that are decided at a time, at least: enough for all cores.
const AT_A_TIME: usize = 2048;

/// Rulesets that are kept at a time.
const RULESETS_MAX: usize = 16;

/// Makes the decisions that are wanted again.
pub(crate) fn verify(ledger: &Ledger, wanted: &Wanted) -> Result<Verified, StoreError> {
    let mut verifying = Verifying {
        ledger,
        wanted,
        finalized: ledger.finalized()?,
        rulesets: BTreeMap::new(),
        verified: Verified::default(),
    };
    let mut from = Some(0);
    while let Some(first) = from {
        let mut some: Vec<Stored> = Vec::new();
        from = Some(first);
        while let Some(first) = from.filter(|_| some.len() < AT_A_TIME) {
            let found = ledger.stored_from(first)?;
            from = found.map(|(stored, next)| {
                some.extend(stored);
                next
            });
        }
        verifying.some(&some)?;
    }
    Ok(verifying.verified)
}

/// What a decision is made from beside the transaction: ruleset and business date.
type Pin = (String, Option<String>);

/// Decisions made again, by transaction and pin.
type Again = HashMap<(u64, Pin), Vec<Decision>>;

struct Verifying<'a> {
    ledger: &'a Ledger,
    wanted: &'a Wanted,
    finalized: BTreeSet<String>,
    rulesets: BTreeMap<String, Option<Arc<Ruleset>>>,
    verified: Verified,
}

impl Verifying<'_> {
    fn ruleset(&mut self, hash: &str) -> Result<Option<Arc<Ruleset>>, StoreError> {
        if let Some(known) = self.rulesets.get(hash) {
            return Ok(known.clone());
        }
        let files = self.ledger.files_of(hash)?;
        let ruleset = files.and_then(|files| Ruleset::read(&files, &BTreeSet::new()).0);
        // Another version of the program may name the same files otherwise.
        let ruleset = ruleset.filter(|ruleset| *ruleset.hash == *hash).map(Arc::new);
        if self.rulesets.len() >= RULESETS_MAX {
            self.rulesets.pop_first();
        }
        self.rulesets.insert(hash.to_owned(), ruleset.clone());
        Ok(ruleset)
    }

    fn means(&self, decision: &Decision, ruleset: Option<&Ruleset>) -> bool {
        let plan = self.wanted.plan.as_deref().is_none_or(|plan| plan == decision.plan);
        let period = self.wanted.period.as_deref().is_none_or(|wanted| {
            let Some(own) = decision.period.as_deref() else { return false };
            let calendar = ruleset.map(|ruleset| &ruleset.settings.calendar);
            let inside = calendar.and_then(|calendar| {
                let period = calendar.find(wanted)?;
                Some(calendar.leaves(&period).iter().any(|leaf| leaf.id == own))
            });
            own == wanted || inside == Some(true)
        });
        plan && period
    }

    fn some(&mut self, some: &[Stored]) -> Result<(), StoreError> {
        let mut pins: BTreeMap<Pin, (Arc<Ruleset>, Vec<&Stored>)> = BTreeMap::new();
        for stored in some {
            for decision in &stored.decisions {
                let ruleset = self.ruleset(&decision.ruleset)?;
                let Some(ruleset) = ruleset.filter(|known| self.means(decision, Some(known)))
                else {
                    continue;
                };
                let (_, of_pin) = pins.entry(pin(decision)).or_insert((ruleset, Vec::new()));
                if of_pin.last().is_none_or(|last| last.number != stored.number) {
                    of_pin.push(stored);
                }
            }
        }
        let mut again = Again::new();
        for (pin, (ruleset, stored)) in &pins {
            for (number, decisions) in self.decide(ruleset, pin, stored)? {
                again.insert((number, pin.clone()), decisions);
            }
        }
        some.iter().try_for_each(|stored| self.transaction(stored, &again))
    }

    /// Decides transactions again by a ruleset on a business date.
    fn decide(
        &self,
        ruleset: &Ruleset,
        (_, as_of): &Pin,
        stored: &[&Stored],
    ) -> Result<Vec<(u64, Vec<Decision>)>, StoreError> {
        let mut decoder = Decoder::new(Arc::clone(&ruleset.settings.fields));
        let mut resolutions = Vec::new();
        let mut transactions = Vec::with_capacity(stored.len());
        for one in stored {
            transactions.push(Arc::new(decoder.decode(&one.record)));
            resolutions.extend(self.ledger.resolutions(&one.id)?);
        }
        let as_of = as_of.as_deref().and_then(|date| date.parse().ok());
        let inputs = explain::inputs(as_of, &resolutions);
        let threads = std::thread::available_parallelism().map_or(1, Into::into);
        let decided = calculation::decide_all(ruleset, &transactions, &inputs, threads);
        let rows = decided.iter().map(|plans| {
            plans.iter().map(|decided| row::decision(ruleset, decided)).collect::<Vec<_>>()
        });
        Ok(stored.iter().map(|one| one.number).zip(rows).collect())
    }

    fn transaction(&mut self, stored: &Stored, again: &Again) -> Result<(), StoreError> {
        for decision in &stored.decisions {
            let ruleset = self.ruleset(&decision.ruleset)?;
            if !self.means(decision, ruleset.as_deref()) {
                continue;
            }
            self.verified.decisions += 1;
            let message = match ruleset {
                None => Some("its ruleset cannot be rebuilt by this version".to_owned()),
                Some(ruleset) => {
                    let plans = again.get(&(stored.number, pin(decision))).into_iter().flatten();
                    let again = plans.into_iter().find(|one| one.plan == decision.plan).cloned();
                    self.deviation(decision, again, &ruleset)?
                }
            };
            let Some(message) = message else { continue };
            self.verified.differing += 1;
            if self.verified.differences.len() < LISTED_MAX {
                self.verified.differences.push(Deviation {
                    transaction: stored.id.clone(),
                    plan: decision.plan.clone(),
                    ruleset: decision.ruleset.clone(),
                    message,
                });
            }
        }
        Ok(())
    }

    /// What stands of a decision, with the frozen rows of its plan.
    fn posted(&self, again: Decision, ruleset: &Ruleset) -> Result<Option<Decision>, StoreError> {
        if self.finalized.is_empty() {
            return Ok(Some(again));
        }
        let mut frozen = self.ledger.frozen(&again.transaction)?;
        frozen.retain(|row| row.plan == again.plan);
        let mut decisions = vec![again];
        posting::settle(&mut decisions, &frozen, &ruleset.settings.calendar, &self.finalized);
        Ok(decisions.pop())
    }

    fn deviation(
        &self,
        decision: &Decision,
        again: Option<Decision>,
        ruleset: &Ruleset,
    ) -> Result<Option<String>, StoreError> {
        // A plan that is gone has nothing but what was posted of it.
        let gone = || Decision { credits: Vec::new(), ..decision.clone() };
        let gone = (decision.outcome == Outcome::Filtered).then(gone);
        let Some(again) = again.or(gone) else {
            return Ok(Some("its ruleset has no such plan".to_owned()));
        };
        let Some(again) = self.posted(again, ruleset)? else { return Ok(None) };
        let bytes = |decision: &Decision| serde_json::to_vec(decision).unwrap_or_default();
        if bytes(decision) == bytes(&again) {
            return Ok(None);
        }
        let before = (ruleset, std::slice::from_ref(decision));
        let delta = impact::compare(before, (ruleset, std::slice::from_ref(&again)));
        let first = delta.as_ref().and_then(impact::Delta::first);
        let other = || "its reasons or warnings differ".to_owned();
        Ok(Some(first.map_or_else(other, |first| first.message.clone())))
    }
}

fn pin(decision: &Decision) -> Pin {
    (decision.ruleset.clone(), decision.as_of.clone())
}
