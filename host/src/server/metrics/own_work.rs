//! Metrics of what the server does by itself: runs, backups, events, mails, and the scripts in force.

use std::time::Duration;

use accredit_domain::files::Files;
use accredit_ledger::definitions::content_hash;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::Labels;

/// Characters of a version that a label has.
const VERSION_CHARACTERS: usize = 12;

/// What the server does by itself.
pub(crate) struct OwnWorkMetrics {
    /// Credits that are held.
    pub(crate) held: Gauge,
    runs: Histogram,
    backups: Family<Labels, Counter>,
    last_backup_s: Family<Labels, Gauge>,
    events: Family<Labels, Counter>,
    mails: Family<Labels, Counter>,
    scripts: Family<Labels, Gauge>,
}

impl OwnWorkMetrics {
    /// All of them, at zero.
    pub(super) fn register(registry: &mut Registry) -> OwnWorkMetrics {
        let all = OwnWorkMetrics {
            held: Gauge::default(),
            runs: Histogram::new(exponential_buckets(0.01, 4.0, 10)),
            backups: Family::default(),
            last_backup_s: Family::default(),
            events: Family::default(),
            mails: Family::default(),
            scripts: Family::default(),
        };
        registry.register("hold_open", "Credits that are held", all.held.clone());
        let runs = "Runs of calculations, from their request to their end";
        registry.register_with_unit("run_duration", runs, Unit::Seconds, all.runs.clone());
        registry.register("backups", "Backups, by outcome", all.backups.clone());
        let last = "When the newest backup was made, in seconds since 1970";
        registry.register("backup_last_timestamp_seconds", last, all.last_backup_s.clone());
        let tries = "Tries to send an event, by destination and outcome";
        registry.register("event_deliveries", tries, all.events.clone());
        registry.register("alert_mails", "Digests of alerts, by outcome", all.mails.clone());
        let scripts = "The policies in force with their versions, always 1";
        registry.register("script_active_info", scripts, all.scripts.clone());
        all
    }

    /// A run of a calculation ended after this long.
    pub(crate) fn observe_run(&self, took: Duration) {
        self.runs.observe(took.as_secs_f64());
    }

    /// A backup was made at this time, in seconds since 1970; none that failed.
    pub(crate) fn count_backup(&self, made_s: Option<i64>) {
        let outcome = if made_s.is_some() { "made" } else { "failed" };
        self.backups.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
        if let Some(made_s) = made_s {
            self.last_backup_s.get_or_create(&Vec::new()).set(made_s);
        }
    }

    /// An event was tried to be sent to a destination.
    pub(crate) fn count_event(&self, destination: &str, outcome: &'static str) {
        let labels = vec![("destination", destination.to_owned()), ("outcome", outcome.to_owned())];
        self.events.get_or_create(&labels).inc();
    }

    /// A digest of alerts was mailed or not.
    pub(crate) fn count_mail(&self, outcome: &'static str) {
        self.mails.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// These files are in force.
    pub(crate) fn show_scripts(&self, files: &Files) {
        self.scripts.clear();
        for (path, text) in files {
            let policy = path.strip_prefix("policies/").and_then(|path| path.strip_suffix(".rhai"));
            let Some(policy) = policy else { continue };
            let version = content_hash(text).chars().take(VERSION_CHARACTERS).collect();
            let labels = vec![("script", policy.to_owned()), ("version", version)];
            self.scripts.get_or_create(&labels).set(1);
        }
    }
}
