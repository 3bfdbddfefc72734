//! The one thread that writes to the inbox: deliveries that queue up share one durable commit.
//!
//! Not verification (intake) and not deciding (worker). A request hands its deliveries over and
//! waits for the receipts; a client that goes away changes nothing any more.
//!
//! **Architecture invariant:** a receipt is given after the commit that holds its delivery is
//! durable, never before.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use accredit_ledger::Ledger;
use accredit_ledger::inbox::Receipt;
use accredit_operations::intake::IMPORT;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;
use tokio::sync::oneshot;

use crate::server::channels::{NotTaken, OrderSender, TakeOrder, WriterQueue, Writing};
use crate::server::metrics::Metrics;
use crate::server::pace::Arrivals;

/// Deliveries in one commit, and bytes of their bodies beyond which it takes no more of them: those
/// who come later wait for it. A larger request still goes in whole.
const COMMIT_DELIVERIES_MAX: usize = 512;
const COMMIT_BYTES_MAX: usize = 1 << 20;

/// How often a group is stored again because another host took its place in the inbox.
const OTHERS_FIRST_MAX: u32 = 200;

/// What the writer works with.
pub(crate) struct WriterParts<'a> {
    /// Where deliveries are stored.
    pub(crate) ledger: &'a Ledger,
    /// Counters.
    pub(crate) metrics: &'a Metrics,
    /// Webhooks that came in, counted for the worker.
    pub(crate) arrivals: &'a Arrivals,
    /// The worker to wake when there is something to decide.
    pub(crate) orders: &'a OrderSender,
}

/// Writes until it is told to stop.
pub(crate) fn run(parts: &WriterParts<'_>, queue: &WriterQueue) {
    while let Ok(Writing::Take(first)) = queue.0.recv() {
        let TakeOrder { mut deliveries, is_fetched, reply } = first;
        let mut waiting = vec![WaitingSender { count: deliveries.len(), is_fetched, reply }];
        let mut stop = false;

        // All waiting deliveries share one durable commit.
        let mut bytes = bytes_of(&deliveries);
        while deliveries.len() < COMMIT_DELIVERIES_MAX && bytes < COMMIT_BYTES_MAX {
            match queue.0.try_recv() {
                Ok(Writing::Take(TakeOrder { deliveries: more, is_fetched, reply })) => {
                    bytes += bytes_of(&more);
                    waiting.push(WaitingSender { count: more.len(), is_fetched, reply });
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

fn bytes_of(deliveries: &[Delivery]) -> usize {
    deliveries.iter().map(|delivery| delivery.body.len()).sum()
}

/// Who waits for receipts.
struct WaitingSender {
    /// How many.
    count: usize,
    /// Whether they are of events that were received and counted before.
    is_fetched: bool,
    reply: oneshot::Sender<Result<Vec<Receipt>, NotTaken>>,
}

fn commit_deliveries(
    parts: &WriterParts<'_>,
    deliveries: &[Delivery],
    waiting: Vec<WaitingSender>,
) {
    let started = Instant::now();
    match receive_after_others(parts.ledger, deliveries) {
        Ok(receipts) => {
            parts.metrics.observe_commit(started.elapsed());
            count_outcomes(parts, deliveries, &receipts, &waiting);
            let mut receipts = receipts.into_iter();
            for WaitingSender { count, reply, .. } in waiting {
                // No receiver means that the client has disconnected; the delivery is stored all
                // the same.
                let _ = reply.send(Ok(receipts.by_ref().take(count).collect()));
            }
            parts.orders.wake();
        }

        Err(error) => {
            tracing::error!(error.cause = %error, "deliveries not stored");
            for WaitingSender { reply, .. } in waiting {
                let _ = reply.send(Err(NotTaken::Failed));
            }
        }
    }
}

/// Stores a group; where another host on the same database was faster, behind what that one stored.
fn receive_after_others(
    ledger: &Ledger,
    deliveries: &[Delivery],
) -> Result<Vec<Receipt>, StoreError> {
    let mut tries = 0;
    loop {
        match ledger.receive_deliveries(deliveries) {
            Err(StoreError::Conflict) if tries < OTHERS_FIRST_MAX => {
                tries += 1;
                // Now and then a little later than the others, so that all get their turn.
                let wait = u64::from((std::process::id() ^ (tries * 7)) % 6);
                std::thread::sleep(Duration::from_millis(wait));
            }
            other => return other,
        }
    }
}

/// Counts what became of webhooks, whether or not their senders still wait; an import is counted as one,
/// and an event that was completed has been counted.
fn count_outcomes(
    parts: &WriterParts<'_>,
    deliveries: &[Delivery],
    receipts: &[Receipt],
    waiting: &[WaitingSender],
) {
    let fetched = waiting.iter().flat_map(|one| std::iter::repeat_n(one.is_fetched, one.count));
    let mut counts: BTreeMap<(&str, &'static str), u64> = BTreeMap::new();
    for ((delivery, receipt), is_fetched) in deliveries.iter().zip(receipts).zip(fetched) {
        if is_fetched || delivery.source == IMPORT {
            continue;
        }
        *counts.entry((&delivery.source, receipt.outcome())).or_default() += 1;
    }
    for ((source, outcome), count) in counts {
        parts.metrics.count_webhooks(source, outcome, count);
        parts.arrivals.add(count);
    }
}
