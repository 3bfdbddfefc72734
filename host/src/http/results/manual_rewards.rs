//! Rewards that people add by hand: made, taken back and listed.
//!
//! Not what they do (the engine) and not the keeping (the ledger). Source: REWARDS section 7.

use std::sync::Arc;

use accredit_domain::decision::{Approval, EarnedReward};
use accredit_domain::keys::{DefinedName, PeriodKey, RewardId};
use accredit_ledger::manual_rewards::ManualReward;
use accredit_operations::approvals::ApprovalAct;
use accredit_operations::by_hand;
use accredit_operations::manual_rewards::{ManualRewardSubject, NewReward};
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

/// What a manual reward says: `reverses`, or the parts of a new one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ManualRewardRequest {
    /// Id of a participant.
    payee: Option<String>,
    /// Id of a plan.
    plan: Option<String>,
    /// A period of the plan's own kind.
    period: Option<String>,
    /// The amount, below zero allowed.
    #[schema(value_type = Option<Decimal>)]
    amount: Option<String>,
    /// The unit; by default the workspace's currency.
    unit_type: Option<String>,
    /// What the row is called; by default `Manual reward`.
    name: Option<String>,
    /// The id of a manual reward that is taken back; only `reason_code` and `comment` go with it.
    reverses: Option<String>,
    /// One of the workspace's reason codes.
    reason_code: Option<String>,
    /// Why.
    comment: Option<String>,
}

impl ActBody for ManualRewardRequest {
    const EXPECTED: &'static str = "expected a JSON object with `payee`, `plan`, `period`, `amount` \
                                    (a decimal as text) and `reason_code`, or with `reverses` and \
                                    `reason_code`";
}

/// Adds a reward, or takes one back.
pub(crate) async fn add_reward(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    key: SentKey,
    sent: SentAct<ManualRewardRequest>,
) -> Result<Response, Problem> {
    let request = sent.body;
    let reason_code = by_hand::needed_reason_code(&service.context, request.reason_code.clone())?;
    let comment = request.comment.clone();
    let subject = subject_of(request)?;

    let request_key = key.0.clone();
    let act = ApprovalAct::AddReward { subject, reason_code, comment, request_key };
    approvals::decide_act(&service, act, (caller, key)).await
}

/// What a request is about.
fn subject_of(request: ManualRewardRequest) -> Result<ManualRewardSubject, Problem> {
    if let Some(reversed) = request.reverses {
        let others =
            [&request.payee, &request.plan, &request.period, &request.amount, &request.unit_type];
        if others.iter().any(|part| part.is_some()) {
            return Err(Problem::bad_request(
                "a reversal takes everything from the reward that it names: send `reverses`, \
                 `reason_code` and `comment` alone",
            ));
        }
        return Ok(ManualRewardSubject::Reversal(reversed));
    }

    let needed = |part: Option<String>, name: &str| {
        let missing = || Problem::bad_request(format!("a manual reward needs `{name}`"));
        part.filter(|text| !text.trim().is_empty()).ok_or_else(missing)
    };
    let amount = by_hand::read_decimal(&needed(request.amount, "amount")?)?;
    Ok(ManualRewardSubject::New(NewReward {
        payee: needed(request.payee, "payee")?,
        plan: needed(request.plan, "plan")?,
        period: needed(request.period, "period")?,
        amount,
        unit_type: request.unit_type,
        name: request.name.filter(|name| !name.trim().is_empty()),
    }))
}

/// A reward that a person added.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ManualRewardView {
    /// The row that is paid; its period is the one in which it counts.
    reward: EarnedReward,
    /// The period that was asked for.
    requested_period: PeriodKey,
    /// One of the workspace's reason codes.
    reason_code: DefinedName,
    /// The comment as it was given.
    comment: Option<String>,
    /// The reward that it takes back.
    reverses: Option<RewardId>,
    /// Business date on which it was made.
    date: Date,
    /// The user who made it.
    who: String,
    /// Who approved it, where a second person had to.
    approved: Option<Approval>,
}

impl ManualRewardView {
    /// The view of a reward.
    pub(crate) fn new(kept: ManualReward) -> ManualRewardView {
        ManualRewardView {
            reward: kept.row,
            requested_period: kept.requested_period,
            reason_code: kept.reason_code,
            comment: kept.comment,
            reverses: kept.reverses,
            date: kept.date,
            who: kept.who,
            approved: kept.approved,
        }
    }
}

/// Every reward that people added, oldest first, with who did that and why.
pub(crate) async fn list_manual_rewards(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<ManualRewardView>> {
    let listed = service.run_blocking(move |service| {
        let known = service.context.ledger.manual_rewards()?;
        Ok(known.into_iter().map(ManualRewardView::new).collect())
    });
    Ok(ViewJson(ListView::whole(listed.await?)))
}
