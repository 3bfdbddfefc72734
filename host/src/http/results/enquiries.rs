//! Enquiries of payees: listed, assigned, discussed, answered and closed.
//!
//! Not the asking (`payees`). Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_ledger::enquiries::{self, ENQUIRY_CLOSED, Enquiry, EnquiryStep, MESSAGES_MAX};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::JsonResult;

use crate::http::problem::Problem;
use crate::http::results::payees;
use crate::server::secrets::Caller;
use crate::server::state::Service;

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnquiryListParams {
    state: Option<String>,
    payee: Option<String>,
    assignee: Option<String>,
}

/// An enquiry with the way to the explanation that it is about.
pub(crate) fn enquiry_json(enquiry: &Enquiry) -> Value {
    let link = enquiry.transaction.as_deref();
    let link = link.map(|transaction| payees::why_not_link(&enquiry.payee, transaction));
    let mut shown = json!(enquiry);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("explain".to_owned(), json!(link));
    }
    shown
}

/// Every enquiry, oldest first.
pub(crate) async fn list_enquiries(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<EnquiryListParams>, QueryRejection>,
) -> JsonResult {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `state`, `payee` or `assignee`"))?;

    let listed = service.run_blocking(move |service| {
        let all = service.context.ledger.list_enquiries()?;
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };

        let fitting = all
            .iter()
            .filter(|one| fits(&wanted.state, &one.state) && fits(&wanted.payee, &one.payee))
            .filter(|one| fits(&wanted.assignee, one.assignee.as_deref().unwrap_or_default()));
        Ok(fitting.map(enquiry_json).collect())
    });

    Ok(crate::http::list_page(listed.await?))
}

/// What an answer says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerRequest {
    state: String,
    text: String,
}

/// Answers an enquiry; once: the same again is the first answer, another one a conflict.
pub(crate) async fn answer_enquiry(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> JsonResult {
    let said: AnswerRequest = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `state` and `text`"))?;

    if !matches!(said.state.as_str(), "resolved" | "rejected") {
        let detail = format!("`{}` is neither `resolved` nor `rejected`", said.state);
        return Err(Problem::unprocessable("unknown_state", detail));
    }

    let answered = service.run_blocking(move |service| {
        let (who, at_ms) = (caller.name, service.clock.now_ms());
        let given = enquiries::EnquiryAnswer { who, at_ms, text: said.text };
        let answered = service.context.ledger.answer_enquiry(id, &said.state, given.clone());
        let answered = answered?;
        let answered = answered.ok_or_else(|| Problem::not_found("enquiry"))?;

        // Answering twice alike is no conflict: the client may not have seen the first reply.
        let first = answered.answer.as_ref().map(|answer| answer.text.as_str());
        if answered.state != said.state || first != Some(given.text.as_str()) {
            let detail = format!("it was {} before", answered.state);
            return Err(Problem::conflict("already_answered", detail));
        }
        Ok(enquiry_json(&answered))
    });

    answered.await.map(Json)
}

/// One enquiry with what was said about it.
pub(crate) async fn show_enquiry(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
) -> JsonResult {
    let found = service.run_blocking(move |service| {
        service.context.ledger.find_enquiry(id).map_err(|error| Problem::internal(&error))
    });
    let found = found.await?.ok_or_else(|| Problem::not_found("enquiry"))?;
    Ok(Json(enquiry_json(&found)))
}

/// Who is to take care of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AssignRequest {
    to: Option<String>,
}

/// Gives an enquiry to a person, or with `to` null back to everybody.
pub(crate) async fn assign_enquiry(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> JsonResult {
    let AssignRequest { to } = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `to`, a name or null"))?;
    if to.as_deref().is_some_and(|name| name.trim().is_empty()) {
        return Err(Problem::bad_request("`to` is a name, or null"));
    }
    take_step(service, id, None, EnquiryStep::Assign(to), caller).await
}

/// What a message says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MessageRequest {
    text: String,
}

/// A message of a body.
fn parse_message(body: &[u8], by_payee: bool) -> Result<EnquiryStep, Problem> {
    let MessageRequest { text } = serde_json::from_slice(body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `text`"))?;
    Ok(EnquiryStep::Say { text: payees::sound_text(&text)?, by_payee })
}

/// Adds a message to an enquiry, from the staff.
pub(crate) async fn post_message(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> JsonResult {
    take_step(service, id, None, parse_message(&body, false)?, caller).await
}

/// Adds a message to an enquiry, from the payee.
pub(crate) async fn post_payee_message(
    State(service): State<Arc<Service>>,
    Path((payee, id)): Path<(String, u64)>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> JsonResult {
    take_step(service, id, Some(payee), parse_message(&body, true)?, caller).await
}

/// Closes an enquiry; it takes nothing more.
pub(crate) async fn close_enquiry(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Caller>,
) -> JsonResult {
    take_step(service, id, None, EnquiryStep::Close, caller).await
}

async fn take_step(
    service: Arc<Service>,
    id: u64,
    payee: Option<String>,
    step: EnquiryStep,
    caller: Caller,
) -> JsonResult {
    let stepped = service.run_blocking(move |service| {
        let before = service.context.ledger.find_enquiry(id)?;
        let closed = before.as_ref().is_some_and(|one| one.state == ENQUIRY_CLOSED);
        let full = before.as_ref().is_some_and(|one| one.messages.len() >= MESSAGES_MAX);
        let (closes, says) = (step == EnquiryStep::Close, matches!(step, EnquiryStep::Say { .. }));

        let by = (caller.name.as_str(), service.clock.now_ms());
        let found = service.context.ledger.step_enquiry(id, payee.as_deref(), step, by)?;
        let found = found.ok_or_else(|| Problem::not_found("enquiry"))?;

        if closed && !closes {
            let detail = format!("enquiry {id} is closed");
            return Err(Problem::conflict("enquiry_closed", detail));
        }

        if full && says {
            let detail =
                format!("it has {MESSAGES_MAX} messages (MESSAGES_MAX); open a new enquiry");
            return Err(Problem::conflict("enquiry_closed", detail));
        }

        Ok(enquiry_json(&found))
    });

    stepped.await.map(Json)
}
