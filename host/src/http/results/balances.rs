//! What payees owe at the end of each period, in pages and as exports.
//!
//! Not computing it (`crediting::reward`). Source: REWARDS section 6.

use std::sync::Arc;

use accredit_domain::decision::{BALANCE_COLUMNS, PayeeBalance};
use accredit_domain::keys::PeriodKey;
use accredit_operations::rewards::balances_from;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::http::results::rewards::{RewardListParams, read_cursor, write_cursor};
use crate::server::state::Service;

/// The query of the list of balances.
struct BalanceQuery {
    plan: Option<String>,
    /// Ids of leaf periods: calculations that lie within them.
    leaves: Option<Vec<PeriodKey>>,
    payee: Option<String>,
}

/// A page of balances, by plan and period: opening, change and balance, in the payee's currency.
///
/// As CSV or NDJSON if `Accept` requests it: every balance that fits.
pub(crate) async fn list_balances(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    wanted: Result<Query<RewardListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        Problem::bad_request("expected `plan`, `period`, `payee`, `limit` or `cursor`")
    })?;

    let leaves = credits::leaf_periods(&service, wanted.period.as_deref())?;
    let query = BalanceQuery { plan: wanted.plan, leaves, payee: wanted.payee };
    exports::answer_list(service, &headers, (wanted.limit, wanted.cursor), query).await
}

impl PagedList for BalanceQuery {
    fn column_names(&self) -> &'static [&'static str] {
        &BALANCE_COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let start = part.cursor.map(read_cursor).transpose()?.unwrap_or_default();
        let scope = (self.plan.as_deref(), self.leaves.as_deref());
        let fits = |row: &PayeeBalance| self.payee.as_ref().is_none_or(|payee| *payee == row.payee);
        let (rows, next) = balances_from(&service.context, scope, &start, part.limit, fits)?;

        let rows = rows.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        let next = next.as_ref().map(write_cursor).transpose();
        let failed = |error| Problem::internal(&error);
        Ok((rows.map_err(failed)?, next.map_err(failed)?))
    }
}
