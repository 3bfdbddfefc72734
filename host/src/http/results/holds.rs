//! Holds released many at a time.
//!
//! Not one release (`credits`). Source: DOMAIN 2.10.

use std::sync::Arc;

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::Actor;
use accredit_domain::keys::PeriodKey;
use accredit_ledger::query::CreditQuery;
use accredit_operations::calculations::leaf_ids;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::http::problem::Problem;
use crate::http::results::approvals::{self, ApprovalAct};
use crate::server::channels::WorkerTurn;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// Held credits read at a time.
const PAGE: usize = 1000;

/// Which held credits; every part that is given must fit.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldFilter {
    plan: Option<String>,
    period: Option<String>,
    position: Option<String>,
    payee: Option<String>,
    transaction: Option<String>,
    credit_type: Option<String>,
    reason_code: Option<String>,
    comment: Option<String>,
}

impl HoldFilter {
    fn is_empty(&self) -> bool {
        let parts = [&self.plan, &self.period, &self.position, &self.payee, &self.transaction];
        let more = [&self.credit_type, &self.reason_code];
        parts.into_iter().chain(more).all(Option::is_none)
    }
}

/// The holds that one request released.
#[derive(Debug, Serialize)]
pub(crate) struct ReleasedHoldsView {
    /// How many.
    released: usize,
    /// Their credits.
    credits: Vec<CreditId>,
}

/// Releases every held credit that fits, and says which.
pub(crate) async fn release_holds(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let filter: HoldFilter = serde_json::from_slice(&body).map_err(|_| {
        let detail = "expected a JSON object with some of `plan`, `period`, `position`, `payee`, \
                      `transaction`, `credit_type` and `reason_code`, and optionally a `comment`";
        Problem::bad_request(detail)
    })?;

    if filter.is_empty() {
        let detail = "give at least one filter; releasing every hold at once is not allowed";
        return Err(Problem::unprocessable("filter_needed", detail));
    }

    let (who, wait) = (caller.name.clone(), tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "release of holds", who, body: &body, wait };
    approvals::decide_patiently(&service, asked, ApprovalAct::ReleaseHolds { filter }, caller).await
}

/// Releases every held credit that the filter selects.
pub(crate) fn perform_release(
    turn: &mut dyn WorkerTurn,
    filter: HoldFilter,
    by: &Actor,
) -> Result<ReleasedHoldsView, Problem> {
    let HoldFilter {
        plan,
        period,
        position,
        payee,
        transaction,
        credit_type,
        reason_code,
        comment,
    } = filter;

    let ruleset = turn.context().ruleset.load_full();
    let periods = period.as_deref().map(|id| {
        let found = ruleset.settings.calendar.find(id);
        let found = found.ok_or_else(|| Problem::not_found("period"))?;
        Ok::<_, Problem>(leaf_ids(&ruleset, &found).into_iter().map(PeriodKey::from).collect())
    });

    let query = CreditQuery {
        payee,
        position,
        periods: periods.transpose()?,
        status: Some(CreditStatus::Held),
        transaction,
        plan,
        limit: PAGE,
        ..CreditQuery::default()
    };

    let fits = |row: &PostedCredit| {
        let same = |wanted: &Option<String>, found: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
        };
        same(&credit_type, Some(&row.credit_type)) && same(&reason_code, row.reason_code.as_deref())
    };

    let by = (by.who.as_str(), comment.as_deref(), by.approved.as_ref());
    let credits = jobs::release_all(turn, &query, &fits, by)?;
    Ok(ReleasedHoldsView { released: credits.len(), credits })
}
