//! The one thread that decides: it drains the inbox, resolves credits and decides again what a new
//! ruleset or a new day changes.
//!
//! Not storing of deliveries (`writer`) and not the rules (the engine). One thread, so that two
//! decisions about one transaction never race; the engine spreads a batch over the cores itself.
//!
//! **Architecture invariant:** a batch is decided on one ruleset snapshot and recorded in one
//! commit together with the end of its deliveries.

mod attempts;
mod recredit;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use accredit_ledger::audit::act_from;
use accredit_ledger::record::CommitBatch;
use accredit_operations::activation::follow;
use accredit_operations::context::Context;
use accredit_operations::decide::batch::{self, BatchSize};
use accredit_operations::decide::{self, again, redrive, timeouts};
use accredit_operations::intake::IntakeMachine;
use accredit_operations::periods;
use accredit_seams::store::StoreError;
use jiff::civil::Date;

use crate::server::channels::{OrderQueue, WorkerJob, WorkerOrder, WorkerTurn};
use crate::server::jobs;
use crate::server::metrics::Metrics;
use crate::server::pace::{Arrivals, Pace};
use crate::server::runs::RunNotices;

pub(crate) use run::UNFINISHED;

/// How often the business date is looked at.
const TICK: Duration = Duration::from_secs(2);

/// Deliveries a batch: under load one durable commit serves many, so that the worker leaves the
/// store's single writer to the senders who wait. An import's delivery holds up to a thousand rows.
const DELIVERIES_MAX: usize = 512;

/// Bytes of the bodies of a batch, unless its first delivery alone is larger: what is decided at a
/// time has to find room in memory many times over.
const BATCH_BYTES_MAX: usize = 2 << 20;

/// The same while deliveries come in at a rate.
const BUSY_DELIVERIES_MAX: usize = 128;
const BUSY_BYTES_MAX: usize = 32 << 10;

/// After a stop was asked, deliveries that wait are decided for so long; the others wait for the
/// next start.
const SHUTDOWN_BUDGET: Duration = Duration::from_secs(1);

/// How often deals that ran out of time are tried again.
const TIMEOUT_RETRY: Duration = Duration::from_secs(30);

/// Deliveries, and rows in them, below which a batch is small: one delivery of an import is not.
const SMALL_BATCH_MAX: usize = 128;

/// After a small batch the worker lets deliveries gather this long: a commit for each handful would
/// compete with the commits that senders wait for.
const SMALL_BATCH_LINGER: Duration = Duration::from_millis(15);

/// After a failed commit the worker waits this long before it tries again.
const RETRY: Duration = Duration::from_millis(500);

/// What became of a batch.
enum BatchOutcome {
    /// Recorded.
    Done(BatchSize),
    /// The batch was decided, but the commit failed.
    Failed,
    /// Deciding the batch panicked.
    Panicked,
}

/// The worker's own things.
pub(crate) struct Worker {
    context: Arc<Context>,
    metrics: Arc<Metrics>,
    run_notices: Arc<RunNotices>,
    stopping: Arc<AtomicBool>,
    machines: IntakeMachine,
    /// The business date that due holds were last decided for.
    date: Option<Date>,
    /// Deliveries that it has handled.
    handled: u64,
    /// The run whose turn it is.
    turn: Option<run::RunTurn>,
    /// What may have ended an earlier process.
    attempts: attempts::Attempts,
    /// How often in a row deciding again after an activation panicked.
    recredit_panics: u32,
    /// When deals that ran out of time were last tried again.
    timeouts_tried: Instant,
    /// What came in, counted by the writer.
    arrivals: Arc<Arrivals>,
    /// How often deliveries came in until the end of its last round.
    pace: Pace,
    /// How long it rests before its next round.
    rest: Duration,
}

/// What the worker works with.
pub(crate) struct WorkerParts {
    /// What operations work on.
    pub(crate) context: Arc<Context>,
    /// Counters.
    pub(crate) metrics: Arc<Metrics>,
    /// What came in, counted by the writer.
    pub(crate) arrivals: Arc<Arrivals>,
    /// Those who wait for the end of a run.
    pub(crate) run_notices: Arc<RunNotices>,
    /// Whether a stop was asked.
    pub(crate) stopping: Arc<AtomicBool>,
}

/// Works until it is told to stop, then ends what waits.
pub(crate) fn run(parts: &WorkerParts, queue: &OrderQueue) {
    let mut worker = Worker {
        context: Arc::clone(&parts.context),
        metrics: Arc::clone(&parts.metrics),
        run_notices: Arc::clone(&parts.run_notices),
        stopping: Arc::clone(&parts.stopping),
        machines: IntakeMachine::default(),
        date: None,
        handled: 0,
        turn: None,
        attempts: attempts::Attempts::at_start(&parts.context.ledger),
        recredit_panics: 0,
        timeouts_tried: Instant::now(),
        arrivals: Arc::clone(&parts.arrivals),
        pace: Pace::at_start(parts.arrivals.count()),
        rest: Duration::ZERO,
    };

    again::carry_out(&parts.context);
    if let Err(error) = periods::freeze_closed_periods(&parts.context) {
        tracing::error!(error.cause = %error, "closed periods are not frozen yet");
    }
    timeouts::find(&parts.context);
    redrive::resume_redrive(&parts.context);
    loop {
        let is_stopping = worker.is_stopping();
        let more = !is_stopping && worker.do_paced_round();

        let order = if more { queue.rest(worker.rest) } else { queue.next(TICK) };
        match order {
            Some(WorkerOrder::Wake) | None => (),
            // Dropped at a stop: its caller hears that the server stops.
            Some(WorkerOrder::Do(_)) if worker.is_stopping() => (),
            Some(WorkerOrder::Do(job)) => worker.do_job(job),
            Some(WorkerOrder::Stop) => break,
        }
    }

    let stopped = Instant::now();
    while stopped.elapsed() < SHUTDOWN_BUDGET && worker.decide_next_batch() {}

    worker.end_all();
}

impl Worker {
    /// Whether a stop was asked.
    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    /// A round, and how long to rest after it: the more deliveries come in, the longer.
    fn do_paced_round(&mut self) -> bool {
        let began = (Instant::now(), self.arrivals.count());
        let more = self.do_round();
        self.rest = self.pace.end_step(began, self.arrivals.count());
        more
    }

    /// A little of everything that there is to do, a batch at a time: a release does not wait for the
    /// end of an import. Whether there may be more.
    fn do_round(&mut self) -> bool {
        follow::follow_data_file(&self.context);
        self.lock_listed();
        let more = self.decide_next_batch() | self.advance_recredit() | self.advance_run();
        self.new_day();
        self.redrive_when_asked();
        self.retry_timeouts();
        more
    }

    /// Decides a batch of what waits; whether there may be more.
    fn decide_next_batch(&mut self) -> bool {
        let limit = match self.before_step() {
            Ok(Some(limit)) => limit,
            // One that ended the process again and again was just set aside.
            Ok(None) => return true,
            Err(error) => {
                tracing::error!(error.cause = %error, "a batch was not begun");
                std::thread::sleep(RETRY);
                return false;
            }
        };

        let more = match self.run_batch_guarded(limit) {
            BatchOutcome::Done(BatchSize { deliveries, versions }) => {
                self.handled += deliveries as u64;
                let is_small = deliveries > 0 && deliveries.max(versions) < SMALL_BATCH_MAX;
                if is_small && limit > 1 {
                    std::thread::sleep(SMALL_BATCH_LINGER);
                }
                deliveries > 0
            }
            BatchOutcome::Failed => false,
            // Something in the batch is more than the engine can bear: one at a time finds it.
            BatchOutcome::Panicked => match self.run_batch_guarded(1) {
                BatchOutcome::Panicked => {
                    let reason =
                        "an internal error stopped this decision; redrive it after an update";
                    self.set_aside(reason)
                }
                BatchOutcome::Done(BatchSize { deliveries, .. }) => {
                    self.handled += deliveries as u64;
                    deliveries > 0
                }
                BatchOutcome::Failed => false,
            },
        };

        // While more waits the monitor counts it.
        if !more {
            let pending = self.context.ledger.pending_count().unwrap_or(0);
            self.metrics.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        }
        more
    }

    fn run_batch_guarded(&mut self, limit: usize) -> BatchOutcome {
        // Deliveries come in: their commits wait for the end of this one.
        let is_busy = !self.rest.is_zero();
        let (limit, bytes) = match is_busy {
            true => (limit.min(BUSY_DELIVERIES_MAX), BUSY_BYTES_MAX),
            false => (limit, BATCH_BYTES_MAX),
        };

        match catch_unwind(AssertUnwindSafe(|| {
            batch::decide_batch(&self.context, &mut self.machines, (limit, bytes))
        })) {
            Ok(Ok(size)) => BatchOutcome::Done(size),

            Ok(Err(error)) => {
                // The deliveries are still in the inbox; the next tick tries them again.
                tracing::error!(error.cause = %error, "a batch was not recorded");
                std::thread::sleep(RETRY);
                BatchOutcome::Failed
            }

            Err(_) => {
                tracing::error!(batch.limit = limit, "deciding a batch panicked");
                self.machines = IntakeMachine::default();
                BatchOutcome::Panicked
            }
        }
    }

    /// Makes the first delivery that waits a dead letter, so that the others go on.
    fn set_aside(&mut self, reason: &str) -> bool {
        let first = self.context.ledger.pending_deliveries(1).unwrap_or_default();
        let done = first.iter().map(|(sequence, _)| (*sequence, Some(reason.to_owned())));
        let work = CommitBatch { done: done.collect(), ..CommitBatch::default() };

        match self.context.ledger.commit_batch(&work) {
            Ok(()) => {
                self.handled += 1;
                true
            }
            Err(error) => {
                tracing::error!(error.cause = %error, "a delivery was not set aside");
                false
            }
        }
    }

    /// Does a job; one that panics leaves the worker as it was, and its caller with an error.
    fn do_job(&mut self, job: WorkerJob) {
        if catch_unwind(AssertUnwindSafe(|| job(self))).is_err() {
            tracing::error!("a job of the worker panicked");
            self.machines = IntakeMachine::default();
            self.context.forget_locked_periods();
        }
    }

    /// Closes and finalizes what the calendar in force lists, once its day is over.
    fn lock_listed(&mut self) {
        let listed = periods::periods_due_by_calendar(&self.context).unwrap_or_default();
        for (leaf, said) in listed {
            // A panic over one period must not keep the worker from its other work.
            let done =
                catch_unwind(AssertUnwindSafe(|| jobs::lock_with_arrivals(self, &leaf, &said)));
            match done {
                Ok(Ok(_)) => (),
                Ok(Err(error)) => {
                    tracing::error!(error.cause = %error, period = leaf.id.as_str(), "not locked");
                }
                Err(_) => tracing::error!(period = leaf.id.as_str(), "locking a period panicked"),
            }
        }
    }

    /// Decides parked deals again after an activation; until that has succeeded it stays asked for.
    fn redrive_when_asked(&mut self) {
        if let Err(error) = redrive::redrive_when_asked(&self.context) {
            tracing::error!(error.cause = %error, "parked transactions wait for the next redrive");
        }
    }

    /// Decides deals again that ran out of time: the machine was busy, and may not be any more.
    fn retry_timeouts(&mut self) {
        let context = &self.context;
        if !timeouts::any_timed_out(context) || self.timeouts_tried.elapsed() < TIMEOUT_RETRY {
            return;
        }
        self.timeouts_tried = Instant::now();

        match timeouts::retry_timed_out(context) {
            Ok(count) => tracing::info!(transactions = count, "tried again after a time limit"),
            Err(error) => tracing::error!(error.cause = %error, "not tried again"),
        }
    }
}

impl WorkerTurn for Worker {
    fn context(&self) -> &Context {
        &self.context
    }

    fn catch_up(&mut self) -> Result<(), StoreError> {
        let fence = self.context.ledger.last_received()?;

        while self.context.ledger.oldest_pending()?.is_some_and(|oldest| oldest <= fence) {
            // What arrived did not come from the request that waits for it.
            if !act_from(None, || self.decide_next_batch()) {
                let why = "earlier deliveries could not be decided";
                return Err(StoreError::Failed(why.to_owned()));
            }
        }
        Ok(())
    }

    fn new_day(&mut self) {
        let today = self.context.business_date();
        if self.date == Some(today) {
            return;
        }

        match act_from(None, || redrive::decide_new_day(&self.context, today)) {
            Ok(count) => {
                self.date = Some(today);
                decide::run::record_last_run(&self.context, today);
                tracing::info!(business.date = %today, transactions = count, "business date");
            }
            Err(error) => tracing::error!(error.cause = %error, "a new day is not decided"),
        }
    }
}
