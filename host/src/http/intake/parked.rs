//! Parked transactions: in a plan, but without a decision; and another try.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use crate::http::JsonResult;
use crate::http::problem::Problem;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// Every parked transaction with its reason.
pub(crate) async fn list_parked(State(service): State<Arc<Service>>) -> JsonResult {
    let rows = service.run_blocking(|service| {
        let rows = service.context.ledger.parked_notes()?;
        Ok(rows.iter().map(|note| json!(note)).collect())
    });
    Ok(crate::http::list_page(rows.await?))
}

/// Decides all of them again.
pub(crate) async fn redrive_parked(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (who, wait) = (caller.name, tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "redrive", who, body: b"", wait };
    let redriven = service.answered_by_worker(asked, |turn| {
        let count = jobs::redrive_parked(turn)?;
        Ok(json!({ "decided": count }))
    });
    redriven.await
}
