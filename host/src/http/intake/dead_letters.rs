//! Dead letters: authentic but unreadable deliveries, and their retry.

use std::sync::Arc;

use accredit_ledger::inbox::DeadLetter;
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// The query of the list: `limit` and `cursor`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeadLetterListParams {
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A dead letter.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeadLetterView {
    /// Its place in the inbox.
    sequence: u64,
    /// Name of the source.
    source: String,
    /// The sender's id of the delivery.
    delivery: String,
    /// The instant at which it arrived.
    #[schema(format = DateTime)]
    received: String,
    /// Why it cannot be read.
    reason: String,
}

impl DeadLetterView {
    fn new(letter: DeadLetter) -> DeadLetterView {
        DeadLetterView {
            sequence: letter.sequence,
            source: letter.source,
            delivery: letter.delivery,
            received: format_rfc3339(letter.received_ms),
            reason: letter.reason,
        }
    }
}

/// A page of dead letters, oldest first; a cursor is the place in the inbox of the last one before.
pub(crate) async fn list_dead_letters(
    State(service): State<Arc<Service>>,
    params: Result<Query<DeadLetterListParams>, QueryRejection>,
) -> ViewResult<ListView<DeadLetterView>> {
    let Query(params) = params.map_err(|_| Problem::bad_request("expected `limit` or `cursor`"))?;
    let limit = credits::page_limit(params.limit)?;
    let after = params.cursor.as_deref().map(str::parse::<u64>).transpose();
    let after =
        after.map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))?;

    let page = service.run_blocking(move |service| {
        let found =
            service.context.ledger.dead_letters(after.unwrap_or(0), limit.saturating_add(1));
        let mut found = found?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| more).map(|row| row.sequence.to_string());
        let data = found.into_iter().map(DeadLetterView::new).collect();
        Ok(ListView { data, next_cursor })
    });
    page.await.map(ViewJson)
}

/// The answer to a dead letter that is processed again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RedrivenLetterAnswer {
    /// Its place in the inbox.
    sequence: u64,
}

/// Puts one back into the inbox.
pub(crate) async fn redrive_dead_letter(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(sequence): Path<String>,
) -> Result<Response, Problem> {
    let sequence: u64 = sequence.parse().map_err(|_| Problem::not_found("dead letter"))?;
    let redriven = service.run_blocking(move |service| {
        let redriven = service.context.ledger.redrive_dead_letter(sequence)?;
        if redriven {
            service.note_act(&caller, "dead_letter_redriven", json!({ "sequence": sequence }))?;
        }
        Ok(redriven)
    });
    if !redriven.await? {
        return Err(Problem::not_found("dead letter"));
    }
    service.orders.wake();
    Ok((StatusCode::ACCEPTED, ViewJson(RedrivenLetterAnswer { sequence })).into_response())
}

/// The query of [`redrive_all`]: the dead letters of one source, or of all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedriveParams {
    /// Only dead letters of this source.
    source: Option<String>,
}

/// The answer to dead letters that are processed again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RedrivenLettersAnswer {
    /// How many they are.
    redriven: u64,
}

/// Puts all of them back into the inbox, such as after an intake policy was mended.
pub(crate) async fn redrive_all(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    params: Result<Query<RedriveParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(|_| Problem::bad_request("expected `source`"))?;
    let redriven = service.run_blocking(move |service| {
        let source = params.source.as_deref();
        let redriven = service.context.ledger.redrive_dead_letters(source)?;
        let detail = json!({ "source": source, "redriven": redriven });
        service.note_act(&caller, "dead_letters_redriven", detail)?;
        Ok(redriven)
    });
    let redriven = redriven.await?;
    service.orders.wake();
    Ok((StatusCode::ACCEPTED, ViewJson(RedrivenLettersAnswer { redriven })).into_response())
}
