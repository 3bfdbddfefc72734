//! What is published to payees, a row a credit, reward and balance: in pages and as exports.
//!
//! Not the statements of one payee (`payees`). Source: DOMAIN 2.14.

use std::sync::Arc;

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{EarnedReward, PayeeBalance};
use accredit_domain::keys::DefinedName;
use accredit_ledger::releases::{Release, ReleaseStatus, Statement};
use accredit_ledger::scope::ReadScope;
use accredit_operations::principal::Principal;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::http::results::rewards::RewardListParams;
use crate::http::views::view_json;
use crate::server::state::Service;

/// The columns of a row, in order.
pub(crate) const STATEMENT_COLUMNS: [&str; 16] = [
    "payee",
    "plan",
    "period",
    "status",
    "revision",
    "released",
    "kind",
    "id",
    "transaction",
    "date",
    "name",
    "credit_type",
    "amount",
    "unit_type",
    "credit_status",
    "release_date",
];

/// A row of a statement.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementRowView {
    /// Id of the participant.
    payee: String,
    /// Id of the plan.
    plan: String,
    /// Id of the period.
    period: String,
    /// Whether it may still change.
    status: ReleaseStatus,
    /// The revision of the calculation that was published.
    revision: u32,
    /// Business date of the release.
    #[schema(format = Date)]
    released: String,
    /// `credit`, `team_credit`, `reward` or `balance`.
    kind: &'static str,
    /// Id of the credit or reward; null for a balance.
    id: Option<String>,
    /// Natural key of the deal; null for a reward and a balance.
    transaction: Option<String>,
    /// Incentive date of the deal.
    #[schema(format = Date)]
    date: Option<String>,
    /// Name of the result, the reward or the draw.
    name: String,
    /// The credit type; null for a balance.
    credit_type: Option<String>,
    /// What is credited, paid or owed.
    amount: Decimal,
    /// Its unit.
    unit_type: String,
    /// `active` or `held`; null for a reward and a balance.
    credit_status: Option<&'static str>,
    /// When a hold ends; null without one.
    #[schema(format = Date)]
    release_date: Option<String>,
}

/// The list of rows.
struct StatementPages {
    scope: ReadScope,
    plan: Option<String>,
    period: Option<String>,
    payee: Option<String>,
}

/// Where a page begins: a row of a statement.
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct StatementPlace {
    plan: String,
    period: String,
    payee: String,
    row: usize,
}

/// A page of what is published, by plan, period and payee.
///
/// As a file if `Accept` requests it: every row that fits.
pub(crate) async fn list_statement_rows(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
    wanted: Result<Query<RewardListParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        Problem::bad_request("expected `plan`, `period`, `payee`, `limit` or `cursor`")
    })?;
    let (plan, period, payee, page) = wanted.into_parts();
    let scope = caller.read_scope(&service.context);
    let pages = StatementPages { scope, plan, period, payee };
    exports::answer_list(service, &headers, page, pages).await
}

impl StatementPages {
    fn selects_release(&self, release: &Release) -> bool {
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        let is_published = release.status != ReleaseStatus::Deleted;
        is_published && fits(&self.plan, &release.plan) && fits(&self.period, &release.period)
    }

    fn selects_payee(&self, payee: &str) -> bool {
        let is_wanted = self.payee.as_deref().is_none_or(|wanted| wanted == payee);
        is_wanted && self.scope.admits(Some(payee))
    }
}

impl PagedList for StatementPages {
    fn column_names(&self) -> &'static [&'static str] {
        &STATEMENT_COLUMNS
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let start = read_place(part.cursor)?;
        let ledger = &service.context.ledger;
        let mut releases = ledger.list_releases()?;
        releases.retain(|release| self.selects_release(release));
        releases.sort_by(|one, other| (&one.plan, &one.period).cmp(&(&other.plan, &other.period)));

        let mut rows: Vec<Value> = Vec::new();
        for release in &releases {
            for payee in release.payees.iter().filter(|payee| self.selects_payee(payee)) {
                let place = |row| StatementPlace {
                    plan: release.plan.clone(),
                    period: release.period.clone(),
                    payee: payee.clone(),
                    row,
                };
                if place(usize::MAX) < start {
                    continue;
                }

                let statements = ledger.payee_statements(payee, Some(&release.period))?;
                let of_plan = statements.iter().filter(|statement| statement.plan == release.plan);
                let views = of_plan
                    .flat_map(|statement| statement_rows(payee, statement, |row| &row.result));
                for (row, view) in views.enumerate() {
                    let place = place(row);
                    if place < start {
                        continue;
                    }
                    if rows.len() >= part.limit {
                        return Ok((rows, Some(write_place(&place)?)));
                    }
                    rows.push(view_json(&view)?);
                }
            }
        }
        Ok((rows, None))
    }
}

fn read_place(cursor: Option<&str>) -> Result<StatementPlace, Problem> {
    let Some(cursor) = cursor else { return Ok(StatementPlace::default()) };
    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let place = text.and_then(|text| serde_json::from_slice(&text).ok());
    place.ok_or_else(|| Problem::bad_request("`cursor` is not a cursor from an earlier page"))
}

fn write_place(place: &StatementPlace) -> Result<String, Problem> {
    let text = serde_json::to_vec(place).map_err(|error| Problem::internal(&error))?;
    Ok(URL_SAFE_NO_PAD.encode(text))
}

/// The rows of a statement of a payee, in which credits have this name.
pub(crate) fn statement_rows(
    payee: &str,
    statement: &Statement,
    name_of: fn(&PostedCredit) -> &DefinedName,
) -> Vec<StatementRowView> {
    let head = || StatementRowView {
        payee: payee.to_owned(),
        plan: statement.plan.clone(),
        period: statement.period.clone(),
        status: statement.status,
        revision: statement.revision,
        released: statement.released.clone(),
        kind: "credit",
        id: None,
        transaction: None,
        date: None,
        name: String::new(),
        credit_type: None,
        amount: Decimal::ZERO,
        unit_type: String::new(),
        credit_status: None,
        release_date: None,
    };
    let credit_row = |kind, credit: &PostedCredit| StatementRowView {
        kind,
        id: Some(credit.id.to_string()),
        transaction: Some(credit.transaction.to_string()),
        date: Some(credit.incentive_date.to_string()),
        name: name_of(credit).to_string(),
        credit_type: Some(credit.credit_type.to_string()),
        amount: credit.amount,
        unit_type: credit.unit_type.to_string(),
        credit_status: Some(credit.status.as_str()),
        release_date: credit.release_date.map(|date| date.to_string()),
        ..head()
    };
    let reward_row = |reward: &EarnedReward| StatementRowView {
        kind: "reward",
        id: Some(reward.id.to_string()),
        name: reward.reward.to_string(),
        credit_type: Some(reward.credit_type.to_string()),
        amount: reward.amount,
        unit_type: reward.unit_type.to_string(),
        ..head()
    };
    let balance_row = |balance: &PayeeBalance| StatementRowView {
        kind: "balance",
        name: balance.name.to_string(),
        amount: balance.balance,
        unit_type: balance.unit_type.to_string(),
        ..head()
    };

    let credits = statement.credits.iter().map(|credit| credit_row("credit", credit));
    let team = statement.team_credits.iter().map(|credit| credit_row("team_credit", credit));
    let rewards = statement.rewards.iter().map(reward_row);
    let balances = statement.balances.iter().map(balance_row);
    credits.chain(team).chain(rewards).chain(balances).collect()
}
