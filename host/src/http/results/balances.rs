//! What payees owe at the end of each period, in pages and as exports.
//!
//! Not computing it (`crediting::reward`). Source: REWARDS section 6.

use std::sync::Arc;

use accredit_domain::decision::{BALANCE_COLUMNS, PayeeBalance};
use accredit_operations::principal::Principal;
use accredit_operations::rewards::balances_from;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;

use crate::http::problem::Problem;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::http::results::rewards::{PayQuery, RewardListParams, page_start, row_page};
use crate::server::state::Service;

/// The list of balances.
struct BalancePages(PayQuery);

/// A page of balances, by plan and period: opening, change and balance, in the payee's currency.
///
/// As a file if `Accept` requests it: every balance that fits.
pub(crate) async fn list_balances(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    wanted: Result<Query<RewardListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let (query, page) = PayQuery::from_params(&service, &caller, wanted)?;
    exports::answer_list(service, &headers, page, BalancePages(query)).await
}

impl PagedList for BalancePages {
    fn column_names(&self) -> &'static [&'static str] {
        &BALANCE_COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let BalancePages(query) = self;
        let fits = |row: &PayeeBalance| query.selects(&row.payee);
        let start = page_start(part)?;
        let (scope, within) = (query.read_scope(), query.plan_and_leaves());
        row_page(balances_from(&service.context, scope, within, (&start, part.limit), fits)?)
    }
}
