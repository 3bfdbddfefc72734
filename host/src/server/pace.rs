//! How much of the machine the worker leaves to deliveries whose senders wait.
//!
//! Not the worker's steps (`worker`). The writer counts what it stores; the worker looks at the count
//! before and after each of its steps.
//!
//! **Architecture invariant:** the worker rests at most nine times as long as it works, so that what
//! was stored is decided, however many deliveries come in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// How long the worker rests for each delivery that was stored during a step: at a thousand
/// deliveries a second it rests as long as it works. It decides more than that in half of the time.
const REST_PER_DELIVERY: Duration = Duration::from_millis(1);

/// How many times as long as a step the rest after it is at most.
const REST_SHARE_MAX: u32 = 9;

/// The deliveries that were stored since the start.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(AtomicU64);

impl Arrivals {
    /// Counts deliveries that were stored together.
    pub(crate) fn add(&self, deliveries: usize) {
        let deliveries = u64::try_from(deliveries).unwrap_or(u64::MAX);
        self.0.fetch_add(deliveries, Ordering::Relaxed);
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How long the worker rests after a step that took so long, while so many deliveries were stored.
pub(crate) fn rest_after(took: Duration, arrived: u64) -> Duration {
    let arrived = u32::try_from(arrived).unwrap_or(u32::MAX);
    let asked = REST_PER_DELIVERY.saturating_mul(arrived);
    asked.min(took.saturating_mul(REST_SHARE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Under full load the worker had half of the machine, and senders waited twice as long.
    #[test]
    fn the_worker_rests_while_deliveries_come_in() {
        let step = Duration::from_millis(10);
        assert_eq!(rest_after(step, 0), Duration::ZERO);
        assert_eq!(rest_after(step, 10), step, "a thousand a second");
        assert_eq!(rest_after(step, 30), step * 3);
        assert_eq!(rest_after(step, u64::MAX), step * 9, "it never stops");
    }
}
