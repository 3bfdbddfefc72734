//! Metrics of what clients meet before a handler: connections, limits of rate, the certificate.

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use super::Labels;

/// Connections, limits of rate and the certificate.
#[derive(Default)]
pub(crate) struct NetworkMetrics {
    /// Connections that are open.
    pub(crate) connections: Gauge,
    refused_connections: Family<Labels, Counter>,
    limited: Family<Labels, Counter>,
    certificate_ends_s: Family<Labels, Gauge>,
    certificates: Family<Labels, Counter>,
}

impl NetworkMetrics {
    /// All of them, at zero.
    pub(super) fn register(registry: &mut Registry) -> NetworkMetrics {
        let all = NetworkMetrics::default();
        registry.register("connections", "Open connections", all.connections.clone());
        let closed = "Connections that were closed before a request, by reason";
        registry.register("connections_refused", closed, all.refused_connections.clone());
        let over = "Requests over a limit of rate, by the kind of limit";
        registry.register("requests_limited", over, all.limited.clone());
        let end = "When the certificate in force ends, in seconds since 1970";
        registry.register("certificate_end_timestamp_seconds", end, all.certificate_ends_s.clone());
        let read = "Certificates that were read again, by outcome";
        registry.register("certificate_reload", read, all.certificates.clone());
        all
    }

    /// A connection was closed before it brought a request.
    pub(crate) fn count_refused_connection(&self, reason: &'static str) {
        self.refused_connections.get_or_create(&vec![("reason", reason.to_owned())]).inc();
    }

    /// A request was over a limit of this kind.
    pub(crate) fn count_limited(&self, kind: &'static str) {
        self.limited.get_or_create(&vec![("limit", kind.to_owned())]).inc();
    }

    /// The certificate was read again.
    pub(crate) fn count_certificate(&self, outcome: &'static str) {
        self.certificates.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    /// The certificate in force ends then, in seconds since 1970.
    pub(crate) fn set_certificate_end(&self, ends_s: i64) {
        self.certificate_ends_s.get_or_create(&Vec::new()).set(ends_s);
    }
}
