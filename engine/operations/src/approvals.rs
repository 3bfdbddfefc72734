//! What people decide about money and about who may do what, as requests that wait for a second
//! person: kept, approved, withdrawn.
//!
//! Not changes of definitions (`activation::proposals`), which wait in the same way, and not the
//! carrying out: the host does that between two batches of the worker. Source: DESIGN section 5.
//!
//! **Architecture invariant:** no person approves their own request, and only a request that waits is
//! carried out.

use std::collections::BTreeSet;

use accredit_domain::decision::{Actor, Approval, HoldAction, ResolutionAction};
use accredit_ledger::approvals::{ApprovalRequest, ApprovalState};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::adjust::AdjustmentSubject;
use crate::calculations;
use crate::context::Context;
use crate::error::OperationError;
use crate::holds::HoldFilter;
use crate::manual_credits::ManualCreditSubject;
use crate::manual_rewards::ManualRewardSubject;
use crate::periods::PeriodAct;
use crate::release::ReleaseKind;

/// Whose access it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessSubject {
    /// Of a key of the API.
    Key,
    /// Of a person who signs in.
    Person,
}

/// What changes of an access.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "to", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of a key or a person")]
pub enum AccessChange {
    /// A role is granted: to a new key or person, or to a person who has another one.
    Grant { role: String, participant: Option<String>, scope: Option<String> },
    /// Another secret of a key, or another invitation, may be made once by the one who asked.
    Secret { overlap_ms: i64 },
    /// A person who was disabled may sign in again.
    Enable,
}

/// Something that a person decides; a request keeps it as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the fields are those of the orders that carry the acts out")]
pub enum ApprovalAct {
    /// An amount is adjusted.
    Adjust {
        subject: AdjustmentSubject,
        action: ResolutionAction,
        amount: Option<Decimal>,
        reason_code: Option<String>,
        comment: Option<String>,
    },
    /// A deal is made void.
    Void { transaction: String, reason: String },
    /// A credit is given by hand, or one is taken back.
    AddCredit {
        subject: ManualCreditSubject,
        reason_code: String,
        comment: Option<String>,
        request_key: Option<String>,
    },
    /// A reward is added by hand, or one is taken back.
    AddReward {
        subject: ManualRewardSubject,
        reason_code: String,
        comment: Option<String>,
        request_key: Option<String>,
    },
    /// A credit is held, or its hold is released.
    Resolve { credit: String, action: HoldAction, comment: Option<String> },
    /// Many holds are released.
    ReleaseHolds { filter: HoldFilter },
    /// A calculation is released to its payees; `force` is the reason of a forced one.
    ReleaseCalculation {
        plan: String,
        period: String,
        what: ReleaseKind,
        force: Option<String>,
        reason: Option<String>,
        request_key: Option<String>,
    },
    /// What a calculation published is taken back.
    DeleteCalculation { plan: String, period: String, force: bool, reason: Option<String> },
    /// A period is closed, reopened or finalized.
    Period { id: String, to: PeriodAct, force: bool, reason: Option<String> },
    /// A key or a person may do something else; the host carries it out.
    Access { subject: AccessSubject, id: String, name: String, change: AccessChange },
    /// A calculation is made again by the rules in force.
    Run {
        plan: String,
        period: String,
        mode: String,
        transactions: BTreeSet<String>,
        payees: BTreeSet<String>,
    },
}

impl ApprovalAct {
    /// Whether there is what it is about; what else is in the way is found when it is carried out.
    ///
    /// # Errors
    /// [`OperationError::NotFound`] when there is not.
    pub fn check_subject(&self, context: &Context) -> Result<(), OperationError> {
        let ledger = &context.ledger;
        let (found, what) = match self {
            ApprovalAct::Resolve { credit, .. }
            | ApprovalAct::Adjust { subject: AdjustmentSubject::Credit(credit), .. } => {
                (ledger.find_credit(credit)?.is_some(), "credit")
            }

            ApprovalAct::Adjust { subject: AdjustmentSubject::Transaction(id), .. }
            | ApprovalAct::Void { transaction: id, .. } => {
                (ledger.find_transaction(id)?.is_some(), "transaction")
            }

            ApprovalAct::ReleaseHolds { .. } => (true, "hold"),

            // The host keeps keys and people, and has looked.
            ApprovalAct::Access { .. } => (true, "key or person"),

            ApprovalAct::AddCredit { subject: ManualCreditSubject::New(new), .. } => {
                (context.ruleset.load().plans.contains_key(new.plan.as_str()), "plan")
            }
            ApprovalAct::AddCredit { subject: ManualCreditSubject::Reversal(id), .. } => {
                (ledger.find_credit(id)?.is_some(), "credit")
            }

            ApprovalAct::AddReward { subject: ManualRewardSubject::New(new), .. } => {
                calculations::release_scope(context, &new.plan, &new.period)?;
                (true, "calculation")
            }
            ApprovalAct::AddReward { subject: ManualRewardSubject::Reversal(id), .. } => {
                let known = ledger.manual_rewards()?;
                (known.iter().any(|one| *one.row.id == **id), "manual reward")
            }

            ApprovalAct::ReleaseCalculation { plan, period, .. }
            | ApprovalAct::DeleteCalculation { plan, period, .. } => {
                calculations::release_scope(context, plan, period)?;
                (true, "calculation")
            }

            ApprovalAct::Period { id, .. } => {
                (context.ruleset.load().settings.calendar.find(id).is_some(), "period")
            }

            ApprovalAct::Run { plan, period, .. } => {
                calculations::calculation_scopes(context, plan, period)?;
                (true, "calculation")
            }
        };

        if found { Ok(()) } else { Err(OperationError::not_found(what)) }
    }
}

/// Keeps an act until another person approves it, once under the key that `who` sent.
///
/// # Errors
/// [`OperationError::NotFound`] when there is nothing that it is about.
pub fn keep_request(
    context: &Context,
    act: &ApprovalAct,
    who: String,
    request_key: Option<String>,
) -> Result<ApprovalRequest, OperationError> {
    act.check_subject(context)?;
    let request = ApprovalRequest {
        at_ms: context.now_ms(),
        who,
        act: serde_json::to_value(act)?,
        request_key,
        ..ApprovalRequest::default()
    };
    Ok(context.ledger.request_approval(request)?)
}

/// The requests with this state and of this user, newest first; all where neither is given.
///
/// # Errors
/// When the data cannot be read.
pub fn list_requests(
    context: &Context,
    state: Option<ApprovalState>,
    who: Option<&str>,
) -> Result<Vec<ApprovalRequest>, OperationError> {
    let mut found = context.ledger.approval_requests()?;
    found.retain(|one| {
        state.is_none_or(|state| state == one.state) && who.is_none_or(|who| *who == one.who)
    });
    found.reverse();
    Ok(found)
}

/// One request.
///
/// # Errors
/// [`OperationError::NotFound`] when there is none with this number.
pub fn find_request(context: &Context, id: u64) -> Result<ApprovalRequest, OperationError> {
    let found = context.ledger.approval_request(id)?;
    found.ok_or_else(|| OperationError::not_found("request"))
}

/// The act of a request that `who` may approve, and whose act it is.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such request, [`OperationError::Conflict`] when it
/// does not wait any more, [`OperationError::Forbidden`] when `who` made it.
pub fn act_to_approve(
    context: &Context,
    id: u64,
    who: &str,
) -> Result<(ApprovalAct, Actor), OperationError> {
    let request = find_request(context, id)?;
    if request.state != ApprovalState::Waiting {
        return Err(not_waiting(&request));
    }

    if request.who == who {
        let detail = format!("`{who}` made this request; another person must approve it");
        return Err(OperationError::forbidden("four_eyes", detail));
    }

    let act: ApprovalAct = serde_json::from_value(request.act)?;
    let approved = Approval { request: Some(id), who: who.to_owned() };
    Ok((act, Actor { who: request.who, approved: Some(approved) }))
}

/// Records that the act of `by` is carried out, where its own commit did not; gives the request.
///
/// # Errors
/// When the data cannot be read or written.
pub fn record_approval(
    context: &Context,
    id: u64,
    by: &Actor,
) -> Result<ApprovalRequest, OperationError> {
    if let Some(approved) = &by.approved {
        context.ledger.record_approved_request(approved, context.now_ms())?;
    }
    find_request(context, id)
}

/// Withdraws a request, or refuses it; nothing is carried out. Twice is once.
///
/// # Errors
/// [`OperationError::NotFound`] when there is no such request, [`OperationError::Conflict`] when it
/// is approved already.
pub fn withdraw_request(
    context: &Context,
    id: u64,
    who: &str,
) -> Result<ApprovalRequest, OperationError> {
    let request = context.ledger.withdraw_request(id, who, context.now_ms())?;
    let request = request.ok_or_else(|| OperationError::not_found("request"))?;
    match request.state {
        ApprovalState::Withdrawn => Ok(request),
        _ => Err(not_waiting(&request)),
    }
}

fn not_waiting(request: &ApprovalRequest) -> OperationError {
    let what = if request.state == ApprovalState::Approved { "approved" } else { "withdrawn" };
    let detail = format!("request {} is already {what}", request.id);
    OperationError::conflict("not_waiting", detail)
}
