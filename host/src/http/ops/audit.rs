//! The audit trail in pages, and whether it is whole.
//!
//! Not the writing of it: every act does that in its own commit. Source: DESIGN section 7.

use std::sync::Arc;

use accredit_ledger::audit::AuditRow;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::JsonResult;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// What the trail can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditListParams {
    who: Option<String>,
    what: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A row as it is shown.
pub(crate) fn audit_json(row: &AuditRow) -> Value {
    json!({
        "sequence": row.sequence,
        "at": format_rfc3339(row.at_ms),
        "who": row.who,
        "what": row.what,
        "detail": row.detail,
    })
}

/// Who did what, newest first.
pub(crate) async fn list_audit(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<AuditListParams>, QueryRejection>,
) -> JsonResult {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `who`, `what`, `limit` or `cursor`"))?;
    let limit = credits::page_limit(wanted.limit)?;

    let before = wanted.cursor.as_deref().map(str::parse::<u64>).transpose();
    let before = before
        .map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))?;

    let trail = service.run_blocking(|service| {
        service.context.ledger.readable_trail().map_err(|error| Problem::internal(&error))
    });
    let fits = |row: &AuditRow| {
        before.is_none_or(|before| row.sequence < before)
            && wanted.who.as_ref().is_none_or(|who| *who == row.who)
            && wanted.what.as_ref().is_none_or(|what| *what == row.what)
    };
    // One more than is asked for tells whether another page follows.
    let rows: Vec<AuditRow> = trail.await?.into_iter().rev().filter(fits).take(limit + 1).collect();
    let next =
        rows.get(limit).and_then(|_| rows.get(limit - 1)).map(|row| row.sequence.to_string());

    let rows: Vec<Value> = rows.iter().take(limit).map(audit_json).collect();
    Ok(Json(json!({ "data": rows, "next_cursor": next })))
}

/// A hash of a row that was kept elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditVerifyParams {
    head: Option<String>,
}

/// Whether the trail is whole, and its head.
pub(crate) async fn verify_audit(
    State(service): State<Arc<Service>>,
    kept: Result<Query<AuditVerifyParams>, QueryRejection>,
) -> JsonResult {
    let Query(kept) = kept.map_err(|_| Problem::bad_request("expected `head`"))?;
    let checked = service.run_blocking(move |service| {
        let checked = service.context.ledger.check_trail(kept.head.as_deref());
        checked.map_err(|error| Problem::internal(&error))
    });
    Ok(Json(json!(checked.await?)))
}
