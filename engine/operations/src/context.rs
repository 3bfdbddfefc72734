//! What every operation works on: the ledger, the ruleset in force, and what the host provides.
//!
//! **Architecture invariant:** the ruleset is read as one snapshot and replaced by one pointer
//! store, in `activation` alone.

mod memory;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use accredit_ledger::Ledger;
use accredit_seams::connector::Connector;
use accredit_seams::store::Error as StoreError;
use accredit_workspace::Ruleset;
use arc_swap::ArcSwap;
use jiff::civil::Date;

use crate::error::Error;

pub(crate) use memory::Alerts;
use memory::Known;
pub use memory::{Shadow, Sums};

/// The key of the business date up to which everything was decided.
pub const LAST_RUN: &str = "last_run";

/// What the host provides: time, connectors, secrets, and whom an activation concerns.
pub trait Surroundings: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// The business date in a time zone with this IANA name.
    fn business_date(&self, zone: &str) -> Date;

    /// The connector with this name; none that this build does not have.
    fn connector(&self, name: &str) -> Option<&'static dyn Connector>;

    /// Gets the secrets of a ruleset's sources ready, and gives what puts them in force.
    ///
    /// # Errors
    /// [`Error::Internal`] when a secret cannot be used or kept.
    fn secrets_of<'a>(
        &'a self,
        ledger: &Ledger,
        ruleset: &Ruleset,
    ) -> Result<Box<dyn FnOnce() + 'a>, Error>;

    /// A new ruleset is in force: parked deals can be decided again.
    fn activated(&self);

    /// A change of definitions was refused.
    fn refused(&self);
}

/// Tries of parked deals that activations asked for and that are not over.
#[derive(Debug, Default)]
pub struct Redrives(AtomicU64);

impl Redrives {
    /// Asks for one.
    pub fn ask(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// How many are asked for.
    pub fn asked(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// So many are over: one try serves all that were asked for before it.
    pub fn done(&self, asked: u64) {
        self.0.fetch_sub(asked, Ordering::AcqRel);
    }
}

/// What every operation works on.
pub struct Context {
    /// Everything that is kept.
    pub ledger: Ledger,
    /// The ruleset in force.
    pub ruleset: ArcSwap<Ruleset>,
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
    /// The rules that run beside those in force, if any do.
    pub(crate) shadow: Mutex<Option<Shadow>>,
    /// Alerts of rewards, so far as they were asked for.
    pub(crate) reward_alerts: Mutex<Known>,
}

impl Context {
    /// A context over a ledger, with the ruleset that is in force.
    #[must_use]
    pub fn new(ledger: Ledger, ruleset: Arc<Ruleset>, surroundings: Box<dyn Surroundings>) -> Self {
        Context {
            ledger,
            ruleset: ArcSwap::new(ruleset),
            four_eyes: false,
            surroundings,
            door: Mutex::new(()),
            redrives: Redrives::default(),
            rulesets: Mutex::default(),
            shadow: Mutex::default(),
            reward_alerts: Mutex::default(),
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
        let date = self.ledger.meta(LAST_RUN)?;
        let date = date.and_then(|date| String::from_utf8(date).ok());
        Ok(date.and_then(|date| date.parse().ok()))
    }
}
