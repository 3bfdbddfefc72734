//! Manual adjustments of transactions and of credits: made and listed.
//!
//! Not what they do (the engine) and not the keeping (the ledger). Source: DOMAIN 2.12.

use std::sync::Arc;

use accredit_crediting::posting;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Approval, ResolutionAction, ResolutionRecord};
use accredit_domain::keys::{DefinedName, PlanKey, TransactionKey};
use accredit_domain::money;
use accredit_operations::adjust::{AdjustOrder, AdjustmentSubject};
use accredit_operations::calculations;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::http::problem::Problem;
use crate::http::results::approvals::{self, ApprovalAct};
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::channels::WorkerTurn;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;

/// What an adjustment says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AdjustmentRequest {
    action: String,
    amount: Option<String>,
    comment: Option<String>,
    reason_code: Option<String>,
}

/// Adjusts the amount of a transaction.
pub(crate) async fn adjust_transaction(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    submit_adjustment(service, AdjustmentSubject::Transaction(id), caller, &body).await
}

/// Adjusts the amount of a credit.
pub(crate) async fn adjust_credit(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Result<Response, Problem> {
    submit_adjustment(service, AdjustmentSubject::Credit(id), caller, &body).await
}

async fn submit_adjustment(
    service: Arc<Service>,
    subject: AdjustmentSubject,
    caller: Caller,
    body: &[u8],
) -> Result<Response, Problem> {
    let said: AdjustmentRequest = serde_json::from_slice(body).map_err(|_| {
        let detail = "expected a JSON object with `action`, `amount` (a decimal as text), \
                      `comment` and `reason_code`";
        Problem::bad_request(detail)
    })?;

    let (action, amount) = parse_adjustment(&said)?;
    let codes = &service.context.ruleset.load().settings.reason_codes;

    // A reset says nothing new, so that it alone needs no reason code.
    match &said.reason_code {
        Some(code) if !codes.iter().any(|known| **known == **code) => {
            let detail = format!("`{code}` is not one of the workspace's reason codes");
            return Err(Problem::unprocessable("unknown_reason_code", detail));
        }
        None if action != ResolutionAction::Reset => {
            let detail = "an adjustment needs one of the workspace's reason codes";
            return Err(Problem::unprocessable("reason_code_needed", detail));
        }
        _ => (),
    }

    let (reason_code, comment) = (said.reason_code, said.comment);
    let act = ApprovalAct::Adjust { subject, action, amount, reason_code, comment };
    approvals::decide_act(&service, act, caller).await
}

/// An adjustment of a credit or of a transaction.
#[derive(Debug, Serialize)]
pub(crate) struct AdjustmentView {
    /// The id of the credit; blank for an adjustment of the transaction itself.
    credit: String,
    /// `adjust_to`, `adjust_by` or `reset`.
    action: ResolutionAction,
    /// Business date on which it was made.
    date: Date,
    /// The user who made it.
    who: String,
    /// The reason as it was given.
    comment: Option<String>,
    /// Natural key of the transaction.
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<TransactionKey>,
    /// Id of the plan of the credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    plan: Option<PlanKey>,
    /// The amount, in the unit of what is adjusted; left out for a reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<Decimal>,
    /// One of the workspace's reason codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason_code: Option<DefinedName>,
    /// Who approved it, where a second person had to.
    #[serde(skip_serializing_if = "Option::is_none")]
    approved: Option<Approval>,
    /// Whether it is the last adjustment of its target, and no reset.
    counts: bool,
    /// Whether it counts and the target still has what it adjusts.
    applied: bool,
}

/// An adjustment that was made, with its credit.
#[derive(Debug, Serialize)]
pub(crate) struct MadeAdjustmentView {
    /// The adjustment.
    adjustment: AdjustmentView,
    /// The credit as it is now; null for an adjustment of a transaction.
    credit: Option<PostedCredit>,
}

/// Adjusts, and shows the adjustment and its credit as they are then.
pub(crate) fn perform_adjustment(
    service: &Service,
    turn: &mut dyn WorkerTurn,
    order: AdjustOrder,
) -> Result<MadeAdjustmentView, Problem> {
    let subject = order.subject.clone();
    let kept = jobs::adjust_amount(turn, order)?;

    let credit = match subject {
        AdjustmentSubject::Credit(id) => service.context.ledger.find_credit(&id),
        AdjustmentSubject::Transaction(_) => Ok(None),
    };
    let credit = credit?;
    Ok(MadeAdjustmentView { adjustment: view_adjustment(service, kept, true)?, credit })
}

/// The action and its amount.
fn parse_adjustment(
    said: &AdjustmentRequest,
) -> Result<(ResolutionAction, Option<Decimal>), Problem> {
    let action = ResolutionAction::parse(&said.action).filter(|action| action.is_adjustment());
    let action = action.ok_or_else(|| {
        let detail =
            format!("`{}` is not one of `adjust_to`, `adjust_by` and `reset`", said.action);
        Problem::unprocessable("unknown_action", detail)
    })?;

    let amount = said.amount.as_deref().map(|text| {
        Decimal::from_str_exact(text.trim()).map_err(|_| {
            let detail = format!("`{text}` is not a decimal such as `92.50`");
            Problem::unprocessable("bad_amount", detail)
        })
    });
    let amount = amount.transpose()?;

    if let Some(amount) = amount.filter(|amount| amount.abs() > money::AMOUNT_MAX) {
        let most = money::AMOUNT_MAX;
        let detail = format!("{}", money::TooLarge { amount, most });
        return Err(Problem::unprocessable("bad_amount", detail));
    }

    // A reset takes back what was adjusted, so an amount would mean nothing.
    match (action, amount) {
        (ResolutionAction::Reset, _) => Ok((action, None)),
        (_, Some(amount)) => Ok((action, Some(amount))),
        (_, None) => {
            let detail = format!("`{action}` needs an `amount`");
            Err(Problem::unprocessable("bad_amount", detail))
        }
    }
}

/// The view of an adjustment; `is_last` says that no later one is of the same target.
fn view_adjustment(
    service: &Service,
    one: ResolutionRecord,
    is_last: bool,
) -> Result<AdjustmentView, Problem> {
    let counts = is_last && one.action != ResolutionAction::Reset;
    let (applied, _) = calculations::adjustment_applies(&service.context, &one)?;

    Ok(AdjustmentView {
        credit: one.credit.map(|credit| credit.to_string()).unwrap_or_default(),
        action: one.action,
        date: one.date,
        who: one.who,
        comment: one.comment,
        transaction: one.transaction,
        plan: one.plan,
        amount: one.amount,
        reason_code: one.reason_code,
        approved: one.approved,
        counts,
        applied: counts && applied,
    })
}

/// The adjustments of a transaction and of its credits, oldest first: whether each counts (it is
/// the last word about its amount) and whether it still applies.
pub(crate) async fn list_transaction_adjustments(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<ListView<AdjustmentView>> {
    let listed = service.run_blocking(move |service| {
        let stored = service.context.ledger.find_transaction(&id)?;
        stored.ok_or_else(|| Problem::not_found("transaction"))?;
        list_adjustments(service, &id, |_| true)
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}

/// The adjustments of a credit, oldest first.
pub(crate) async fn list_credit_adjustments(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<ListView<AdjustmentView>> {
    let listed = service.run_blocking(move |service| {
        let row = service.context.ledger.find_credit(&id)?;
        let row = row.ok_or_else(|| Problem::not_found("credit"))?;
        let credit = Some(posting::credit_of(&row));
        list_adjustments(service, &row.transaction, |one| one.credit == credit)
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}

fn list_adjustments(
    service: &Service,
    transaction: &str,
    wanted: impl Fn(&ResolutionRecord) -> bool,
) -> Result<Vec<AdjustmentView>, Problem> {
    let all = service.context.ledger.transaction_resolutions(transaction);
    let mut all = all?;
    all.retain(|one| one.is_adjustment() && one.transaction.as_deref() == Some(transaction));
    let shown = all.iter().enumerate().filter(|(_, one)| wanted(one)).map(|(index, one)| {
        let later = all.get(index + 1..).unwrap_or_default();
        let is_last = !later.iter().any(|later| later.same_target(one));
        view_adjustment(service, one.clone(), is_last)
    });
    shown.collect()
}
