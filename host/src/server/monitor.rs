//! Looks from outside at what the other threads do: whether deliveries move, and the store works.
//!
//! Not the parts themselves, which report what they know (`health`).
//!
//! **Architecture invariant:** acknowledged deliveries that do not move for [`STALLED`] make the
//! server not ready, for any reason.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::server::health::ServerPart;
use crate::server::state::Service;

/// How often it looks.
const TICK: Duration = Duration::from_millis(250);

/// How often a store with a fault is tried.
const PROBE: Duration = Duration::from_secs(1);

/// How often it counts what waits.
const COUNT: Duration = Duration::from_secs(2);

/// Deliveries that wait may stay where they are for so long.
pub(crate) const STALLED: Duration = Duration::from_secs(5);

/// The state between two looks.
#[derive(Default)]
struct Monitor {
    /// The oldest delivery that waits, and since when it is the oldest.
    oldest: Option<(u64, Instant)>,
    probed: Option<Instant>,
    counted: Option<Instant>,
    /// Hash of the ruleset whose policies the metrics show.
    shown_ruleset: Option<String>,
}

/// Looks until the server stops.
pub(crate) fn run(service: &Arc<Service>) {
    let mut monitor = Monitor::default();
    while !service.stopping.load(Ordering::Acquire) {
        monitor.look_at_store(service);
        // Another host decides them: its silence must not keep this one from taking more.
        if !service.role.is_following() {
            monitor.look_at_deliveries(service);
        }
        if monitor.counted.is_none_or(|at| at.elapsed() >= COUNT) {
            monitor.counted = Some(Instant::now());
            count_waiting(service);
            if !service.role.is_following() {
                note_key_uses(service);
            }
            monitor.show_scripts(service);
        }
        std::thread::sleep(TICK);
    }
}

impl Monitor {
    /// Shows in the metrics which policies are in force, once after each change.
    fn show_scripts(&mut self, service: &Service) {
        let ruleset = service.context.ruleset.load();
        if self.shown_ruleset.as_deref() != Some(&*ruleset.hash) {
            self.shown_ruleset = Some(ruleset.hash.to_string());
            service.metrics.own_work.show_scripts(&ruleset.files);
        }
    }

    fn look_at_store(&mut self, service: &Service) {
        let Err(error) = service.context.ledger.health() else {
            service.health.clear(ServerPart::Store);
            return;
        };
        service.health.report(ServerPart::Store, error.to_string());

        if self.probed.is_none_or(|at| at.elapsed() >= PROBE) {
            self.probed = Some(Instant::now());
            if service.context.ledger.probe_store().is_ok()
                && service.context.ledger.health().is_ok()
            {
                service.health.clear(ServerPart::Store);
                service.orders.wake();
            }
        }
    }

    fn look_at_deliveries(&mut self, service: &Service) {
        let Ok(oldest) = service.context.ledger.oldest_pending() else { return };
        let Some(oldest) = oldest else {
            self.oldest = None;
            service.health.clear(ServerPart::Deliveries);
            return;
        };

        let since = match self.oldest {
            Some((known, since)) if known == oldest => since,
            _ => Instant::now(),
        };
        self.oldest = Some((oldest, since));

        if since.elapsed() >= STALLED {
            let seconds = since.elapsed().as_secs();
            let reason = format!(
                "delivery {oldest} was acknowledged but is not decided, and nothing has moved for \
                    {seconds} s; see the worker's log"
            );
            service.health.report(ServerPart::Deliveries, reason);
        } else {
            service.health.clear(ServerPart::Deliveries);
        }
    }
}

/// Writes when keys were last used: here, so that no request waits for it.
fn note_key_uses(service: &Service) {
    if let Err(error) = service.accounts.keys.note_uses(&service.context.ledger) {
        tracing::warn!(error.cause = %error, "the last uses of keys were not written");
    }
}

/// Shows in the metrics what waits for people.
fn count_waiting(service: &Service) {
    let ledger = &service.context.ledger;
    let gauge = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);

    // A figure that cannot be read keeps its last value.
    if let Ok(pending) = ledger.pending_count() {
        service.metrics.pending.set(gauge(pending));
    }

    if let Ok(dead) = ledger.dead_count() {
        service.metrics.dead_letters.set(gauge(dead));
    }

    if let Ok(quarantined) = ledger.quarantine_count() {
        service.metrics.quarantined.set(gauge(quarantined));
    }

    if let Ok(counts) = ledger.counts() {
        service.metrics.parked.set(counts.parked);
        service.metrics.own_work.held.set(counts.held);
    }

    if let Ok(age) = service.oldest_undecided_s() {
        service.metrics.oldest_undecided_s.set(age.unwrap_or(0));
    }

    let faults = service.health.blocking_faults().len();
    service.metrics.ready.set(i64::from(faults == 0));
}
