//! The audit trail in pages and as an export, whether it is whole, and a checkpoint of it.
//!
//! Not the writing of it: every act does that in its own commit. Source: DESIGN section 7.

use std::sync::Arc;

use accredit_ledger::Ledger;
use accredit_ledger::audit::{AuditOrigin, AuditRow, hash_row, read_row};
use accredit_ledger::integrity::TrailReport;
use accredit_seams::store::StoreError;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::audit_export::{self, EXPORT_COLUMNS};
use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::checkpoints;
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// Rows that are looked through at a time.
const WINDOW_ROWS: u64 = 1000;

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
    /// Everything else that is to be known; its shape depends on the action. Of a change it has what was
    /// `before` and `after` it.
    detail: Value,
    /// From where it came; null in rows of earlier versions of the program.
    origin: Option<AuditOrigin>,
    /// The hash of the row, which the next row names.
    hash: String,
}

impl AuditRowView {
    fn new((hash, row): (String, AuditRow)) -> AuditRowView {
        AuditRowView {
            sequence: row.sequence,
            at: format_rfc3339(row.at_ms),
            who: row.who,
            what: row.what,
            detail: row.detail,
            origin: row.origin,
            hash,
        }
    }
}

/// What rows have to be.
#[derive(Debug, Clone)]
struct RowFilter {
    who: Option<String>,
    what: Option<String>,
}

impl RowFilter {
    fn fits(&self, row: &AuditRow) -> bool {
        self.who.as_ref().is_none_or(|who| *who == row.who)
            && self.what.as_ref().is_none_or(|what| *what == row.what)
    }
}

/// Who did what, newest first; or the whole trail, oldest first, as CSV or NDJSON.
pub(crate) async fn list_audit(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    wanted: Result<Query<AuditListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `who`, `what`, `limit` or `cursor`"))?;
    let filter = RowFilter { who: wanted.who, what: wanted.what };
    if exports::is_export(&headers) {
        return exports::answer_list(service, &headers, (wanted.limit, wanted.cursor), filter)
            .await;
    }

    let limit = credits::page_limit(wanted.limit)?;
    let before = wanted.cursor.as_deref().map(str::parse::<u64>).transpose();
    let before = before
        .map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))?;

    // One more than is asked for tells whether another page follows.
    let found = service.run_blocking(move |service| {
        let ledger = &service.context.ledger;
        rows_before(ledger, before, &filter, limit.saturating_add(1))
            .map_err(|error| Problem::internal(&error))
    });
    let mut rows = found.await?;
    let more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = rows.last().filter(|_| more).map(|(_, row)| row.sequence.to_string());

    let data = rows.into_iter().map(AuditRowView::new).collect();
    let mut response = ViewJson(ListView { data, next_cursor }).into_response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

/// Up to `count` rows with a number below `before` that fit, newest first. What cannot be read is left
/// out: verifying the trail names it.
fn rows_before(
    ledger: &Ledger,
    before: Option<u64>,
    filter: &RowFilter,
    count: usize,
) -> Result<Vec<(String, AuditRow)>, StoreError> {
    let last = ledger.trail_end()?.map_or(0, |(last, _)| last);
    let mut end =
        before.map_or(last.saturating_add(1), |before| before.min(last.saturating_add(1)));
    let mut found = Vec::new();

    while end > 1 && found.len() < count {
        let start = end.saturating_sub(WINDOW_ROWS).max(1);
        let rows = ledger.trail_rows(start, usize::try_from(end - start).unwrap_or(usize::MAX))?;
        let rows = rows.into_iter().rev().filter(|(number, _)| *number < end);
        let rows = rows.filter_map(|(_, bytes)| Some((hash_row(&bytes), read_row(&bytes).ok()?)));
        let wanted = rows.filter(|(_, row)| filter.fits(row));
        let left = count - found.len();
        found.extend(wanted.take(left));
        end = start;
    }
    Ok(found)
}

impl PagedList for RowFilter {
    fn column_names(&self) -> &'static [&'static str] {
        &EXPORT_COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let from = part.cursor.map(str::parse::<u64>).transpose();
        let from = from.map_err(|error| Problem::internal(&error))?.unwrap_or(1);
        let rows = service.context.ledger.trail_rows(from, part.limit)?;
        let next = rows.last().filter(|_| rows.len() >= part.limit);
        let next = next.map(|(number, _)| number.saturating_add(1).to_string());

        // A row that cannot be read is shown where nothing is filtered.
        let is_whole = self.who.is_none() && self.what.is_none();
        let fits = |bytes: &[u8]| read_row(bytes).map_or(is_whole, |row| self.fits(&row));
        let rows = rows.iter().filter(|(_, bytes)| fits(bytes));
        Ok((rows.map(|(_, bytes)| audit_export::export_row(bytes)).collect(), next))
    }
}

/// The trail as it is now, as a signed checkpoint.
pub(crate) async fn show_checkpoint(
    State(service): State<Arc<Service>>,
) -> Result<Response, Problem> {
    let made = service.run_blocking(|service| {
        let credentials = service.credentials.load();
        let signer = credentials.audit_key.as_ref().ok_or_else(|| {
            let detail =
                "this server has no key for checkpoints; make one with `accredit audit key`";
            Problem::conflict("no_audit_key", detail)
        })?;
        let made = checkpoints::current_checkpoint(service, signer);
        let made = made.map_err(|error| Problem::internal(&error))?;
        made.map(|(_, _, text)| text).ok_or_else(|| Problem::not_found("row of the audit trail"))
    });
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], made.await?).into_response())
}

/// A hash of a row that was kept elsewhere.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditVerifyParams {
    /// A hash of a row that was kept elsewhere: it must be in the trail.
    head: Option<String>,
}

/// Whether the trail is whole and the one of the server's checkpoints, and its head.
pub(crate) async fn verify_audit(
    State(service): State<Arc<Service>>,
    kept: Result<Query<AuditVerifyParams>, QueryRejection>,
) -> ViewResult<TrailReport> {
    let Query(kept) = kept.map_err(|_| Problem::bad_request("expected `head`"))?;
    let checked = service.run_blocking(move |service| {
        let marks = checkpoints::folder_marks(service);
        let marks = marks.map_err(|error| Problem::internal(&error))?;
        let checked = service.context.ledger.check_trail(kept.head.as_deref(), &marks);
        checked.map_err(|error| Problem::internal(&error))
    });
    checked.await.map(ViewJson)
}
