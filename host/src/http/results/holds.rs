//! Holds released many at a time.
//!
//! Not one release (`credits`). Source: DOMAIN 2.10.

use std::sync::Arc;

use accredit_ledger::query::CreditQuery;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use crate::http::problem::Problem;
use crate::operations::calculations::leaves;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, Asked};

/// Held credits read at a time.
const PAGE: usize = 1000;

/// Which held credits; every part that is given must fit.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Filter {
    plan: Option<String>,
    period: Option<String>,
    position: Option<String>,
    payee: Option<String>,
    transaction: Option<String>,
    credit_type: Option<String>,
    reason_code: Option<String>,
    comment: Option<String>,
}

/// Releases every held credit that fits, and says which.
pub(crate) async fn release(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let filter: Filter = serde_json::from_slice(&body).map_err(|_| {
        let detail = "expected a JSON object with some of `plan`, `period`, `position`, `payee`, \
                      `transaction`, `credit_type` and `reason_code`, and maybe a `comment`";
        Problem::bad_request(detail)
    })?;
    let Filter { plan, period, position, payee, transaction, credit_type, reason_code, comment } =
        filter;
    let parts = [&plan, &period, &position, &payee, &transaction, &credit_type, &reason_code];
    if parts.into_iter().all(Option::is_none) {
        let detail = "say which holds end: every hold at once is hardly meant";
        return Err(Problem::unprocessable("filter_needed", detail));
    }
    let (who, wait) = (caller.name.clone(), tasks::wait(&headers));
    let asked = Asked { what: "release of holds", who, body: &body, wait };
    let released = service.answered_by_worker(asked, move |worker| {
        let ruleset = worker.service().ruleset.load_full();
        let periods = period.as_deref().map(|id| {
            let found = ruleset.settings.calendar.find(id);
            let found = found.ok_or_else(|| Problem::not_found("period"))?;
            Ok(leaves(&ruleset, &found).into_iter().collect())
        });
        let query = CreditQuery {
            payee,
            position,
            periods: periods.transpose()?,
            status: Some("held".to_owned()),
            transaction,
            plan,
            limit: PAGE,
            ..CreditQuery::default()
        };
        let by = (caller.name.as_str(), comment.as_deref());
        let ids = worker.release_all(
            &query,
            &|row| {
                let fits = |wanted: &Option<String>, found: Option<&str>| {
                    wanted.as_deref().is_none_or(|wanted| found == Some(wanted))
                };
                fits(&credit_type, Some(&row.credit_type))
                    && fits(&reason_code, row.reason_code.as_deref())
            },
            by,
        )?;
        Ok(json!({ "released": ids.len(), "credits": ids }))
    });
    released.await
}
