//! `POST /v1/reconciliation`: a list of closed deals compared with the deals that are recorded.
//!
//! Not taking what is missing (`imports`): nothing is stored. The body has the formats of an import, or the
//! list is asked of the CRM's API.

use std::sync::Arc;

use accredit_operations::reconcile::ListComparison;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use super::imports::{self, BodyForm};
use crate::directory::formats::Body;
use crate::http::body;
use crate::http::problem::Problem;
use crate::http::views::ViewJson;
use crate::server::closed_deals::visit_closed_deals;
use crate::server::state::Service;

/// The query: whether recorded deals are named that the list does not have.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReconciliationParams {
    /// Whether recorded deals are named that the list does not have.
    #[serde(default)]
    unlisted: bool,
    /// The source whose CRM is asked for the list, in place of a body.
    source: Option<String>,
    /// The first day of the deals that it lists.
    #[schema(value_type = Option<String>, format = Date)]
    from: Option<Date>,
    /// The last day.
    #[schema(value_type = Option<String>, format = Date)]
    to: Option<Date>,
}

/// Bytes that a list from an API counts as while it is read: a page and its rows.
const PAGE_BYTES: usize = 8 << 20;

/// Compares a list.
pub(crate) async fn compare_list(
    State(service): State<Arc<Service>>,
    params: Result<Query<ReconciliationParams>, QueryRejection>,
    request: Request,
) -> Result<Response, Problem> {
    let expected = "expected `unlisted=true`; `source`, `from` and `to` where there is no body";
    let Query(params) = params.map_err(|_| Problem::bad_request(expected))?;
    match (params.source, params.from, params.to) {
        (None, None, None) => (),
        (Some(source), Some(from), Some(to)) => {
            return compare_source(service, source, (from, to), params.unlisted).await;
        }
        _ => return Err(Problem::bad_request(expected)),
    }
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

/// Compares the list of a CRM.
async fn compare_source(
    service: Arc<Service>,
    source: String,
    days: (Date, Date),
    with_unlisted: bool,
) -> Result<Response, Problem> {
    let place = imports::wait_for_room(&service, PAGE_BYTES).await;
    let place = place.ok_or_else(|| Problem::unavailable("imports are running"))?;
    let compared = service.run_blocking(move |service| {
        let _place = place;
        let ruleset = service.context.ruleset.load_full();
        let known = ruleset.settings.sources.get(&source);
        let prefix = known.and_then(|source| source.key_prefix.as_deref());
        // A longer prefix of another source may begin as this one's.
        let others = ruleset.settings.sources.iter().filter(|(name, _)| **name != source);
        let others = others.filter_map(|(_, other)| other.key_prefix.clone());
        let own = prefix.unwrap_or_default();
        let other_prefixes = others.filter(|other| !own.starts_with(other.as_str())).collect();
        let comparison = ListComparison::new(&service.context.ledger, &ruleset.settings.fields)?;
        let mut comparison = comparison.of_source(days, prefix, other_prefixes);

        visit_closed_deals(service, &ruleset, (&source, days), &mut |row| {
            comparison.add_record(row)?;
            imports::check_stopping(service)
        })?;
        Ok(comparison.end(with_unlisted)?)
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
