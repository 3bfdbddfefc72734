//! Rewards of every calculation, in pages and as exports.
//!
//! Not working them out (`operations::rewards`). Source: FORMAT section 6.

use std::sync::Arc;

use accredit_domain::decision::{EarnedReward, REWARD_COLUMNS};
use accredit_domain::keys::PeriodKey;
use accredit_operations::rewards::{self, RewardPlace};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::server::state::Service;

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RewardListParams {
    pub(super) plan: Option<String>,
    pub(super) period: Option<String>,
    pub(super) payee: Option<String>,
    pub(super) limit: Option<usize>,
    pub(super) cursor: Option<String>,
}

/// The query of the list of rewards.
struct RewardQuery {
    plan: Option<String>,
    /// Ids of leaf periods: calculations that lie within them.
    leaves: Option<Vec<PeriodKey>>,
    payee: Option<String>,
}

/// A page of rewards, by plan, period and then as a calculation has them.
///
/// As CSV or NDJSON if `Accept` requests it: every reward that fits.
pub(crate) async fn list_rewards(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    wanted: Result<Query<RewardListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        Problem::bad_request("expected `plan`, `period`, `payee`, `limit` or `cursor`")
    })?;

    let leaves = credits::leaf_periods(&service, wanted.period.as_deref())?;
    let query = RewardQuery { plan: wanted.plan, leaves, payee: wanted.payee };
    exports::answer_list(service, &headers, (wanted.limit, wanted.cursor), query).await
}

impl PagedList for RewardQuery {
    fn column_names(&self) -> &'static [&'static str] {
        &REWARD_COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let start = part.cursor.map(read_cursor).transpose()?.unwrap_or_default();
        let fits = |row: &EarnedReward| self.payee.as_ref().is_none_or(|payee| *payee == row.payee);
        let found = rewards::rewards_from(
            &service.context,
            (self.plan.as_deref(), self.leaves.as_deref()),
            &start,
            part.limit,
            fits,
        );
        let (rows, next) = found?;

        let rows = rows.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        let next = next.as_ref().map(write_cursor).transpose();
        let failed = |error| Problem::internal(&error);
        Ok((rows.map_err(failed)?, next.map_err(failed)?))
    }
}

pub(super) fn write_cursor(place: &RewardPlace) -> serde_json::Result<String> {
    Ok(URL_SAFE_NO_PAD.encode(serde_json::to_vec(place)?))
}

pub(super) fn read_cursor(cursor: &str) -> Result<RewardPlace, Problem> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = text.and_then(|text| serde_json::from_slice(&text).ok());
    place.ok_or_else(|| Problem::bad_request("`cursor` is not a cursor from an earlier page"))
}
