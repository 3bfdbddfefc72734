//! The one thread that decides: it drains the inbox, resolves credits and decides again what a new
//! ruleset or a new day changes.
//!
//! Not storing of deliveries (`writer`) and not the rules (the engine). One thread, so that two
//! decisions about one transaction never race; the engine spreads a batch over the cores itself.
//!
//! **Architecture invariant:** a batch is decided on one ruleset snapshot and recorded in one
//! commit together with the end of its deliveries.

mod attempts;
mod fence;
mod jobs;
mod recredit;
mod run;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use accredit_ledger::record::Work;
use accredit_operations::activation::follow;
use accredit_operations::decide::{self, again, batch, caught, redrive, timeouts};
use accredit_operations::intake::Machines;
use jiff::civil::Date;
use tokio::sync::oneshot;

use crate::http::problem::Problem;
use crate::server::state::Service;

pub(crate) use run::UNFINISHED;

/// How often the business date is looked at.
const TICK: Duration = Duration::from_secs(2);

/// Deliveries that are counted as waiting, at most.
pub(crate) const PENDING_MAX: usize = 100_000;

/// Deliveries a batch: under load one durable commit serves many, so that the worker leaves the
/// store's single writer to the senders who wait. An import's delivery holds up to a thousand rows.
const DELIVERIES_MAX: usize = 512;

/// Bytes of the bodies of a batch, unless its first delivery alone is larger: what is decided at a
/// time has to find room in memory many times over.
const BATCH_BYTES_MAX: usize = 1 << 20;

/// After a stop was asked, deliveries that wait are decided for so long; the others wait for the
/// next start.
const LAST_STEPS: Duration = Duration::from_secs(1);

/// How often deals that ran out of time are tried again.
const TIMEOUTS: Duration = Duration::from_secs(30);

/// How long a job that has not begun is waited for; a request has 30 s.
const JOB_WAIT: Duration = Duration::from_secs(if cfg!(test) { 2 } else { 20 });

/// After a small batch the worker lets deliveries gather this long: a commit for each handful would
/// compete with the commits that senders wait for.
const BREATH: Duration = Duration::from_millis(15);

/// After a failed commit the worker waits this long before it tries again.
const RETRY: Duration = Duration::from_millis(500);

/// What the worker can be asked.
pub(crate) enum Order {
    /// There is something to do: deliveries, a run, parked deals after an activation.
    Wake,
    /// Do something that no decision may race.
    Do(Job),
    /// End after what is queued.
    Stop,
}

/// Something for the worker to do, which answers by itself.
pub(crate) type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// The way to the worker.
#[derive(Clone)]
pub(crate) struct Orders {
    sender: Sender<Order>,
    /// Whether a wake waits already: under a stream of deliveries a job would wait behind thousands.
    woken: Arc<AtomicBool>,
}

/// The worker's end.
pub(crate) struct OrderQueue {
    receiver: Receiver<Order>,
    woken: Arc<AtomicBool>,
}

/// Both ends.
pub(crate) fn orders() -> (Orders, OrderQueue) {
    let (sender, receiver) = channel();
    let woken = Arc::new(AtomicBool::new(false));
    (Orders { sender, woken: Arc::clone(&woken) }, OrderQueue { receiver, woken })
}

impl Orders {
    /// Hands an order over; a worker that is gone answers nothing.
    pub(crate) fn send(&self, order: Order) {
        let _ = self.sender.send(order);
    }

    /// Has the worker look for something to do.
    pub(crate) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.send(Order::Wake);
        }
    }
}

/// How far a job is.
const WAITING: u8 = 0;
const BEGUN: u8 = 1;
const GIVEN_UP: u8 = 2;

impl Service {
    /// Has the worker do something between two batches, and waits for its answer. What has not begun
    /// in time is not done at all.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let state = Arc::new(AtomicU8::new(WAITING));
        let begins = Arc::clone(&state);
        let is_wanted = move || {
            let (from, to) = (Ordering::AcqRel, Ordering::Acquire);
            begins.compare_exchange(WAITING, BEGUN, from, to).is_ok()
        };

        let mut answer = self.hand_over(is_wanted, job);
        if let Ok(answered) = tokio::time::timeout(JOB_WAIT, &mut answer).await {
            return answered.unwrap_or_else(|_| Err(unanswered(self)));
        }
        let (from, to) = (Ordering::AcqRel, Ordering::Acquire);
        if state.compare_exchange(WAITING, GIVEN_UP, from, to).is_ok() {
            let detail = "the server is busy deciding; nothing was done";
            return Err(Problem::unavailable(detail));
        }
        answer.await.unwrap_or_else(|_| Err(unanswered(self)))
    }

    /// The same, however long it takes: for what is answered as a task.
    pub(crate) async fn ask_patiently<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let answer = self.hand_over(|| true, job);
        answer.await.unwrap_or_else(|_| Err(unanswered(self)))
    }

    fn hand_over<T: Send + 'static>(
        &self,
        is_wanted: impl FnOnce() -> bool + Send + 'static,
        job: impl FnOnce(&mut Worker) -> Result<T, Problem> + Send + 'static,
    ) -> oneshot::Receiver<Result<T, Problem>> {
        let (reply, answer) = oneshot::channel();
        self.orders.send(Order::Do(Box::new(move |worker| {
            if is_wanted() {
                // Nobody waiting means that the client has gone; what was done stays done.
                let _ = reply.send(job(worker));
            }
        })));
        answer
    }
}

/// The answer when the worker dropped a job: at a stop, or since it panicked.
fn unanswered(service: &Service) -> Problem {
    if service.stopping.load(Ordering::Acquire) {
        Problem::unavailable("the server is stopping")
    } else {
        Problem::internal(&"a job of the worker had no end")
    }
}

/// What became of a batch.
enum Step {
    /// Recorded, so many deliveries.
    Done(usize),
    /// Not recorded.
    Failed,
    /// Not even decided.
    Panicked,
}

/// The worker's own things.
pub(crate) struct Worker {
    service: Arc<Service>,
    machines: Machines,
    /// The business date that due holds were last decided for.
    date: Option<Date>,
    /// Deliveries that it has handled.
    handled: u64,
    /// The run whose turn it is.
    turn: Option<run::Turn>,
    /// What may have ended an earlier process.
    attempts: attempts::Attempts,
    /// How often in a row deciding again after an activation panicked.
    recredit_panics: u32,
    /// When deals that ran out of time were last tried again.
    timeouts_tried: Instant,
}

/// Works until it is told to stop, then ends what waits.
pub(crate) fn run(service: &Arc<Service>, queue: &OrderQueue) {
    let mut worker = Worker {
        service: Arc::clone(service),
        machines: Machines::default(),
        date: None,
        handled: 0,
        turn: None,
        attempts: attempts::Attempts::at_start(&service.ledger),
        recredit_panics: 0,
        timeouts_tried: Instant::now(),
    };

    again::carry_out(&service.context);
    timeouts::find(&service.context);
    redrive::resume(&service.context);
    loop {
        let is_stopping = service.stopping.load(Ordering::Acquire);
        let more = !is_stopping && worker.do_some();

        let wait = if more { Duration::ZERO } else { TICK };
        match queue.receiver.recv_timeout(wait) {
            // Before the next look, so that what comes after it wakes again.
            Ok(Order::Wake) => queue.woken.store(false, Ordering::Release),
            Err(RecvTimeoutError::Timeout) => (),
            // Dropped at a stop: its caller hears that the server stops.
            Ok(Order::Do(_)) if service.stopping.load(Ordering::Acquire) => (),
            Ok(Order::Do(job)) => worker.job(job),
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }

    let stopped = Instant::now();
    while stopped.elapsed() < LAST_STEPS && worker.step() {}

    worker.end_all();
}

impl Worker {
    /// What every part of the server shares.
    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// A little of everything that there is to do, a batch at a time: a release does not wait for the
    /// end of an import. Whether there may be more.
    fn do_some(&mut self) -> bool {
        follow::follow_data_file(&self.service.context);
        self.finalize_listed();
        let more = self.step() | self.recredit() | self.run_on();
        self.new_day();
        self.redrive_when_asked();
        self.retry_timeouts();
        more
    }

    /// Decides a batch of what waits; whether there may be more.
    fn step(&mut self) -> bool {
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

        let more = match self.caught_batch(limit) {
            Step::Done(count) => {
                self.handled += count as u64;
                if (1..DELIVERIES_MAX / 4).contains(&count) && limit > 1 {
                    std::thread::sleep(BREATH);
                }
                count > 0
            }
            Step::Failed => false,
            // Something in the batch is more than the engine can bear: one at a time finds it.
            Step::Panicked => match self.caught_batch(1) {
                Step::Panicked => {
                    let reason = "deciding it failed inside the server; redrive it after an update";
                    self.set_aside(reason)
                }
                Step::Done(count) => {
                    self.handled += count as u64;
                    count > 0
                }
                Step::Failed => false,
            },
        };

        let pending = self.service.ledger.pending_count(PENDING_MAX).unwrap_or(0);
        self.service.metrics.pending.set(i64::try_from(pending).unwrap_or(i64::MAX));
        more
    }

    fn caught_batch(&mut self, limit: usize) -> Step {
        match catch_unwind(AssertUnwindSafe(|| {
            batch::batch(&self.service.context, &mut self.machines, (limit, BATCH_BYTES_MAX))
        })) {
            Ok(Ok(count)) => Step::Done(count),

            Ok(Err(error)) => {
                // The deliveries are still in the inbox; the next tick tries them again.
                tracing::error!(error.cause = %error, "a batch was not recorded");
                std::thread::sleep(RETRY);
                Step::Failed
            }

            Err(_) => {
                tracing::error!(batch.limit = limit, "deciding a batch panicked");
                self.machines = Machines::default();
                Step::Panicked
            }
        }
    }

    /// Makes the first delivery that waits a dead letter, so that the others go on.
    fn set_aside(&mut self, reason: &str) -> bool {
        let first = self.service.ledger.pending(1).unwrap_or_default();
        let done = first.iter().map(|(sequence, _)| (*sequence, Some(reason.to_owned())));
        let work = Work { done: done.collect(), ..Work::default() };

        match self.service.ledger.record(&work) {
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
    fn job(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| job(self))).is_err() {
            tracing::error!("a job of the worker panicked");
            self.machines = Machines::default();
            self.service.context.forget_finalized();
        }
    }

    /// Decides due holds again when the business date has changed.
    fn new_day(&mut self) {
        let today = self.service.business_date();
        if self.date == Some(today) {
            return;
        }

        let due = self.service.ledger.due_holds(today);
        match due.and_then(|due| caught::decide_what_can_be(&self.service.context, &due)) {
            Ok(count) => {
                self.date = Some(today);
                decide::run::ran(&self.service.context, today);
                tracing::info!(business.date = %today, holds.due = count, "business date");
            }
            Err(error) => tracing::error!(error.cause = %error, "due holds not decided"),
        }
    }

    /// Decides parked deals again after an activation; until that has succeeded it stays asked for.
    fn redrive_when_asked(&mut self) {
        if let Err(error) = redrive::redrive_when_asked(&self.service.context) {
            tracing::error!(error.cause = %error, "parked transactions wait for the next redrive");
        }
    }

    /// Decides deals again that ran out of time: the machine was busy, and may not be any more.
    fn retry_timeouts(&mut self) {
        let context = &self.service.context;
        if !timeouts::any(context) || self.timeouts_tried.elapsed() < TIMEOUTS {
            return;
        }
        self.timeouts_tried = Instant::now();

        match timeouts::retry(context) {
            Ok(count) => tracing::info!(transactions = count, "tried again after a time limit"),
            Err(error) => tracing::error!(error.cause = %error, "not tried again"),
        }
    }
}
