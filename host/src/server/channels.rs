//! The ends of both queues: the requests to the writer and the worker, and their callers.
//!
//! Not the threads themselves (`writer`, `worker`), which nothing here knows, and not the state that
//! holds the senders (`state`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{
    Receiver, RecvTimeoutError, Sender, SyncSender, TrySendError, channel, sync_channel,
};
use std::time::{Duration, Instant};

use accredit_ledger::inbox::Receipt;
use accredit_operations::context::Context;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;
use tokio::sync::oneshot;

/// Requests that may wait; beyond it a sender is asked to come back.
const QUEUE_MAX: usize = 1024;

/// How long a stop waits for a place in the queue.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// How long a sender waits before it looks for a place in the queue again.
const ROOM_WAIT: Duration = Duration::from_millis(20);

/// Why there is no receipt.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NotTaken {
    /// The queue is full.
    #[error("too many deliveries are waiting")]
    Busy,
    /// The commit failed, or the writer has stopped.
    #[error("the delivery could not be stored")]
    Failed,
}

/// What the writer can be asked.
pub(super) enum Writing {
    /// Stores deliveries in one commit, and answers with their receipts.
    Take(TakeOrder),
    /// Ends after what is queued.
    Stop,
}

/// Deliveries to store.
pub(super) struct TakeOrder {
    pub(super) deliveries: Vec<Delivery>,
    /// Whether they are events that were received before, completed: they are no arrivals.
    pub(super) is_fetched: bool,
    pub(super) reply: oneshot::Sender<Result<Vec<Receipt>, NotTaken>>,
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Writer(SyncSender<Writing>);

/// The writer's end.
pub(crate) struct WriterQueue(pub(super) Receiver<Writing>);

/// A queue, as its sending and its receiving end.
pub(crate) fn writer_channel() -> (Writer, WriterQueue) {
    let (sender, receiver) = sync_channel(QUEUE_MAX);
    (Writer(sender), WriterQueue(receiver))
}

impl Writer {
    /// Stores `deliveries` in one commit and returns their receipts in order.
    pub(crate) async fn take(&self, deliveries: Vec<Delivery>) -> Result<Vec<Receipt>, NotTaken> {
        self.take_patiently(deliveries, Duration::ZERO).await
    }

    /// As [`take`](Writer::take), but waits so long for room in the queue before it gives up.
    pub(crate) async fn take_patiently(
        &self,
        deliveries: Vec<Delivery>,
        patience: Duration,
    ) -> Result<Vec<Receipt>, NotTaken> {
        let (reply, receipts) = oneshot::channel();
        let mut writing = Writing::Take(TakeOrder { deliveries, is_fetched: false, reply });
        let deadline = Instant::now() + patience;

        loop {
            writing = match self.0.try_send(writing) {
                Ok(()) => break,
                Err(TrySendError::Disconnected(_)) => return Err(NotTaken::Failed),
                Err(TrySendError::Full(_)) if Instant::now() >= deadline => {
                    return Err(NotTaken::Busy);
                }
                Err(TrySendError::Full(writing)) => writing,
            };
            tokio::time::sleep(ROOM_WAIT).await;
        }
        receipts.await.unwrap_or(Err(NotTaken::Failed))
    }

    /// As [`take`](Writer::take), for a thread of its own.
    pub(crate) fn take_blocking(
        &self,
        deliveries: Vec<Delivery>,
    ) -> Result<Vec<Receipt>, NotTaken> {
        self.send_blocking(deliveries, false)
    }

    /// Stores an event that was received before, with what was fetched for it.
    pub(crate) fn take_fetched(&self, delivery: Delivery) -> Result<Vec<Receipt>, NotTaken> {
        self.send_blocking(vec![delivery], true)
    }

    fn send_blocking(
        &self,
        deliveries: Vec<Delivery>,
        is_fetched: bool,
    ) -> Result<Vec<Receipt>, NotTaken> {
        let (reply, receipts) = oneshot::channel();
        let order = TakeOrder { deliveries, is_fetched, reply };
        self.0.send(Writing::Take(order)).map_err(|_| NotTaken::Failed)?;
        receipts.blocking_recv().unwrap_or(Err(NotTaken::Failed))
    }

    /// Asks the writer to end after what is queued.
    pub(crate) fn stop(&self) {
        // A writer that is gone has stopped; one whose queue is full is asked again.
        let deadline = Instant::now() + STOP_WAIT;
        while let Err(TrySendError::Full(_)) = self.0.try_send(Writing::Stop) {
            if Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// The worker between two batches, as a job sees it.
pub(crate) trait WorkerTurn {
    /// What operations work on.
    fn context(&self) -> &Context;

    /// Decides every delivery that has arrived by now.
    ///
    /// # Errors
    /// When some of them could not be decided.
    fn catch_up(&mut self) -> Result<(), StoreError>;

    /// Decides due holds again when the business date has changed.
    fn new_day(&mut self);
}

/// What the worker can be asked.
pub(crate) enum WorkerOrder {
    /// There is something to do: deliveries, a run, parked deals after an activation.
    Wake,
    /// Do something that no decision may race.
    Do(WorkerJob),
    /// End after what is queued.
    Stop,
}

/// Something for the worker to do, which answers by itself.
pub(crate) type WorkerJob = Box<dyn FnOnce(&mut dyn WorkerTurn) + Send>;

/// The way to the worker.
#[derive(Clone)]
pub(crate) struct OrderSender {
    sender: Sender<WorkerOrder>,
    /// Whether a wake waits already: under a stream of deliveries a job would wait behind thousands.
    woken: Arc<AtomicBool>,
}

/// The worker's end.
pub(crate) struct OrderQueue {
    receiver: Receiver<WorkerOrder>,
    woken: Arc<AtomicBool>,
}

/// A queue, as its sending and its receiving end.
pub(crate) fn order_channel() -> (OrderSender, OrderQueue) {
    let (sender, receiver) = channel();
    let woken = Arc::new(AtomicBool::new(false));
    (OrderSender { sender, woken: Arc::clone(&woken) }, OrderQueue { receiver, woken })
}

impl OrderSender {
    /// Hands an order over; a worker that is gone answers nothing.
    pub(crate) fn send(&self, order: WorkerOrder) {
        let _ = self.sender.send(order);
    }

    /// Has the worker look for something to do.
    pub(crate) fn wake(&self) {
        if !self.woken.swap(true, Ordering::AcqRel) {
            self.send(WorkerOrder::Wake);
        }
    }
}

impl OrderQueue {
    /// Rests for so long; an order other than to wake ends it.
    pub(crate) fn rest(&self, duration: Duration) -> Option<WorkerOrder> {
        let end = Instant::now() + duration;
        loop {
            match self.next(end.saturating_duration_since(Instant::now())) {
                // It looks for work after its rest anyway.
                Some(WorkerOrder::Wake) if Instant::now() < end => (),
                order => return order,
            }
        }
    }

    /// The next order; none when none came in time. Without a sender it is time to stop.
    pub(crate) fn next(&self, wait: Duration) -> Option<WorkerOrder> {
        match self.receiver.recv_timeout(wait) {
            Ok(WorkerOrder::Wake) => {
                // Before the next look, so that what comes after it wakes again.
                self.woken.store(false, Ordering::Release);
                Some(WorkerOrder::Wake)
            }
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(WorkerOrder::Stop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each stored delivery wakes the worker, so that a rest between deliveries would never be one.
    #[test]
    fn a_rest_ends_with_its_time_or_with_an_order_but_not_with_a_wake() {
        let (sender, queue) = order_channel();
        let rest = Duration::from_millis(20);
        sender.wake();
        let started = Instant::now();
        assert!(queue.rest(rest).is_none());
        assert!(started.elapsed() >= rest);

        sender.wake();
        sender.send(WorkerOrder::Stop);
        assert!(matches!(queue.rest(Duration::from_secs(60)), Some(WorkerOrder::Stop)));

        sender.wake();
        assert!(matches!(queue.rest(Duration::ZERO), Some(WorkerOrder::Wake)), "it does not rest");
    }
}
