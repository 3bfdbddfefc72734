//! Credits: listed, shown, explained, released, held.

use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_crediting::explain::Explanation;
use accredit_domain::calendar::{Calendar, PeriodKind};
use accredit_domain::credit::fields::CREDIT_COLUMNS;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::HoldAction;
use accredit_domain::keys::PeriodKey;
use accredit_ledger::query::CreditQuery;
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::explain;
use accredit_operations::principal::Principal;
use accredit_seams::store::StoreError;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, SentAct};
use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::approvals;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::http::views::{ViewJson, ViewResult};
use crate::server::state::Service;

/// Rows of a page, unless asked for fewer or more.
const LIMIT_DEFAULT: usize = 100;

/// Rows of a page at most.
const LIMIT_MAX: usize = 1000;

/// What a list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreditListParams {
    /// Id of a participant.
    payee: Option<String>,
    /// Id of a position.
    position: Option<String>,
    /// Id of a team.
    team: Option<String>,
    /// Id of a period of the calendar.
    period: Option<String>,
    /// `active`, `held`, `suppressed` or `void`.
    status: Option<String>,
    /// Natural key of a transaction.
    transaction: Option<String>,
    /// Id of a plan.
    plan: Option<String>,
    /// `calculated`, `manual`, `late` or `retro`.
    origin: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// A page of credits.
///
/// As a file if `Accept` requests it: every credit that fits.
pub(crate) async fn list_credits(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    wanted: Result<Query<CreditListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        Problem::bad_request(
            "expected `payee`, `position`, `team`, `period`, `status`, `transaction`, `plan`, \
             `origin`, `limit` or `cursor`",
        )
    })?;

    let unknown_status =
        |_| Problem::bad_request("`status` is `active`, `held`, `suppressed` or `void`");
    let status = wanted.status.as_deref().map(str::parse).transpose().map_err(unknown_status)?;

    let unknown_origin =
        |_| Problem::bad_request("`origin` is `calculated`, `manual`, `late` or `retro`");
    let origin = wanted.origin.as_deref().map(str::parse).transpose().map_err(unknown_origin)?;

    let periods = leaf_periods(&service, wanted.period.as_deref())?;
    let query = CreditQuery {
        scope: caller.read_scope(&service.context),
        payee: wanted.payee,
        position: wanted.position,
        team: wanted.team,
        periods,
        status,
        transaction: wanted.transaction,
        plan: wanted.plan,
        origin,
        limit: 0,
        cursor: None,
    };

    exports::answer_list(service, &headers, (wanted.limit, wanted.cursor), query).await
}

impl PagedList for CreditQuery {
    fn column_names(&self) -> &'static [&'static str] {
        &CREDIT_COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let cursor = part.cursor.map(str::to_owned);
        let query = CreditQuery { limit: part.limit, cursor, ..self.clone() };
        let page =
            service.context.ledger.credit_page(&query).map_err(|error| unread_page(&error))?;
        let rows = page.rows.iter().map(serde_json::to_value).collect::<Result<_, _>>();
        Ok((rows.map_err(|error| Problem::internal(&error))?, page.next))
    }
}

/// What a page that could not be read answers.
pub(crate) fn unread_page(error: &StoreError) -> Problem {
    match error {
        StoreError::Cursor(_) => {
            Problem::bad_request("`cursor` is not a cursor from an earlier page")
        }
        error => Problem::internal(error),
    }
}

/// The leaf periods that a list is narrowed to, where it is.
///
/// # Errors
/// When the calendar has no such period.
pub(crate) fn leaf_periods(
    service: &Service,
    id: Option<&str>,
) -> Result<Option<Vec<PeriodKey>>, Problem> {
    let ruleset = service.context.ruleset.load();
    id.map(|id| leaf_ids(&ruleset.settings.calendar, id)).transpose()
}

/// The rows of a page.
///
/// # Errors
/// When too many, or none, are wanted.
pub(crate) fn page_limit(wanted: Option<usize>) -> Result<usize, Problem> {
    let limit = wanted.unwrap_or(LIMIT_DEFAULT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::bad_request(format!("`limit` must be 1 to {LIMIT_MAX}")));
    }
    Ok(limit)
}

/// The leaf periods of a period; a leaf is its own.
///
/// # Errors
/// When the calendar has no such period.
pub(crate) fn leaf_ids(calendar: &Calendar, id: &str) -> Result<Vec<PeriodKey>, Problem> {
    let unknown = || Problem::bad_request(format!("`{id}` is not a period of the calendar"));
    let period = calendar.find(id).ok_or_else(unknown)?;

    let mut leaves = BTreeSet::new();
    let mut day = period.first;
    while day < period.end {
        let leaf = calendar.period_on(day, PeriodKind::Leaf).ok_or_else(unknown)?;
        leaves.insert(leaf.id);
        // A leaf that did not end later would go round for ever.
        if leaf.end <= day {
            break;
        }
        day = leaf.end;
    }

    Ok(leaves.into_iter().collect())
}

/// One credit.
pub(crate) async fn show_credit(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<PostedCredit> {
    let row = service.run_blocking(move |service| {
        service.context.ledger.find_credit(&id).map_err(|error| Problem::internal(&error))
    });
    let row = row.await?.ok_or_else(|| Problem::not_found("credit"))?;
    Ok(ViewJson(row))
}

/// A credit with the way to it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExplainedCreditView {
    /// The credit as it is recorded.
    credit: PostedCredit,
    /// The decision of its plan, step by step; null where the plan decided otherwise since.
    why: Option<Explanation>,
}

/// Why a credit is what it is.
pub(crate) async fn explain_credit(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<ExplainedCreditView> {
    let explained = service.run_blocking(move |service| {
        let row = service.context.ledger.find_credit(&id)?;
        let row = row.ok_or_else(|| Problem::not_found("credit"))?;
        let stored = service.context.ledger.find_transaction(&row.transaction)?;
        let why = stored.as_ref().and_then(|stored| {
            let plan = stored.decisions.iter().find(|decision| decision.plan == row.plan)?;
            Some(explain::explain_decision(&service.context, stored, plan))
        });
        Ok(ExplainedCreditView { credit: row, why: why.transpose()? })
    });
    explained.await.map(ViewJson)
}

/// What a release or a hold may say.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveRequest {
    /// Why.
    comment: Option<String>,
    /// Another name for `comment`.
    reason: Option<String>,
}

impl ActBody for ResolveRequest {
    const EXPECTED: &'static str = "expected a JSON object with `comment` or `reason`, or no body";

    fn without_body() -> Option<ResolveRequest> {
        Some(ResolveRequest::default())
    }
}

/// Ends the hold of a credit.
pub(crate) async fn release_credit(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
    key: SentKey,
    sent: SentAct<ResolveRequest>,
) -> Result<Response, Problem> {
    resolve_credit(service, id, HoldAction::Release, (caller, key), sent.body).await
}

/// Holds a credit.
pub(crate) async fn hold_credit(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<String>,
    key: SentKey,
    sent: SentAct<ResolveRequest>,
) -> Result<Response, Problem> {
    resolve_credit(service, id, HoldAction::Hold, (caller, key), sent.body).await
}

async fn resolve_credit(
    service: Arc<Service>,
    credit: String,
    action: HoldAction,
    asked_by: (Principal, SentKey),
    body: ResolveRequest,
) -> Result<Response, Problem> {
    let comment = body.comment.or(body.reason);
    let act = ApprovalAct::Resolve { credit, action, comment };
    approvals::decide_act(&service, act, asked_by).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parent_means_its_leaves() {
        let calendar = Calendar::of_months(2);
        let leaves = |id: &str| leaf_ids(&calendar, id).unwrap_or_default();
        assert_eq!(leaves("2026-03"), ["2026-03"]);
        assert_eq!(leaves("2027-Q1"), ["2026-02", "2026-03", "2026-04"]);
        assert_eq!(leaves("2027").len(), 12);
        assert!(leaves("2027-Q5").is_empty());
    }
}
