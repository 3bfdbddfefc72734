//! Recorded deals by the names that lead to their recipients, and by the rulesets that decided them.
//!
//! Not reading deals, and not which of them a change may concern (`replay::candidates`). In memory
//! alone, about 20 bytes a deal.
//!
//! **Architecture invariant:** it counts the rounds of work that it was told of: when there are more, it
//! is not used.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use accredit_domain::calendar::LockedPeriods;
use accredit_domain::decision::Decision;
use accredit_domain::keys::{PlanKey, RulesetHash};
use accredit_ledger::record::CommitBatch;
use accredit_workspace::Ruleset;
use jiff::civil::Date;

/// Changed deals that are remembered by their keys: beyond it, reading all deals again costs less.
const TOUCHED_MAX: usize = 200_000;

/// The plans in which a deal is decided, each with the ruleset that decided it last.
pub(crate) type DecidedPlans = Vec<(PlanKey, RulesetHash)>;

/// What is known of a deal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct IndexedDeal {
    /// Its incentive date, if it can be read.
    pub(crate) date: Option<Date>,
    /// The place of its plans in the list of these.
    pub(crate) decided: u32,
    /// Whether something else than names leads to its recipients.
    pub(crate) is_unnamed: bool,
    /// Whether its rules might decide it differently today: it could not be decided, or its rows are
    /// posted.
    pub(crate) is_unsettled: bool,
}

/// Recorded deals by the names that lead to their recipients.
#[derive(Default)]
pub(crate) struct DealIndex {
    /// The ruleset whose plans say which columns lead to recipients; none while nothing is known.
    pub(crate) ruleset: Option<Arc<Ruleset>>,
    /// Whether all deals were read.
    pub(crate) is_complete: bool,
    /// The locked periods with which it was made.
    pub(crate) locked: Arc<LockedPeriods>,
    /// How many rounds of work are recorded, so far as it was told.
    pub(crate) rounds: u64,
    /// Deals by their numbers.
    pub(crate) deals: Vec<Option<IndexedDeal>>,
    /// Numbers of deals in their order, by the folded names that lead to their recipients; some names no
    /// longer do.
    pub(crate) named: HashMap<String, Vec<u32>>,
    /// The different lists of plans.
    pub(crate) decided: Vec<DecidedPlans>,
    /// Their places.
    decided_places: HashMap<DecidedPlans, u32>,
    /// Natural keys of deals that are new or changed since they were read.
    pub(crate) touched: HashSet<String>,
}

impl DealIndex {
    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        *self = DealIndex::default();
    }

    /// Forgets everything, and gets ready for all deals by the plans of `ruleset`.
    pub(crate) fn begin(
        &mut self,
        ruleset: &Arc<Ruleset>,
        locked: Arc<LockedPeriods>,
        rounds: u64,
    ) {
        let ruleset = Some(Arc::clone(ruleset));
        *self = DealIndex { ruleset, locked, rounds, ..DealIndex::default() };
    }

    /// Takes note of a round of work that was recorded.
    pub(crate) fn note_commit(&mut self, work: &CommitBatch) {
        if self.ruleset.is_none() {
            return;
        }
        self.rounds += 1;
        self.touched.extend(work.records.iter().map(|record| record.id.clone()));
        self.touched.extend(work.decisions.iter().map(|(id, _)| id.clone()));
        if self.touched.len() > TOUCHED_MAX {
            self.clear();
        }
    }

    /// Lets a name lead to a recipient of the deal with this number.
    pub(crate) fn add_name(&mut self, name: String, number: u32) {
        let numbers = self.named.entry(name).or_default();
        // Deals are read in their order, and again when they change.
        if numbers.last().is_none_or(|last| *last < number) {
            numbers.push(number);
        } else if let Err(place) = numbers.binary_search(&number) {
            numbers.insert(place, number);
        }
    }

    /// Sets what is known of the deal with this number.
    pub(crate) fn set_deal(&mut self, number: u32, deal: IndexedDeal) {
        let place = number as usize;
        if self.deals.len() <= place {
            self.deals.resize(place + 1, None);
        }
        if let Some(known) = self.deals.get_mut(place) {
            *known = Some(deal);
        }
    }

    /// The place of the plans of these decisions.
    pub(crate) fn place_of(&mut self, decisions: &[Decision]) -> u32 {
        let plans: DecidedPlans = decisions.iter().map(|one| (one.plan, one.ruleset)).collect();
        if let Some(place) = self.decided_places.get(&plans) {
            return *place;
        }
        let place = u32::try_from(self.decided.len()).unwrap_or(u32::MAX);
        self.decided.push(plans.clone());
        self.decided_places.insert(plans, place);
        place
    }
}
