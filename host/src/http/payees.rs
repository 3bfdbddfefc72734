//! Payees: what came of a deal for one person.
//!
//! Not their enquiries (`enquiries`).

use std::sync::Arc;

use accredit_engine::ledger::query::CreditQuery;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::json;

use super::Answer;
use crate::error::Problem;
use crate::service::Service;

/// Which deal, and in which plan.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    transaction: String,
    plan: Option<String>,
}

/// The credits of a person out of a deal, or where the person was dropped, plan by plan.
pub(crate) async fn why_not(
    State(service): State<Arc<Service>>,
    Path(payee): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `transaction`, and perhaps `plan`"))?;
    let answer = service.blocking(move |service| {
        known(service, &payee)?;
        let stored = service.ledger.transaction(&wanted.transaction);
        let stored = stored.map_err(|error| Problem::internal(&error))?;
        let stored = stored.ok_or_else(|| Problem::not_found("transaction"))?;
        let plan = wanted.plan.as_deref();
        let decisions = stored.decisions.iter();
        let decisions = decisions.filter(|it| plan.is_none_or(|plan| it.plan == plan));
        let plans = decisions.map(|decision| service.why_not(&stored, decision, &payee));
        let plans = plans.collect::<Result<Vec<_>, Problem>>()?;
        if plan.is_some() && plans.is_empty() {
            return Err(Problem::not_found("plan"));
        }
        Ok(json!({ "transaction": stored.id, "payee": payee, "plans": plans }))
    });
    answer.await.map(Json)
}

/// That there is such a payee: in the organisation, or with credits of earlier.
///
/// # Errors
/// When there is none.
pub(crate) fn known(service: &Service, payee: &str) -> Result<(), Problem> {
    if service.ruleset.load().organization.find_participant(payee).is_some() {
        return Ok(());
    }
    let query = CreditQuery { payee: Some(payee.to_owned()), limit: 1, ..CreditQuery::default() };
    let page = service.ledger.credits(&query).map_err(|error| Problem::internal(&error))?;
    if page.rows.is_empty() {
        return Err(Problem::not_found("payee"));
    }
    Ok(())
}
