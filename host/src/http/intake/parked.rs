//! Parked transactions: in a plan, but without a decision; and another try.

use std::sync::Arc;

use accredit_domain::note::Note;
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::jobs;
use crate::server::state::Service;
use crate::server::tasks::{self, TaskRequest};

/// Every parked transaction with its reason.
pub(crate) async fn list_parked(State(service): State<Arc<Service>>) -> ViewResult<ListView<Note>> {
    let notes = service.run_blocking(|service| Ok(service.context.ledger.parked_notes()?));
    Ok(ViewJson(ListView::whole(notes.await?)))
}

/// The answer to another try of parked transactions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RedriveAnswer {
    /// How many are not parked, or held by an error, any more.
    decided: usize,
}

/// Decides all of them again.
pub(crate) async fn redrive_parked(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (who, wait) = (caller.name.clone(), tasks::requested_wait(&headers));
    let asked = TaskRequest { what: "redrive", who, body: b"", wait };
    let shared = Arc::clone(&service);
    let redriven = service.answered_by_worker(asked, move |turn| {
        let decided = jobs::redrive_parked(turn)?;
        shared.note_act(&caller, "parked_redriven", json!({ "decided": decided }))?;
        Ok(RedriveAnswer { decided })
    });
    redriven.await
}
