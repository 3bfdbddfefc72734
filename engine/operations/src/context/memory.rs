//! What operations remember between two calls: the shadow that runs, and alerts of rewards.
//!
//! Not what is stored: the alerts are computed again after a restart, and the shadow is resumed from
//! its row in the ledger.

use accredit_domain::keys::RulesetHash;
use std::collections::BTreeMap;
use std::sync::Arc;

use accredit_crediting::affected::RulesetChange;
use accredit_crediting::impact::{Impact, ImpactDelta};
use accredit_ledger::notes::NoteRow;
use accredit_workspace::Ruleset;
use serde::{Deserialize, Serialize};

/// The alerts of calculations as they were last computed, by plan and period.
pub(super) type KnownAlerts = BTreeMap<(String, String), CalculationAlerts>;

/// The alerts of one calculation.
pub(crate) struct CalculationAlerts {
    pub(crate) revision: u64,
    pub(crate) ruleset: RulesetHash,
    pub(crate) notes: Vec<NoteRow>,
}

/// Deals that differ and are remembered one by one; beyond it, a deal that comes again counts
/// twice, and the report notes it.
const DELTAS_MAX: usize = 5000;

/// What is kept of a shadow.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ShadowSums {
    /// The kept change that runs.
    pub change: u64,
    /// Since when, milliseconds since 1970.
    pub since_ms: i64,
    /// The differences from the rules in force.
    pub impact: Impact,
    /// What each deal that differs adds.
    pub(crate) deltas: BTreeMap<String, ImpactDelta>,
    /// Deals that were decided once more without being remembered.
    pub uncertain: u64,
    /// Deals that could not be shown to it.
    #[serde(default)]
    pub missed: u64,
}

/// A shadow that runs.
pub struct RunningShadow {
    /// The ruleset of the shadow.
    pub ruleset: Arc<Ruleset>,
    /// What came of it.
    pub sums: ShadowSums,
}

impl ShadowSums {
    pub(crate) fn add(&mut self, transaction: &str, again: bool, delta: Option<ImpactDelta>) {
        if again {
            let known = self.deltas.remove(transaction);
            if known.is_none() && self.deltas.len() >= DELTAS_MAX {
                self.uncertain += 1;
            }
            // One that agreed, or came before the shadow, has nothing to be taken back.
            if known.is_some() {
                self.impact.take_back(known.as_ref());
            }
        }

        self.impact.add_delta(delta.as_ref());
        if let Some(delta) = delta.filter(|_| self.deltas.len() < DELTAS_MAX) {
            self.deltas.insert(transaction.to_owned(), delta);
        }
    }
}

/// What differs between two rulesets, compared once.
#[derive(Debug)]
pub(crate) struct KnownChange {
    /// The hash of the earlier one.
    pub(crate) before: RulesetHash,
    /// The hash of the later one.
    pub(crate) after: RulesetHash,
    /// What differs.
    pub(crate) change: Arc<RulesetChange>,
}
