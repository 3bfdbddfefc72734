//! What is published of a payee: statements, credits, rewards, balances, periods.
//!
//! Not what a payee may see of a credit (`results::payees`). Called for the caller and for reports alike.
//! Source: DOMAIN 2.14, 2.18, INV-V1.
//!
//! **Architecture invariant:** every row comes out of a statement that was published for the subject;
//! what is decided and not released is in none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use accredit_domain::calendar::PeriodKind;
use accredit_domain::decision::{EarnedReward, PayeeBalance};
use accredit_ledger::releases::{ReleaseStatus, Statement};
use accredit_operations::published;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::me::subject::Subject;
use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::payees::{self, PayeeCreditView, StatementView};
use crate::http::views::{ListView, ViewJson, ViewResult, view_json};
use crate::server::state::Service;

/// What lists can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OwnListParams {
    /// Id of a plan.
    plan: Option<String>,
    /// Id of a period of the calendar.
    period: Option<String>,
    /// Natural key of a transaction.
    transaction: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
    /// Read by the subject.
    #[expect(dead_code, reason = "a key of the query that the subject reads")]
    #[schema(format = Date)]
    on: Option<String>,
}

/// A published credit with the standing of its statement.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnCreditView {
    #[serde(flatten)]
    row: PayeeCreditView,
    /// Id of the plan.
    plan: String,
    /// Whether the amounts of the statement are certain.
    confirmed: bool,
}

/// A published reward with the standing of its statement.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnRewardView {
    #[serde(flatten)]
    row: EarnedReward,
    /// Whether the amounts of the statement are certain.
    confirmed: bool,
}

/// A published balance with the standing of its statement.
#[derive(Serialize, ToSchema)]
pub(crate) struct OwnBalanceView {
    #[serde(flatten)]
    row: PayeeBalance,
    /// Whether the amounts of the statement are certain.
    confirmed: bool,
}

/// The query of a list.
pub(super) type OwnQuery = Result<Query<OwnListParams>, QueryRejection>;

/// What a query narrows a list by.
pub(super) fn parse_params(query: OwnQuery) -> Result<OwnListParams, Problem> {
    let expected = "expected `plan`, `period`, `transaction`, `limit`, `cursor` or `on`";
    query.map(|Query(params)| params).map_err(|_| Problem::bad_request(expected))
}

impl OwnListParams {
    /// Whether a statement is of the plan and the period.
    pub(super) fn fits(&self, statement: &Statement) -> bool {
        let same = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        same(&self.plan, &statement.plan) && same(&self.period, &statement.period)
    }

    /// A page of rows, by their numbers.
    pub(super) fn page_of(&self, rows: Vec<Value>) -> Result<ListView<Value>, Problem> {
        let limit = credits::page_limit(self.limit)?;
        let start = self.cursor.as_deref().map_or(Ok(0), str::parse::<usize>);
        let start = start
            .map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))?;

        let end = start.saturating_add(limit);
        let next_cursor = (rows.len() > end).then(|| end.to_string());
        Ok(ListView { data: rows.into_iter().skip(start).take(limit).collect(), next_cursor })
    }
}

/// The published statements that fit.
fn statements(
    service: &Service,
    subject: &Subject,
    wanted: &OwnListParams,
) -> Result<Vec<Statement>, Problem> {
    let mut found = published::published_statements(&service.context, &subject.scope, None)?;
    found.retain(|statement| wanted.fits(statement));
    for statement in &mut found {
        hide_foreign_credits(statement);
    }
    Ok(found)
}

/// A reward for what others sold names their credits: a payee reads the ids of those on the statement.
fn hide_foreign_credits(statement: &mut Statement) {
    let rows = statement.credits.iter().chain(&statement.team_credits);
    let own: BTreeSet<_> = rows.map(|row| row.id).collect();
    for reward in &mut statement.rewards {
        reward.credits.retain(|credit| own.contains(credit));
    }
}

/// A row with the standing of the statement that it is on.
fn published_row(statement: &Statement, mut row: Value) -> Value {
    if let Some(fields) = row.as_object_mut() {
        fields.insert("plan".to_owned(), statement.plan.as_str().into());
        let confirmed = statement.status == ReleaseStatus::Confirmed;
        fields.insert("confirmed".to_owned(), confirmed.into());
    }
    row
}

/// The statements.
pub(crate) async fn list_statements(
    State(service): State<Arc<Service>>,
    subject: Subject,
    query: OwnQuery,
) -> ViewResult<ListView<StatementView>> {
    let wanted = parse_params(query)?;
    let shown = service.run_blocking(move |service| {
        let found = statements(service, &subject, &wanted)?.into_iter();
        let of = &subject.path;
        found.map(|one| payees::view_statement(service, of, one)).collect()
    });
    Ok(ViewJson(ListView::whole(shown.await?)))
}

/// The published credits in pages.
pub(crate) async fn list_credits(
    State(service): State<Arc<Service>>,
    subject: Subject,
    query: OwnQuery,
) -> ViewResult<ListView<Value>> {
    let wanted = parse_params(query)?;
    let page = service.run_blocking(move |service| {
        let mut rows = Vec::new();
        for statement in statements(service, &subject, &wanted)? {
            let deal = wanted.transaction.as_deref();
            let fits = |transaction: &str| deal.is_none_or(|wanted| wanted == transaction);
            for row in statement.credits.iter().filter(|row| fits(&row.transaction)) {
                let before = published::before_maximum(&service.context, row)?;
                let shown = payees::credit_json(&subject.path, row, before)?;
                rows.push(published_row(&statement, shown));
            }
        }
        wanted.page_of(rows)
    });
    page.await.map(ViewJson)
}

/// The published rewards in pages.
pub(crate) async fn list_rewards(
    State(service): State<Arc<Service>>,
    subject: Subject,
    query: OwnQuery,
) -> ViewResult<ListView<Value>> {
    list_rows(service, subject, query, |statement| {
        statement.rewards.iter().map(view_json).collect()
    })
    .await
}

/// What the subject owes at the end of published periods, in pages.
pub(crate) async fn list_balances(
    State(service): State<Arc<Service>>,
    subject: Subject,
    query: OwnQuery,
) -> ViewResult<ListView<Value>> {
    list_rows(service, subject, query, |statement| {
        statement.balances.iter().map(view_json).collect()
    })
    .await
}

async fn list_rows(
    service: Arc<Service>,
    subject: Subject,
    query: OwnQuery,
    rows_of: fn(&Statement) -> Result<Vec<Value>, Problem>,
) -> ViewResult<ListView<Value>> {
    let wanted = parse_params(query)?;
    let page = service.run_blocking(move |service| {
        let mut rows = Vec::new();
        for statement in statements(service, &subject, &wanted)? {
            let shown = rows_of(&statement)?.into_iter();
            rows.extend(shown.map(|row| published_row(&statement, row)));
        }
        wanted.page_of(rows)
    });
    page.await.map(ViewJson)
}

/// A period of which something is published, or that goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnPeriodView {
    /// Its id in the calendar.
    id: String,
    /// First day.
    #[schema(format = Date)]
    first: String,
    /// Last day; null where the calendar has no end of it.
    #[schema(format = Date)]
    last: Option<String>,
    /// The plans of which something is published.
    plans: BTreeSet<String>,
}

/// The periods of the subject's statements and the one that goes on. Their counts and states are those of
/// everybody, so they are left out.
pub(crate) async fn list_periods(
    State(service): State<Arc<Service>>,
    subject: Subject,
) -> ViewResult<ListView<OwnPeriodView>> {
    let listed = service.run_blocking(move |service| {
        let found = statements(service, &subject, &OwnListParams::default())?;
        let calendar = service.context.ruleset.load().settings.calendar.clone();

        let mut plans: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let now = calendar.period_on(service.context.business_date(), PeriodKind::Leaf);
        plans.extend(now.map(|leaf| (leaf.id.to_string(), BTreeSet::new())));
        for statement in found {
            plans.entry(statement.period).or_default().insert(statement.plan);
        }

        let known = plans.into_iter();
        let views = known.filter_map(|(id, plans)| Some((calendar.find(&id)?, plans)));
        let mut views: Vec<_> = views.collect();
        views.sort_by_key(|(period, _)| (period.first, period.end));
        let views = views.into_iter().map(|(period, plans)| OwnPeriodView {
            id: period.id.to_string(),
            first: period.first.to_string(),
            last: period.end.yesterday().ok().map(|last| last.to_string()),
            plans,
        });
        Ok(views.collect())
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}
