//! Counting how often things are done, each under a name of its own.
//!
//! Not what is done beyond a limit. Called where strangers could make the server do work, and where
//! webhooks come in.
//!
//! **Architecture invariant:** what is counted fits in bounded memory. A name that is forgotten has its
//! whole allowance again, so that no stranger shuts others out by using many names.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use accredit_domain::rate_limit::RateLimit;

/// Names that are counted apart.
const NAMES_MAX: usize = 10_000;

/// How often something may be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rate {
    /// So many times at once.
    pub(crate) burst: u32,
    /// And then once in each of these.
    pub(crate) interval: Duration,
}

impl From<RateLimit> for Rate {
    fn from(limit: RateLimit) -> Rate {
        let window = Duration::from_secs(limit.window_s.into());
        Rate { burst: limit.count, interval: window / limit.count.max(1) }
    }
}

/// Whether something may be done once more, and what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateAnswer {
    /// Whether it may, after `wait`.
    pub(crate) is_admitted: bool,
    /// How long until it may; zero for at once.
    pub(crate) wait: Duration,
    /// How many times more it may be done at once.
    pub(crate) left: u32,
    /// How long until the whole allowance is there again.
    pub(crate) whole_after: Duration,
}

/// When each name has its whole allowance again: all that has to be known of it.
#[derive(Debug)]
pub(crate) struct RateCounters<K>(Mutex<HashMap<K, Duration>>);

impl<K> Default for RateCounters<K> {
    fn default() -> Self {
        RateCounters(Mutex::default())
    }
}

impl<K: Hash + Eq> RateCounters<K> {
    /// Counts one more under this name, at a time that only grows; what would have to wait longer than
    /// `patience` is not counted.
    pub(crate) fn take<Q>(
        &self,
        name: &Q,
        rate: Rate,
        now: Duration,
        patience: Duration,
    ) -> RateAnswer
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let window = rate.interval.saturating_mul(rate.burst);
        // What a slower rate left behind counts no more than what this one could leave.
        let latest = now.saturating_add(window).saturating_add(patience);
        let whole_at = known.get(name).copied().unwrap_or(now).max(now).min(latest);

        let next = whole_at.saturating_add(rate.interval);
        let wait = next.saturating_sub(now).saturating_sub(window);
        if wait > patience {
            if let Some(kept) = known.get_mut(name) {
                *kept = whole_at;
            }
            let whole_after = whole_at.saturating_sub(now);
            return RateAnswer { is_admitted: false, wait, left: 0, whole_after };
        }

        match known.get_mut(name) {
            Some(whole_at) => *whole_at = next,
            None => {
                make_room(&mut known, now);
                known.insert(name.to_owned(), next);
            }
        }

        let whole_after = next.saturating_sub(now);
        let free = window.saturating_sub(whole_after).as_nanos();
        let left = free / rate.interval.as_nanos().max(1);
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        RateAnswer { is_admitted: true, wait, left, whole_after }
    }

    /// Whether it is done once more under this name, at once.
    pub(crate) fn admits<Q>(&self, name: &Q, rate: Rate, now: Duration) -> bool
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
    {
        self.take(name, rate, now, Duration::ZERO).is_admitted
    }
}

/// Forgets names, if there are too many: those with their whole allowance, or else all.
fn make_room<K: Hash + Eq>(known: &mut HashMap<K, Duration>, now: Duration) {
    if known.len() < NAMES_MAX {
        return;
    }
    known.retain(|_, whole_at| *whole_at > now);
    if known.len() >= NAMES_MAX {
        known.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate { burst: 200, interval: Duration::from_millis(50) };

    #[test]
    fn a_name_has_a_burst_and_then_a_rate() {
        let (limits, at) = (RateCounters::<String>::default(), Duration::from_secs(7));
        assert_eq!((0..500).filter(|_| limits.admits("crm", RATE, at)).count(), 200);
        assert!(limits.admits("erp", RATE, at), "each name has its own");
        let later = at + Duration::from_secs(1);
        assert_eq!((0..500).filter(|_| limits.admits("crm", RATE, later)).count(), 20);
    }

    #[test]
    fn what_is_left_is_told() {
        let (limits, at) = (RateCounters::<u8>::default(), Duration::from_secs(7));
        let rate = Rate::from(RateLimit { count: 3, window_s: 60 });
        let taken = [(); 4].map(|()| limits.take(&1, rate, at, Duration::ZERO));
        assert_eq!(taken.map(|one| one.left), [2, 1, 0, 0]);
        assert_eq!(taken.map(|one| one.is_admitted), [true, true, true, false]);
        assert_eq!(taken.map(|one| one.wait.as_secs()), [0, 0, 0, 20]);
        assert_eq!(taken.map(|one| one.whole_after.as_secs()), [20, 40, 60, 60]);
    }

    #[test]
    fn those_who_are_patient_wait_for_their_turns() {
        let (limits, at) = (RateCounters::<u8>::default(), Duration::from_secs(7));
        let rate = Rate::from(RateLimit { count: 10, window_s: 1 });
        let patience = Duration::from_millis(250);
        let taken = [(); 14].map(|()| limits.take(&1, rate, at, patience));
        let waits = taken.map(|one| one.wait.as_millis());
        assert_eq!(waits, [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 100, 200, 300, 300]);
        assert!(taken[11].is_admitted && !taken[12].is_admitted && !taken[13].is_admitted);
    }

    /// A limit of two in an hour that was raised would have gone on for two hours.
    #[test]
    fn a_limit_that_is_raised_counts_soon() {
        let (limits, at) = (RateCounters::<u8>::default(), Duration::from_secs(7));
        let slow = Rate::from(RateLimit { count: 2, window_s: 3600 });
        assert_eq!((0..5).filter(|_| limits.admits(&1, slow, at)).count(), 2);
        let fast = Rate::from(RateLimit { count: 10, window_s: 1 });
        assert!(!limits.admits(&1, fast, at));
        assert!(limits.admits(&1, fast, at + Duration::from_millis(100)));
    }

    #[test]
    fn names_do_not_fill_the_memory() {
        let (limits, at) = (RateCounters::<String>::default(), Duration::ZERO);
        for name in 0..3 * NAMES_MAX {
            limits.admits(&*name.to_string(), RATE, at);
        }
        assert!(limits.0.lock().unwrap().len() <= NAMES_MAX);
    }
}
