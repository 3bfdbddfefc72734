//! How the server is: for people, for probes and for monitoring.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use accredit_domain::money;
use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use serde_json::{Value, json};

use crate::http::JsonResult;
use crate::http::problem::Problem;
use crate::server::clock;
use crate::server::monitor::DEAD_MAX;
use crate::server::state::Service;
use crate::server::worker::PENDING_MAX;

/// Counts, backlog and the ruleset in force.
pub(crate) async fn show_status(State(service): State<Arc<Service>>) -> JsonResult {
    let status = service.run_blocking(|service| {
        let counts = service.context.ledger.counts()?;
        let pending = service.context.ledger.pending_count(PENDING_MAX)?;

        let ruleset = service.context.ruleset.load();
        let settings = &ruleset.settings;
        let currency = settings.units.name(settings.currency);
        let total = counts.credited.get(currency).copied().unwrap_or_default();
        let parked = counts.parked;

        let mut counts = serde_json::to_value(&counts).unwrap_or_default();
        if let Some(counts) = counts.as_object_mut() {
            let total = money::format_amount(total, settings.currency.scale);
            counts.insert("credited_total".to_owned(), Value::from(total));
        }

        Ok(json!({
            "ruleset": &*ruleset.hash,
            "business_date": service.context.business_date().to_string(),
            "pending": pending,
            "oldest_undecided_seconds": service.oldest_undecided_s()?,
            "dead_letters": service.context.ledger.dead_count(DEAD_MAX)?,
            "parked": parked,
            "faults": list_faults(service),
            "counts": counts,
            "recredit": service.context.ledger.pending_recredit()?.map(|going| json!({
                "activation": going.activation,
                "effective": going.effective,
                "looked_at": going.next,
                "decided": going.decided,
            })),
            "version": env!("CARGO_PKG_VERSION"),
        }))
    });

    status.await.map(Json)
}

/// The process answers.
pub(crate) async fn show_liveness() -> Json<Value> {
    Json(json!({ "status": "live" }))
}

/// No part of the server has a fault, the store can be read and written, and no stop was asked.
pub(crate) async fn show_readiness(State(service): State<Arc<Service>>) -> JsonResult {
    if service.stopping.load(Ordering::Acquire) {
        return Err(Problem::unavailable("the server is stopping"));
    }
    let store = service.run_blocking(|service| {
        let looked = service.context.ledger.counts().and_then(|_| service.context.ledger.health());
        looked.map_err(|error| Problem::unavailable(format!("store: {error}")))
    });
    store.await?;

    let faults = service.health.faults();
    if !faults.is_empty() {
        let reasons = faults.iter().map(|(part, fault)| format!("{part}: {}", fault.reason));
        return Err(Problem::unavailable(reasons.collect::<Vec<_>>().join("; ")));
    }
    Ok(Json(json!({ "status": "ready", "ruleset": &*service.context.ruleset.load().hash })))
}

/// What parts of the server cannot do.
fn list_faults(service: &Service) -> Vec<Value> {
    let now = clock::elapsed();
    let faults = service.health.faults().into_iter();
    let shown = faults.map(|(part, fault)| {
        let seconds = now.saturating_sub(fault.since).as_secs();
        json!({ "part": part.name(), "reason": fault.reason, "seconds": seconds })
    });
    shown.collect()
}

/// The metrics in OpenMetrics format.
pub(crate) async fn show_metrics(State(service): State<Arc<Service>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], service.metrics.render_text())
}

/// The name and the version of the program.
pub(crate) async fn show_version() -> Json<Value> {
    Json(json!({ "name": "accredit", "version": env!("CARGO_PKG_VERSION") }))
}
