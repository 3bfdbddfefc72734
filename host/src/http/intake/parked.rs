//! Parked transactions: in a plan, but without a decision; and another try.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use crate::http::Answer;
use crate::http::problem::Problem;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, Asked};

/// Every parked transaction with its reason.
pub(crate) async fn list(State(service): State<Arc<Service>>) -> Answer {
    let rows = service.blocking(|service| {
        let rows = service.context.ledger.parked().map_err(|error| Problem::internal(&error))?;
        Ok(rows.iter().map(|note| json!(note)).collect())
    });
    Ok(crate::http::list(rows.await?))
}

/// Decides all of them again.
pub(crate) async fn redrive(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (who, wait) = (caller.name, tasks::wait(&headers));
    let asked = Asked { what: "redrive", who, body: b"", wait };
    let redriven = service.answered_by_worker(asked, |turn| {
        let count = jobs::redrive_parked(turn)?;
        Ok(json!({ "decided": count }))
    });
    redriven.await
}
