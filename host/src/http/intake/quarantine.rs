//! Requests whose signature did not match: listed, and verified again after a secret was mended.

use std::sync::Arc;

use accredit_ledger::quarantine::QuarantinedRequest;
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::quarantine;
use crate::server::state::Service;

/// The query of the list: `limit` and `cursor`.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuarantineListParams {
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A request in quarantine. Its body may not be authentic, so it is not shown.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedRequestView {
    /// Its number.
    number: u64,
    /// Name of the source.
    source: String,
    /// The instant at which it arrived.
    #[schema(format = DateTime)]
    received: String,
    /// Why it was refused.
    reason: String,
    /// Bytes of its body.
    bytes: usize,
}

impl QuarantinedRequestView {
    fn new((number, request): (u64, QuarantinedRequest)) -> QuarantinedRequestView {
        QuarantinedRequestView {
            number,
            source: request.source,
            received: format_rfc3339(request.received_ms),
            reason: request.reason,
            bytes: request.body.len(),
        }
    }
}

/// A page of requests in quarantine, oldest first.
pub(crate) async fn list_quarantine(
    State(service): State<Arc<Service>>,
    params: Result<Query<QuarantineListParams>, QueryRejection>,
) -> ViewResult<ListView<QuarantinedRequestView>> {
    let Query(params) = params.map_err(|_| Problem::bad_request("expected `limit` or `cursor`"))?;
    let limit = credits::page_limit(params.limit)?;
    let after = params.cursor.as_deref().map(str::parse::<u64>).transpose();
    let after =
        after.map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))?;

    let page = service.run_blocking(move |service| {
        let ledger = &service.context.ledger;
        let mut found = ledger.quarantined_requests(after.unwrap_or(0), limit.saturating_add(1))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| more).map(|(number, _)| number.to_string());
        let data = found.into_iter().map(QuarantinedRequestView::new).collect();
        Ok(ListView { data, next_cursor })
    });
    page.await.map(ViewJson)
}

/// The query of [`verify_quarantine`]: the requests of one source, or of all.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QuarantineVerifyParams {
    /// Only requests of this source.
    source: Option<String>,
}

/// Verifies requests again with the secrets of now.
pub(crate) async fn verify_quarantine(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    params: Result<Query<QuarantineVerifyParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(|_| Problem::bad_request("expected `source`"))?;
    let verified = service.run_blocking(move |service| {
        let source = params.source.as_deref();
        let outcome = quarantine::verify_again(service, source)?;
        let (accepted, left) = (outcome.accepted, outcome.left);
        let detail = json!({ "source": source, "accepted": accepted, "left": left });
        service.note_act(&caller, "quarantine_verified", detail)?;
        Ok(outcome)
    });
    Ok(ViewJson(verified.await?).into_response())
}
