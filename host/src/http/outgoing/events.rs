//! Events for other systems: listed by destination and state, shown, and sent again.

use std::sync::Arc;

use accredit_ledger::outbox::{EventState, OutgoingEvent};
use accredit_operations::principal::Principal;
use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::http::results::credits;
use crate::http::views::{ListView, ViewJson, ViewResult};
use crate::server::clock::format_rfc3339;
use crate::server::dispatcher::message::cloud_event;
use crate::server::state::Service;

/// Events that are sent again in one commit.
const RESENT_AT_ONCE: usize = 500;

/// What a list of events is narrowed by.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventListParams {
    /// `waiting`, `sent` or `dead`; `waiting` by default.
    state: Option<String>,
    /// Rows of the page, 1 to 1000; 100 by default.
    limit: Option<usize>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// An event on its way to a destination.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventView {
    /// Its id, which the destination knows it by.
    id: String,
    /// Its kind, such as `credit.held`.
    kind: String,
    /// What it is about.
    subject: String,
    /// The instant at which it happened.
    #[schema(format = DateTime)]
    at: String,
    /// `waiting`, `sent` or `dead`.
    state: &'static str,
    /// How often it was tried.
    attempts: u32,
    /// The instant of the next try; null if it does not wait, or is due.
    #[schema(format = DateTime)]
    next: Option<String>,
    /// Why the last try failed; null if it did not fail.
    last_error: Option<String>,
}

impl EventView {
    fn new(event: &OutgoingEvent, state: EventState) -> EventView {
        let has_next = state == EventState::Waiting && event.next_ms > 0;
        EventView {
            id: event.id(),
            kind: event.kind.clone(),
            subject: event.subject.clone(),
            at: format_rfc3339(event.at_ms),
            state: state.name(),
            attempts: event.attempts,
            next: has_next.then(|| format_rfc3339(event.next_ms)),
            last_error: event.last_error.clone(),
        }
    }
}

/// An event with the body that its destination gets.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SentEventView {
    /// How far it is.
    #[serde(flatten)]
    row: EventView,
    /// The CloudEvent.
    #[schema(value_type = Object)]
    body: Value,
}

/// The state that a text names.
fn state_named(text: Option<&str>, default: EventState) -> Result<EventState, Problem> {
    let Some(text) = text else { return Ok(default) };
    let found = EventState::ALL.into_iter().find(|state| state.name() == text);
    found.ok_or_else(|| Problem::bad_request("`state` is `waiting`, `sent` or `dead`"))
}

/// A page of the events of a destination, oldest first.
pub(crate) async fn list_events(
    State(service): State<Arc<Service>>,
    Path(name): Path<String>,
    params: Result<Query<EventListParams>, QueryRejection>,
) -> ViewResult<ListView<EventView>> {
    let expected = |_| Problem::bad_request("expected `state`, `limit` or `cursor`");
    let Query(params) = params.map_err(expected)?;
    let state = state_named(params.state.as_deref(), EventState::Waiting)?;
    let limit = credits::page_limit(params.limit)?;
    let after = params.cursor.as_deref().map(|cursor| {
        let wrong = "`cursor` is not a cursor from an earlier page";
        OutgoingEvent::number_of(cursor).ok_or_else(|| Problem::bad_request(wrong))
    });
    let after = after.transpose()?;

    let page = service.run_blocking(move |service| {
        let ledger = &service.context.ledger;
        let mut found = ledger.events_of(state, &name, after, limit.saturating_add(1))?;
        let more = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found.last().filter(|_| more).map(OutgoingEvent::id);
        let data = found.iter().map(|event| EventView::new(event, state)).collect();
        Ok(ListView { data, next_cursor })
    });
    page.await.map(ViewJson)
}

/// The event with an id on its way to a destination.
fn find_event(
    service: &Service,
    (name, id): (&str, &str),
) -> Result<(OutgoingEvent, EventState), Problem> {
    let number = OutgoingEvent::number_of(id).ok_or_else(|| Problem::not_found("event"))?;
    let found = service.context.ledger.find_event(name, number)?;
    found.ok_or_else(|| Problem::not_found("event"))
}

/// An event with its body.
pub(crate) async fn show_event(
    State(service): State<Arc<Service>>,
    Path((name, id)): Path<(String, String)>,
) -> ViewResult<SentEventView> {
    let shown = service.run_blocking(move |service| {
        let (event, state) = find_event(service, (&name, &id))?;
        let workspace = service.context.ruleset.load().settings.name.clone();
        let body = cloud_event(&event, &workspace).map_err(|error| Problem::internal(&error))?;
        Ok(SentEventView { row: EventView::new(&event, state), body })
    });
    shown.await.map(ViewJson)
}

/// The answer to events that are sent again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ResentAnswer {
    /// How many they are.
    resent: usize,
}

/// Sends an event again, or a waiting one without further delay.
pub(crate) async fn resend_event(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path((name, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let resent = service.run_blocking(move |service| {
        let found = find_event(service, (&name, &id))?;
        let now_ms = service.clock.now_ms();
        service.context.ledger.resend_events(&[found], now_ms, &caller.name)?;
        Ok(ResentAnswer { resent: 1 })
    });
    Ok((StatusCode::ACCEPTED, ViewJson(resent.await?)).into_response())
}

/// Which events of a destination are sent again.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResendParams {
    /// `dead`, `sent` or `waiting`; `dead` by default.
    state: Option<String>,
    /// Only events that happened at this instant or later.
    #[schema(format = DateTime)]
    since: Option<String>,
}

/// Sends all events of a destination that are in a state again.
pub(crate) async fn resend_events(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    Path(name): Path<String>,
    params: Result<Query<ResendParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(params) = params.map_err(|_| Problem::bad_request("expected `state` or `since`"))?;
    let state = state_named(params.state.as_deref(), EventState::Dead)?;
    let since_ms = params.since.as_deref().map(instant_ms).transpose()?;

    let resent = service.run_blocking(move |service| {
        let ledger = &service.context.ledger;
        let (mut resent, mut after) = (0, None);
        loop {
            let page = ledger.events_of(state, &name, after, RESENT_AT_ONCE)?;
            let Some(last) = page.last() else { return Ok(ResentAnswer { resent }) };
            after = Some(last.number);

            let is_meant =
                |event: &OutgoingEvent| since_ms.is_none_or(|since| event.at_ms >= since);
            let some: Vec<_> =
                page.into_iter().filter(is_meant).map(|event| (event, state)).collect();
            resent += some.len();
            ledger.resend_events(&some, service.clock.now_ms(), &caller.name)?;
        }
    });
    Ok((StatusCode::ACCEPTED, ViewJson(resent.await?)).into_response())
}

/// An instant in milliseconds since 1970.
fn instant_ms(text: &str) -> Result<i64, Problem> {
    let wrong = "`since` is an instant such as 2026-01-31T00:00:00Z";
    let instant: Result<jiff::Timestamp, _> = text.parse();
    instant.map(|instant| instant.as_millisecond()).map_err(|_| Problem::bad_request(wrong))
}
