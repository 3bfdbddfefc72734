//! Whether the server can do its work: every part reports what it cannot do, and readiness repeats it.
//!
//! Not the log and not alerts about deals. Parts report here when their state changes; `http::ops`
//! answers from it, and the monitor looks at what no part can see by itself.
//!
//! **Architecture invariant:** the server is ready only while no part has a fault.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::server::clock;

/// A part of the server that can fail while the others go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The data file: read and written.
    Store,
    /// The thread that stores deliveries.
    Writer,
    /// The thread that decides.
    Worker,
    /// Deliveries that were acknowledged: they are decided after a while.
    Deliveries,
    /// The watcher of the customer's directory.
    Watcher,
}

impl Part {
    /// Its name in answers and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Part::Store => "store",
            Part::Writer => "writer",
            Part::Worker => "worker",
            Part::Deliveries => "deliveries",
            Part::Watcher => "watcher",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a part cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Why, and what to do about it.
    pub(crate) reason: String,
    /// Since when, as [`clock::elapsed`] counts.
    pub(crate) since: Duration,
}

/// The faults of the moment.
#[derive(Debug, Default)]
pub(crate) struct Health {
    faults: Mutex<BTreeMap<Part, Fault>>,
}

impl Health {
    fn with<T>(&self, look: impl FnOnce(&mut BTreeMap<Part, Fault>) -> T) -> T {
        look(&mut self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reports that a part cannot do its work. A part has one fault at a time: the last reason
    /// counts, from when the first one was reported.
    pub(crate) fn report(&self, part: Part, reason: impl Into<String>) {
        let reason = reason.into();

        let is_new = self.with(|faults| {
            let since = faults.get(&part).map_or_else(clock::elapsed, |known| known.since);
            let fault = Fault { reason: reason.clone(), since };
            faults.insert(part, fault).is_none()
        });

        if is_new {
            tracing::error!(health.part = part.name(), health.reason = %reason, "not ready");
        }
    }

    /// Reports that a part works.
    pub(crate) fn clear(&self, part: Part) {
        if let Some(fault) = self.with(|faults| faults.remove(&part)) {
            let lasted_s = clock::elapsed().saturating_sub(fault.since).as_secs();
            tracing::info!(health.part = part.name(), fault.lasted_s = lasted_s, "works again");
        }
    }

    /// Every part that has a fault.
    pub(crate) fn faults(&self) -> Vec<(Part, Fault)> {
        self.with(|faults| faults.iter().map(|(part, fault)| (*part, fault.clone())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_one_fault_until_it_works_again() {
        let health = Health::default();
        health.report(Part::Watcher, "deaf");
        health.report(Part::Store, "full");
        health.report(Part::Watcher, "still deaf");

        let faults = health.faults();
        let parts: Vec<_> = faults.iter().map(|(part, one)| (*part, one.reason.as_str())).collect();
        assert_eq!(parts, [(Part::Store, "full"), (Part::Watcher, "still deaf")]);

        health.clear(Part::Store);
        health.clear(Part::Store);
        assert_eq!(health.faults().len(), 1);
    }
}
