//! Recorded decisions made again from their pins.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde_json::json;

use super::Answer;
use crate::error::Problem;
use crate::service::Service;
use crate::verify::{Wanted, verify};

/// Makes decisions again and says which do not come out alike.
pub(crate) async fn run(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `plan` or `period`"))?;
    let verified = service.blocking(move |service| {
        verify(&service.ledger, &wanted).map_err(|error| Problem::internal(&error))
    });
    Ok(Json(json!(verified.await?)))
}
