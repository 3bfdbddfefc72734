//! Notes of recorded decisions in pages: the log, and the alerts of decisions (`alerts` adds others).
//!
//! Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_ledger::notes::{NotePage, NoteQuery, NoteRow};
use accredit_operations::alerts::{self, NoteFilter};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// What a list can be narrowed by.
#[derive(Debug, Default, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteListParams {
    /// Id of a plan.
    pub(crate) plan: Option<String>,
    /// Id of a period of the calendar.
    pub(crate) period: Option<String>,
    /// The code of the note, such as `unmatched`.
    pub(crate) code: Option<String>,
    /// Natural key of a transaction.
    pub(crate) transaction: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    pub(crate) limit: Option<usize>,
    /// `next_cursor` of the page before.
    pub(crate) cursor: Option<String>,
}

/// What is wanted, understood.
///
/// # Errors
/// When it is not.
pub(crate) fn parse_params(
    query: Result<Query<NoteListParams>, QueryRejection>,
) -> Result<NoteListParams, Problem> {
    let query = query.map_err(|_| {
        let detail = "expected `plan`, `period`, `code`, `transaction`, `limit` or `cursor`";
        Problem::bad_request(detail)
    })?;
    Ok(query.0)
}

/// Every warning.
pub(crate) async fn show_log(
    State(service): State<Arc<Service>>,
    query: Result<Query<NoteListParams>, QueryRejection>,
) -> ViewResult<ListView<NoteRow>> {
    let wanted = parse_params(query)?;

    let page = service.run_blocking(move |service| {
        let mut page = note_page(service, &wanted, false)?;

        // Alerts of rewards are computed, not stored, so they follow the last page.
        if page.next.is_none() {
            let filter = note_filter(service, &wanted)?;
            page.rows.extend(alerts::reward_notes(&service.context, &filter)?);
        }
        Ok(page)
    });

    let page = page.await?;
    Ok(ViewJson(ListView { data: page.rows, next_cursor: page.next }))
}

/// What alerts and warnings are narrowed to.
///
/// # Errors
/// When the calendar has no such period.
pub(crate) fn note_filter(
    service: &Service,
    wanted: &NoteListParams,
) -> Result<NoteFilter, Problem> {
    let leaves = credits::leaf_periods(service, wanted.period.as_deref())?;
    Ok(NoteFilter {
        plan: wanted.plan.clone(),
        period: wanted.period.clone().zip(leaves),
        code: wanted.code.clone(),
        transaction: wanted.transaction.clone(),
    })
}

/// A page of notes; of alerts alone, or of the log.
///
/// # Errors
/// When the period, the limit or the cursor is none.
pub(crate) fn note_page(
    service: &Service,
    wanted: &NoteListParams,
    alerts: bool,
) -> Result<NotePage, Problem> {
    let limit = credits::page_limit(wanted.limit)?;

    let query = NoteQuery {
        alerts,
        plan: wanted.plan.clone(),
        periods: credits::leaf_periods(service, wanted.period.as_deref())?,
        code: wanted.code.clone(),
        transaction: wanted.transaction.clone(),
        limit,
        cursor: wanted.cursor.clone(),
    };

    service.context.ledger.note_page(&query).map_err(|error| credits::unread_page(&error))
}
