//! Parked transactions: in a plan, but without a decision; and another try.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::json;

use crate::http::Answer;
use crate::http::problem::Problem;
use crate::server::state::Service;
use crate::server::worker::Order;

/// Every parked transaction with its reason.
pub(crate) async fn list(State(service): State<Arc<Service>>) -> Answer {
    let rows = service.blocking(|service| {
        let rows = service.ledger.parked().map_err(|error| Problem::internal(&error))?;
        Ok(rows.iter().map(|note| json!(note)).collect())
    });
    Ok(crate::http::list(rows.await?))
}

/// Decides all of them again.
pub(crate) async fn redrive(State(service): State<Arc<Service>>) -> Answer {
    let count = service.orders.ask(|reply| Order::RedriveParked(Some(reply))).await?;
    Ok(Json(json!({ "decided": count })))
}
