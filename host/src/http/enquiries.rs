//! Enquiries of payees: made, listed, answered, each with a link to the explanation it is about.
//!
//! Not the explanation (`payees`), and not changing a credit: an answer says what was done. Source:
//! DOMAIN 2.16.
//!
//! **Architecture invariant:** what is another payee's is answered like what does not exist.

use std::sync::Arc;

use accredit_engine::ledger::enquiries::{Answer as Said, Enquiry, Kind, State as Standing};
use accredit_engine::transaction::number;
use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, credits, payees};
use crate::clock::rfc3339;
use crate::error::Problem;
use crate::secrets::Caller;
use crate::service::Service;

/// Characters of a text that people write.
const TEXT_CHARS_MAX: usize = 4000;

/// An enquiry as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sent {
    kind: Kind,
    transaction: Option<String>,
    credit: Option<String>,
    expected: Option<String>,
    text: String,
}

/// Which enquiries.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    state: Option<Standing>,
    limit: Option<usize>,
    cursor: Option<u64>,
}

/// An answer as it is sent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reply {
    state: Standing,
    text: String,
}

/// Takes an enquiry of a payee.
pub(crate) async fn make(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(payee): Path<String>,
    body: Bytes,
) -> Result<Response, Problem> {
    let sent: Sent = serde_json::from_slice(&body).map_err(|error| {
        Problem::bad_request(format!(
            "expected a JSON object with `kind` (`missing` or `incorrect`), `text`, and perhaps \
             `transaction`, `credit`, `expected` (an amount, as text): {error}"
        ))
    })?;
    let text = written(&sent.text)?;
    if sent.expected.as_deref().is_some_and(|amount| number(amount).is_none()) {
        return Err(Problem::bad_request("`expected` is no amount"));
    }
    let made = service.blocking(move |service| {
        payees::known(service, &payee)?;
        let mut enquiry = Enquiry {
            id: 0,
            at_ms: service.clock.now_ms(),
            who: caller.name,
            payee,
            kind: sent.kind,
            transaction: sent.transaction,
            credit: sent.credit,
            actual: None,
            expected: sent.expected,
            text,
            state: Standing::Open,
            answer: None,
        };
        of_credit(service, &mut enquiry)?;
        service.ledger.enquire(enquiry).map_err(|error| Problem::internal(&error))
    });
    let made = made.await?;
    Ok((StatusCode::CREATED, Json(shown(&made))).into_response())
}

/// Fills in what the credit says, which must be the payee's own.
fn of_credit(service: &Service, enquiry: &mut Enquiry) -> Result<(), Problem> {
    let Some(id) = &enquiry.credit else { return Ok(()) };
    let row = service.ledger.credit(id).map_err(|error| Problem::internal(&error))?;
    let own = row.filter(|row| row.payee.as_deref() == Some(enquiry.payee.as_str()));
    let row = own.ok_or_else(|| Problem::not_found("credit"))?;
    if enquiry.transaction.as_ref().is_some_and(|known| *known != row.transaction) {
        let detail = "the credit is of another transaction";
        return Err(Problem::unprocessable("other_transaction", detail));
    }
    enquiry.transaction = Some(row.transaction);
    enquiry.actual = Some(row.amount);
    Ok(())
}

/// The enquiries of a payee, oldest first.
pub(crate) async fn of_payee(
    State(service): State<Arc<Service>>,
    Path(payee): Path<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    list(service, Some(payee), wanted).await
}

/// All enquiries, oldest first.
pub(crate) async fn all(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    list(service, None, wanted).await
}

async fn list(
    service: Arc<Service>,
    payee: Option<String>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Answer {
    let Query(wanted) = wanted.map_err(|_| {
        let detail = "expected `state` (`open`, `resolved` or `rejected`), `limit` or `cursor`";
        Problem::bad_request(detail)
    })?;
    let limit = credits::limit(wanted.limit)?;
    let page = service.blocking(move |service| {
        payee.as_deref().map_or(Ok(()), |payee| payees::known(service, payee))?;
        let from = wanted.cursor.unwrap_or_default();
        let page = service.ledger.enquiries(payee.as_deref(), wanted.state, from, limit);
        page.map_err(|error| Problem::internal(&error))
    });
    let page = page.await?;
    let rows: Vec<Value> = page.rows.iter().map(shown).collect();
    let next = page.next.map(|next| next.to_string());
    Ok(Json(json!({ "data": rows, "next_cursor": next })))
}

/// One enquiry of a payee.
pub(crate) async fn own(
    State(service): State<Arc<Service>>,
    Path((payee, id)): Path<(String, String)>,
) -> Answer {
    let enquiry = find(&service, id).await?;
    let own = Some(enquiry).filter(|enquiry| enquiry.payee == payee);
    own.map(|own| Json(shown(&own))).ok_or_else(absent)
}

/// One enquiry.
pub(crate) async fn show(State(service): State<Arc<Service>>, Path(id): Path<String>) -> Answer {
    Ok(Json(shown(&find(&service, id).await?)))
}

/// Answers an enquiry, once: another answer gets the first one back.
pub(crate) async fn answer(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let reply: Option<Reply> = serde_json::from_slice(&body).ok();
    let reply = reply.filter(|reply| reply.state != Standing::Open).ok_or_else(|| {
        let detail = "expected a JSON object with `state` (`resolved` or `rejected`) and `text`";
        Problem::bad_request(detail)
    })?;
    let text = written(&reply.text)?;
    let id: u64 = id.parse().map_err(|_| absent())?;
    let answered = service.blocking(move |service| {
        let answer = Said { at_ms: service.clock.now_ms(), who: caller.name, text };
        let answered = service.ledger.answer(id, reply.state, answer);
        answered.map_err(|error| Problem::internal(&error))
    });
    answered.await?.map(|enquiry| Json(shown(&enquiry))).ok_or_else(absent)
}

async fn find(service: &Arc<Service>, id: String) -> Result<Enquiry, Problem> {
    let id: u64 = id.parse().map_err(|_| absent())?;
    let found = service.blocking(move |service| {
        service.ledger.enquiry(id).map_err(|error| Problem::internal(&error))
    });
    found.await?.ok_or_else(absent)
}

fn absent() -> Problem {
    Problem::not_found("enquiry")
}

/// What somebody wrote, without the space around it.
fn written(text: &str) -> Result<String, Problem> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > TEXT_CHARS_MAX {
        let detail = format!("`text` must have 1 to {TEXT_CHARS_MAX} characters");
        return Err(Problem::bad_request(detail));
    }
    Ok(text.to_owned())
}

fn shown(enquiry: &Enquiry) -> Value {
    let answer = enquiry.answer.as_ref().map(
        |answer| json!({ "at": rfc3339(answer.at_ms), "who": answer.who, "text": answer.text }),
    );
    json!({
        "id": enquiry.id,
        "payee": enquiry.payee,
        "kind": enquiry.kind,
        "state": enquiry.state,
        "transaction": enquiry.transaction,
        "credit": enquiry.credit,
        "actual": enquiry.actual,
        "expected": enquiry.expected,
        "text": enquiry.text,
        "at": rfc3339(enquiry.at_ms),
        "who": enquiry.who,
        "answer": answer,
        "explanation": explanation(enquiry),
    })
}

/// Where the explanation is that the enquiry is about; nowhere without a transaction.
fn explanation(enquiry: &Enquiry) -> Option<String> {
    let part = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
    let transaction = part(enquiry.transaction.as_deref()?);
    Some(match enquiry.kind {
        Kind::Incorrect => format!("/v1/transactions/{transaction}/explain"),
        Kind::Missing => {
            format!("/v1/payees/{}/why-not?transaction={transaction}", part(&enquiry.payee))
        }
    })
}
