//! What every operation works on: the ledger, the ruleset in force, and what the host provides.
//!
//! **Architecture invariant:** the ruleset is read as one snapshot and replaced by one pointer
//! store, in `activation` alone.

pub(crate) mod deal_index;
mod memory;
mod runs;

use std::collections::{BTreeSet, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use accredit_domain::calendar::LockedPeriods;
use accredit_domain::decision::Decision;
use accredit_ledger::Ledger;
use accredit_seams::connector::Connector;
use accredit_seams::store::StoreError;
use accredit_workspace::Ruleset;
use accredit_workspace::destinations::routes_to;
use arc_swap::ArcSwap;
use jiff::civil::Date;

use crate::decoded::DecodedDeliveries;
use crate::error::OperationError;

use deal_index::DealIndex;
use memory::KnownAlerts;
pub(crate) use memory::{CalculationAlerts, KnownChange};
pub use memory::{RunningShadow, ShadowSums};
pub use runs::{ActiveRun, ActiveRuns};

/// The key of the business date up to which everything was decided.
pub const LAST_RUN: &str = "last_run";

/// What the host provides: time, connectors, secrets, and a notice of activations.
pub trait Surroundings: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The business date in a time zone with this IANA name.
    fn business_date(&self, zone: &str) -> Date;

    /// The connector with this name; none that this build does not have.
    fn connector(&self, name: &str) -> Option<&'static dyn Connector>;

    /// The connectors that this build has.
    fn connectors(&self) -> &'static [&'static dyn Connector];

    /// Gets the secrets of a ruleset's sources ready, and gives what puts them in force.
    ///
    /// # Errors
    /// [`OperationError::Internal`] when a secret cannot be used or kept.
    fn secrets_of<'a>(
        &'a self,
        ledger: &Ledger,
        ruleset: &Ruleset,
    ) -> Result<Box<dyn FnOnce() + 'a>, OperationError>;

    /// A new ruleset is in force: parked deals can be decided again.
    fn note_activation(&self);

    /// Time that only grows, since some moment of this process.
    fn elapsed(&self) -> Duration;

    /// Decisions were recorded by natural key, in a commit that took this long.
    fn note_commit(&self, decisions: &[(String, Vec<Decision>)], took: Duration);

    /// A change of definitions was refused.
    fn note_refusal(&self);
}

/// Tries of parked deals that activations asked for and that are not over.
#[derive(Debug, Default)]
pub struct Redrives(AtomicU64);

impl Redrives {
    /// Requests another try.
    pub fn add_request(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// How many are asked for.
    pub fn request_count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// So many are over: one try serves all that were asked for before it.
    pub fn finish_requests(&self, asked: u64) {
        self.0.fetch_sub(asked, Ordering::AcqRel);
    }
}

/// What every operation works on.
pub struct Context {
    /// Everything that is kept.
    pub ledger: Ledger,
    /// The ruleset in force.
    pub ruleset: ArcSwap<Ruleset>,
    /// The number of the activation that it is of.
    pub(crate) activation: AtomicU64,
    /// Whether a change needs a second person's approval.
    pub four_eyes: bool,
    /// What the host provides.
    pub surroundings: Box<dyn Surroundings>,
    /// One activation at a time.
    pub door: Mutex<()>,
    /// Tries of parked deals.
    pub redrives: Redrives,
    /// Rulesets of earlier decisions, the last ones asked for.
    pub(crate) rulesets: Mutex<VecDeque<Arc<Ruleset>>>,
    /// Rulesets that were compared.
    pub(crate) changes: Mutex<VecDeque<KnownChange>>,
    /// Recorded deals by the names that lead to their recipients.
    deal_index: Mutex<DealIndex>,
    /// The rules that run beside those in force, if any do.
    pub(crate) shadow: Mutex<Option<RunningShadow>>,
    /// Leaf periods that take no new entries, once they were asked for.
    locked: Mutex<Option<Arc<LockedPeriods>>>,
    /// Deals that ran out of time: those of this process, and those that were parked at its start.
    timeouts: Mutex<BTreeSet<String>>,
    /// Deliveries that were decoded for their answer.
    pub decoded: DecodedDeliveries,
    /// Runs of calculations that have not ended.
    pub runs: ActiveRuns,
    /// Alerts of rewards, so far as they were asked for.
    pub(crate) reward_alerts: Mutex<KnownAlerts>,
}

/// Rulesets of earlier decisions that are at hand.
const RULESETS_MAX: usize = 8;

/// Keeps a ruleset of earlier decisions at hand.
pub(crate) fn keep_ruleset(known: &mut VecDeque<Arc<Ruleset>>, ruleset: Arc<Ruleset>) {
    known.retain(|one| one.hash != ruleset.hash);
    known.push_front(ruleset);
    known.truncate(RULESETS_MAX);
}

impl Context {
    /// A context over a ledger, with the ruleset that is in force.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn new(
        ledger: Ledger,
        ruleset: Arc<Ruleset>,
        surroundings: Box<dyn Surroundings>,
    ) -> Result<Self, StoreError> {
        let activation = ledger.last_activation()?;
        ledger.begin_event_numbers()?;
        ledger.route_events(routes_to(&ruleset.settings.destinations));
        Ok(Context {
            ledger,
            ruleset: ArcSwap::new(ruleset),
            activation: AtomicU64::new(activation),
            four_eyes: false,
            surroundings,
            door: Mutex::new(()),
            redrives: Redrives::default(),
            rulesets: Mutex::default(),
            changes: Mutex::default(),
            deal_index: Mutex::default(),
            shadow: Mutex::default(),
            locked: Mutex::default(),
            timeouts: Mutex::default(),
            decoded: DecodedDeliveries::default(),
            runs: ActiveRuns::default(),
            reward_alerts: Mutex::default(),
        })
    }

    /// Puts another ruleset in force. The former one stays at hand: its decisions are looked at again, and
    /// rebuilding it takes as long as reading the whole organisation.
    pub fn put_in_force(&self, ruleset: Arc<Ruleset>) {
        let former = self.ruleset.swap(ruleset);
        // A swap does not wait for a ruleset that is being rebuilt: the former one can be rebuilt as well.
        if let Ok(mut known) = self.rulesets.try_lock() {
            keep_ruleset(&mut known, former);
        }
    }

    /// Milliseconds since 1970.
    pub fn now_ms(&self) -> i64 {
        self.surroundings.now_ms()
    }

    /// The business date in the workspace's zone.
    pub fn business_date(&self) -> Date {
        self.surroundings.business_date(&self.ruleset.load().settings.time_zone)
    }

    /// The business date up to which everything was decided: holds due then are released.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn last_run(&self) -> Result<Option<Date>, StoreError> {
        let date = self.ledger.get_meta(LAST_RUN)?;
        let date = date.and_then(|date| String::from_utf8(date).ok());
        Ok(date.and_then(|date| date.parse().ok()))
    }

    /// Recorded deals by the names that lead to their recipients.
    pub(crate) fn deal_index(&self) -> MutexGuard<'_, DealIndex> {
        lock_shared(&self.deal_index)
    }

    /// Leaf periods that take no new entries.
    ///
    /// # Errors
    /// When the data cannot be read.
    pub fn locked_periods(&self) -> Result<Arc<LockedPeriods>, StoreError> {
        let mut known = lock_shared(&self.locked);
        if let Some(known) = &*known {
            return Ok(Arc::clone(known));
        }

        let read = Arc::new(self.ledger.locked_periods()?);
        *known = Some(Arc::clone(&read));
        Ok(read)
    }

    /// Has locked periods read again: whether a commit that failed was durable is in the data.
    pub fn forget_locked_periods(&self) {
        *lock_shared(&self.locked) = None;
    }

    /// These periods are locked from now on.
    pub(crate) fn know_locked_periods(&self, locked: LockedPeriods) {
        *lock_shared(&self.locked) = Some(Arc::new(locked));
    }

    /// Does something with the deals that ran out of time.
    pub(crate) fn with_timeouts<T>(&self, look: impl FnOnce(&mut BTreeSet<String>) -> T) -> T {
        look(&mut lock_shared(&self.timeouts))
    }
}

fn lock_shared<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
