//! Holds released many at a time.
//!
//! Not one release (`credits`) and not which holds (`operations::holds`). Source: DOMAIN 2.10.

use std::sync::Arc;

use accredit_domain::credit::CreditId;
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::holds::HoldFilter;
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::approvals;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// The holds that one request released.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReleasedHoldsView {
    /// How many.
    released: usize,
    /// Their credits.
    credits: Vec<CreditId>,
}

impl ReleasedHoldsView {
    /// The view of credits whose holds were released.
    pub(crate) fn new(credits: Vec<CreditId>) -> ReleasedHoldsView {
        ReleasedHoldsView { released: credits.len(), credits }
    }
}

/// Releases every held credit that fits, and says which.
pub(crate) async fn release_holds(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    key: SentKey,
    body: Bytes,
) -> Result<Response, Problem> {
    let filter: HoldFilter = serde_json::from_slice(&body).map_err(|_| {
        let detail = "expected a JSON object with some of `plan`, `period`, `position`, `payee`, \
                      `transaction`, `credit_type` and `reason_code`, and optionally a `comment`";
        Problem::bad_request(detail)
    })?;

    filter.check()?;
    let (who, wait) = (caller.name.clone(), tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "release of holds", who, body: &body, wait };
    let act = ApprovalAct::ReleaseHolds { filter };
    approvals::decide_patiently(&service, asked, act, (caller, key)).await
}
