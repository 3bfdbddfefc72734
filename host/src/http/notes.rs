//! Alerts and the log of recorded decisions, in pages.
//!
//! Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_engine::ledger::notes::NoteQuery;
use accredit_engine::store::Error;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::json;

use super::{Answer, credits};
use crate::error::Problem;
use crate::service::Service;

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    plan: Option<String>,
    period: Option<String>,
    code: Option<String>,
    transaction: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// What plans want to be told.
pub(crate) async fn alerts(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    list(service, true, wanted).await
}

/// Every warning.
pub(crate) async fn log(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    list(service, false, wanted).await
}

async fn list(
    service: Arc<Service>,
    alerts: bool,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let Query(wanted) = wanted.map_err(|_| {
        let detail = "expected `plan`, `period`, `code`, `transaction`, `limit` or `cursor`";
        Problem::bad_request(detail)
    })?;
    let limit = credits::limit(wanted.limit)?;
    let page = service.blocking(move |service| {
        let calendar = &service.ruleset.load().settings.calendar;
        let periods = wanted.period.as_deref().map(|id| credits::leaves(calendar, id));
        let query = NoteQuery {
            alerts,
            plan: wanted.plan,
            periods: periods.transpose()?,
            code: wanted.code,
            transaction: wanted.transaction,
            limit,
            cursor: wanted.cursor,
        };
        service.ledger.notes(&query).map_err(|error| match error {
            // The only thing of the caller's that the ledger reads.
            Error::Damaged(_) if query.cursor.is_some() => {
                Problem::bad_request("`cursor` is none that a page gave")
            }
            error => Problem::internal(&error),
        })
    });
    let page = page.await?;
    Ok(Json(json!({ "data": page.rows, "next_cursor": page.next })))
}
