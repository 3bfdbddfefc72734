//! Enquiries of payees: listed, assigned, discussed, answered and closed.
//!
//! Not the asking (`payees`) and not what is refused (`operations::enquiries`). Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_ledger::enquiries::{Enquiry, EnquiryAnswer, EnquiryMessage, EnquiryStep};
use accredit_operations::enquiries::{self, EnquiryFilter};
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::payees;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::state::Service;

/// Characters of the name of an assignee.
const ASSIGNEE_CHARACTERS_MAX: usize = 200;

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnquiryListParams {
    /// `open`, `in_progress`, `resolved`, `rejected` or `closed`.
    state: Option<String>,
    /// Id of a participant.
    payee: Option<String>,
    /// The person who takes care of it.
    assignee: Option<String>,
}

/// An enquiry with the way to the explanation that it is about.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EnquiryView {
    /// Its number, from 1.
    id: u64,
    /// Id of the participant whom it concerns.
    payee: String,
    /// Who wrote it: the payee, or a user for the payee.
    asked_by: Option<String>,
    /// `missing` or `incorrect`.
    kind: String,
    /// Natural key of the transaction that it is about.
    transaction: Option<String>,
    /// The id of the credit that it is about.
    credit: Option<String>,
    /// The amount of the credit when it was asked about.
    #[schema(value_type = Option<Decimal>)]
    actual: Option<String>,
    /// The amount that the payee expected.
    #[schema(value_type = Option<Decimal>)]
    expected: Option<String>,
    /// The question as it was written.
    text: String,
    /// When it was asked, milliseconds since 1970.
    at_ms: i64,
    /// `open`, `in_progress`, `resolved`, `rejected` or `closed`.
    state: String,
    /// The last answer.
    answer: Option<EnquiryAnswer>,
    /// Who takes care of it.
    assignee: Option<String>,
    /// The messages since it was asked, oldest first.
    messages: Vec<EnquiryMessage>,
    /// The path at which the payee reads why; null without a transaction.
    explain: Option<String>,
}

impl EnquiryView {
    /// The view of a kept enquiry.
    pub(crate) fn new(enquiry: Enquiry) -> EnquiryView {
        let of = payees::payee_path(&enquiry.payee);
        EnquiryView::under(&of, enquiry)
    }

    /// The same for a caller who finds what is the payee's under a path.
    pub(crate) fn under(of: &str, enquiry: Enquiry) -> EnquiryView {
        let transaction = enquiry.transaction.as_deref();
        let explain = transaction.map(|key| payees::why_not_link(of, key));

        EnquiryView {
            explain,
            id: enquiry.id,
            payee: enquiry.payee,
            asked_by: enquiry.asked_by,
            kind: enquiry.kind,
            transaction: enquiry.transaction,
            credit: enquiry.credit,
            actual: enquiry.actual,
            expected: enquiry.expected,
            text: enquiry.text,
            at_ms: enquiry.at_ms,
            state: enquiry.state,
            answer: enquiry.answer,
            assignee: enquiry.assignee,
            messages: enquiry.messages,
        }
    }
}

/// Every enquiry, oldest first.
pub(crate) async fn list_enquiries(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    wanted: Result<Query<EnquiryListParams>, QueryRejection>,
) -> ViewResult<ListView<EnquiryView>> {
    let Query(wanted) =
        wanted.map_err(|_| Problem::bad_request("expected `state`, `payee` or `assignee`"))?;
    let EnquiryListParams { state, payee, assignee } = wanted;
    let scope = caller.read_scope(&service.context);
    let filter = EnquiryFilter { scope, state, payee, assignee };

    let listed = service.run_blocking(move |service| {
        let found = enquiries::list_enquiries(&service.context, &filter)?;
        Ok(found.into_iter().map(EnquiryView::new).collect())
    });

    Ok(ViewJson(ListView::whole(listed.await?)))
}

/// What an answer says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AnswerRequest {
    /// `resolved` or `rejected`.
    state: String,
    /// The answer, 1 to 4000 characters.
    text: String,
}

/// Answers an enquiry; once: the same again is the first answer, another one a conflict.
pub(crate) async fn answer_enquiry(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> ViewResult<EnquiryView> {
    let said: AnswerRequest = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `state` and `text`"))?;

    let answered = service.run_blocking(move |service| {
        let given = (caller.name, said.text);
        let answered = enquiries::answer_enquiry(&service.context, id, &said.state, given)?;
        Ok(EnquiryView::new(answered))
    });

    answered.await.map(ViewJson)
}

/// One enquiry with what was said about it.
pub(crate) async fn show_enquiry(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(id): Path<u64>,
) -> ViewResult<EnquiryView> {
    let found = service.run_blocking(move |service| {
        let scope = caller.read_scope(&service.context);
        service.context.ledger.find_enquiry(id, &scope).map_err(|error| Problem::internal(&error))
    });
    let found = found.await?.ok_or_else(|| Problem::not_found("enquiry"))?;
    Ok(ViewJson(EnquiryView::new(found)))
}

/// Who is to take care of it.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignRequest {
    /// A name; null gives it back to everybody.
    to: Option<String>,
}

/// The person of a body; none where it is given back to everybody.
///
/// # Errors
/// When it is not understood.
pub(crate) fn parse_assignee(body: &[u8]) -> Result<Option<String>, Problem> {
    let AssignRequest { to } = serde_json::from_slice(body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `to`, a name or null"))?;
    let is_name =
        |name: &str| !name.trim().is_empty() && name.chars().count() <= ASSIGNEE_CHARACTERS_MAX;
    if to.as_deref().is_some_and(|name| !is_name(name)) {
        let detail =
            format!("`to` is a name of at most {ASSIGNEE_CHARACTERS_MAX} characters, or null");
        return Err(Problem::bad_request(detail));
    }
    Ok(to)
}

/// Gives an enquiry to a person, or with `to` null back to everybody.
pub(crate) async fn assign_enquiry(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> ViewResult<EnquiryView> {
    let to = parse_assignee(&body)?;
    take_step(service, id, None, EnquiryStep::Assign(to), caller).await
}

/// What a message says.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageRequest {
    /// The message, 1 to 4000 characters.
    text: String,
}

/// A message of a body.
///
/// # Errors
/// When it is not understood.
pub(crate) fn parse_message(body: &[u8], by_payee: bool) -> Result<EnquiryStep, Problem> {
    let MessageRequest { text } = serde_json::from_slice(body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `text`"))?;
    Ok(EnquiryStep::Say { text, by_payee })
}

/// Adds a message to an enquiry, from the staff.
pub(crate) async fn post_message(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> ViewResult<EnquiryView> {
    take_step(service, id, None, parse_message(&body, false)?, caller).await
}

/// Adds a message to an enquiry, from the payee.
pub(crate) async fn post_payee_message(
    State(service): State<Arc<Service>>,
    Path((payee, id)): Path<(String, u64)>,
    Extension(caller): Extension<Principal>,
    body: Bytes,
) -> ViewResult<EnquiryView> {
    take_step(service, id, Some(payee), parse_message(&body, true)?, caller).await
}

/// Closes an enquiry; it takes nothing more.
pub(crate) async fn close_enquiry(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Principal>,
) -> ViewResult<EnquiryView> {
    take_step(service, id, None, EnquiryStep::Close, caller).await
}

async fn take_step(
    service: Arc<Service>,
    id: u64,
    payee: Option<String>,
    step: EnquiryStep,
    caller: Principal,
) -> ViewResult<EnquiryView> {
    let stepped = service.run_blocking(move |service| {
        let context = &service.context;
        let scope = match payee {
            Some(payee) => caller.scope_of(context, &payee, None)?.read_scope(),
            None => caller.read_scope(context),
        };
        let found = enquiries::take_step(context, id, &scope, step, &caller.name)?;
        Ok(EnquiryView::new(found))
    });

    stepped.await.map(ViewJson)
}
