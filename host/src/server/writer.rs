//! The one thread that writes to the inbox: deliveries that queue up share one durable commit.
//!
//! Not verification (intake) and not deciding (worker). A request hands its deliveries over and
//! waits for the receipts; a client that goes away changes nothing any more.
//!
//! **Architecture invariant:** a receipt is given after the commit that holds its delivery is
//! durable, never before.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use accredit_ledger::inbox::{Delivery, Receipt};
use tokio::sync::oneshot;

use crate::server::state::Service;

/// Deliveries in one commit; a larger request still goes in whole.
const COMMIT_DELIVERIES_MAX: usize = 64;

/// Requests that may wait; beyond it a sender is asked to come back.
const QUEUE_MAX: usize = 1024;

/// How long a stop waits for a place in the queue.
const STOP_WAIT: Duration = Duration::from_secs(1);

/// Why there is no receipt.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum NotTaken {
    /// Too many wait.
    #[error("too many deliveries are waiting")]
    Busy,
    /// The commit failed, or nobody writes any more.
    #[error("the delivery could not be stored")]
    Failed,
}

enum Job {
    Take(Vec<Delivery>, oneshot::Sender<Result<Vec<Receipt>, NotTaken>>),
    Stop,
}

/// The way to the writer.
#[derive(Clone)]
pub(crate) struct Writer(SyncSender<Job>);

/// The writer's end.
pub(crate) struct Queue(Receiver<Job>);

/// Both ends.
pub(crate) fn channel() -> (Writer, Queue) {
    let (sender, receiver) = sync_channel(QUEUE_MAX);
    (Writer(sender), Queue(receiver))
}

impl Writer {
    /// Stores `deliveries` in one commit and returns their receipts in order.
    pub(crate) async fn take(&self, deliveries: Vec<Delivery>) -> Result<Vec<Receipt>, NotTaken> {
        let (reply, receipts) = oneshot::channel();
        self.0.try_send(Job::Take(deliveries, reply)).map_err(|error| match error {
            TrySendError::Full(_) => NotTaken::Busy,
            TrySendError::Disconnected(_) => NotTaken::Failed,
        })?;
        receipts.await.unwrap_or(Err(NotTaken::Failed))
    }

    /// Asks the writer to end after what is queued.
    pub(crate) fn stop(&self) {
        // A writer that is gone has stopped; one whose queue is full is asked again.
        let deadline = Instant::now() + STOP_WAIT;
        while let Err(TrySendError::Full(_)) = self.0.try_send(Job::Stop) {
            if Instant::now() > deadline {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Writes until it is told to stop.
pub(crate) fn run(service: &Arc<Service>, queue: &Queue) {
    while let Ok(Job::Take(first, reply)) = queue.0.recv() {
        let mut deliveries = first;
        let mut waiting = vec![(deliveries.len(), reply)];
        let mut stop = false;

        // Whatever waits by now shares one durable commit.
        while deliveries.len() < COMMIT_DELIVERIES_MAX {
            match queue.0.try_recv() {
                Ok(Job::Take(more, reply)) => {
                    waiting.push((more.len(), reply));
                    deliveries.extend(more);
                }

                Ok(Job::Stop) => {
                    stop = true;
                    break;
                }

                Err(_) => break,
            }
        }

        commit(service, &deliveries, waiting);
        if stop {
            break;
        }
    }
}

type Waiting = Vec<(usize, oneshot::Sender<Result<Vec<Receipt>, NotTaken>>)>;

fn commit(service: &Service, deliveries: &[Delivery], waiting: Waiting) {
    let started = Instant::now();
    match service.ledger.receive(deliveries) {
        Ok(receipts) => {
            service.metrics.commit(started.elapsed());
            let mut receipts = receipts.into_iter();
            for (count, reply) in waiting {
                // Nobody waiting means that the client has gone; the delivery is stored all the same.
                let _ = reply.send(Ok(receipts.by_ref().take(count).collect()));
            }
            service.orders.wake();
        }

        Err(error) => {
            tracing::error!(error.cause = %error, "deliveries not stored");
            for (_, reply) in waiting {
                let _ = reply.send(Err(NotTaken::Failed));
            }
        }
    }
}
