//! What a payee sees: published statements, why and why not, and their enquiries.
//!
//! Not the publishing (the worker) and not what a payee may see (`operations::published`): here it is
//! written for them. Source: DOMAIN 2.14, 2.16, 2.18, INV-V1.
//!
//! **Architecture invariant:** of a credit only the fields that payees see are written.

use std::sync::Arc;

use accredit_crediting::explain::PayeeFinding;
use accredit_domain::credit::fields::CREDIT_FIELDS;
use accredit_domain::credit::posted::{CreditKind, CreditOrigin, PostedCredit};
use accredit_domain::credit::{CreditId, CreditStatus};
use accredit_domain::decision::EarnedReward;
use accredit_domain::keys::{DefinedName, PeriodKey, PositionKey, TeamKey, TransactionKey};
use accredit_ledger::releases::{ReleaseStatus, Statement};
use accredit_operations::enquiries::{self, EnquiryFilter, EnquiryOrder};
use accredit_operations::principal::Principal;
use accredit_operations::published::{self, PublicPlanWhyNot};
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::address;
use crate::http::problem::Problem;
use crate::http::results::enquiries::EnquiryView;
use crate::http::views::{ListView, ViewJson, ViewResult, view_json};
use crate::server::state::Service;

/// The query of the list of statements.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementParams {
    /// Id of a period of the calendar.
    period: Option<String>,
}

/// What is published of a payee: pending or confirmed.
pub(crate) async fn list_statements(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(payee): Path<String>,
    wanted: Result<Query<StatementParams>, QueryRejection>,
) -> ViewResult<ListView<StatementView>> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `period`"))?;
    let shown = service.run_blocking(move |service| {
        let (context, period) = (&service.context, wanted.period.as_deref());
        let scope = caller.scope_of(context, &payee, None)?;
        let found = published::published_statements(context, &scope, period)?;
        let of = payee_path(&payee);
        found.into_iter().map(|one| view_statement(service, &of, one)).collect()
    });
    Ok(ViewJson(ListView::whole(shown.await?)))
}

/// What a payee sees of a plan in a period.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StatementView {
    /// Id of the plan.
    plan: String,
    /// Id of the period.
    period: String,
    /// `pending` or `confirmed`.
    status: ReleaseStatus,
    /// The revision of the calculation that was published.
    revision: u32,
    /// Business date of the release.
    #[schema(format = Date)]
    released: String,
    /// The sums of the credits that count, by credit type and unit.
    totals: Vec<StatementTotalView>,
    /// The credits of the payee.
    #[schema(value_type = Vec<PayeeCreditView>)]
    credits: Vec<Value>,
    /// Credits of the teams of the payee, in a plan that measures teams.
    #[schema(value_type = Vec<PayeeCreditView>)]
    team_credits: Vec<Value>,
    /// The rewards of the payee.
    rewards: Vec<EarnedReward>,
}

/// The sum of the credits of one type and unit.
#[derive(Debug, Serialize, ToSchema)]
struct StatementTotalView {
    /// The credit type.
    credit_type: String,
    /// The unit of the amount.
    unit_type: String,
    /// The sum.
    #[schema(value_type = Decimal)]
    amount: String,
}

/// A statement for a caller who finds what is the payee's under the path `of`.
pub(crate) fn view_statement(
    service: &Service,
    of: &str,
    one: Statement,
) -> Result<StatementView, Problem> {
    let totals = published::statement_totals(&one);
    let totals = totals.into_iter().map(|(kind, unit, sum)| StatementTotalView {
        credit_type: kind.to_owned(),
        unit_type: unit.to_owned(),
        amount: sum.to_string(),
    });

    let rows = |rows: &[PostedCredit]| -> Result<Vec<Value>, Problem> {
        let before = |row| published::before_maximum(&service.context, row);
        rows.iter().map(|row| credit_json(of, row, before(row)?)).collect()
    };

    Ok(StatementView {
        totals: totals.collect(),
        credits: rows(&one.credits)?,
        team_credits: rows(&one.team_credits)?,
        plan: one.plan,
        period: one.period,
        status: one.status,
        revision: one.revision,
        released: one.released,
        rewards: one.rewards,
    })
}

/// A credit as its payee sees it, with the way to its explanation and the amount that a maximum cut.
pub(crate) fn credit_json(
    of: &str,
    row: &PostedCredit,
    before_maximum: Option<String>,
) -> Result<Value, Problem> {
    let mut shown = view_json(row)?;

    if let Some(fields) = shown.as_object_mut() {
        for field in CREDIT_FIELDS.iter().filter(|field| !field.seen_by_payees) {
            fields.remove(field.name);
        }
        fields.insert("before_maximum".to_owned(), before_maximum.into());
        fields.insert("explain".to_owned(), why_not_link(of, &row.transaction).into());
    }
    Ok(shown)
}

/// The path under which the staff finds what is a payee's.
pub(crate) fn payee_path(payee: &str) -> String {
    format!("/v1/payees/{}", address::encode_part(payee))
}

/// Where it is explained why a payee got what they got of a transaction.
pub(crate) fn why_not_link(of: &str, transaction: &str) -> String {
    format!("{of}/why-not?transaction={}", address::encode_part(transaction))
}

/// A credit as its payee sees it: the fields of a credit that payees see, and two more.
#[derive(Serialize, ToSchema)]
pub(crate) struct PayeeCreditView {
    /// The credit's id.
    id: CreditId,
    /// Natural key of the deal.
    transaction: TransactionKey,
    /// The date of the deal that decides everything else.
    incentive_date: Date,
    /// The rule of the plan.
    rule: DefinedName,
    /// Direct or indirect.
    kind: CreditKind,
    /// The position that is credited; null for a team.
    position: Option<PositionKey>,
    /// The team that is credited, or through which the position was found.
    team: Option<TeamKey>,
    /// The relationship along which an indirect credit was rolled.
    relationship: Option<DefinedName>,
    /// The leaf period in which it is posted.
    period: PeriodKey,
    /// The credit type.
    credit_type: DefinedName,
    /// The unit of the amount.
    unit_type: DefinedName,
    /// The amount.
    amount: Decimal,
    /// The status, which says whether the credit counts.
    status: CreditStatus,
    /// When a hold ends or ended; null for a hold without a date.
    release_date: Option<Date>,
    /// Why it does not count.
    reason: Option<String>,
    /// The reason code of the rule or of the person who adjusted it.
    reason_code: Option<DefinedName>,
    /// How it came into its period.
    origin: CreditOrigin,
    /// The entry that this one takes back.
    reverses: Option<CreditId>,
    /// The amount before a maximum cut it; null where none did.
    before_maximum: Option<Decimal>,
    /// The path at which the payee reads why.
    explain: String,
}

/// The query: the natural key of a transaction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhyNotParams {
    /// The natural key.
    pub(crate) transaction: String,
}

/// Why a payee got what they got of a transaction.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WhyNotView {
    /// Natural key of the transaction, as it was asked for.
    transaction: String,
    /// Whether there is such a transaction.
    known: bool,
    /// A row for every plan that decided it.
    plans: Vec<PlanWhyNotView>,
}

/// What a payee got of a transaction in one plan, and why nothing more.
#[derive(Debug, Serialize, ToSchema)]
struct PlanWhyNotView {
    /// Id of the plan.
    plan: String,
    /// Whether a published credit is theirs.
    credited: bool,
    /// Why nothing, or nothing more, in the order of the steps.
    findings: Vec<PayeeFinding>,
    /// Their published credits.
    #[schema(value_type = Vec<PayeeCreditView>)]
    credits: Vec<Value>,
}

impl PlanWhyNotView {
    fn new(of: &str, why: PublicPlanWhyNot) -> Result<PlanWhyNotView, Problem> {
        let credits = why.credits.iter().map(|(row, cut)| credit_json(of, row, cut.clone()));
        let credits = credits.collect::<Result<Vec<Value>, Problem>>()?;
        let credited = !credits.is_empty();
        Ok(PlanWhyNotView { plan: why.plan, credited, findings: why.findings, credits })
    }
}

/// Why a payee got nothing of a transaction, plan by plan; where they got something that is
/// published, what.
pub(crate) async fn show_why_not(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(payee): Path<String>,
    asked: Result<Query<WhyNotParams>, QueryRejection>,
) -> ViewResult<WhyNotView> {
    let Query(asked) = asked.map_err(|_| Problem::bad_request("expected `transaction`"))?;

    let told = service.run_blocking(move |service| {
        let scope = caller.scope_of(&service.context, &payee, None)?;
        let why = published::why_not(&service.context, &scope, &asked.transaction)?;
        let of = payee_path(&payee);
        let plans = why.plans.into_iter().map(|plan| PlanWhyNotView::new(&of, plan));
        let plans = plans.collect::<Result<Vec<PlanWhyNotView>, Problem>>()?;
        Ok(WhyNotView { transaction: asked.transaction, known: why.known, plans })
    });

    told.await.map(ViewJson)
}

/// The enquiries of a payee, oldest first.
pub(crate) async fn list_payee_enquiries(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(payee): Path<String>,
) -> ViewResult<ListView<EnquiryView>> {
    let own = service.run_blocking(move |service| {
        let scope = caller.scope_of(&service.context, &payee, None)?;
        let filter = EnquiryFilter::within(scope.read_scope());
        let own = enquiries::list_enquiries(&service.context, &filter)?;
        Ok(own.into_iter().map(EnquiryView::new).collect())
    });
    Ok(ViewJson(ListView::whole(own.await?)))
}

/// What an enquiry may say.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnquiryRequest {
    /// `missing` or `incorrect`.
    kind: String,
    /// Natural key of a transaction.
    transaction: Option<String>,
    /// The id of a published credit that it is about.
    credit: Option<String>,
    /// The amount that the payee expects.
    #[schema(value_type = Option<Decimal>)]
    expected: Option<String>,
    /// The question, 1 to 4000 characters.
    text: String,
}

/// The question of a body.
///
/// # Errors
/// When it is not understood.
pub(crate) fn parse_enquiry(body: &[u8]) -> Result<EnquiryOrder, Problem> {
    let said: EnquiryRequest = serde_json::from_slice(body).map_err(|_| {
        let detail = "expected a JSON object with `kind`, `text`, and optionally `transaction`, \
            `credit` or `expected`, an amount as text";
        Problem::bad_request(detail)
    })?;

    Ok(EnquiryOrder {
        kind: said.kind,
        transaction: said.transaction,
        credit: said.credit,
        expected: said.expected,
        text: said.text,
    })
}

/// Takes a question.
pub(crate) async fn open_enquiry(
    State(service): State<Arc<Service>>,
    Path(payee): Path<String>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> Result<Response, Problem> {
    let order = parse_enquiry(&body)?;
    let kept = service.run_blocking(move |service| {
        let scope = caller.scope_of(&service.context, &payee, None)?;
        let kept = enquiries::open_enquiry(&service.context, &scope, order, &caller.name)?;
        Ok(EnquiryView::new(kept))
    });

    Ok((StatusCode::CREATED, ViewJson(kept.await?)).into_response())
}
