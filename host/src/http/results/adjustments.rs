//! Manual adjustments of transactions and of credits: made and listed.
//!
//! Not what they do and what is refused (`operations::adjust`). Source: DOMAIN 2.12.

use std::sync::Arc;

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Approval, ResolutionAction};
use accredit_domain::keys::{DefinedName, PlanKey, TransactionKey};
use accredit_operations::adjust::{self, AdjustOrder, AdjustmentStatus, AdjustmentSubject};
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::approvals;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::channels::WorkerTurn;
use crate::server::jobs;
use crate::server::state::Service;

/// What an adjustment says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentRequest {
    /// `adjust_to`, `adjust_by`, or `reset` to end an adjustment.
    action: String,
    /// The amount; `reset` needs none.
    #[schema(value_type = Option<Decimal>)]
    amount: Option<String>,
    /// Why.
    comment: Option<String>,
    /// One of the workspace's reason codes; `reset` needs none.
    reason_code: Option<String>,
}

/// Adjusts the amount of a transaction.
pub(crate) async fn adjust_transaction(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> Result<Response, Problem> {
    submit_adjustment(service, AdjustmentSubject::Transaction(id), caller, &body).await
}

/// Adjusts the amount of a credit.
pub(crate) async fn adjust_credit(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> Result<Response, Problem> {
    submit_adjustment(service, AdjustmentSubject::Credit(id), caller, &body).await
}

async fn submit_adjustment(
    service: Arc<Service>,
    subject: AdjustmentSubject,
    caller: Principal,
    body: &[u8],
) -> Result<Response, Problem> {
    let said: AdjustmentRequest = serde_json::from_slice(body).map_err(|_| {
        let detail = "expected a JSON object with `action`, `amount` (a decimal as text), \
                      `comment` and `reason_code`";
        Problem::bad_request(detail)
    })?;

    let asked = (said.action.as_str(), said.amount.as_deref());
    let code = said.reason_code.as_deref();
    let (action, amount) = adjust::read_adjustment(&service.context, asked, code)?;

    let (reason_code, comment) = (said.reason_code, said.comment);
    let act = ApprovalAct::Adjust { subject, action, amount, reason_code, comment };
    approvals::decide_act(&service, act, (caller, SentKey(None))).await
}

/// An adjustment of a credit or of a transaction.
#[derive(Debug, Serialize, ToSchema)]
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
    #[schema(nullable = false)]
    transaction: Option<TransactionKey>,
    /// Id of the plan of the credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    plan: Option<PlanKey>,
    /// The amount, in the unit of what is adjusted; left out for a reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    amount: Option<Decimal>,
    /// One of the workspace's reason codes.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason_code: Option<DefinedName>,
    /// Who approved it, where a second person had to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    approved: Option<Approval>,
    /// Whether it is the last adjustment of its target, and no reset.
    counts: bool,
    /// Whether it counts and the target still has what it adjusts.
    applied: bool,
}

impl AdjustmentView {
    fn new(status: AdjustmentStatus) -> AdjustmentView {
        let AdjustmentStatus { adjustment: one, counts, applied } = status;
        AdjustmentView {
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
            applied,
        }
    }
}

/// An adjustment that was made, with its credit.
#[derive(Debug, Serialize, ToSchema)]
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
    let status = adjust::adjustment_status(&service.context, kept, true)?;
    Ok(MadeAdjustmentView { adjustment: AdjustmentView::new(status), credit })
}

/// The adjustments of a transaction and of its credits, oldest first: whether each counts (it is
/// the last word about its amount) and whether it still applies.
pub(crate) async fn list_transaction_adjustments(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<ListView<AdjustmentView>> {
    let listed = service
        .run_blocking(move |service| Ok(adjust::transaction_adjustments(&service.context, &id)?));
    Ok(ViewJson(view_list(listed.await?)))
}

/// The adjustments of a credit, oldest first.
pub(crate) async fn list_credit_adjustments(
    State(service): State<Arc<Service>>,
    Path(id): Path<String>,
) -> ViewResult<ListView<AdjustmentView>> {
    let listed =
        service.run_blocking(move |service| Ok(adjust::credit_adjustments(&service.context, &id)?));
    Ok(ViewJson(view_list(listed.await?)))
}

fn view_list(found: Vec<AdjustmentStatus>) -> ListView<AdjustmentView> {
    ListView::whole(found.into_iter().map(AdjustmentView::new).collect())
}
