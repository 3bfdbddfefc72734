//! Dead letters: authentic deliveries that nobody could read, and another try.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::http::Answer;
use crate::http::problem::Problem;
use crate::server::clock::rfc3339;
use crate::server::state::Service;

/// Dead letters in one answer.
pub(crate) const LIST_MAX: usize = 1000;

/// The oldest dead letters.
pub(crate) async fn list(State(service): State<Arc<Service>>) -> Answer {
    let rows = service.blocking(|service| {
        let rows =
            service.ledger.dead_letters(LIST_MAX).map_err(|error| Problem::internal(&error))?;
        let rows = rows.into_iter().map(|row| {
            json!({
                "sequence": row.sequence,
                "source": row.source,
                "delivery": row.delivery,
                "received": rfc3339(row.received_ms),
                "reason": row.reason,
            })
        });
        Ok(rows.collect())
    });
    Ok(crate::http::list(rows.await?))
}

/// Puts one back into the inbox.
pub(crate) async fn redrive(
    State(service): State<Arc<Service>>,
    Path(sequence): Path<String>,
) -> Result<Response, Problem> {
    let sequence: u64 = sequence.parse().map_err(|_| Problem::not_found("dead letter"))?;
    let redriven = service.blocking(move |service| {
        service.ledger.redrive(sequence).map_err(|error| Problem::internal(&error))
    });
    if !redriven.await? {
        return Err(Problem::not_found("dead letter"));
    }
    service.orders.wake();
    Ok((StatusCode::ACCEPTED, Json(json!({ "sequence": sequence }))).into_response())
}
