//! How the server is: for people, for probes and for monitoring.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use accredit_domain::money;
use accredit_ledger::definitions::Effective;
use accredit_ledger::record::LedgerCounts;
use accredit_ledger::recredit::RecreditRequest;
use accredit_workspace::Settings;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::views::{ViewJson, ViewResult};
use crate::server::backlog;
use crate::server::clock::{self, format_rfc3339};
use crate::server::state::Service;
use crate::server::tls::CertificateState;

/// The state of the server, for people.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatusView {
    /// Hash of the ruleset in force.
    ruleset: String,
    /// The business date.
    #[schema(format = Date)]
    business_date: String,
    /// Deliveries that wait.
    pending: u64,
    /// Seconds since the oldest of them arrived; null if none waits.
    oldest_undecided_seconds: Option<i64>,
    /// Dead letters.
    dead_letters: u64,
    /// Parked transactions.
    parked: i64,
    /// Every source of the settings, by name.
    sources: Vec<SourceStateView>,
    /// Events that wait for their deal from the CRM, by source; no row for a source without any.
    fetches: Vec<SourceFetchesView>,
    /// Requests in quarantine, by source; no row for a source without any.
    quarantine: Vec<SourceQuarantineView>,
    /// What parts of the server cannot do.
    faults: Vec<FaultView>,
    /// Counts of the recorded rows.
    counts: CountsView,
    /// What is decided again after a change; null if nothing is.
    recredit: Option<RecreditView>,
    /// The certificate of the server; null where it speaks no TLS.
    certificate: Option<CertificateView>,
    /// The version of the program.
    version: &'static str,
}

/// The certificate in force.
#[derive(Debug, Serialize, ToSchema)]
struct CertificateView {
    /// Its last second.
    #[schema(format = DateTime)]
    ends_at: String,
    /// Why a newer one is not in force, or what is wrong with this one; null if nothing is.
    fault: Option<String>,
}

impl CertificateView {
    fn new(state: CertificateState) -> CertificateView {
        let ends_at = jiff::Timestamp::from_second(state.ends_s).unwrap_or(jiff::Timestamp::MAX);
        CertificateView { ends_at: ends_at.to_string(), fault: state.fault }
    }
}

/// What a source sent last.
#[derive(Debug, Serialize, ToSchema)]
struct SourceStateView {
    /// Name of the source.
    source: String,
    /// When its last delivery was taken, repetitions aside; null if none is known.
    #[schema(format = DateTime)]
    last_delivery: Option<String>,
    /// Its last request that was refused since the server started; null if none was.
    last_refused: Option<SourceRefusalView>,
}

/// A request of a source that was refused.
#[derive(Debug, Serialize, ToSchema)]
struct SourceRefusalView {
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// The code of the problem that was answered, such as `unauthentic`.
    reason: &'static str,
}

/// The events of a source that wait for their deal.
#[derive(Debug, Serialize, ToSchema)]
struct SourceFetchesView {
    /// Name of the source.
    source: String,
    /// How many wait.
    waiting: u64,
    /// Seconds since the oldest of them arrived.
    oldest_seconds: i64,
    /// How often the oldest was tried.
    attempts: u32,
    /// Why the oldest that was tried has not been fetched; null before the first try.
    last_error: Option<String>,
}

/// The requests of a source whose signature did not match.
#[derive(Debug, Serialize, ToSchema)]
struct SourceQuarantineView {
    /// Name of the source.
    source: String,
    /// How many there are.
    requests: u64,
    /// Seconds since the oldest of them arrived.
    oldest_seconds: i64,
}

/// A part of the server that has a fault.
#[derive(Debug, Serialize, ToSchema)]
struct FaultView {
    /// Name of the part.
    part: &'static str,
    /// Why, and what to do about it.
    reason: String,
    /// For how many seconds.
    seconds: u64,
}

/// Counts of the recorded rows; each counter is explained at [`LedgerCounts`].
#[derive(Debug, Serialize, ToSchema)]
struct CountsView {
    /// Recorded deals.
    transactions: i64,
    /// Direct and indirect credits.
    credits: i64,
    /// Direct credits.
    direct: i64,
    /// Indirect credits.
    indirect: i64,
    /// Held credits.
    held: i64,
    /// Suppressed credits.
    suppressed: i64,
    /// Decisions without a credit.
    uncredited: i64,
    /// Decisions that could not be made.
    parked: i64,
    /// Sums of direct credits, by unit type.
    credited: BTreeMap<String, Decimal>,
    /// The sum in the currency of the workspace, with all its decimal places.
    #[schema(value_type = Decimal)]
    credited_total: String,
}

impl CountsView {
    fn new(counts: LedgerCounts, settings: &Settings) -> CountsView {
        let currency = settings.units.name(settings.currency);
        let total = counts.credited.get(currency).copied().unwrap_or_default();

        CountsView {
            transactions: counts.transactions,
            credits: counts.credits,
            direct: counts.direct,
            indirect: counts.indirect,
            held: counts.held,
            suppressed: counts.suppressed,
            uncredited: counts.uncredited,
            parked: counts.parked,
            credited: counts.credited,
            credited_total: money::format_amount(total, settings.currency.scale),
        }
    }
}

/// How far transactions are decided again.
#[derive(Debug, Serialize, ToSchema)]
struct RecreditView {
    /// The activation that asked for it last.
    activation: u64,
    /// Which transactions are decided again: `recredit` or `from:DATE`.
    effective: Effective,
    /// The number of the next transaction to look at.
    looked_at: u64,
    /// How many were decided again.
    decided: u64,
}

impl RecreditView {
    fn new(request: RecreditRequest) -> RecreditView {
        RecreditView {
            activation: request.activation,
            effective: request.effective,
            looked_at: request.next,
            decided: request.decided,
        }
    }
}

/// Counts, backlog and the ruleset in force.
pub(crate) async fn show_status(State(service): State<Arc<Service>>) -> ViewResult<StatusView> {
    let status = service.run_blocking(|service| {
        let ledger = &service.context.ledger;
        let counts = ledger.counts()?;
        let ruleset = service.context.ruleset.load();

        Ok(StatusView {
            ruleset: ruleset.hash.to_string(),
            business_date: service.context.business_date().to_string(),
            pending: ledger.pending_count()?,
            oldest_undecided_seconds: service.oldest_undecided_s()?,
            dead_letters: ledger.dead_count()?,
            parked: counts.parked,
            sources: list_sources(service)?,
            fetches: list_fetches(service)?,
            quarantine: list_quarantine(service)?,
            faults: list_faults(service),
            counts: CountsView::new(counts, &ruleset.settings),
            recredit: ledger.pending_recredit()?.map(RecreditView::new),
            certificate: service.certificate_state().map(CertificateView::new),
            version: env!("CARGO_PKG_VERSION"),
        })
    });

    status.await.map(ViewJson)
}

/// The answer of a process that runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LivenessView {
    /// Always `live`.
    status: &'static str,
}

/// The process answers.
pub(crate) async fn show_liveness() -> ViewJson<LivenessView> {
    ViewJson(LivenessView { status: "live" })
}

/// The answer of a server that can take requests.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReadinessView {
    /// Always `ready`.
    status: &'static str,
    /// Hash of the ruleset in force.
    ruleset: String,
}

/// No part of the server has a fault, the store can be read and written, and no stop was asked.
pub(crate) async fn show_readiness(
    State(service): State<Arc<Service>>,
) -> ViewResult<ReadinessView> {
    if service.stopping.load(Ordering::Acquire) {
        return Err(Problem::unavailable("the server is stopping"));
    }
    let store = service.run_blocking(|service| {
        let looked = service.context.ledger.counts().and_then(|_| service.context.ledger.health());
        looked.map_err(|error| Problem::unavailable(format!("store: {error}")))
    });
    store.await?;

    let faults = service.health.blocking_faults();
    if !faults.is_empty() {
        let reasons = faults.iter().map(|(part, fault)| format!("{part}: {}", fault.reason));
        return Err(Problem::unavailable(reasons.collect::<Vec<_>>().join("; ")));
    }
    let ruleset = service.context.ruleset.load().hash.to_string();
    Ok(ViewJson(ReadinessView { status: "ready", ruleset }))
}

fn list_sources(service: &Service) -> Result<Vec<SourceStateView>, Problem> {
    let last = service.context.ledger.last_deliveries()?;
    let ruleset = service.context.ruleset.load();
    let shown = ruleset.settings.sources.keys().map(|source| {
        let refused = service.refusals.last_of(source);
        SourceStateView {
            source: source.clone(),
            last_delivery: last.get(source).copied().map(format_rfc3339),
            last_refused: refused.map(|refused| SourceRefusalView {
                at: format_rfc3339(refused.at_ms),
                reason: refused.reason,
            }),
        }
    });
    Ok(shown.collect())
}

fn list_fetches(service: &Service) -> Result<Vec<SourceFetchesView>, Problem> {
    let now = service.clock.now_ms();
    let found = backlog::read_backlog(&service.context.ledger, |_| ())?;
    let shown = found.into_iter().map(|(source, of_source)| SourceFetchesView {
        source,
        waiting: of_source.waiting,
        oldest_seconds: of_source.age_s(now),
        attempts: of_source.attempts,
        last_error: of_source.last_error,
    });
    Ok(shown.collect())
}

fn list_quarantine(service: &Service) -> Result<Vec<SourceQuarantineView>, Problem> {
    let now = service.clock.now_ms();
    let found = service.context.ledger.quarantine_by_source()?;
    let shown = found.into_iter().map(|(source, (requests, oldest_ms))| SourceQuarantineView {
        source,
        requests,
        oldest_seconds: (now - oldest_ms).max(0) / 1000,
    });
    Ok(shown.collect())
}

/// What parts of the server cannot do.
fn list_faults(service: &Service) -> Vec<FaultView> {
    let now = clock::elapsed();
    let faults = service.health.faults().into_iter();
    let shown = faults.map(|(part, fault)| {
        let seconds = now.saturating_sub(fault.since).as_secs();
        FaultView { part: part.name(), reason: fault.reason, seconds }
    });
    shown.collect()
}

/// The metrics in OpenMetrics format.
pub(crate) async fn show_metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.metrics.render_text())
}

/// The program.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct VersionView {
    /// Always `accredit`.
    name: &'static str,
    /// Its version.
    version: &'static str,
}

/// The name and the version of the program.
pub(crate) async fn show_version() -> ViewJson<VersionView> {
    ViewJson(VersionView { name: "accredit", version: env!("CARGO_PKG_VERSION") })
}
