//! The one thread that writes to the inbox: deliveries that queue up share one durable commit.
//!
//! Not verification (intake) and not deciding (worker). A request hands its deliveries over and
//! waits for the receipts; a client that goes away changes nothing any more.
//!
//! **Architecture invariant:** a receipt is given after the commit that holds its delivery is
//! durable, never before.

use std::time::Instant;

use accredit_ledger::Ledger;
use accredit_ledger::inbox::Receipt;
use accredit_seams::delivery::Delivery;
use tokio::sync::oneshot;

use crate::server::channels::{NotTaken, OrderSender, WriterQueue, Writing};
use crate::server::metrics::Metrics;

/// Deliveries in one commit; a larger request still goes in whole.
const COMMIT_DELIVERIES_MAX: usize = 64;

/// What the writer works with.
pub(crate) struct WriterParts<'a> {
    /// Where deliveries are stored.
    pub(crate) ledger: &'a Ledger,
    /// Counters.
    pub(crate) metrics: &'a Metrics,
    /// The worker to wake when there is something to decide.
    pub(crate) orders: &'a OrderSender,
}

/// Writes until it is told to stop.
pub(crate) fn run(parts: &WriterParts<'_>, queue: &WriterQueue) {
    while let Ok(Writing::Take(first, reply)) = queue.0.recv() {
        let mut deliveries = first;
        let mut waiting = vec![(deliveries.len(), reply)];
        let mut stop = false;

        // All waiting deliveries share one durable commit.
        while deliveries.len() < COMMIT_DELIVERIES_MAX {
            match queue.0.try_recv() {
                Ok(Writing::Take(more, reply)) => {
                    waiting.push((more.len(), reply));
                    deliveries.extend(more);
                }

                Ok(Writing::Stop) => {
                    stop = true;
                    break;
                }

                Err(_) => break,
            }
        }

        commit_deliveries(parts, &deliveries, waiting);
        if stop {
            break;
        }
    }
}

type WaitingSenders = Vec<(usize, oneshot::Sender<Result<Vec<Receipt>, NotTaken>>)>;

fn commit_deliveries(parts: &WriterParts<'_>, deliveries: &[Delivery], waiting: WaitingSenders) {
    let started = Instant::now();
    match parts.ledger.receive_deliveries(deliveries) {
        Ok(receipts) => {
            parts.metrics.observe_commit(started.elapsed());
            let mut receipts = receipts.into_iter();
            for (count, reply) in waiting {
                // No receiver means that the client has disconnected; the delivery is stored all
                // the same.
                let _ = reply.send(Ok(receipts.by_ref().take(count).collect()));
            }
            parts.orders.wake();
        }

        Err(error) => {
            tracing::error!(error.cause = %error, "deliveries not stored");
            for (_, reply) in waiting {
                let _ = reply.send(Err(NotTaken::Failed));
            }
        }
    }
}
