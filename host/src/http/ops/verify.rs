//! Recorded decisions made again from their pins.

use std::sync::Arc;

use accredit_operations::principal::Principal;
use accredit_operations::verify::{VerifyParams, verify_decisions};
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::http::problem::Problem;
use crate::http::views;
use crate::server::state::Service;
use crate::server::tasks::{self, FinalAnswer, TaskRequest};

/// Makes decisions again and says which do not come out alike.
pub(crate) async fn run_verification(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    wanted: Result<Query<VerifyParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `plan` or `period`"))?;
    let body = views::view_json(&[&wanted.plan, &wanted.period])?.to_string();
    let (who, wait) = (caller.name, tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "verify", who, body: body.as_bytes(), wait };

    let verified = service.answer_as_task(asked, move |service| {
        let verified = verify_decisions(&service.context.ledger, &wanted)?;
        FinalAnswer::ok_view(&verified)
    });

    verified.await
}
