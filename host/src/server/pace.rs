//! How much of the machine the worker leaves to deliveries whose senders wait.
//!
//! Not the worker's steps (`worker`). The writer counts what it stores; the worker looks at the count
//! before and after each of its steps.
//!
//! **Architecture invariant:** the worker rests at most nine times as long as it works, so that what
//! was stored is decided, however many deliveries come in.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// How long the worker rests for each delivery that was stored meanwhile: at a thousand deliveries a
/// second it rests as long as it works. It decides more than that in half of the time.
const REST_PER_DELIVERY: Duration = Duration::from_millis(1);

/// How many times as long as a step the rest after it is at most.
const REST_SHARE_MAX: f64 = 9.0;

/// The webhooks that were stored since the start. What an import is cut into has no sender of its own
/// that waits.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(AtomicU64);

impl Arrivals {
    /// Counts deliveries that were stored together.
    pub(crate) fn add(&self, deliveries: u64) {
        self.0.fetch_add(deliveries, Ordering::Relaxed);
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What the worker has seen of the deliveries that came in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// When its last step ended, and how many there were by then.
    since: Instant,
    before: u64,
}

impl Pace {
    /// Begins, with so many deliveries.
    pub(crate) fn at_start(arrived: u64) -> Pace {
        Pace { since: Instant::now(), before: arrived }
    }

    /// How long to rest after a step that began at `started`, when so many had arrived, and ends now,
    /// when so many have.
    pub(crate) fn end_step(
        &mut self,
        (started, at_start): (Instant, u64),
        arrived: u64,
    ) -> Duration {
        let now = Instant::now();
        let took = now.saturating_duration_since(started);
        let in_step = rest_after(took, (took, arrived.saturating_sub(at_start)));

        // Deliveries wait for the commit of a step, so that few are stored during it: those between two
        // steps tell how many come in. A long pause without any tells nothing.
        let between = now.saturating_duration_since(self.since);
        let since_last = rest_after(took, (between, arrived.saturating_sub(self.before)));

        *self = Pace { since: now, before: arrived };
        in_step.max(since_last)
    }
}

/// How long the worker rests after a step that took so long, at so many deliveries in some time.
fn rest_after(took: Duration, (time, arrived): (Duration, u64)) -> Duration {
    let arrived = u32::try_from(arrived).unwrap_or(u32::MAX);
    let asked = REST_PER_DELIVERY.saturating_mul(arrived).as_secs_f64();
    let time = time.as_secs_f64();
    if asked <= 0.0 || time <= 0.0 {
        return Duration::ZERO;
    }
    took.mul_f64((asked / time).min(REST_SHARE_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Under full load the worker had half of the machine, and senders waited twice as long.
    #[test]
    fn the_worker_rests_while_deliveries_come_in() {
        let step = Duration::from_millis(10);
        assert_eq!(rest_after(step, (step, 0)), Duration::ZERO);
        assert_eq!(rest_after(step, (step, 10)), step, "a thousand a second");
        assert_eq!(rest_after(step, (step, 30)), step * 3);
        assert_eq!(rest_after(step, (step * 10, 300)), step * 3, "over a longer time");
        assert_eq!(rest_after(step, (step, u64::MAX)), step * 9, "it never stops");
        assert_eq!(rest_after(Duration::ZERO, (Duration::ZERO, 5)), Duration::ZERO);
    }

    /// Sixteen senders waited for each commit of an import, so that it saw sixteen deliveries in its
    /// time and rested as long as it worked: it took half of what they had without it.
    #[test]
    fn deliveries_between_two_steps_count_as_those_during_one() {
        let began = Instant::now().checked_sub(Duration::from_millis(400)).unwrap();
        let mut pace = Pace { since: began, before: 0 };
        let step_began = began + Duration::from_millis(300);

        // Three thousand came while the worker rested, and ten during its step of a tenth of a second.
        let rest = pace.end_step((step_began, 3000), 3010);
        assert!(rest > Duration::from_millis(700), "{rest:?}");

        let rest = pace.end_step((Instant::now(), 3010), 3010);
        assert_eq!(rest, Duration::ZERO, "none came any more");
    }
}
