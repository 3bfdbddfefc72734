//! What is published of a payee: statements, credits, rewards, balances, periods.
//!
//! Not what a payee may see of a credit (`results::payees`). Called for the caller and for reports alike.
//! Source: DOMAIN 2.14, 2.18, INV-V1.
//!
//! **Architecture invariant:** every row comes out of a statement that was published for the subject;
//! what is decided and not released is in none.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use accredit_domain::calendar::PeriodKind;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{BALANCE_COLUMNS, EarnedReward, PayeeBalance, REWARD_COLUMNS};
use accredit_ledger::releases::{ReleaseStatus, Statement};
use accredit_operations::published;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::me::subject::Subject;
use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::results::exports::{self, PageRequest, PagedList, RowPage};
use crate::http::results::payees::{self, PayeeCreditView};
use crate::http::results::statements::{STATEMENT_COLUMNS, StatementRowView, statement_rows};
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

/// The columns of a file of one's credits: the fields that payees see, without the way to the reason.
const OWN_CREDIT_COLUMNS: [&str; 21] = [
    "id",
    "transaction",
    "incentive_date",
    "plan",
    "rule",
    "kind",
    "position",
    "team",
    "relationship",
    "period",
    "credit_type",
    "unit_type",
    "amount",
    "before_maximum",
    "status",
    "release_date",
    "reason",
    "reason_code",
    "origin",
    "reverses",
    "confirmed",
];

/// The columns of a file of one's rewards.
const OWN_REWARD_COLUMNS: [&str; REWARD_COLUMNS.len() + 1] = with_standing(&REWARD_COLUMNS);

/// The columns of a file of one's balances.
const OWN_BALANCE_COLUMNS: [&str; BALANCE_COLUMNS.len() + 1] = with_standing(&BALANCE_COLUMNS);

/// Columns with that of the standing behind them.
#[expect(clippy::indexing_slicing, reason = "the compiler evaluates it, and refuses a wrong place")]
const fn with_standing<const N: usize>(columns: &[&'static str]) -> [&'static str; N] {
    let mut names = ["confirmed"; N];
    let mut place = 0;
    while place < columns.len() {
        names[place] = columns[place];
        place += 1;
    }
    names
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
        let start = page_start(self.cursor.as_deref())?;
        let end = start.saturating_add(limit);
        let next_cursor = (rows.len() > end).then(|| end.to_string());
        Ok(ListView { data: rows.into_iter().skip(start).take(limit).collect(), next_cursor })
    }
}

/// The number of the first row of a page.
fn page_start(cursor: Option<&str>) -> Result<usize, Problem> {
    let start = cursor.map_or(Ok(0), str::parse::<usize>);
    start.map_err(|_| Problem::bad_request("`cursor` is not a cursor from an earlier page"))
}

/// The published statements that fit.
pub(super) fn statements(
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

/// A credit of a statement as its payee sees it.
pub(super) fn credit_row(
    service: &Service,
    subject: &Subject,
    statement: &Statement,
    row: &PostedCredit,
) -> Result<Value, Problem> {
    let before = published::before_maximum(&service.context, row)?;
    Ok(published_row(statement, payees::credit_json(&subject.path, row, before)?))
}

/// The statements.
///
/// As a file if `Accept` requests it: a row for each credit, reward and balance.
pub(crate) async fn list_statements(
    State(service): State<Arc<Service>>,
    subject: Subject,
    headers: HeaderMap,
    query: OwnQuery,
) -> Result<Response, Problem> {
    let wanted = parse_params(query)?;
    if exports::is_export(&headers) {
        return answer_rows((service, subject), &headers, wanted, OwnRows::Statements).await;
    }

    let shown = service.run_blocking(move |service| {
        let found = statements(service, &subject, &wanted)?.into_iter();
        let of = &subject.path;
        found.map(|one| payees::view_statement(service, of, one)).collect()
    });
    let shown = ViewJson(ListView::whole(shown.await?));
    Ok(([(header::VARY, "accept")], shown).into_response())
}

/// The published credits in pages.
///
/// As a file if `Accept` requests it: every credit that fits.
pub(crate) async fn list_credits(
    State(service): State<Arc<Service>>,
    subject: Subject,
    headers: HeaderMap,
    query: OwnQuery,
) -> Result<Response, Problem> {
    answer_rows((service, subject), &headers, parse_params(query)?, OwnRows::Credits).await
}

/// The published rewards in pages.
///
/// As a file if `Accept` requests it: every reward that fits.
pub(crate) async fn list_rewards(
    State(service): State<Arc<Service>>,
    subject: Subject,
    headers: HeaderMap,
    query: OwnQuery,
) -> Result<Response, Problem> {
    answer_rows((service, subject), &headers, parse_params(query)?, OwnRows::Rewards).await
}

/// What the subject owes at the end of published periods, in pages.
///
/// As a file if `Accept` requests it: every balance that fits.
pub(crate) async fn list_balances(
    State(service): State<Arc<Service>>,
    subject: Subject,
    headers: HeaderMap,
    query: OwnQuery,
) -> Result<Response, Problem> {
    answer_rows((service, subject), &headers, parse_params(query)?, OwnRows::Balances).await
}

/// Answers with rows of the published statements: a page, or all of them as a file.
async fn answer_rows(
    (service, subject): (Arc<Service>, Subject),
    headers: &HeaderMap,
    mut wanted: OwnListParams,
    rows: OwnRows,
) -> Result<Response, Problem> {
    let page = (wanted.limit.take(), wanted.cursor.take());
    let pages = OwnPages { subject, wanted, rows, found: OnceLock::new() };
    exports::answer_list(service, headers, page, pages).await
}

/// Which rows of statements a list has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum OwnRows {
    /// Everything that is on them; only as a file.
    Statements,
    Credits,
    Rewards,
    Balances,
}

/// The rows of the subject's statements.
struct OwnPages {
    subject: Subject,
    wanted: OwnListParams,
    rows: OwnRows,
    /// The statements as they were when the first page was read. A page begins at the number of a
    /// row, so that a release between two pages of a file would lose rows or repeat them.
    found: OnceLock<Vec<Statement>>,
}

/// A row of a statement, before it is written.
enum OwnRow<'a> {
    Line(Box<StatementRowView>),
    Credit(&'a PostedCredit),
    Reward(&'a EarnedReward),
    Balance(&'a PayeeBalance),
}

impl OwnPages {
    /// The statements of the first page.
    fn statements(&self, service: &Service) -> Result<&[Statement], Problem> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let found = statements(service, &self.subject, &self.wanted)?;
        Ok(self.found.get_or_init(|| found))
    }

    /// The rows of a statement that the list has.
    fn rows_of<'a>(&self, statement: &'a Statement) -> Vec<OwnRow<'a>> {
        match self.rows {
            OwnRows::Statements => {
                let payee = self.subject.scope.payee();
                // A payee sees the rule of a credit, and not the name of its result.
                let lines = statement_rows(payee, statement, |credit| &credit.rule).into_iter();
                lines.map(|line| OwnRow::Line(Box::new(line))).collect()
            }
            OwnRows::Credits => {
                let deal = self.wanted.transaction.as_deref();
                let fits = |row: &&PostedCredit| deal.is_none_or(|id| *id == *row.transaction);
                statement.credits.iter().filter(fits).map(OwnRow::Credit).collect()
            }
            OwnRows::Rewards => statement.rewards.iter().map(OwnRow::Reward).collect(),
            OwnRows::Balances => statement.balances.iter().map(OwnRow::Balance).collect(),
        }
    }

    /// A row as it is written.
    fn write_row(
        &self,
        service: &Service,
        statement: &Statement,
        row: &OwnRow<'_>,
    ) -> Result<Value, Problem> {
        let shown = match row {
            OwnRow::Line(line) => return view_json(line),
            OwnRow::Credit(row) => return credit_row(service, &self.subject, statement, row),
            OwnRow::Reward(row) => view_json(row)?,
            OwnRow::Balance(row) => view_json(row)?,
        };
        Ok(published_row(statement, shown))
    }
}

impl PagedList for OwnPages {
    fn column_names(&self) -> &'static [&'static str] {
        match self.rows {
            OwnRows::Statements => &STATEMENT_COLUMNS,
            OwnRows::Credits => &OWN_CREDIT_COLUMNS,
            OwnRows::Rewards => &OWN_REWARD_COLUMNS,
            OwnRows::Balances => &OWN_BALANCE_COLUMNS,
        }
    }

    fn read_page(&self, service: &Service, part: &PageRequest<'_>) -> Result<RowPage, Problem> {
        let start = page_start(part.cursor)?;
        let end = start.saturating_add(part.limit);

        let found = self.statements(service)?;
        let rows = found.iter().flat_map(|statement| {
            self.rows_of(statement).into_iter().map(move |row| (statement, row))
        });
        // What is on no page is not written: a maximum is looked up in the deal of each credit.
        let mut rows = rows.skip(start);
        let page = rows.by_ref().take(part.limit);
        let page = page.map(|(statement, row)| self.write_row(service, statement, &row));
        let page = page.collect::<Result<Vec<Value>, Problem>>()?;

        let next = rows.next().map(|_| end.to_string());
        Ok((page, next))
    }
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

#[cfg(test)]
mod tests {
    use accredit_domain::credit::fields::CREDIT_FIELDS;

    use super::*;

    /// A file of a payee has what the list shows, and nothing that a payee must not see.
    #[test]
    fn a_file_of_credits_has_the_fields_that_payees_see() {
        let seen = CREDIT_FIELDS.iter().filter(|field| field.seen_by_payees);
        let mut expected: Vec<&str> = seen.map(|field| field.name).collect();
        expected.extend(["plan", "confirmed", "before_maximum"]);
        expected.sort_unstable();

        let mut columns = OWN_CREDIT_COLUMNS;
        columns.sort_unstable();
        assert_eq!(columns.as_slice(), expected);
        assert_eq!(OWN_BALANCE_COLUMNS.split_last(), Some((&"confirmed", &BALANCE_COLUMNS[..])));
    }
}
