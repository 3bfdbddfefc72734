//! The one thread that decides: it drains the inbox, resolves credits and decides again what a new
//! ruleset or a new day changes.
//!
//! Not storing of deliveries (`writer`) and not the rules (the engine). One thread, so that two
//! decisions about one transaction never race; the engine spreads a batch over the cores itself.
//!
//! **Architecture invariant:** a batch is decided on one ruleset snapshot and recorded in one
//! commit together with the end of its deliveries.

mod adjust;
mod again;
mod batch;
mod periods;
mod recredit;
mod release;
mod resolve;
mod run;
mod shadow;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use accredit_domain::decision::CreditRow;
use accredit_ledger::query::CreditQuery;
use accredit_ledger::record::Work;
use accredit_seams::store::Error as StoreError;
use jiff::civil::Date;
use tokio::sync::oneshot;

use crate::http::problem::Problem;
use crate::operations::intake::Machines;
use crate::server::state::Service;

pub(crate) use adjust::{Adjust, Subject};
pub(crate) use release::{What, Wish};
pub(crate) use resolve::{Action, Resolve};
pub(crate) use run::{LAST_RUN, UNFINISHED};

/// Stack of the thread: policies may recurse as deep as their limit says.
pub(crate) const STACK_BYTES: usize = 16 << 20;

/// How often the business date is looked at.
const TICK: Duration = Duration::from_secs(2);

/// Deliveries that are counted as waiting, at most.
pub(crate) const PENDING_MAX: usize = 100_000;

/// Deliveries a batch: under load one durable commit serves many, so that the worker leaves the
/// store's single writer to the senders who wait. An import's delivery holds up to a thousand rows.
const DELIVERIES_MAX: usize = 512;

/// Held credits read at a time.
const PAGE: usize = 1000;

/// After a small batch the worker lets deliveries gather this long: a commit for each handful would
/// compete with the commits that senders wait for.
const BREATH: Duration = Duration::from_millis(15);

/// After a failed commit the worker waits this long before it tries again.
const RETRY: Duration = Duration::from_millis(500);

/// What the worker can be asked.
pub(crate) enum Order {
    /// Deliveries are waiting.
    Wake,
    /// Release or hold a credit, and answer with its row.
    Resolve(Resolve, oneshot::Sender<Result<CreditRow, Problem>>),
    /// Do something that no decision may race.
    Do(Job),
    /// Decide parked transactions again, and answer with their number.
    RedriveParked(Option<oneshot::Sender<Result<usize, Problem>>>),
    /// End after what is queued.
    Stop,
}

/// Something for the worker to do, which answers by itself.
pub(crate) type Job = Box<dyn FnOnce(&mut Worker) + Send>;

/// The way to the worker.
#[derive(Clone)]
pub(crate) struct Orders(Sender<Order>);

/// The worker's end.
pub(crate) struct OrderQueue(Receiver<Order>);

/// Both ends.
pub(crate) fn orders() -> (Orders, OrderQueue) {
    let (sender, receiver) = channel();
    (Orders(sender), OrderQueue(receiver))
}

impl Orders {
    /// Hands an order over; a worker that is gone answers nothing.
    pub(crate) fn send(&self, order: Order) {
        let _ = self.0.send(order);
    }

    /// Hands an order over and waits for its answer.
    pub(crate) async fn ask<T>(
        &self,
        order: impl FnOnce(oneshot::Sender<Result<T, Problem>>) -> Order,
    ) -> Result<T, Problem> {
        let (reply, answer) = oneshot::channel();
        self.send(order(reply));
        answer.await.unwrap_or_else(|_| Err(Problem::unavailable("the server is stopping")))
    }
}

impl Service {
    /// Has the worker do something between two batches, and waits for its answer.
    pub(crate) async fn ask<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Worker) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let order = |reply: oneshot::Sender<Result<T, Problem>>| {
            Order::Do(Box::new(move |worker| {
                // Nobody waiting means that the client has gone; what was done stays done.
                let _ = reply.send(job(worker));
            }))
        };
        self.orders.ask(order).await
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
    /// Leaf periods that are finalized, once they were asked for.
    finalized: Option<Arc<BTreeSet<String>>>,
    /// Deliveries that it has handled.
    handled: u64,
    /// The run whose turn it is.
    turn: Option<run::Turn>,
}

/// Works until it is told to stop, then ends what waits.
pub(crate) fn run(service: &Arc<Service>, queue: &OrderQueue) {
    let mut worker = Worker {
        service: Arc::clone(service),
        machines: Machines::default(),
        date: None,
        finalized: None,
        handled: 0,
        turn: None,
    };
    worker.carry_out();
    loop {
        // A batch at a time: a release does not wait for the end of an import.
        worker.finalize_listed();
        let more = worker.step() | worker.recredit() | worker.run_on();
        worker.new_day();
        let wait = if more { Duration::ZERO } else { TICK };
        match queue.0.recv_timeout(wait) {
            Ok(Order::Wake) | Err(RecvTimeoutError::Timeout) => (),
            Ok(Order::Resolve(order, reply)) => {
                let _ = reply.send(worker.resolve_known(order));
            }
            Ok(Order::Do(job)) => worker.job(job),
            Ok(Order::RedriveParked(reply)) => {
                let redriven = worker.redrive_parked();
                if let (Err(_), None) = (&redriven, &reply) {
                    tracing::warn!("parked transactions wait for the next redrive");
                }
                if let Some(reply) = reply {
                    let _ = reply.send(redriven);
                }
            }
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    while worker.step() {}
    worker.end_all();
}

impl Worker {
    /// What every part of the server shares.
    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Decides a batch of what waits; whether there may be more.
    fn step(&mut self) -> bool {
        let more = match self.caught(DELIVERIES_MAX) {
            Step::Done(count) => {
                self.handled += count as u64;
                if (1..DELIVERIES_MAX / 4).contains(&count) {
                    std::thread::sleep(BREATH);
                }
                count > 0
            }
            Step::Failed => false,
            // Something in the batch is more than the engine can bear: one at a time finds it.
            Step::Panicked => match self.caught(1) {
                Step::Panicked => self.set_aside(),
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

    fn caught(&mut self, limit: usize) -> Step {
        match catch_unwind(AssertUnwindSafe(|| self.batch(limit))) {
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
    fn set_aside(&mut self) -> bool {
        let first = self.service.ledger.pending(1).unwrap_or_default();
        let reason = "deciding it failed inside the server; redrive it after an update";
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

    /// Does a job; one that panics leaves the worker as it was, and its caller without an answer.
    fn job(&mut self, job: Job) {
        if catch_unwind(AssertUnwindSafe(|| job(self))).is_err() {
            tracing::error!("a job of the worker panicked");
            self.machines = Machines::default();
        }
    }

    /// Resolves a credit; one that is not known yet may still be in the inbox.
    fn resolve_known(&mut self, order: Resolve) -> Result<CreditRow, Problem> {
        if matches!(self.service.ledger.credit(&order.credit), Ok(None)) {
            while self.step() {}
        }
        self.resolve(order)
    }

    /// Decides due holds again when the business date has changed.
    fn new_day(&mut self) {
        let today = self.service.business_date();
        if self.date == Some(today) {
            return;
        }
        let due = self.service.ledger.due_holds(today);
        match due.and_then(|due| self.decide_again(&due)) {
            Ok(count) => {
                self.date = Some(today);
                self.ran(today);
                tracing::info!(business.date = %today, holds.due = count, "business date");
            }
            Err(error) => tracing::error!(error.cause = %error, "due holds not decided"),
        }
    }

    fn redrive_parked(&mut self) -> Result<usize, Problem> {
        let failed = |error: StoreError| Problem::internal(&error);
        let mut ids = self.stopped().map_err(failed)?;
        ids.sort();
        ids.dedup();
        self.decide_again(&ids).map_err(failed)
    }

    /// Transactions that are parked, and those with a credit that a policy's error holds.
    fn stopped(&self) -> Result<Vec<String>, StoreError> {
        let ledger = &self.service.ledger;
        let mut ids: Vec<String> =
            ledger.parked()?.into_iter().map(|note| note.transaction).collect();
        let mut query =
            CreditQuery { status: Some("held".to_owned()), limit: PAGE, ..CreditQuery::default() };
        loop {
            let page = ledger.credits(&query)?;
            let broken = page.rows.into_iter();
            let broken = broken.filter(|row| row.reason.as_deref() == Some("policy_error"));
            ids.extend(broken.map(|row| row.transaction));
            query.cursor = page.next;
            if query.cursor.is_none() {
                return Ok(ids);
            }
        }
    }
}
