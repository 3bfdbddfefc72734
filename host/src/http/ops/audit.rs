//! The audit trail in pages, and whether it is whole.
//!
//! Not the writing of it: every act does that in its own commit. Source: DESIGN section 7.

use std::sync::Arc;

use accredit_ledger::audit::Row;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::Answer;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::server::clock::rfc3339;
use crate::server::state::Service;

/// What the trail can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    who: Option<String>,
    what: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// A row as it is shown.
pub(crate) fn shown(row: &Row) -> Value {
    json!({
        "sequence": row.sequence,
        "at": rfc3339(row.at_ms),
        "who": row.who,
        "what": row.what,
        "detail": row.detail,
    })
}

/// Who did what, newest first.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `who`, `what`, `limit` or `cursor`"))?;
    let limit = credits::limit(wanted.limit)?;

    let before = wanted.cursor.as_deref().map(str::parse::<u64>).transpose();
    let before = before.map_err(|_| Problem::bad_request("`cursor` is none that a page gave"))?;

    let trail = service.blocking(|service| {
        service.context.ledger.trail().map_err(|error| Problem::internal(&error))
    });
    let fits = |row: &Row| {
        before.is_none_or(|before| row.sequence < before)
            && wanted.who.as_ref().is_none_or(|who| *who == row.who)
            && wanted.what.as_ref().is_none_or(|what| *what == row.what)
    };
    // One more than is asked for tells whether another page follows.
    let rows: Vec<Row> = trail.await?.into_iter().rev().filter(fits).take(limit + 1).collect();
    let next =
        rows.get(limit).and_then(|_| rows.get(limit - 1)).map(|row| row.sequence.to_string());

    let rows: Vec<Value> = rows.iter().take(limit).map(shown).collect();
    Ok(Json(json!({ "data": rows, "next_cursor": next })))
}

/// A hash of a row that was kept elsewhere.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    head: Option<String>,
}

/// Whether it is whole, and what it comes to.
pub(crate) async fn verify(
    State(service): State<Arc<Service>>,
    kept: Result<Query<Kept>, QueryRejection>,
) -> Answer {
    let Query(kept) = kept.map_err(|_| Problem::bad_request("expected `head`"))?;
    let checked = service.blocking(move |service| {
        let checked = service.context.ledger.check_trail(kept.head.as_deref());
        checked.map_err(|error| Problem::internal(&error))
    });
    Ok(Json(json!(checked.await?)))
}
