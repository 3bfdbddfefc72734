//! Rewards of every calculation, in pages and as exports.
//!
//! Not working them out (`operations::rewards`). Source: FORMAT section 6.

use std::sync::Arc;

use accredit_domain::decision::{EarnedReward, REWARD_COLUMNS};
use accredit_domain::keys::PeriodKey;
use accredit_ledger::scope::ReadScope;
use accredit_operations::principal::Principal;
use accredit_operations::rewards::{self, RewardPlace};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::exports::{self, PageParams, PageRequest, PagedList, RowPage};
use crate::http::views::view_json;
use crate::server::state::Service;

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RewardListParams {
    /// Id of a plan.
    plan: Option<String>,
    /// Id of a period of the calendar.
    period: Option<String>,
    /// Id of a participant.
    payee: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

impl RewardListParams {
    /// Plan, period and payee as they were sent, and the page.
    pub(super) fn into_parts(self) -> (Option<String>, Option<String>, Option<String>, PageParams) {
        (self.plan, self.period, self.payee, (self.limit, self.cursor))
    }
}

/// The query of a list of what is paid or owed.
pub(super) struct PayQuery {
    /// Whose rows may be in the list at all.
    scope: ReadScope,
    plan: Option<String>,
    /// Ids of leaf periods: calculations that lie within them.
    leaves: Option<Vec<PeriodKey>>,
    payee: Option<String>,
}

impl PayQuery {
    /// The query, with the limit and the cursor of the page.
    pub(super) fn from_params(
        service: &Service,
        caller: &Principal,
        wanted: Result<Query<RewardListParams>, QueryRejection>,
    ) -> Result<(PayQuery, PageParams), Problem> {
        let Query(wanted) = wanted.map_err(|_| {
            Problem::bad_request("expected `plan`, `period`, `payee`, `limit` or `cursor`")
        })?;

        let leaves = credits::leaf_periods(service, wanted.period.as_deref())?;
        let scope = caller.read_scope(&service.context);
        let query = PayQuery { scope, plan: wanted.plan, leaves, payee: wanted.payee };
        Ok((query, (wanted.limit, wanted.cursor)))
    }

    /// Whose rows may be in the list.
    pub(super) fn read_scope(&self) -> &ReadScope {
        &self.scope
    }

    /// The plan and the leaf periods.
    pub(super) fn plan_and_leaves(&self) -> (Option<&str>, Option<&[PeriodKey]>) {
        (self.plan.as_deref(), self.leaves.as_deref())
    }

    /// Whether a row of this payee is asked for.
    pub(super) fn selects(&self, payee: &str) -> bool {
        self.payee.as_deref().is_none_or(|wanted| wanted == payee)
    }
}

/// The list of rewards.
struct RewardPages(PayQuery);

/// A page of rewards, by plan, period and then as a calculation has them.
///
/// As a file if `Accept` requests it: every reward that fits.
pub(crate) async fn list_rewards(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    wanted: Result<Query<RewardListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let (query, page) = PayQuery::from_params(&service, &caller, wanted)?;
    exports::answer_list(service, &headers, page, RewardPages(query)).await
}

impl PagedList for RewardPages {
    fn column_names(&self) -> &'static [&'static str] {
        &REWARD_COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let RewardPages(query) = self;
        let fits = |row: &EarnedReward| query.selects(&row.payee);
        let start = page_start(part)?;
        let (scope, within) = (query.read_scope(), query.plan_and_leaves());
        let page = (&start, part.limit);
        row_page(rewards::rewards_from(&service.context, scope, within, page, fits)?)
    }
}

/// The place at which a page begins.
pub(super) fn page_start(part: &PageRequest<'_>) -> Result<RewardPlace, Problem> {
    let Some(cursor) = part.cursor else { return Ok(RewardPlace::default()) };

    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = text.and_then(|text| serde_json::from_slice(&text).ok());
    place.ok_or_else(|| Problem::bad_request("`cursor` is not a cursor from an earlier page"))
}

/// Rows as they are written, and the cursor of the next page.
pub(super) fn row_page<Row: Serialize>(
    (rows, next): (Vec<Row>, Option<RewardPlace>),
) -> Result<RowPage, Problem> {
    let rows = rows.iter().map(view_json).collect::<Result<_, _>>()?;
    let next = next.map(|place| serde_json::to_vec(&place)).transpose();
    let next = next.map_err(|error| Problem::internal(&error))?;
    Ok((rows, next.map(|place| URL_SAFE_NO_PAD.encode(place))))
}
