//! Fetches: events that wait for what their CRM has of their deal; and another try at once.

use std::sync::Arc;

use accredit_ledger::fetches::{FetchKey, PendingFetch};
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
use crate::server::backlog::{self, RetryOrder};
use crate::server::clock::format_rfc3339;
use crate::server::state::Service;

/// The query of the list: `source`, `limit` and `cursor`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchListParams {
    /// Only fetches of this source.
    source: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An event that waits for its deal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FetchView {
    /// Its id: the place of its delivery in the inbox, a point, and its place in the delivery.
    id: String,
    /// Name of the source.
    source: String,
    /// The sender's id of the delivery.
    delivery: String,
    /// The instant at which the event arrived; null if its delivery is gone.
    #[schema(format = DateTime)]
    received: Option<String>,
    /// How often it was tried.
    attempts: u32,
    /// The instant from which on it is tried next.
    #[schema(format = DateTime)]
    next: String,
    /// Why the last try gave nothing; null before the first one.
    last_error: Option<String>,
}

impl FetchView {
    fn new(fetch: PendingFetch, received_ms: Option<i64>) -> FetchView {
        FetchView {
            id: format!("{}.{}", fetch.sequence, fetch.part),
            source: fetch.source,
            delivery: fetch.delivery,
            received: received_ms.map(format_rfc3339),
            attempts: fetch.attempts,
            next: format_rfc3339(fetch.next_ms),
            last_error: fetch.last_error,
        }
    }
}

/// The key that the id of a fetch is of.
fn parse_id(id: &str) -> Option<FetchKey> {
    let (sequence, part) = id.split_once('.')?;
    Some(FetchKey { sequence: sequence.parse().ok()?, part: part.parse().ok()? })
}

/// A page of fetches, oldest first; a cursor is the id of the last one before.
pub(crate) async fn list_fetches(
    State(service): State<Arc<Service>>,
    params: Result<Query<FetchListParams>, QueryRejection>,
) -> ViewResult<ListView<FetchView>> {
    let expected = "expected `source`, `limit` or `cursor`";
    let Query(params) = params.map_err(|_| Problem::bad_request(expected))?;
    let limit = credits::page_limit(params.limit)?;
    let wrong = || Problem::bad_request("`cursor` is not a cursor from an earlier page");
    let after = params.cursor.as_deref().map(|cursor| parse_id(cursor).ok_or_else(wrong));
    let after = after.transpose()?;

    let page = service.run_blocking(move |service| {
        let ledger = &service.context.ledger;
        let (mut found, mut after) = (Vec::new(), after);
        while found.len() <= limit {
            let page = ledger.pending_fetches(after, limit)?;
            let Some(last) = page.last() else { break };
            after = Some(last.key());
            let wanted = |fetch: &PendingFetch| {
                params.source.as_ref().is_none_or(|source| *source == fetch.source)
            };
            found.extend(page.into_iter().filter(wanted));
        }

        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next_cursor = last.map(|fetch| format!("{}.{}", fetch.sequence, fetch.part));
        let mut data = Vec::with_capacity(found.len());
        for fetch in found {
            let received_ms = ledger.find_delivery(fetch.sequence)?.map(|one| one.received_ms);
            data.push(FetchView::new(fetch, received_ms));
        }
        Ok(ListView { data, next_cursor })
    });
    page.await.map(ViewJson)
}

/// The answer to a fetch that is tried at once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetriedFetchAnswer {
    /// Its id.
    id: String,
}

/// Tries one at once.
pub(crate) async fn retry_fetch(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let key = parse_id(&id).ok_or_else(|| Problem::not_found("fetch"))?;
    let id = format!("{}.{}", key.sequence, key.part);
    let named = id.clone();
    let found = service.run_blocking(move |service| {
        let found = service.context.ledger.find_fetch(key)?;
        if let Some(fetch) = &found {
            let detail = json!({ "fetch": named, "source": fetch.source });
            service.note_act(&caller, "fetch_retried", detail)?;
        }
        Ok(found.is_some())
    });
    if !found.await? {
        return Err(Problem::not_found("fetch"));
    }
    service.fetch_retries.ask(RetryOrder::One(key));
    Ok((StatusCode::ACCEPTED, ViewJson(RetriedFetchAnswer { id })).into_response())
}

/// The query of [`retry_fetches`]: the fetches of one source, or of all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FetchRetryParams {
    /// Only fetches of this source.
    source: Option<String>,
}

/// The answer to fetches that are tried at once.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetriedFetchesAnswer {
    /// How many wait, those that are tried at this moment among them.
    waiting: u64,
}

/// Tries all of them at once, such as after a token was mended.
pub(crate) async fn retry_fetches(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    params: Result<Query<FetchRetryParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(|_| Problem::bad_request("expected `source`"))?;
    let source = params.source.clone();
    let counted = service.run_blocking(move |service| {
        let found = backlog::read_backlog(&service.context.ledger, |_| ())?;
        let wanted = found
            .iter()
            .filter(|(name, _)| source.as_ref().is_none_or(|source| source == *name))
            .map(|(_, of_source)| of_source.waiting);
        let waiting: u64 = wanted.sum();
        let detail = json!({ "source": source, "waiting": waiting });
        service.note_act(&caller, "fetches_retried", detail)?;
        Ok(waiting)
    });
    let waiting = counted.await?;
    service.fetch_retries.ask(RetryOrder::Of(params.source));
    Ok((StatusCode::ACCEPTED, ViewJson(RetriedFetchesAnswer { waiting })).into_response())
}
