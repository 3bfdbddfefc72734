//! What a payee sees: published statements, why and why not, and their enquiries.
//!
//! Not the publishing (the worker). Source: DOMAIN 2.14, 2.16, 2.18, INV-V1.
//!
//! **Architecture invariant:** everything is read by the payee's own key; a payee who is not known is
//! answered like one of whom nothing is published, and a credit of another person like none.

use std::sync::Arc;

use accredit_crediting::explain::{PayeeFinding, WhyNot};
use accredit_crediting::stage::maximum;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::EarnedReward;
use accredit_domain::money;
use accredit_domain::note::Note;
use accredit_domain::transaction::parse_number;
use accredit_ledger::enquiries::Enquiry;
use accredit_ledger::releases::{ReleaseStatus, Statement};
use accredit_operations::explain;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::address;
use crate::http::problem::Problem;
use crate::http::results::enquiries::EnquiryView;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::secrets::Caller;
use crate::server::state::Service;

/// Characters of an enquiry.
const TEXT_MAX: usize = 4000;

/// The query of the list of statements.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatementParams {
    period: Option<String>,
}

/// What is published of a payee: pending or confirmed.
pub(crate) async fn list_statements(
    State(service): State<Arc<Service>>,
    Path(payee): Path<String>,
    wanted: Result<Query<StatementParams>, QueryRejection>,
) -> ViewResult<ListView<StatementView>> {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `period`"))?;
    let shown = service.run_blocking(move |service| {
        let found = published_statements(service, &payee, wanted.period.as_deref())?;
        found.into_iter().map(|one| view_statement(service, &payee, one)).collect()
    });
    Ok(ViewJson(ListView::whole(shown.await?)))
}

/// The published results of a payee, including those under former ids.
fn published_statements(
    service: &Service,
    payee: &str,
    period: Option<&str>,
) -> Result<Vec<Statement>, Problem> {
    let mut found = Vec::new();
    for id in payee_ids(service, payee) {
        let own = service.context.ledger.payee_statements(&id, period);
        found.extend(own?);
    }
    Ok(found)
}

/// The ids of a payee: the one that is asked for, and those that it was renamed from.
fn payee_ids(service: &Service, payee: &str) -> Vec<String> {
    let ruleset = service.context.ruleset.load();
    let organization = &ruleset.organization;
    let known = organization.find_participant(payee);
    // Only the id of now shows what was published under the former ones.
    let known = known.filter(|known| *organization.participant_id(*known) == *payee);
    let former = known.into_iter().flat_map(|known| organization.former_ids(known));
    let others = former.filter(|id| *id != payee).map(str::to_owned);
    std::iter::once(payee.to_owned()).chain(others).collect()
}

/// What a payee sees of a plan in a period.
#[derive(Debug, Serialize)]
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
    released: String,
    /// The sums of the credits that count, by credit type and unit.
    totals: Vec<StatementTotalView>,
    /// The credits of the payee.
    credits: Vec<Value>,
    /// Credits of the teams of the payee, in a plan that measures teams.
    team_credits: Vec<Value>,
    /// The rewards of the payee.
    rewards: Vec<EarnedReward>,
}

/// The sum of the credits of one type and unit.
#[derive(Debug, Serialize)]
struct StatementTotalView {
    /// The credit type.
    credit_type: String,
    /// The unit of the amount.
    unit_type: String,
    /// The sum.
    amount: String,
}

fn view_statement(
    service: &Service,
    payee: &str,
    one: Statement,
) -> Result<StatementView, Problem> {
    let mut totals: Vec<(&str, &str, Decimal)> = Vec::new();
    for row in one.credits.iter().filter(|row| row.is_active()) {
        let key = (row.credit_type.as_str(), row.unit_type.as_str());
        match totals.iter_mut().find(|(kind, unit, _)| (*kind, *unit) == key) {
            Some((.., sum)) => money::add_to_total(sum, row.amount),
            None => totals.push((key.0, key.1, row.amount)),
        }
    }

    let totals = totals.into_iter().map(|(kind, unit, sum)| StatementTotalView {
        credit_type: kind.to_owned(),
        unit_type: unit.to_owned(),
        amount: sum.to_string(),
    });

    let rows = |rows: &[PostedCredit]| -> Result<Vec<Value>, Problem> {
        rows.iter().map(|row| Ok(credit_json(payee, row, before_maximum(service, row)?))).collect()
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

/// What a published credit would be without the maximum that cut it; none where nothing did, or
/// where the credit was decided otherwise since.
fn before_maximum(service: &Service, row: &PostedCredit) -> Result<Option<String>, Problem> {
    let stored = service.context.ledger.find_transaction(&row.transaction);
    let stored = stored?;
    let decisions = stored.iter().flat_map(|stored| &stored.decisions);
    let mut decided = decisions.filter(|decision| {
        let same = |now: &PostedCredit| now.id == row.id && now.amount == row.amount;
        decision.plan == row.plan && decision.credits.iter().any(same)
    });
    Ok(decided.find_map(|decision| maximum::before_maximum(&decision.log, row)))
}

/// A credit as its payee sees it, with the way to its explanation and the amount that a maximum cut.
fn credit_json(payee: &str, row: &PostedCredit, before_maximum: Option<String>) -> Value {
    json!({
        "id": row.id,
        "transaction": row.transaction,
        "incentive_date": row.incentive_date,
        "rule": row.rule,
        "kind": row.kind,
        "position": row.position,
        "team": row.team,
        "relationship": row.relationship,
        "period": row.period,
        "credit_type": row.credit_type,
        "unit_type": row.unit_type,
        "amount": row.amount,
        "before_maximum": before_maximum,
        "status": row.status,
        "release_date": row.release_date,
        "reason": row.reason,
        "reason_code": row.reason_code,
        "origin": row.origin,
        "reverses": row.reverses,
        "explain": why_not_link(payee, &row.transaction),
    })
}

/// Where a payee reads why they got what they got of a transaction.
pub(crate) fn why_not_link(payee: &str, transaction: &str) -> String {
    format!(
        "/v1/payees/{}/why-not?transaction={}",
        address::encode_part(payee),
        address::encode_part(transaction)
    )
}

/// The query: the natural key of a transaction.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhyNotParams {
    transaction: String,
}

/// Why a payee got what they got of a transaction.
#[derive(Debug, Serialize)]
pub(crate) struct WhyNotView {
    /// Natural key of the transaction, as it was asked for.
    transaction: String,
    /// Whether there is such a transaction.
    known: bool,
    /// A row for every plan that decided it.
    plans: Vec<PlanWhyNotView>,
}

/// What a payee got of a transaction in one plan, and why nothing more.
#[derive(Debug, Serialize)]
struct PlanWhyNotView {
    /// Id of the plan.
    plan: String,
    /// Whether a published credit is theirs.
    credited: bool,
    /// Why nothing, or nothing more, in the order of the steps.
    findings: Vec<PayeeFinding>,
    /// Their published credits.
    credits: Vec<Value>,
}

/// Why a payee got nothing of a transaction, plan by plan; where they got something that is
/// published, what.
pub(crate) async fn show_why_not(
    State(service): State<Arc<Service>>,
    Path(payee): Path<String>,
    asked: Result<Query<WhyNotParams>, QueryRejection>,
) -> ViewResult<WhyNotView> {
    let Query(asked) = asked.map_err(|_| Problem::bad_request("expected `transaction`"))?;

    let told = service.run_blocking(move |service| {
        let (published, ids) =
            (published_statements(service, &payee, None)?, payee_ids(service, &payee));
        let stored = service.context.ledger.find_transaction(&asked.transaction)?;

        let mut plans = Vec::new();
        // An unknown deal has no decisions, and no plans are listed for it.
        for decision in stored.iter().flat_map(|stored| &stored.decisions) {
            let Some(stored) = &stored else { continue };
            if let Some(why) =
                explain::explain_for_payee(&service.context, stored, decision, &payee)?
            {
                let log = &decision.log;
                let mine = decision.credits.iter().any(|row| {
                    row.payee.as_ref().is_some_and(|payee| ids.iter().any(|id| payee == id))
                        && (row.is_active() || row.is_held())
                });
                plans.push(public_why_not(&payee, why, (mine, log), &published));
            }
        }

        let known = stored.is_some();
        Ok(WhyNotView { transaction: asked.transaction, known, plans })
    });

    told.await.map(ViewJson)
}

/// What a payee may read: of their own credits, those that are published.
fn public_why_not(
    payee: &str,
    why: WhyNot,
    (decided, log): (bool, &[Note]),
    published: &[Statement],
) -> PlanWhyNotView {
    let statements = published.iter().filter(|one| one.plan == why.plan);
    let credits = statements.flat_map(|one| &one.credits);

    let credits: Vec<Value> = credits
        .filter(|row| row.transaction == why.transaction)
        .map(|row| {
            let unchanged =
                why.credits.iter().any(|now| now.id == row.id && now.amount == row.amount);
            let before = unchanged.then(|| maximum::before_maximum(log, row)).flatten();
            credit_json(payee, row, before)
        })
        .collect();

    // What was decided since the release is not for the payee: not even why.
    let unchanged = why.credits.iter().all(|now| {
        let same = |row: &PostedCredit| row.id == now.id && row.amount == now.amount;
        published.iter().any(|one| one.credits.iter().any(same))
    });

    let cut = |finding: &PayeeFinding| unchanged && finding.code == "over_maximum";

    let findings = match (credits.is_empty(), decided) {
        (false, _) => why.findings.into_iter().filter(cut).collect(),
        (true, false) => why.findings,
        (true, true) => vec![PayeeFinding {
            stage: "release".to_owned(),
            code: "not_released".to_owned(),
            message: "the calculation that it belongs to is not released".to_owned(),
            ..PayeeFinding::default()
        }],
    };

    PlanWhyNotView { plan: why.plan, credited: !credits.is_empty(), findings, credits }
}

/// The enquiries of a payee, oldest first.
pub(crate) async fn list_payee_enquiries(
    State(service): State<Arc<Service>>,
    Path(payee): Path<String>,
) -> ViewResult<ListView<EnquiryView>> {
    let own = service.run_blocking(move |service| {
        let all = service.context.ledger.list_enquiries()?;
        let own = all.into_iter().filter(|one| one.payee == payee);
        Ok(own.map(EnquiryView::new).collect())
    });
    Ok(ViewJson(ListView::whole(own.await?)))
}

/// A text of an enquiry without blanks around it.
///
/// # Errors
/// When it is empty or too long.
pub(crate) fn sound_text(text: &str) -> Result<String, Problem> {
    let length = text.trim().chars().count();
    if !(1..=TEXT_MAX).contains(&length) {
        let detail = format!("`text` must have 1 to {TEXT_MAX} characters");
        return Err(Problem::unprocessable("bad_text", detail));
    }
    Ok(text.trim().to_owned())
}

/// What an enquiry may say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnquiryRequest {
    kind: String,
    transaction: Option<String>,
    credit: Option<String>,
    expected: Option<String>,
    text: String,
}

/// Takes a question.
pub(crate) async fn open_enquiry(
    State(service): State<Arc<Service>>,
    Path(payee): Path<String>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    let said: EnquiryRequest = serde_json::from_slice(&body).map_err(|_| {
        let detail = "expected a JSON object with `kind`, `text`, and optionally `transaction`, \
            `credit` or `expected`, an amount as text";
        Problem::bad_request(detail)
    })?;

    if !matches!(said.kind.as_str(), "missing" | "incorrect") {
        let detail = format!("`{}` is neither `missing` nor `incorrect`", said.kind);
        return Err(Problem::unprocessable("unknown_kind", detail));
    }

    let text = sound_text(&said.text)?;
    if said.expected.as_deref().is_some_and(|amount| parse_number(amount).is_none()) {
        return Err(Problem::unprocessable("bad_amount", "`expected` is not an amount"));
    }

    let kept = service.run_blocking(move |service| {
        let (mut transaction, mut actual) = (said.transaction, None);

        // A payee may only ask about what a statement shows.
        if let Some(id) = &said.credit {
            let published = published_statements(service, &payee, None)?;
            let mut rows =
                published.iter().flat_map(|one| one.credits.iter().chain(&one.team_credits));
            let row = rows
                .find(|row| row.id.to_string() == *id)
                .ok_or_else(|| Problem::not_found("credit"))?;
            if transaction.as_ref().is_some_and(|known| *known != row.transaction) {
                let detail = "the credit is of another transaction";
                return Err(Problem::unprocessable("other_transaction", detail));
            }
            transaction = Some(row.transaction.to_string());
            actual = Some(row.amount.to_string());
        }

        let enquiry = Enquiry {
            payee,
            kind: said.kind,
            transaction,
            credit: said.credit,
            actual,
            expected: said.expected,
            text,
            at_ms: service.clock.now_ms(),
            ..Enquiry::default()
        };

        let kept = service.context.ledger.store_enquiry(enquiry, &caller.name)?;
        Ok(EnquiryView::new(kept))
    });

    Ok((StatusCode::CREATED, ViewJson(kept.await?)).into_response())
}
