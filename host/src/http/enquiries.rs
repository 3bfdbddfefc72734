//! Enquiries of payees: listed and answered by the administrator.
//!
//! Not the asking (`payees`). Source: DOMAIN 2.16.

use std::sync::Arc;

use accredit_ledger::enquiries::{self, Enquiry};
use axum::body::Bytes;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, payees};
use crate::error::Problem;
use crate::secrets::Caller;
use crate::service::Service;

/// What the list can be narrowed by.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Narrow {
    state: Option<String>,
    payee: Option<String>,
}

/// An enquiry with the way to the explanation that it is about.
pub(crate) fn shown(enquiry: &Enquiry) -> Value {
    let link = enquiry.transaction.as_deref();
    let link = link.map(|transaction| payees::why_not_link(&enquiry.payee, transaction));
    let mut shown = json!(enquiry);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("explain".to_owned(), json!(link));
    }
    shown
}

/// Every enquiry, oldest first.
pub(crate) async fn list(
    State(service): State<Arc<Service>>,
    wanted: Result<Query<Narrow>, QueryRejection>,
) -> Answer {
    let Query(wanted) = wanted.map_err(|_| Problem::bad_request("expected `state` or `payee`"))?;
    let listed = service.blocking(move |service| {
        let all = service.ledger.enquiries().map_err(|error| Problem::internal(&error))?;
        let fits = |wanted: &Option<String>, found: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == found)
        };
        let fitting = all
            .iter()
            .filter(|one| fits(&wanted.state, &one.state) && fits(&wanted.payee, &one.payee));
        Ok(fitting.map(shown).collect())
    });
    Ok(super::list(listed.await?))
}

/// What an answer says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    state: String,
    text: String,
}

/// Answers an enquiry; once: the same again is the first answer, another one a conflict.
pub(crate) async fn answer(
    State(service): State<Arc<Service>>,
    Path(id): Path<u64>,
    Extension(caller): Extension<Caller>,
    body: Bytes,
) -> Answer {
    let said: Said = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `state` and `text`"))?;
    if !matches!(said.state.as_str(), "resolved" | "rejected") {
        let detail = format!("`{}` is neither `resolved` nor `rejected`", said.state);
        return Err(Problem::unprocessable("unknown_state", detail));
    }
    let answered = service.blocking(move |service| {
        let (who, at_ms) = (caller.name, service.clock.now_ms());
        let given = enquiries::Answer { who, at_ms, text: said.text };
        let answered = service.ledger.answer(id, &said.state, given.clone());
        let answered = answered.map_err(|error| Problem::internal(&error))?;
        let answered = answered.ok_or_else(|| Problem::not_found("enquiry"))?;
        let first = answered.answer.as_ref().map(|answer| answer.text.as_str());
        if answered.state != said.state || first != Some(given.text.as_str()) {
            let detail = format!("it was {} before", answered.state);
            return Err(Problem::conflict("already_answered", detail));
        }
        Ok(shown(&answered))
    });
    answered.await.map(Json)
}
