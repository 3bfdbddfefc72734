//! `POST /v1/reconciliation`: a list of closed deals compared with the deals that are recorded.
//!
//! Not taking what is missing (`imports`): nothing is stored. The body has the formats of an import.

use std::sync::Arc;

use accredit_operations::reconcile::ListComparison;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use utoipa::ToSchema;

use super::imports::{self, BodyForm};
use crate::directory::formats::Body;
use crate::http::body;
use crate::http::problem::Problem;
use crate::http::views::ViewJson;
use crate::server::state::Service;

/// The query: whether recorded deals are named that the list does not have.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReconciliationParams {
    /// Whether recorded deals are named that the list does not have.
    #[serde(default)]
    unlisted: bool,
}

/// Compares a list.
pub(crate) async fn compare_list(
    State(service): State<Arc<Service>>,
    params: Result<Query<ReconciliationParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(|_| Problem::bad_request("expected `unlisted=true`"))?;
    let (head, body) = request.into_parts();
    let form = match BodyForm::of(&head.headers) {
        Ok(form) => form,
        Err(problem) => return Err(body::refused(body, problem).await),
    };
    let place = imports::enter_room(&service, form, &head.headers).await;
    let Some(place) = place else {
        body::discard(body, imports::BODY_BYTES_MAX).await;
        return Err(Problem::unavailable("imports are running; nothing was compared"));
    };
    let body = body::read_limited(body, form.bytes_max()).await?;

    let compared = service.run_blocking(move |service| {
        let _place = place;
        let ruleset = service.context.ruleset.load_full();
        let body = form.unpack(body.into())?;
        let opened = form.open(&body, &ruleset.settings.layout);
        compare_rows(service, &mut opened?, params.unlisted)
    });
    Ok(ViewJson(compared.await?).into_response())
}

fn compare_rows(
    service: &Service,
    body: &mut Body<'_>,
    with_unlisted: bool,
) -> Result<accredit_operations::reconcile::Reconciliation, Problem> {
    let ruleset = service.context.ruleset.load_full();
    let mut comparison = ListComparison::new(&service.context.ledger, &ruleset.settings.fields)?;
    for row in body.rows().map_err(imports::malformed_problem)?.1 {
        let row = row.map_err(imports::malformed_problem)?;
        comparison.add_record(&row.record)?;
        imports::check_stopping(service)?;
    }
    let compared = comparison.end(with_unlisted)?;
    if compared.listed == 0 {
        // An empty list, or one with other columns, must not look like a list without differences.
        let key = ruleset.settings.fields.id.join("`, `");
        let detail = format!("the list has no row with the natural key `{key}`");
        return Err(Problem::unprocessable("no_natural_key", detail));
    }
    Ok(compared)
}
