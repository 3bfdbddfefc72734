//! Limits of how often something is done: so many at once, and then so many a second.
//!
//! Not what is done beyond. Called where strangers could make the server do work.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Names that are counted apart; beyond, those that have rested longest are forgotten.
const NAMES_MAX: usize = 10_000;

/// How often something may be done.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BurstRate {
    /// So many times at once.
    pub(crate) burst: u32,
    /// And then so many times a second.
    pub(crate) per_second: u32,
}

/// How often things were done, by name.
#[derive(Debug, Default)]
pub(crate) struct BurstLimits(Mutex<HashMap<String, Allowance>>);

/// What is left for one name.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    /// Times that are left.
    left: f64,
    /// When that was so.
    since: Duration,
}

impl BurstLimits {
    /// Whether it is done once more under this name, at a time that only grows.
    pub(crate) fn admits(&self, name: &str, rate: BurstRate, now: Duration) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= NAMES_MAX && !known.contains_key(name) {
            known.retain(|_, one| one.left < f64::from(rate.burst) - 1.0);
            if known.len() >= NAMES_MAX {
                known.clear();
            }
        }

        let full = f64::from(rate.burst);
        let fresh = Allowance { left: full, since: now };
        let one = known.entry(name.to_owned()).or_insert(fresh);
        let passed = now.saturating_sub(one.since).as_secs_f64();
        one.left = (one.left + passed * f64::from(rate.per_second)).min(full);
        one.since = now;
        if one.left < 1.0 {
            return false;
        }
        one.left -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: BurstRate = BurstRate { burst: 200, per_second: 20 };

    #[test]
    fn a_name_has_a_burst_and_then_a_rate() {
        let (limits, at) = (BurstLimits::default(), Duration::from_secs(7));
        assert_eq!((0..500).filter(|_| limits.admits("crm", RATE, at)).count(), 200);
        assert!(limits.admits("erp", RATE, at), "each name has its own");
        let later = at + Duration::from_secs(1);
        assert_eq!((0..500).filter(|_| limits.admits("crm", RATE, later)).count(), 20);
    }

    #[test]
    fn names_do_not_fill_the_memory() {
        let (limits, at) = (BurstLimits::default(), Duration::ZERO);
        for name in 0..3 * NAMES_MAX {
            limits.admits(&name.to_string(), RATE, at);
        }
        assert!(limits.0.lock().unwrap().len() <= NAMES_MAX);
    }
}
