//! What people decide about money: carried out at once, or kept, listed, approved and withdrawn as a
//! request where four eyes are asked for.
//!
//! Not the rules of requests (`operations::approvals`) and not changes of definitions
//! (`definitions::changes`), which wait in the same way. Called by the handlers of the acts.
//!
//! **Architecture invariant:** a request is carried out by the same function as an immediate act.

use std::sync::Arc;

use accredit_domain::credit::posted::PostedCredit;
use accredit_domain::decision::Actor;
use accredit_ledger::approvals::{ApprovalRequest, ApprovalState};
use accredit_ledger::runs::RunRules;
use accredit_operations::adjust::AdjustOrder;
use accredit_operations::approvals::{self as requests, ApprovalAct};
use accredit_operations::manual_credits::ManualCreditOrder;
use accredit_operations::manual_rewards::ManualRewardOrder;
use accredit_operations::periods::PeriodOrder;
use accredit_operations::principal::Principal;
use accredit_operations::release::{PublishOrder, UnpublishOrder};
use accredit_operations::request_keys::KeyedRequest;
use accredit_operations::resolve::ResolveOrder;
use accredit_operations::runs::RunOrder;
use accredit_operations::void::VoidOrder;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::access::approved::{self, ChangedAccessView};
use crate::http::access::sessions;
use crate::http::intake::transactions;
use crate::http::problem::Problem;
use crate::http::request_key::SentKey;
use crate::http::results::{
    adjustments, calculations, holds, manual_credits, manual_rewards, periods, runs,
};
use crate::http::views::{ListView, SignOffView, ViewJson, ViewResult, view_json};
use crate::server::channels::WorkerTurn;
use crate::server::clock::format_rfc3339;
use crate::server::jobs;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// What an act answers when it is carried out.
#[derive(Debug, Serialize, ToSchema)]
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
    /// A key or a person may do something else.
    AccessChanged(ChangedAccessView),
    /// A run was begun.
    RunBegun(Box<runs::RunView>),
}

/// Carries out an act.
fn perform_act(
    act: ApprovalAct,
    service: &Service,
    turn: &mut dyn WorkerTurn,
    by: Actor,
) -> Result<ActAnswerView, Problem> {
    let Actor { who, approved } = by.clone();
    match act {
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
            let released = jobs::release_holds(turn, &filter, &by)?;
            Ok(ActAnswerView::HoldsReleased(holds::ReleasedHoldsView::new(released)))
        }

        ApprovalAct::ReleaseCalculation { plan, period, what, force, reason, request_key } => {
            let force = force.is_some();
            let order = PublishOrder { what, force, reason, request_key, by };
            let about = (plan.as_str(), period.as_str());
            let release = calculations::publish_calculation(service, turn, about, order)?;
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

        ApprovalAct::Access { subject, id, change, .. } => {
            let changed = approved::perform_access(service, (subject, &id, change), by)?;
            Ok(ActAnswerView::AccessChanged(changed))
        }

        ApprovalAct::Run { plan, period, mode, transactions, payees } => {
            let (selected, rules) = (transactions, Some(RunRules::InForce));
            let dry_run = false;
            let order = RunOrder { plan, period, mode, selected, payees, rules, dry_run, who };
            let run = service.begin_run(order)?;
            Ok(ActAnswerView::RunBegun(Box::new(runs::RunView::new(run))))
        }
    }
}

/// Carries an act out between two batches of the worker, or keeps it until a person approves it.
pub(crate) async fn decide_act(
    service: &Arc<Service>,
    act: ApprovalAct,
    (caller, SentKey(key)): (Principal, SentKey),
) -> Result<Response, Problem> {
    let keyed = keyed_request(&caller, key, &act)?;
    if service.config.four_eyes {
        return keep_keyed(service, act, caller, keyed).await;
    }
    let by = Actor { who: caller.name, approved: None };
    let shared = Arc::clone(service);
    let done =
        service.ask_worker(move |turn| perform_once(act, &shared, turn, (by, keyed))).await?;
    Ok(Json(done).into_response())
}

/// The same of an act whose work grows with what is recorded.
pub(crate) async fn decide_patiently(
    service: &Arc<Service>,
    asked: TaskRequest<'_>,
    act: ApprovalAct,
    (caller, SentKey(key)): (Principal, SentKey),
) -> Result<Response, Problem> {
    // Under another key it is another request.
    let body = [asked.body, key.as_deref().unwrap_or_default().as_bytes()].concat();
    let keyed = keyed_request(&caller, key, &act)?;
    if service.config.four_eyes {
        return keep_keyed(service, act, caller, keyed).await;
    }
    let by = Actor { who: caller.name, approved: None };
    let shared = Arc::clone(service);
    let asked = TaskRequest { body: &body, ..asked };
    let job = move |turn: &mut dyn WorkerTurn| perform_once(act, &shared, turn, (by, keyed));
    service.answered_by_worker(asked, job).await
}

fn keyed_request(
    caller: &Principal,
    key: Option<String>,
    act: &ApprovalAct,
) -> Result<Option<KeyedRequest>, Problem> {
    Ok(key.map(|key| KeyedRequest::new(&caller.name, key, act)).transpose()?)
}

/// Carries an act out, or gives the answer of the request that carried it out under the same key.
fn perform_once(
    act: ApprovalAct,
    service: &Service,
    turn: &mut dyn WorkerTurn,
    (by, keyed): (Actor, Option<KeyedRequest>),
) -> Result<Value, Problem> {
    let Some(keyed) = keyed else { return view_json(&perform_act(act, service, turn, by)?) };
    if let Some((answer, _)) = keyed.former_answer(&service.context)? {
        return Ok(answer);
    }
    let answer = view_json(&perform_act(act, service, turn, by)?)?;
    keyed.keep_answer(&service.context, &answer, false)?;
    Ok(answer)
}

/// Keeps an act until another person approves it, once under its key.
async fn keep_keyed(
    service: &Arc<Service>,
    act: ApprovalAct,
    caller: Principal,
    keyed: Option<KeyedRequest>,
) -> Result<Response, Problem> {
    let Some(keyed) = keyed else { return keep_request(service, act, caller).await };
    let kept = service.ask_worker(move |turn| {
        let context = turn.context();
        if let Some((answer, waits)) = keyed.former_answer(context)? {
            return Ok((answer, waits));
        }
        let key = Some(keyed.key().to_owned());
        let kept = RequestView::new(requests::keep_request(context, &act, caller.name, key)?);
        let answer = view_json(&kept)?;
        keyed.keep_answer(context, &answer, true)?;
        Ok((answer, true))
    });

    match kept.await? {
        // It was carried out while nobody had to approve it.
        (done, false) => Ok(Json(done).into_response()),
        (kept, true) => {
            let id = kept.get("id").and_then(Value::as_u64).unwrap_or_default();
            Ok((StatusCode::ACCEPTED, approval_place(id), Json(kept)).into_response())
        }
    }
}

/// Where a request is found that waits.
fn approval_place(id: u64) -> [(header::HeaderName, String); 1] {
    [(header::LOCATION, format!("/v1/approvals/{id}"))]
}

/// Keeps an act until another person approves it.
pub(crate) async fn keep_request(
    service: &Arc<Service>,
    act: ApprovalAct,
    caller: Principal,
) -> Result<Response, Problem> {
    let kept = service.run_blocking(move |service| {
        Ok(requests::keep_request(&service.context, &act, caller.name, None)?)
    });

    let kept = kept.await?;
    let place = approval_place(kept.id);
    Ok((StatusCode::ACCEPTED, place, ViewJson(RequestView::new(kept))).into_response())
}

/// A request that waits for a second person, or waited.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApprovalRequestView)]
pub(crate) struct RequestView {
    /// Its number, from 1.
    id: u64,
    /// The instant at which it was made.
    #[schema(format = DateTime)]
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
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApprovedRequestView {
    /// The request as it is now.
    request: RequestView,
    /// What the act answers without a second person.
    answer: ActAnswerView,
}

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApprovalListParams {
    /// Requests in this state.
    state: Option<ApprovalState>,
    /// Requests of this user.
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
        let who = params.who.as_deref();
        let found = requests::list_requests(&service.context, params.state, who)?;
        Ok(found.into_iter().map(RequestView::new).collect())
    });

    Ok(ViewJson(ListView::whole(listed.await?)))
}

/// One request.
pub(crate) async fn show_approval(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> ViewResult<RequestView> {
    let found =
        service.run_blocking(move |service| Ok(requests::find_request(&service.context, id)?));
    Ok(ViewJson(RequestView::new(found.await?)))
}

/// Carries out what another person asked for.
pub(crate) async fn approve_request(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (body, wait) = (id.to_be_bytes(), tasks::requested_wait(&headers));
    let asked =
        TaskRequest { what: "approval of a request", who: caller.name.clone(), body: &body, wait };

    let shared = Arc::clone(&service);
    let is_proved = sessions::is_by_provider(&service, &headers);
    let done = service.answered_by_worker(asked, move |turn| {
        let (act, by) = requests::act_to_approve(&shared.context, id, &caller.name)?;
        approved::check_two_people(&shared, (&by.who, &caller.name), is_proved)?;
        let answer = perform_act(act, &shared, turn, by.clone())?;

        let request = requests::record_approval(&shared.context, id, &by)?;
        Ok(ApprovedRequestView { request: RequestView::new(request), answer })
    });

    done.await
}

/// Takes a request back, or refuses it; nothing is carried out.
pub(crate) async fn withdraw_request(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<u64>,
) -> ViewResult<RequestView> {
    let withdrawn = service.run_blocking(move |service| {
        let request = requests::withdraw_request(&service.context, id, &caller.name)?;
        approved::drop_waiting(service, &request.act, &caller.name)?;
        Ok(RequestView::new(request))
    });

    withdrawn.await.map(ViewJson)
}
