//! What every change of definitions may say beside its text: who, why, effective how, on condition
//! of what; and what is answered.
//!
//! Not the change itself (`door`). Called by `definitions`, `policies`, `rules` and `changes`.

use std::sync::Arc;

use accredit_domain::limits::MoneyEffect;
use accredit_ledger::changes::ProposalState;
use accredit_ledger::definitions::Effective;
use accredit_ledger::terms::ChangeTerms;
use accredit_operations::activation::{ActivationOutcome, ChangeRequest};
use accredit_operations::error::OperationError;
use accredit_operations::principal::Principal;
use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::server::tasks::FinalAnswer;

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.map(str::trim).filter(|value| !value.is_empty()).map(str::to_owned)
}

/// A change without files, as the headers say: `X-Comment`, `X-Tags`, `X-Effective`,
/// `X-Force`.
///
/// # Errors
/// When `X-Effective` is not understood.
pub(crate) fn change_from_headers(
    headers: &HeaderMap,
    caller: &Principal,
) -> Result<ChangeRequest, Problem> {
    let tags = header_text(headers, "x-tags").unwrap_or_default();
    let tags = tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(str::to_owned);
    let terms = ChangeTerms {
        why: header_text(headers, "x-comment"),
        effective: parse_effective(header_text(headers, "x-effective").as_deref())?,
        tags: tags.collect(),
        force: header_text(headers, "x-force"),
        ..terms_by_caller(caller)
    };
    Ok(ChangeRequest { terms, ..ChangeRequest::default() })
}

/// The terms of a change that a caller sends without saying more.
pub(crate) fn terms_by_caller(caller: &Principal) -> ChangeTerms {
    let (who, source) = (caller.name.clone(), "api".to_owned());
    ChangeTerms { who, source, ..ChangeTerms::default() }
}

/// A reason to force something; a blank one is none.
///
/// # Errors
/// When it is blank.
pub(crate) fn parse_reason(text: Option<&str>) -> Result<Option<String>, Problem> {
    match text.map(str::trim) {
        Some("") => {
            Err(Problem::bad_request("`force` must be a reason, which the audit log keeps"))
        }
        reason => Ok(reason.map(str::to_owned)),
    }
}

/// An effective choice; absent is `now`.
///
/// # Errors
/// When it is none.
pub(crate) fn parse_effective(text: Option<&str>) -> Result<Effective, Problem> {
    let Some(text) = text else { return Ok(Effective::Now) };
    Effective::parse(text).ok_or_else(|| {
        let detail = format!("`{text}` is not one of `now`, `recredit` and `from:2026-01-31`");
        Problem::bad_request(detail)
    })
}

/// What the caller believes to be there.
pub(crate) struct Precondition {
    if_match: Option<String>,
    if_none_match: Option<String>,
}

impl Precondition {
    /// As the headers say.
    pub(crate) fn new(headers: &HeaderMap) -> Precondition {
        let (if_match, if_none_match) =
            (header_text(headers, "if-match"), header_text(headers, "if-none-match"));
        Precondition { if_match, if_none_match }
    }

    /// Whether it holds, where anything was said at all.
    ///
    /// # Errors
    /// [`OperationError::Precondition`] when something else is there.
    pub(crate) fn check_if_given(
        &self,
        current: Option<&str>,
        what: &str,
    ) -> Result<(), OperationError> {
        let said = self.if_match.is_some() || self.if_none_match.is_some();
        if said { self.check_hash(current, what) } else { Ok(()) }
    }

    /// Whether it holds of a thing with the hash `current`, or of its absence; `what` it is.
    ///
    /// # Errors
    /// [`OperationError::Precondition`] when something else is there,
    /// [`OperationError::PreconditionRequired`] when nothing was said about what is.
    pub(crate) fn check_hash(
        &self,
        current: Option<&str>,
        what: &str,
    ) -> Result<(), OperationError> {
        let stale =
            |detail: String| Err(OperationError::precondition("precondition_failed", detail));

        let Some(current) = current else {
            return match self.if_match {
                None => Ok(()),
                Some(_) => stale(format!("this {what} does not exist yet; leave out `If-Match`")),
            };
        };

        if self.if_none_match.is_some() {
            return stale(format!("this {what} already exists"));
        }

        let Some(given) = &self.if_match else {
            let detail = "name the version to replace in `If-Match`";
            return Err(OperationError::precondition_required("precondition_required", detail));
        };

        let given = given.split(',').map(|tag| tag.trim().trim_matches('"'));
        let mut given = given.filter(|tag| *tag == "*" || *tag == current);

        match given.next() {
            Some(_) => Ok(()),
            None => stale(format!("the {what} has changed since it was read")),
        }
    }
}

/// A change that is in force.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActiveChangeView<'a> {
    /// Always true.
    active: bool,
    /// The hash of the ruleset in force.
    ruleset: &'a str,
    /// The number of the activation.
    activation: u64,
    /// The money that the change moves.
    money: &'a MoneyEffect,
    /// The hash of the text that was sent; left out where it was more than one text.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    hash: Option<&'a str>,
}

/// A change that waits for a second person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WaitingChangeView<'a> {
    /// Always false.
    active: bool,
    /// The number of the kept change.
    change: u64,
    /// What became of it so far: `waiting`.
    state: ProposalState,
    /// The hash of the ruleset that it makes; null where it could not be built.
    ruleset: Option<&'a str>,
    /// The money that the change would move; null where none moves or none was compared.
    money: Option<&'a MoneyEffect>,
    /// The hash of the text that was sent; null where it was more than one text.
    hash: Option<&'a str>,
}

/// What became of a change: 200 in force, 202 waiting for a second person; `hash` is of the text
/// that was sent, where it was one.
///
/// # Errors
/// When the answer cannot be written.
pub(crate) fn outcome_answer(
    done: &ActivationOutcome,
    hash: Option<&str>,
) -> Result<FinalAnswer, Problem> {
    match done {
        ActivationOutcome::Active(active) => {
            let (ruleset, activation) = (&*active.ruleset, active.activation);
            let money = &active.money;
            FinalAnswer::ok_view(&ActiveChangeView {
                active: true,
                ruleset,
                activation,
                money,
                hash,
            })
        }

        ActivationOutcome::Waiting(kept) => {
            let waiting = WaitingChangeView {
                active: false,
                change: kept.id,
                state: kept.state,
                ruleset: kept.ruleset.as_deref(),
                money: kept.money.as_ref(),
                hash,
            };
            FinalAnswer::of_view(StatusCode::ACCEPTED, &waiting)
        }
    }
}

/// The same as an answer.
pub(crate) fn outcome_response(
    became: &ActivationOutcome,
    hash: Option<&str>,
) -> Result<Response, Problem> {
    let FinalAnswer { status, body } = outcome_answer(became, hash)?;
    let mut response = (status, Json(body)).into_response();
    if let (Some(hash), ActivationOutcome::Active(_)) = (hash, became) {
        response.headers_mut().insert(header::ETAG, etag(hash)?);
    }
    Ok(response)
}

/// A hash as an entity tag.
pub(crate) fn etag(hash: &str) -> Result<HeaderValue, Problem> {
    HeaderValue::from_str(&format!("\"{hash}\"")).map_err(|error| Problem::internal(&error))
}

/// A body as the text of a file.
pub(crate) fn body_text(body: &[u8]) -> Result<Arc<str>, Problem> {
    let text = std::str::from_utf8(body).map_err(|_| Problem::bad_request("not UTF-8 text"))?;
    Ok(Arc::from(text.strip_prefix('\u{feff}').unwrap_or(text)))
}
