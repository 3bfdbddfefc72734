//! What every part of the server shares: the ledger, the ruleset in force, the ways to the writer
//! and the worker.
//!
//! Not HTTP. Handlers, the worker and the watcher hold one [`Service`] in an `Arc`.
//!
//! **Architecture invariant:** the ruleset is read as one snapshot and replaced by one pointer
//! store, in `door` alone.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use accredit_ledger::Ledger;
use accredit_seams::store::Error as StoreError;
use accredit_workspace::Ruleset;
use arc_swap::ArcSwap;
use jiff::civil::Date;

use crate::http::problem::Problem;
use crate::operations::intake::Machines;
use crate::operations::shadow::Shadow;
use crate::server::clock::Clock;
use crate::server::config::Config;
use crate::server::credentials::Credentials;
use crate::server::health::Health;
use crate::server::metrics::Metrics;
use crate::server::room::Room;
use crate::server::runs::Runs;
use crate::server::secrets::{Secrets, Tokens};
use crate::server::tasks::Tasks;
use crate::server::worker::{LAST_RUN, Orders};
use crate::server::writer::Writer;

/// Tries of parked deals that activations asked for and that are not over.
#[derive(Debug, Default)]
pub(crate) struct Redrives(AtomicU64);

impl Redrives {
    /// Asks for one.
    pub(crate) fn ask(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// How many are asked for.
    pub(crate) fn asked(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }

    /// So many are over: one try serves all that were asked for before it.
    pub(crate) fn done(&self, asked: u64) {
        self.0.fetch_sub(asked, Ordering::AcqRel);
    }
}

/// The server's state.
pub(crate) struct Service {
    /// Everything that is kept.
    pub(crate) ledger: Ledger,
    /// The ruleset in force.
    pub(crate) ruleset: ArcSwap<Ruleset>,
    /// Rulesets of earlier decisions, the last ones asked for.
    pub(crate) rulesets: Mutex<VecDeque<Arc<Ruleset>>>,
    /// Active secrets by source.
    pub(crate) secrets: ArcSwap<Secrets>,
    /// Of the API.
    pub(crate) tokens: ArcSwap<Tokens>,
    /// Tokens and secrets as they were given last.
    pub(crate) credentials: ArcSwap<Credentials>,
    /// The time.
    pub(crate) clock: Clock,
    /// What parts of the server report about themselves.
    pub(crate) health: Health,
    /// Counters.
    pub(crate) metrics: Metrics,
    /// What it was started with.
    pub(crate) config: Config,
    /// Machines for intake policies, off the worker.
    pub(crate) machines: Mutex<Vec<Machines>>,
    /// Where imports are read.
    pub(crate) imports_room: Room,
    /// Where webhooks are read.
    pub(crate) hooks_room: Room,
    /// The way into the inbox.
    pub(crate) writer: Writer,
    /// The way to the worker.
    pub(crate) orders: Orders,
    /// One activation at a time.
    pub(crate) door: Mutex<()>,
    /// The rules that run beside those in force, if any do.
    pub(crate) shadow: Mutex<Option<Shadow>>,
    /// Runs of calculations that have not ended.
    pub(crate) runs: Runs,
    /// Answers that take longer than a request.
    pub(crate) tasks: Tasks,
    /// Tries of parked deals.
    pub(crate) redrives: Redrives,
    /// Alerts of rewards, so far as they were asked for.
    pub(crate) reward_alerts: Mutex<crate::operations::rewards::Known>,
    /// Whether a stop was asked.
    pub(crate) stopping: AtomicBool,
}

impl Service {
    /// The business date in the workspace's zone.
    pub(crate) fn business_date(&self) -> Date {
        self.clock.business_date(&self.ruleset.load().settings.time_zone)
    }

    /// The business date up to which everything was decided: holds due then are released.
    pub(crate) fn last_run(&self) -> Result<Option<Date>, StoreError> {
        let date = self.ledger.meta(LAST_RUN)?;
        let date = date.and_then(|date| String::from_utf8(date).ok());
        Ok(date.and_then(|date| date.parse().ok()))
    }

    /// Seconds since the oldest delivery that is not decided was acknowledged; none when none waits.
    pub(crate) fn oldest_undecided_s(&self) -> Result<Option<i64>, StoreError> {
        let Some(sequence) = self.ledger.oldest_pending()? else { return Ok(None) };
        let delivery = self.ledger.delivery(sequence)?;
        Ok(delivery.map(|one| (self.clock.now_ms() - one.received_ms).max(0) / 1000))
    }

    /// Runs `work` where blocking does no harm, to its end even when the client has gone.
    pub(crate) async fn blocking<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&Service) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let service = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || work(&service)).await;
        done.unwrap_or_else(|error| Err(Problem::internal(&error)))
    }
}
