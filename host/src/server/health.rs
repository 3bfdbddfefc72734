//! Whether the server can do its work: every part reports what it cannot do, and readiness repeats it.
//!
//! Not the log and not alerts about deals. Parts report here when their state changes; `http::ops`
//! answers from it, and the monitor looks at what no part can see by itself.
//!
//! **Architecture invariant:** the server is ready only while no part that it needs to take requests has a
//! fault.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::server::clock;

/// A part of the server that can fail while the others go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum ServerPart {
    /// The data file: read and written.
    Store,
    /// The thread that stores deliveries.
    Writer,
    /// The thread that decides.
    Worker,
    /// Deliveries that were acknowledged: they are decided after a while.
    Deliveries,
    /// The thread that asks CRMs for what their events leave out.
    Fetcher,
    /// The thread that makes backups.
    Backups,
    /// The thread that writes checkpoints of the audit trail.
    Checkpoints,
    /// The thread that sends events.
    Dispatcher,
    /// The thread that mails alerts.
    Mailer,
    /// The watcher of the customer's directory.
    Watcher,
    /// The thread that looks for what other hosts on the same database have done.
    Hosts,
}

impl ServerPart {
    /// Whether the server can take requests without it. Its fault is shown, and sends no traffic away.
    fn can_be_missed(self) -> bool {
        use ServerPart::{Backups, Checkpoints, Dispatcher, Mailer};
        matches!(self, Backups | Checkpoints | Dispatcher | Mailer)
    }

    /// Its name in answers and logs.
    pub(crate) fn name(self) -> &'static str {
        match self {
            ServerPart::Store => "store",
            ServerPart::Writer => "writer",
            ServerPart::Worker => "worker",
            ServerPart::Deliveries => "deliveries",
            ServerPart::Fetcher => "fetcher",
            ServerPart::Backups => "backups",
            ServerPart::Checkpoints => "checkpoints",
            ServerPart::Dispatcher => "dispatcher",
            ServerPart::Mailer => "mailer",
            ServerPart::Watcher => "watcher",
            ServerPart::Hosts => "hosts",
        }
    }
}

impl fmt::Display for ServerPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a part cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PartFault {
    /// Why, and what to do about it.
    pub(crate) reason: String,
    /// Since when, as [`clock::elapsed`] counts.
    pub(crate) since: Duration,
}

/// The faults of the moment.
#[derive(Debug, Default)]
pub(crate) struct Health {
    faults: Mutex<BTreeMap<ServerPart, PartFault>>,
}

impl Health {
    fn with_faults<T>(&self, look: impl FnOnce(&mut BTreeMap<ServerPart, PartFault>) -> T) -> T {
        look(&mut self.faults.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reports that a part cannot do its work. A part has one fault at a time: the last reason
    /// counts, from when the first one was reported.
    pub(crate) fn report(&self, part: ServerPart, reason: impl Into<String>) {
        let reason = reason.into();

        let is_new = self.with_faults(|faults| {
            let since = faults.get(&part).map_or_else(clock::elapsed, |known| known.since);
            let fault = PartFault { reason: reason.clone(), since };
            faults.insert(part, fault).is_none()
        });

        if is_new {
            tracing::error!(health.part = part.name(), health.reason = %reason, "not ready");
        }
    }

    /// Reports that a part works.
    pub(crate) fn clear(&self, part: ServerPart) {
        if let Some(fault) = self.with_faults(|faults| faults.remove(&part)) {
            let lasted_s = clock::elapsed().saturating_sub(fault.since).as_secs();
            tracing::info!(health.part = part.name(), fault.lasted_s = lasted_s, "works again");
        }
    }

    /// Every part whose fault keeps the server from its work.
    pub(crate) fn blocking_faults(&self) -> Vec<(ServerPart, PartFault)> {
        let mut faults = self.faults();
        faults.retain(|(part, _)| !part.can_be_missed());
        faults
    }

    /// Every part that has a fault.
    pub(crate) fn faults(&self) -> Vec<(ServerPart, PartFault)> {
        self.with_faults(|faults| {
            faults.iter().map(|(part, fault)| (*part, fault.clone())).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_has_one_fault_until_it_works_again() {
        let health = Health::default();
        health.report(ServerPart::Watcher, "deaf");
        health.report(ServerPart::Store, "full");
        health.report(ServerPart::Watcher, "still deaf");

        let faults = health.faults();
        let parts: Vec<_> = faults.iter().map(|(part, one)| (*part, one.reason.as_str())).collect();
        assert_eq!(parts, [(ServerPart::Store, "full"), (ServerPart::Watcher, "still deaf")]);

        health.clear(ServerPart::Store);
        health.clear(ServerPart::Store);
        assert_eq!(health.faults().len(), 1);

        // A folder of checkpoints that was not mounted turned webhooks away.
        health.report(ServerPart::Checkpoints, "no folder");
        assert_eq!((health.faults().len(), health.blocking_faults().len()), (2, 1));
    }
}
