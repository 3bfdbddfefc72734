//! What people decide about money under four eyes: stored, listed, approved by another person,
//! withdrawn.
//!
//! Not changes of definitions (`definitions::changes`), which wait in the same way. Without four eyes
//! an act is carried out at once. Called by the handlers of the acts.
//!
//! **Architecture invariant:** no person approves their own request, and a waiting request is
//! carried out by the same function as an immediate one.

use rust_decimal::Decimal;
use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::{Actor, Approval, HoldAction, ResolutionAction};
use accredit_ledger::approvals::{ApprovalRequest, ApprovalState};
use accredit_ledger::runs::RunRules;
use accredit_operations::adjust::{AdjustOrder, AdjustmentSubject};
use accredit_operations::manual_credits::{ManualCreditOrder, ManualCreditSubject};
use accredit_operations::manual_rewards::{ManualRewardOrder, ManualRewardSubject};
use accredit_operations::periods::{PeriodAct, PeriodOrder};
use accredit_operations::release::{ReleaseKind, UnpublishOrder};
use accredit_operations::resolve::ResolveOrder;
use accredit_operations::runs::RunOrder;
use accredit_operations::void::VoidOrder;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http::intake::transactions;
use crate::http::problem::Problem;
use crate::http::results::{
    adjustments, calculations, holds, manual_credits, manual_rewards, periods, runs,
};
use crate::http::views::{ListView, SignOffView, ViewJson, ViewResult};
use crate::server::channels::WorkerTurn;
use crate::server::clock::format_rfc3339;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// Something that a person decides about money.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub(crate) enum ApprovalAct {
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
    ReleaseHolds { filter: holds::HoldFilter },
    /// A calculation is released to its payees; `force` is the reason of a forced one.
    ReleaseCalculation {
        plan: String,
        period: String,
        what: ReleaseKind,
        force: Option<String>,
        reason: Option<String>,
    },
    /// What a calculation published is taken back.
    DeleteCalculation { plan: String, period: String, force: bool, reason: Option<String> },
    /// A period is closed, reopened or finalized.
    Period { id: String, to: PeriodAct, force: bool, reason: Option<String> },
    /// A calculation is made again by the rules in force.
    Run {
        plan: String,
        period: String,
        mode: String,
        transactions: BTreeSet<String>,
        payees: BTreeSet<String>,
    },
}

/// What an act answers when it is carried out.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(crate) enum ActAnswerView {
    /// An amount was adjusted.
    Adjusted(Box<adjustments::MadeAdjustmentView>),
    /// A deal was made void.
    Voided(transactions::VoidedDealView),
    /// A credit was given by hand, or taken back.
    CreditAdded(Box<manual_credits::ManualCreditView>),
    /// A reward was added by hand.
    RewardAdded(Box<manual_rewards::ManualRewardView>),
    /// A credit was held, or its hold was released: the credit.
    Resolved(Box<PostedCredit>),
    /// Many holds were released.
    HoldsReleased(holds::ReleasedHoldsView),
    /// A calculation was released.
    Released(Box<calculations::ReleaseView>),
    /// A release was taken back.
    ReleaseRemoved(calculations::RemovedReleaseView),
    /// A period was closed, reopened or finalized.
    PeriodChanged(periods::ChangedPeriodView),
    /// A run was begun.
    RunBegun(Box<runs::RunView>),
}

impl ApprovalAct {
    /// Carries out the act.
    fn perform_act(
        self,
        service: &Service,
        turn: &mut dyn WorkerTurn,
        by: Actor,
    ) -> Result<ActAnswerView, Problem> {
        let Actor { who, approved } = by.clone();
        match self {
            ApprovalAct::Adjust { subject, action, amount, reason_code, comment } => {
                let order =
                    AdjustOrder { subject, action, amount, reason_code, who, comment, approved };
                let made = adjustments::perform_adjustment(service, turn, order)?;
                Ok(ActAnswerView::Adjusted(Box::new(made)))
            }

            ApprovalAct::Void { transaction, reason } => {
                let deal = jobs::void_deal(turn, VoidOrder { transaction, reason, by })?;
                Ok(ActAnswerView::Voided(transactions::VoidedDealView::new(&deal)))
            }

            ApprovalAct::AddCredit { subject, reason_code, comment, request_key } => {
                let order = ManualCreditOrder { subject, reason_code, comment, request_key, by };
                let view = manual_credits::ManualCreditView::new(jobs::add_credit(turn, order)?);
                Ok(ActAnswerView::CreditAdded(Box::new(view)))
            }

            ApprovalAct::AddReward { subject, reason_code, comment, request_key } => {
                let order = ManualRewardOrder { subject, reason_code, comment, request_key, by };
                let view = manual_rewards::ManualRewardView::new(jobs::add_reward(turn, order)?);
                Ok(ActAnswerView::RewardAdded(Box::new(view)))
            }

            ApprovalAct::Resolve { credit, action, comment } => {
                let order = ResolveOrder { credit, action, who, comment, approved };
                let credit = jobs::resolve_known(turn, order)?;
                Ok(ActAnswerView::Resolved(Box::new(credit)))
            }

            ApprovalAct::ReleaseHolds { filter } => {
                holds::perform_release(turn, filter, &by).map(ActAnswerView::HoldsReleased)
            }

            ApprovalAct::ReleaseCalculation { plan, period, what, force, reason } => {
                let (about, reasons) =
                    ((plan.as_str(), period.as_str()), (force.is_some(), reason));
                let release =
                    calculations::publish_calculation(service, turn, about, what, reasons, by)?;
                Ok(ActAnswerView::Released(Box::new(release)))
            }

            ApprovalAct::DeleteCalculation { plan, period, force, reason } => {
                let order = UnpublishOrder { plan, period, force, reason, by };
                let removed = calculations::unpublish_calculation(service, order);
                removed.map(ActAnswerView::ReleaseRemoved)
            }

            ApprovalAct::Period { id, to, force, reason } => {
                let order = PeriodOrder { period: id, act: to, force, reason, by };
                let changed = periods::perform_act(service, turn, order);
                changed.map(ActAnswerView::PeriodChanged)
            }

            ApprovalAct::Run { plan, period, mode, transactions, payees } => {
                let order = RunOrder {
                    plan,
                    period,
                    mode,
                    selected: transactions,
                    payees,
                    rules: Some(RunRules::InForce),
                    dry_run: false,
                    who,
                };
                let run = service.begin_run(order)?;
                Ok(ActAnswerView::RunBegun(Box::new(runs::RunView::new(run))))
            }
        }
    }

    /// Whether there is what it is about; what else is in the way is found when it is carried out.
    fn check_subject(&self, service: &Service) -> Result<(), Problem> {
        let (found, what) = match self {
            ApprovalAct::Resolve { credit, .. }
            | ApprovalAct::Adjust { subject: AdjustmentSubject::Credit(credit), .. } => {
                (service.context.ledger.find_credit(credit)?.is_some(), "credit")
            }

            ApprovalAct::Adjust { subject: AdjustmentSubject::Transaction(id), .. }
            | ApprovalAct::Void { transaction: id, .. } => {
                (service.context.ledger.find_transaction(id)?.is_some(), "transaction")
            }

            ApprovalAct::ReleaseHolds { .. } => (true, "hold"),

            ApprovalAct::AddCredit { subject: ManualCreditSubject::New(new), .. } => {
                (service.context.ruleset.load().plans.contains_key(new.plan.as_str()), "plan")
            }
            ApprovalAct::AddCredit { subject: ManualCreditSubject::Reversal(id), .. } => {
                (service.context.ledger.find_credit(id)?.is_some(), "credit")
            }

            ApprovalAct::AddReward { subject: ManualRewardSubject::New(new), .. } => (
                accredit_operations::calculations::release_scope(
                    &service.context,
                    &new.plan,
                    &new.period,
                )
                .map(|_| true)?,
                "calculation",
            ),
            ApprovalAct::AddReward { subject: ManualRewardSubject::Reversal(id), .. } => {
                let known = service.context.ledger.manual_rewards()?;
                (known.iter().any(|one| *one.row.id == **id), "manual reward")
            }

            ApprovalAct::ReleaseCalculation { plan, period, .. }
            | ApprovalAct::DeleteCalculation { plan, period, .. } => (
                accredit_operations::calculations::release_scope(&service.context, plan, period)
                    .map(|_| true)?,
                "calculation",
            ),

            ApprovalAct::Period { id, .. } => {
                (service.context.ruleset.load().settings.calendar.find(id).is_some(), "period")
            }

            ApprovalAct::Run { plan, period, .. } => {
                let scopes = accredit_operations::calculations::calculation_scopes;
                (scopes(&service.context, plan, period).map(|_| true)?, "calculation")
            }
        };

        if found { Ok(()) } else { Err(Problem::not_found(what)) }
    }
}

/// Carries an act out between two batches of the worker, or keeps it until a person approves it.
pub(crate) async fn decide_act(
    service: &Arc<Service>,
    act: ApprovalAct,
    caller: Caller,
) -> Result<Response, Problem> {
    if service.config.four_eyes {
        return keep_request(service, act, caller).await;
    }
    let by = Actor { who: caller.name, approved: None };
    let shared = Arc::clone(service);
    let done = service.ask_worker(move |turn| act.perform_act(&shared, turn, by)).await?;
    Ok(ViewJson(done).into_response())
}

/// The same of an act whose work grows with what is recorded.
pub(crate) async fn decide_patiently(
    service: &Arc<Service>,
    asked: TaskRequest<'_>,
    act: ApprovalAct,
    caller: Caller,
) -> Result<Response, Problem> {
    if service.config.four_eyes {
        return keep_request(service, act, caller).await;
    }
    let by = Actor { who: caller.name, approved: None };
    let shared = Arc::clone(service);
    service.answered_by_worker(asked, move |turn| act.perform_act(&shared, turn, by)).await
}

/// Keeps an act until another person approves it.
pub(crate) async fn keep_request(
    service: &Arc<Service>,
    act: ApprovalAct,
    caller: Caller,
) -> Result<Response, Problem> {
    let kept = service.run_blocking(move |service| {
        act.check_subject(service)?;
        let request = ApprovalRequest {
            at_ms: service.clock.now_ms(),
            who: caller.name,
            act: serde_json::to_value(&act).map_err(|error| Problem::internal(&error))?,
            ..ApprovalRequest::default()
        };
        service.context.ledger.request_approval(request).map_err(|error| Problem::internal(&error))
    });

    let kept = kept.await?;
    let place = [(header::LOCATION, format!("/v1/approvals/{}", kept.id))];
    Ok((StatusCode::ACCEPTED, place, ViewJson(RequestView::new(kept))).into_response())
}

/// A request that waits for a second person, or waited.
#[derive(Debug, Serialize)]
pub(crate) struct RequestView {
    /// Its number, from 1.
    id: u64,
    /// The instant at which it was made.
    at: String,
    /// The user who made it.
    who: String,
    /// What is asked for, as it is kept: `act` and its parts.
    request: Value,
    /// `waiting`, `approved` or `withdrawn`.
    state: ApprovalState,
    /// Who approved or withdrew it; null while it waits.
    decided: Option<SignOffView>,
}

impl RequestView {
    fn new(request: ApprovalRequest) -> RequestView {
        RequestView {
            id: request.id,
            at: format_rfc3339(request.at_ms),
            who: request.who,
            request: request.act,
            state: request.state,
            decided: request.decided.map(SignOffView::new),
        }
    }
}

/// A request that was approved, and what carrying it out answered.
#[derive(Debug, Serialize)]
struct ApprovedRequestView {
    /// The request as it is now.
    request: RequestView,
    /// What the act answers without a second person.
    answer: ActAnswerView,
}

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalListParams {
    state: Option<ApprovalState>,
    who: Option<String>,
}

/// Every request, newest first.
pub(crate) async fn list_approvals(
    State(service): State<Arc<Service>>,
    params: Result<Query<ApprovalListParams>, QueryRejection>,
) -> ViewResult<ListView<RequestView>> {
    let Query(params) = params.map_err(|_| {
        Problem::bad_request("expected `who`, or `state`: `waiting`, `approved`, `withdrawn`")
    })?;

    let listed = service.run_blocking(move |service| {
        let all = service.context.ledger.approval_requests()?;
        let fitting = all.into_iter().rev().filter(|one| {
            params.state.is_none_or(|state| state == one.state)
                && params.who.as_ref().is_none_or(|who| *who == one.who)
        });
        Ok(fitting.map(RequestView::new).collect())
    });

    Ok(ViewJson(ListView::whole(listed.await?)))
}

fn find_request(service: &Service, id: u64) -> Result<ApprovalRequest, Problem> {
    let found = service.context.ledger.approval_request(id)?;
    found.ok_or_else(|| Problem::not_found("request"))
}

/// One request.
pub(crate) async fn show_approval(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> ViewResult<RequestView> {
    let found = service.run_blocking(move |service| find_request(service, id));
    Ok(ViewJson(RequestView::new(found.await?)))
}

fn not_waiting(request: &ApprovalRequest) -> Problem {
    let what = if request.state == ApprovalState::Approved { "approved" } else { "withdrawn" };
    Problem::conflict("not_waiting", format!("request {} is already {what}", request.id))
}

/// Carries out what another person asked for.
pub(crate) async fn approve_request(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (body, wait) = (id.to_be_bytes(), tasks::requested_wait(&headers));
    let asked =
        TaskRequest { what: "approval of a request", who: caller.name.clone(), body: &body, wait };

    let shared = Arc::clone(&service);
    let done = service.answered_by_worker(asked, move |turn| {
        let request = find_request(&shared, id)?;
        if request.state != ApprovalState::Waiting {
            return Err(not_waiting(&request));
        }

        if request.who == caller.name {
            let detail =
                format!("`{}` made this request; another person must approve it", caller.name);
            return Err(Problem::new(StatusCode::FORBIDDEN, "four_eyes", detail));
        }

        let act: ApprovalAct = serde_json::from_value(request.act.clone())
            .map_err(|error| Problem::internal(&error))?;

        let approved = Approval { request: Some(id), who: caller.name };
        let by = Actor { who: request.who, approved: Some(approved.clone()) };
        let answer = act.perform_act(&shared, turn, by)?;

        let settled =
            shared.context.ledger.record_approved_request(&approved, shared.clock.now_ms());
        settled?;
        Ok(ApprovedRequestView { request: RequestView::new(find_request(&shared, id)?), answer })
    });

    done.await
}

/// Takes a request back, or refuses it; nothing is carried out.
pub(crate) async fn withdraw_request(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> ViewResult<RequestView> {
    let withdrawn = service.run_blocking(move |service| {
        let now_ms = service.clock.now_ms();
        let request = service.context.ledger.withdraw_request(id, &caller.name, now_ms);
        let request = request?;

        let request = request.ok_or_else(|| Problem::not_found("request"))?;
        match request.state {
            ApprovalState::Withdrawn => Ok(RequestView::new(request)),
            _ => Err(not_waiting(&request)),
        }
    });

    withdrawn.await.map(ViewJson)
}
