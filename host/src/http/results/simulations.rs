//! Simulations: the projected results of a period.
//!
//! Not the simulating (the engine) and not its deals (`operations::simulation`). Nothing is stored.
//! Source: DOMAIN 2.15.

use std::sync::Arc;

use accredit_operations::calculations;
use accredit_operations::principal::Principal;
use accredit_operations::simulation;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::civil::Date;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::server::state::Service;
use crate::server::tasks::{self, FinalAnswer, TaskRequest};

/// The body of the request: plan, period and the last day with real deals.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SimulationRequest {
    /// Id of a plan.
    plan: String,
    /// Id of the period.
    period: String,
    /// The last day whose deals are real; the business date, or the period's last day if that is
    /// earlier, by default.
    as_of: Option<Date>,
}

/// Repeats the deals of a period until its end and returns the projected results.
pub(crate) async fn simulate_period(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let request: SimulationRequest = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!(
            "expected a JSON object with `plan`, `period` and optionally `as_of`: {error}"
        ))
    })?;

    let wait = tasks::requested_wait(&headers);
    let asked = TaskRequest { what: "simulation", who: caller.name, body: &body, wait };
    let simulated = service.answer_as_task(asked, move |service| {
        let wanted =
            calculations::calculation_scope(&service.context, &request.plan, &request.period)?;
        let simulated = simulation::simulate_calculation(&service.context, &wanted, request.as_of)?;
        FinalAnswer::ok_view(&simulated)
    });

    simulated.await
}
