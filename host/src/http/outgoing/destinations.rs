//! Destinations: listed with what waits for them, and tried.

use std::collections::BTreeSet;
use std::sync::Arc;

use accredit_domain::events::EventKind;
use accredit_ledger::outbox::{EventState, OutgoingEvent};
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::credentials::destination_secret_variable;
use crate::server::state::Service;

/// A system that is told of events.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DestinationView {
    /// Its name in `accredit.toml`.
    name: String,
    /// Where events are sent; null if `accredit.toml` no longer names it.
    url: Option<String>,
    /// The kinds of events that it wants.
    events: Vec<&'static str>,
    /// What a person has to do before events can be sent; null if nothing.
    needs: Option<String>,
    /// Events that wait, counted up to 1,000.
    waiting: usize,
    /// Events that were not taken in any try, counted up to 1,000.
    dead: usize,
    /// Events that it has taken and that are kept, counted up to 1,000.
    sent: usize,
    /// How often the oldest event that waits was tried; null if none waits.
    oldest_attempts: Option<u32>,
    /// Why its last try failed; null if it was not tried.
    oldest_error: Option<String>,
}

/// Every destination that `accredit.toml` names or that has events.
pub(crate) async fn list_destinations(
    State(service): State<Arc<Service>>,
) -> ViewResult<ListView<DestinationView>> {
    let listed = service.run_blocking(|service| {
        let ruleset = service.context.ruleset.load();
        let mut names: BTreeSet<String> = ruleset.settings.destinations.keys().cloned().collect();
        for state in EventState::ALL {
            names.extend(service.context.ledger.event_destinations(state)?);
        }
        names.into_iter().map(|name| view_of(service, name)).collect::<Result<Vec<_>, _>>()
    });
    listed.await.map(ListView::whole).map(ViewJson)
}

fn view_of(service: &Service, name: String) -> Result<DestinationView, Problem> {
    let ruleset = service.context.ruleset.load();
    let known = ruleset.settings.destinations.get(&name);
    let variable = destination_secret_variable(&name);
    let has_secret = service.credentials.load().destination_secrets.contains_key(&variable);
    let needs = match (known, has_secret) {
        (None, _) => Some(format!("`accredit.toml` names no destination `{name}`")),
        (Some(_), false) => Some(format!("set `{variable}` to the secret that it knows")),
        (Some(_), true) => None,
    };

    let ledger = &service.context.ledger;
    let count = |state| ledger.count_events(state, &name);
    let oldest = ledger.events_of(EventState::Waiting, &name, None, 1)?.pop();
    Ok(DestinationView {
        url: known.map(|known| known.url.clone()),
        events: known
            .map(|known| known.events.iter().map(|kind| kind.name()).collect())
            .unwrap_or_default(),
        needs,
        waiting: count(EventState::Waiting)?,
        dead: count(EventState::Dead)?,
        sent: count(EventState::Sent)?,
        oldest_attempts: oldest.as_ref().map(|oldest| oldest.attempts),
        oldest_error: oldest.and_then(|oldest| oldest.last_error),
        name,
    })
}

/// The answer to a test.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DestinationTestAnswer {
    /// The id of the event that is sent.
    id: String,
}

/// Sends an event of the type `com.accredit.destination.tested` to a destination.
pub(crate) async fn test_destination(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let queued = service.run_blocking(move |service| {
        let ruleset = service.context.ruleset.load();
        if !ruleset.settings.destinations.contains_key(&name) {
            return Err(Problem::not_found("destination"));
        }
        let now_ms = service.clock.now_ms();
        let kind = EventKind::DestinationTested;
        let queued = service.context.ledger.queue_event((&name, kind), now_ms, &caller.name)?;
        Ok(OutgoingEvent::id(&queued))
    });
    let answer = DestinationTestAnswer { id: queued.await? };
    Ok((StatusCode::ACCEPTED, ViewJson(answer)).into_response())
}
