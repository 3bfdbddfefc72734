//! Counters and gauges in OpenMetrics text.
//!
//! Not logs. No label is an id, so the number of series stays small.

mod network;
mod own_work;
mod scripts;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

use self::network::NetworkMetrics;
use self::own_work::OwnWorkMetrics;
use self::scripts::ScriptMetrics;

type Labels = Vec<(&'static str, String)>;

/// Every metric of the host.
pub(crate) struct Metrics {
    registry: Registry,
    requests: Family<Labels, Counter>,
    credits: Family<Labels, Counter>,
    reloads: Family<Labels, Counter>,
    /// Deliveries that wait for the worker.
    pub(crate) pending: Gauge,
    /// Deliveries that could not be taken and wait for people.
    pub(crate) dead_letters: Gauge,
    fetches: Gauge,
    /// Requests whose signature did not match and that are kept.
    pub(crate) quarantined: Gauge,
    /// Fetches by source, and the age of the oldest.
    source_fetches: Family<Labels, Gauge>,
    oldest_fetches_s: Family<Labels, Gauge>,
    /// Deals that a plan lets in and that could not be decided.
    pub(crate) parked: Gauge,
    /// Seconds since the oldest delivery that is not decided was acknowledged; 0 when none waits.
    pub(crate) oldest_undecided_s: Gauge,
    /// Whether the server is ready.
    pub(crate) ready: Gauge,
    /// Connections, limits of rate and the certificate.
    pub(crate) network: NetworkMetrics,
    commits: Histogram,
    scripts: ScriptMetrics,
    /// What the server does by itself.
    pub(crate) own_work: OwnWorkMetrics,
}

impl Metrics {
    /// All of them, at zero.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("accredit");

        let requests = Family::<Labels, Counter>::default();
        let credits = Family::<Labels, Counter>::default();
        let reloads = Family::<Labels, Counter>::default();
        let (pending, dead_letters, parked) = <(Gauge, Gauge, Gauge)>::default();
        let (oldest_undecided_s, ready, fetches) = <(Gauge, Gauge, Gauge)>::default();

        let commits = Histogram::new(exponential_buckets(0.000_5, 2.0, 14));
        let build = Family::<Labels, Gauge>::default();
        build.get_or_create(&vec![("version", env!("CARGO_PKG_VERSION").to_owned())]).set(1);

        let sources = "Deliveries by source and outcome";
        registry.register("webhook_requests", sources, requests.clone());
        registry.register("credits", "Credits decided, by status", credits.clone());
        registry.register("script_reload", "Activations, by outcome", reloads.clone());
        registry.register("inbox_pending", "Deliveries not decided yet", pending.clone());

        let dead = "Deliveries that could not be processed and wait for a person";
        registry.register("dead_letters", dead, dead_letters.clone());
        let thin = "Events that wait for what their CRM has of their deal";
        registry.register("fetches_pending", thin, fetches.clone());
        let (source_fetches, oldest_fetches_s) = <(Family<_, _>, Family<_, _>)>::default();
        let quarantined = Gauge::default();
        let kept = "Requests whose signature did not match and that are kept for a while";
        registry.register("quarantined_requests", kept, quarantined.clone());
        let by_source = "Events that wait for what their CRM has of their deal, by source";
        registry.register("source_fetches_pending", by_source, Family::clone(&source_fetches));
        let oldest = "Age of the oldest event that waits for its CRM, by source";
        let name = "source_fetches_oldest_seconds";
        registry.register(name, oldest, Family::clone(&oldest_fetches_s));
        let stopped = "Deals that could not be decided in a plan";
        registry.register("parked", stopped, parked.clone());
        let oldest = "Age of the oldest delivery that is not decided";
        registry.register("oldest_undecided_seconds", oldest, oldest_undecided_s.clone());

        let network = NetworkMetrics::register(&mut registry);
        registry.register("ready", "1 while the server is ready", ready.clone());
        registry.register("store_commit_seconds", "Durable commits", commits.clone());
        let scripts = ScriptMetrics::register(&mut registry);
        let own_work = OwnWorkMetrics::register(&mut registry);
        registry.register("build_info", "The version that runs", build);

        Metrics {
            registry,
            requests,
            credits,
            reloads,
            pending,
            dead_letters,
            fetches,
            quarantined,
            source_fetches,
            oldest_fetches_s,
            parked,
            oldest_undecided_s,
            ready,
            network,
            commits,
            scripts,
            own_work,
        }
    }

    /// A delivery was answered.
    pub(crate) fn count_webhook(&self, source: &str, outcome: &'static str) {
        self.count_webhooks(source, outcome, 1);
    }

    /// Deliveries of a source were answered alike.
    pub(crate) fn count_webhooks(&self, source: &str, outcome: &'static str, count: u64) {
        let labels = vec![("source", source.to_owned()), ("outcome", outcome.to_owned())];
        self.requests.get_or_create(&labels).inc_by(count);
    }

    /// What waits to be fetched: of each source how many events, and the age of the oldest in seconds.
    pub(crate) fn set_fetches<'a>(&self, by_source: impl Iterator<Item = (&'a str, u64, i64)>) {
        // A source without any has no series.
        self.source_fetches.clear();
        self.oldest_fetches_s.clear();
        let mut all = 0;
        for (source, waiting, age) in by_source {
            let waiting = i64::try_from(waiting).unwrap_or(i64::MAX);
            let labels = vec![("source", source.to_owned())];
            self.source_fetches.get_or_create(&labels).set(waiting);
            self.oldest_fetches_s.get_or_create(&labels).set(age);
            all += waiting;
        }
        self.fetches.set(all);
    }

    /// Credits were decided.
    pub(crate) fn count_credits(&self, status: &str, count: u64) {
        self.credits.get_or_create(&vec![("status", status.to_owned())]).inc_by(count);
    }

    /// An activation succeeded or not.
    pub(crate) fn count_reload(&self, outcome: &'static str) {
        self.reloads.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// A commit became durable after this long.
    pub(crate) fn observe_commit(&self, took: std::time::Duration) {
        self.commits.observe(took.as_secs_f64());
    }

    /// The text that `/metrics` answers.
    pub(crate) fn render_text(&self) -> String {
        self.scripts.take_counts();
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
