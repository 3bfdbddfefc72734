//! What people decide about money under four eyes: kept, listed, approved by somebody else, withdrawn.
//!
//! Not changes of definitions (`definitions::changes`), which wait in the same way. Without four eyes
//! an act is carried out at once. Called by the handlers of the acts.
//!
//! **Architecture invariant:** nobody approves what they asked for, and an act that waits is carried
//! out by the same function as one that does not.

use rust_decimal::Decimal;
use std::sync::Arc;

use accredit_domain::decision::{Approved, HoldAction, ResolutionAction};
use accredit_ledger::approvals::{Request, RequestState};
use accredit_operations::adjust::{Adjust, Subject};
use accredit_operations::release::{What, Wish};
use accredit_operations::resolve::Resolve;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::http::Answer;
use crate::http::problem::Problem;
use crate::http::results::{adjustments, calculations, holds, periods};
use crate::server::channels::Turn;
use crate::server::clock::rfc3339;
use crate::server::jobs;
use crate::server::secrets::Caller;
use crate::server::state::Service;
use crate::server::tasks::{self, Asked};

/// Something that a person decides about money.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "snake_case")]
pub(crate) enum Act {
    /// An amount is adjusted.
    Adjust {
        subject: Subject,
        action: ResolutionAction,
        amount: Option<Decimal>,
        reason_code: Option<String>,
        comment: Option<String>,
    },
    /// A credit is held, or its hold is released.
    Resolve { credit: String, action: HoldAction, comment: Option<String> },
    /// Many holds are released.
    ReleaseHolds { filter: holds::Filter },
    /// A calculation is released to its payees; `force` is the reason of a forced one.
    ReleaseCalculation {
        plan: String,
        period: String,
        what: What,
        force: Option<String>,
        reason: Option<String>,
    },
    /// What a calculation published is taken back.
    DeleteCalculation { plan: String, period: String, force: bool, reason: Option<String> },
    /// A period is closed, reopened or finalized.
    Period { id: String, to: periods::Act, force: bool, reason: Option<String> },
}

/// Who carries an act out, and who approved it.
#[derive(Debug, Clone)]
pub(crate) struct By {
    /// Who asked for it.
    pub(crate) who: String,
    /// Who approved it, where a second person had to.
    pub(crate) approved: Option<Approved>,
}

impl Act {
    /// Does it.
    fn perform(self, service: &Service, turn: &mut dyn Turn, by: By) -> Result<Value, Problem> {
        let By { who, approved } = by.clone();
        match self {
            Act::Adjust { subject, action, amount, reason_code, comment } => {
                let order = Adjust { subject, action, amount, reason_code, who, comment, approved };
                adjustments::perform(service, turn, order)
            }

            Act::Resolve { credit, action, comment } => {
                let order = Resolve { credit, action, who, comment, approved };
                Ok(json!(jobs::resolve_known(turn, order)?))
            }

            Act::ReleaseHolds { filter } => holds::perform(turn, filter, &by),

            Act::ReleaseCalculation { plan, period, what, force, reason } => {
                let wish = Wish { what, force, reason, who, approved };
                calculations::publish(service, turn, (&plan, &period), &wish)
            }

            Act::DeleteCalculation { plan, period, force, reason } => {
                calculations::unpublish(service, (&plan, &period), (force, reason.as_deref()), &by)
            }

            Act::Period { id, to, force, reason } => {
                periods::perform(service, turn, &id, to, (force, reason), &by)
            }
        }
    }

    /// Whether there is what it is about; what else is in the way is found when it is carried out.
    fn is_about_something(&self, service: &Service) -> Result<(), Problem> {
        let failed = |error| Problem::internal(&error);
        let (found, what) = match self {
            Act::Resolve { credit, .. } | Act::Adjust { subject: Subject::Credit(credit), .. } => {
                (service.context.ledger.credit(credit).map_err(failed)?.is_some(), "credit")
            }

            Act::Adjust { subject: Subject::Transaction(id), .. } => {
                (service.context.ledger.transaction(id).map_err(failed)?.is_some(), "transaction")
            }

            Act::ReleaseHolds { .. } => (true, "hold"),

            Act::ReleaseCalculation { plan, period, .. }
            | Act::DeleteCalculation { plan, period, .. } => (
                accredit_operations::calculations::released(&service.context, plan, period)
                    .map(|_| true)?,
                "calculation",
            ),

            Act::Period { id, .. } => {
                (service.context.ruleset.load().settings.calendar.find(id).is_some(), "period")
            }
        };

        if found { Ok(()) } else { Err(Problem::not_found(what)) }
    }
}

/// Carries an act out between two batches of the worker, or keeps it until somebody approves it.
pub(crate) async fn decide(
    service: &Arc<Service>,
    act: Act,
    caller: Caller,
) -> Result<Response, Problem> {
    if service.config.four_eyes {
        return keep(service, act, caller).await;
    }
    let by = By { who: caller.name, approved: None };
    let shared = Arc::clone(service);
    let done = service.ask(move |turn| act.perform(&shared, turn, by)).await?;
    Ok(Json(done).into_response())
}

/// The same of an act whose work grows with what is recorded.
pub(crate) async fn decide_patiently(
    service: &Arc<Service>,
    asked: Asked<'_>,
    act: Act,
    caller: Caller,
) -> Result<Response, Problem> {
    if service.config.four_eyes {
        return keep(service, act, caller).await;
    }
    let by = By { who: caller.name, approved: None };
    let shared = Arc::clone(service);
    service.answered_by_worker(asked, move |turn| act.perform(&shared, turn, by)).await
}

async fn keep(service: &Arc<Service>, act: Act, caller: Caller) -> Result<Response, Problem> {
    let kept = service.blocking(move |service| {
        act.is_about_something(service)?;
        let request = Request {
            at_ms: service.clock.now_ms(),
            who: caller.name,
            act: serde_json::to_value(&act).map_err(|error| Problem::internal(&error))?,
            ..Request::default()
        };
        service.context.ledger.request_approval(request).map_err(|error| Problem::internal(&error))
    });

    let kept = kept.await?;
    let place = [(header::LOCATION, format!("/v1/approvals/{}", kept.id))];
    Ok((StatusCode::ACCEPTED, place, Json(shown(&kept))).into_response())
}

/// A request as it goes out.
fn shown(request: &Request) -> Value {
    let decided = request.decided.as_ref();
    json!({
        "id": request.id,
        "at": rfc3339(request.at_ms),
        "who": request.who,
        "request": request.act,
        "state": request.state,
        "decided": decided.map(|(who, at_ms)| json!({ "who": who, "at": rfc3339(*at_ms) })),
    })
}

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ListParams {
    state: Option<RequestState>,
    who: Option<String>,
}

/// Every request, newest first.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    params: Result<Query<ListParams>, QueryRejection>,
) -> Answer {
    let Query(params) = params.map_err(|_| {
        Problem::bad_request("expected `who`, or `state`: `waiting`, `approved`, `withdrawn`")
    })?;

    let listed = service.blocking(move |service| {
        let all = service
            .context
            .ledger
            .approval_requests()
            .map_err(|error| Problem::internal(&error))?;
        let fitting = all.iter().rev().filter(|one| {
            params.state.is_none_or(|state| state == one.state)
                && params.who.as_ref().is_none_or(|who| *who == one.who)
        });
        Ok(fitting.map(shown).collect())
    });

    Ok(crate::http::list(listed.await?))
}

fn find(service: &Service, id: u64) -> Result<Request, Problem> {
    let found =
        service.context.ledger.approval_request(id).map_err(|error| Problem::internal(&error))?;
    found.ok_or_else(|| Problem::not_found("request"))
}

/// One request.
pub(crate) async fn show(State(service): State<Arc<Service>>, Path(id): Path<u64>) -> Answer {
    let found = service.blocking(move |service| find(service, id));
    Ok(Json(shown(&found.await?)))
}

fn not_waiting(request: &Request) -> Problem {
    let what = if request.state == RequestState::Approved { "approved" } else { "withdrawn" };
    Problem::conflict("not_waiting", format!("request {} was {what} before", request.id))
}

/// Carries out what somebody else asked for.
pub(crate) async fn approve(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (body, wait) = (id.to_be_bytes(), tasks::wait(&headers));
    let asked =
        Asked { what: "approval of a request", who: caller.name.clone(), body: &body, wait };

    let shared = Arc::clone(&service);
    let done = service.answered_by_worker(asked, move |turn| {
        let request = find(&shared, id)?;
        if request.state != RequestState::Waiting {
            return Err(not_waiting(&request));
        }

        if request.who == caller.name {
            let detail = format!("`{}` asked for it; somebody else approves it", caller.name);
            return Err(Problem::new(StatusCode::FORBIDDEN, "four_eyes", detail));
        }

        let act: Act = serde_json::from_value(request.act.clone())
            .map_err(|error| Problem::internal(&error))?;

        let approved = Approved { request: Some(id), who: caller.name };
        let by = By { who: request.who, approved: Some(approved.clone()) };
        let answer = act.perform(&shared, turn, by)?;

        let settled = shared.context.ledger.settle_request(&approved, shared.clock.now_ms());
        settled.map_err(|error| Problem::internal(&error))?;
        Ok(json!({ "request": shown(&find(&shared, id)?), "answer": answer }))
    });

    done.await
}

/// Takes a request back, or refuses it; nothing is carried out.
pub(crate) async fn withdraw(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<u64>,
) -> Answer {
    let withdrawn = service.blocking(move |service| {
        let now_ms = service.clock.now_ms();
        let request = service.context.ledger.withdraw_request(id, &caller.name, now_ms);
        let request = request.map_err(|error| Problem::internal(&error))?;

        let request = request.ok_or_else(|| Problem::not_found("request"))?;
        match request.state {
            RequestState::Withdrawn => Ok(shown(&request)),
            _ => Err(not_waiting(&request)),
        }
    });

    withdrawn.await.map(Json)
}
