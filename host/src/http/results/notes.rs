//! Notes of recorded decisions in pages: the log, and the alerts of decisions (`alerts` adds others).
//!
//! Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_ledger::notes::{NotePage, NoteQuery, NoteRow};
use accredit_operations::rewards;
use accredit_seams::store::StoreError;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::Deserialize;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// What a list can be narrowed by.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteListParams {
    pub(crate) plan: Option<String>,
    pub(crate) period: Option<String>,
    pub(crate) code: Option<String>,
    pub(crate) transaction: Option<String>,
    pub(crate) limit: Option<usize>,
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
            page.rows.extend(reward_notes(service, &wanted)?);
        }
        Ok(page)
    });

    let page = page.await?;
    Ok(ViewJson(ListView { data: page.rows, next_cursor: page.next }))
}

/// The warnings of rewards that cannot be computed: they are of no transaction, and follow the
/// last page.
fn reward_notes(service: &Service, wanted: &NoteListParams) -> Result<Vec<NoteRow>, Problem> {
    let calendar = service.context.ruleset.load().settings.calendar.clone();
    let leaves = wanted.period.as_deref().map(|id| credits::leaf_ids(&calendar, id)).transpose()?;
    let leaves = leaves.map(|leaves| leaves.into_iter().map(String::from).collect());
    let found = rewards::reward_alerts(&service.context, wanted.plan.as_deref(), leaves.as_ref());
    let mut found = found?;
    found.retain(|row| {
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        fits(&wanted.code, row.note.code.as_str())
            && fits(&wanted.transaction, &row.note.transaction)
    });
    Ok(found)
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

    let ruleset = service.context.ruleset.load();
    let calendar = &ruleset.settings.calendar;
    let periods = wanted.period.as_deref().map(|id| credits::leaf_ids(calendar, id));

    let query = NoteQuery {
        alerts,
        plan: wanted.plan.clone(),
        periods: periods.transpose()?,
        code: wanted.code.clone(),
        transaction: wanted.transaction.clone(),
        limit,
        cursor: wanted.cursor.clone(),
    };

    service.context.ledger.note_page(&query).map_err(|error| match error {
        StoreError::Cursor(_) => {
            Problem::bad_request("`cursor` is not a cursor from an earlier page")
        }
        error => Problem::internal(&error),
    })
}
