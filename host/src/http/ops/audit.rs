//! The audit trail in pages, and whether it is whole.
//!
//! Not the writing of it: every act does that in its own commit. Source: DESIGN section 7.

use std::sync::Arc;

use accredit_ledger::audit::AuditRow;
use accredit_ledger::integrity::TrailReport;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// What the trail can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditListParams {
    /// The user who acted.
    who: Option<String>,
    /// The action, such as `activated`.
    what: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A row of the trail.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditRowView {
    /// Its number, from 1.
    sequence: u64,
    /// The instant.
    #[schema(format = DateTime)]
    at: String,
    /// The token or person that did it.
    who: String,
    /// The action, such as `activated`, `released` or `held`.
    what: String,
    /// Everything else that is to be known; its shape depends on the action.
    detail: Value,
}

impl AuditRowView {
    fn new(row: AuditRow) -> AuditRowView {
        AuditRowView {
            sequence: row.sequence,
            at: format_rfc3339(row.at_ms),
            who: row.who,
            what: row.what,
            detail: row.detail,
        }
    }
}

/// Who did what, newest first.
pub(crate) async fn list_audit(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<AuditListParams>, QueryRejection>,
) -> ViewResult<ListView<AuditRowView>> {
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
    let next_cursor =
        rows.get(limit).and_then(|_| rows.get(limit - 1)).map(|row| row.sequence.to_string());

    let data = rows.into_iter().take(limit).map(AuditRowView::new).collect();
    Ok(ViewJson(ListView { data, next_cursor }))
}

/// A hash of a row that was kept elsewhere.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditVerifyParams {
    /// A hash of a row that was kept elsewhere: it must be in the trail.
    head: Option<String>,
}

/// Whether the trail is whole, and its head.
pub(crate) async fn verify_audit(
    State(service): State<Arc<Service>>,
    kept: Result<Query<AuditVerifyParams>, QueryRejection>,
) -> ViewResult<TrailReport> {
    let Query(kept) = kept.map_err(|_| Problem::bad_request("expected `head`"))?;
    let checked = service.run_blocking(move |service| {
        let checked = service.context.ledger.check_trail(kept.head.as_deref());
        checked.map_err(|error| Problem::internal(&error))
    });
    checked.await.map(ViewJson)
}
