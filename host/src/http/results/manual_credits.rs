//! Credits that people give without a deal: given, taken back and listed.
//!
//! Not what they do (the engine) and not the keeping (the ledger). Source: REWARDS section 7.

use std::sync::Arc;

use accredit_domain::credit::CreditId;
use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Approval;
use accredit_domain::keys::{DefinedName, PeriodKey, TransactionKey};
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::by_hand;
use accredit_operations::manual_credits::{ManualCreditSubject, NewCredit, PostedAct};
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::act_body::{ActBody, SentAct};
use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::approvals;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// What a manual credit says: `reverses`, or the parts of a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManualCreditRequest {
    /// Id of a participant.
    payee: Option<String>,
    /// Id of a position; by default the only one that the payee holds.
    position: Option<String>,
    /// Id of a plan.
    plan: Option<String>,
    /// A period of the plan's own kind.
    period: Option<String>,
    /// A day on which the plan is in force; by default the period's last.
    incentive_date: Option<Date>,
    /// One of the workspace's credit types.
    credit_type: Option<String>,
    /// The amount, below zero allowed.
    #[schema(value_type = Option<Decimal>)]
    amount: Option<String>,
    /// The unit; by default the workspace's currency.
    unit_type: Option<String>,
    /// Whether it rolls up as credits of deals do; by default it does not.
    rolls_up: Option<bool>,
    /// The id of a manual credit that is taken back; only `reason_code` and `comment` go with it.
    reverses: Option<String>,
    /// One of the workspace's reason codes.
    reason_code: Option<String>,
    /// Why.
    comment: Option<String>,
}

impl ActBody for ManualCreditRequest {
    const EXPECTED: &'static str = "expected a JSON object with `payee` or `position`, `plan`, `period` or \
                                    `incentive_date`, `amount` (a decimal as text) and \
                                    `reason_code`, or with `reverses` and `reason_code`";
}

/// Gives a credit, or takes one back.
pub(crate) async fn add_credit(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    key: SentKey,
    sent: SentAct<ManualCreditRequest>,
) -> Result<Response, Problem> {
    let request = sent.body;
    let reason_code = by_hand::needed_reason_code(&service.context, request.reason_code.clone())?;
    let comment = request.comment.clone();
    let subject = subject_of(request)?;

    let request_key = key.0.clone();
    let act = ApprovalAct::AddCredit { subject, reason_code, comment, request_key };
    approvals::decide_act(&service, act, (caller, key)).await
}

/// What a request is about.
fn subject_of(request: ManualCreditRequest) -> Result<ManualCreditSubject, Problem> {
    if let Some(reversed) = request.reverses {
        let others = [
            &request.payee,
            &request.position,
            &request.plan,
            &request.period,
            &request.credit_type,
            &request.amount,
            &request.unit_type,
        ];
        let other = others.iter().any(|part| part.is_some());
        if other || request.incentive_date.is_some() || request.rolls_up.is_some() {
            return Err(Problem::bad_request(
                "a reversal takes everything from the credit that it names: send `reverses`, \
                 `reason_code` and `comment` alone",
            ));
        }
        return Ok(ManualCreditSubject::Reversal(reversed));
    }

    let filled = |part: Option<String>| part.filter(|text| !text.trim().is_empty());
    let needed = |part: Option<String>, name: &str| {
        let missing = || Problem::bad_request(format!("a manual credit needs `{name}`"));
        filled(part).ok_or_else(missing)
    };
    let amount = by_hand::read_decimal(&needed(request.amount, "amount")?)?;
    Ok(ManualCreditSubject::New(NewCredit {
        payee: filled(request.payee),
        position: filled(request.position),
        plan: needed(request.plan, "plan")?,
        period: filled(request.period),
        incentive_date: request.incentive_date,
        credit_type: filled(request.credit_type),
        amount,
        unit_type: request.unit_type,
        rolls_up: request.rolls_up.unwrap_or_default(),
    }))
}

/// An act by which a person gave a credit, or took one back.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ManualCreditActView)]
pub(crate) struct ManualCreditView {
    /// The direct entry that the act made, as it is posted now; its period is the one in which it
    /// counts.
    credit: Option<PostedCredit>,
    /// What stands in place of the deal's natural key.
    transaction: TransactionKey,
    /// The period that was asked for, if one was.
    requested_period: Option<PeriodKey>,
    /// Whether it rolls up as credits of deals do.
    rolls_up: bool,
    /// One of the workspace's reason codes.
    reason_code: DefinedName,
    /// The comment as it was given.
    comment: Option<String>,
    /// The entry that it takes back.
    reverses: Option<CreditId>,
    /// Business date of the act.
    date: Date,
    /// The user who did it.
    who: String,
    /// Who approved it, where a second person had to.
    approved: Option<Approval>,
}

impl ManualCreditView {
    /// The view of an act.
    pub(crate) fn new(posted: PostedAct) -> ManualCreditView {
        let PostedAct { act, credit } = posted;
        let given = act.act().clone();
        ManualCreditView {
            credit,
            transaction: act.credit.key,
            requested_period: act.requested_period,
            rolls_up: act.credit.rolls_up,
            reason_code: given.reason_code,
            comment: given.comment,
            reverses: act.reverses,
            date: given.date,
            who: given.who,
            approved: act.approved,
        }
    }
}

/// Every act by which people gave credits or took them back, oldest first.
pub(crate) async fn list_manual_credits(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<ManualCreditView>> {
    let listed = service.run_blocking(move |service| {
        let known = accredit_operations::manual_credits::list_acts(&service.context)?;
        Ok(known.into_iter().map(ManualCreditView::new).collect())
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}
