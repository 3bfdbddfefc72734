//! What payees ask: why not, and enquiries.
//!
//! Not the answers of the staff (`results::enquiries`). Source: DOMAIN 2.16.
//!
//! **Architecture invariant:** a reason that a payee reads is one of the sentences of this file, or is
//! about their own credits: expressions, policies and the cells of a deal stay inside.

use std::sync::Arc;

use accredit_crediting::explain::PayeeFinding;
use accredit_ledger::enquiries::EnquiryStep;
use accredit_operations::enquiries::{self, EnquiryFilter};
use accredit_operations::published::{self, PublicPlanWhyNot};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::me::subject::Subject;
use crate::http::problem::Problem;
use crate::http::results::enquiries::{EnquiryView, parse_message};
use crate::http::results::payees::{self, WhyNotParams};
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// Why the subject got what they got of a transaction that concerns them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnWhyNotView {
    /// Natural key of the transaction, as it was asked for.
    transaction: String,
    /// Whether there is such a transaction that concerns the subject.
    known: bool,
    /// A row for every plan that decided it.
    plans: Vec<OwnPlanView>,
}

/// What the subject got of a transaction in one plan, and why nothing more.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct OwnPlanView {
    /// Id of the plan.
    plan: String,
    /// Whether a published credit is theirs.
    credited: bool,
    /// Why nothing, or nothing more, in the order of the steps.
    findings: Vec<OwnFindingView>,
    /// Their published credits.
    #[schema(value_type = Vec<payees::PayeeCreditView>)]
    credits: Vec<Value>,
}

/// One reason, in the words for payees.
#[derive(Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(super) struct OwnFindingView {
    /// The step of the plan.
    stage: String,
    /// A word that stays.
    code: String,
    /// The rule, if one is to blame.
    rule: Option<String>,
    /// The reason in one sentence.
    message: String,
}

impl OwnFindingView {
    /// A reason without what payees do not see.
    pub(super) fn new(finding: PayeeFinding) -> OwnFindingView {
        let message = match finding.code.as_str() {
            // These are about the subject's own credits and name no one else.
            "over_maximum" | "not_released" | "no_position" | "team_plan" => finding.message,
            code => reason_text(code).to_owned(),
        };
        OwnFindingView { stage: finding.stage, code: finding.code, rule: finding.rule, message }
    }
}

/// The sentence for a reason.
fn reason_text(code: &str) -> &'static str {
    match code {
        "filtered" => "the plan does not take this deal",
        "condition" => "a condition of the rule keeps this deal out",
        "inactive" => "the rule is not in force on the day of the deal",
        "not_named" => "the deal does not name you where the rule looks for a name",
        "not_target" => "you are not among the people for whom the plan is",
        "not_member" => "you are not a member of the team that the rule looks for",
        "not_reached" | "not_receiver" | "not_rolled" => "no credit of the deal leads to you",
        "held" => "your credit is held",
        "suppressed" => "your credit is a duplicate of another one of yours",
        "void" => "your credit was taken back",
        "policy_error" => "a rule of the plan could not be computed for this deal",
        "bad_value" => "a value of the deal cannot be read",
        "no_currency" | "no_exchange_rate" => "the amount of the deal cannot be exchanged",
        "no_period" => "the day of the deal is in no period",
        "unknown_payee" => "you are not in the organisation",
        "no_reward" => "no reward of the plan can be computed from these credits",
        _ => "no rule of the plan credits you for this deal",
    }
}

impl OwnPlanView {
    /// The view for a caller who finds what is the subject's under a path.
    pub(super) fn new(path: &str, why: PublicPlanWhyNot) -> Result<OwnPlanView, Problem> {
        let credits = why.credits.iter();
        let credits = credits.map(|(row, cut)| payees::credit_json(path, row, cut.clone()));
        let credits = credits.collect::<Result<Vec<Value>, Problem>>()?;

        let mut findings: Vec<OwnFindingView> = Vec::new();
        for finding in why.findings.into_iter().map(OwnFindingView::new) {
            if !findings.contains(&finding) {
                findings.push(finding);
            }
        }
        Ok(OwnPlanView { plan: why.plan, credited: !credits.is_empty(), findings, credits })
    }
}

/// Why the subject got nothing of a transaction, plan by plan. A deal that does not concern the subject is
/// answered like one that does not exist.
pub(crate) async fn show_why_not(
    State(service): State<Arc<Service>>,
    subject: Subject,
    asked: Result<Query<WhyNotParams>, QueryRejection>,
) -> ViewResult<OwnWhyNotView> {
    let Query(asked) = asked.map_err(|_| Problem::bad_request("expected `transaction`"))?;
    let told = service.run_blocking(move |service| {
        let transaction = asked.transaction;
        let why = published::own_why_not(&service.context, &subject.scope, &transaction)?;
        let plans = why.plans.into_iter().map(|plan| OwnPlanView::new(&subject.path, plan));
        let plans = plans.collect::<Result<Vec<OwnPlanView>, Problem>>()?;
        Ok(OwnWhyNotView { transaction, known: why.known, plans })
    });
    told.await.map(ViewJson)
}

/// The enquiries of the subject, oldest first.
pub(crate) async fn list_enquiries(
    State(service): State<Arc<Service>>,
    subject: Subject,
) -> ViewResult<ListView<EnquiryView>> {
    let listed = service.run_blocking(move |service| {
        let filter = EnquiryFilter::within(subject.scope.read_scope());
        let found = enquiries::list_enquiries(&service.context, &filter)?.into_iter();
        Ok(found.map(|one| EnquiryView::under(&subject.path, one)).collect())
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}

/// Takes a question of the caller.
pub(crate) async fn open_enquiry(
    State(service): State<Arc<Service>>,
    subject: Subject,
    body: Bytes,
) -> Result<Response, Problem> {
    let order = payees::parse_enquiry(&body)?;
    let kept = service.run_blocking(move |service| {
        let Subject { caller, scope, path } = subject;
        let kept = enquiries::open_enquiry(&service.context, &scope, order, &caller.name)?;
        Ok(EnquiryView::under(&path, kept))
    });
    Ok((StatusCode::CREATED, ViewJson(kept.await?)).into_response())
}

/// One enquiry of the caller.
pub(crate) async fn show_enquiry(
    State(service): State<Arc<Service>>,
    subject: Subject,
    Path(id): Path<u64>,
) -> ViewResult<EnquiryView> {
    let found = service.run_blocking(move |service| {
        let found = service.context.ledger.find_enquiry(id, &subject.scope.read_scope())?;
        let found = found.ok_or_else(|| Problem::not_found("enquiry"))?;
        Ok(EnquiryView::under(&subject.path, found))
    });
    found.await.map(ViewJson)
}

/// Adds a message of the caller to an own enquiry.
pub(crate) async fn post_message(
    State(service): State<Arc<Service>>,
    subject: Subject,
    Path(id): Path<u64>,
    body: Bytes,
) -> ViewResult<EnquiryView> {
    let step: EnquiryStep = parse_message(&body, true)?;
    let stepped = service.run_blocking(move |service| {
        let Subject { caller, scope, path } = subject;
        let (context, scope) = (&service.context, scope.read_scope());
        let found = enquiries::take_step(context, id, &scope, step, &caller.name)?;
        Ok(EnquiryView::under(&path, found))
    });
    stepped.await.map(ViewJson)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The staff reads which name the deal has and what the expression of a rule says: neither is for
    /// payees.
    #[test]
    fn a_reason_has_nothing_of_the_deal() {
        for code in ["not_named", "condition", "script", "limit", "filtered", "held"] {
            let shown = OwnFindingView::new(PayeeFinding {
                code: code.to_owned(),
                condition: Some("tx.owner == \"Zoe\"".to_owned()),
                file: Some("policies/secret.rhai".to_owned()),
                seen: [("owner".to_owned(), "Zoe".to_owned())].into(),
                message: "the owner is `Zoe`, 92.50".to_owned(),
                ..PayeeFinding::default()
            });
            let text = serde_json::to_string(&shown).unwrap();
            assert!(!text.contains("Zoe") && !text.contains("secret") && !text.contains("92"));
            assert!(!shown.message.is_empty());
        }
    }
}
