//! The events of one destination, sent until none is due or the destination takes nothing.
//!
//! Not when a round begins (`dispatcher`).

use std::sync::atomic::Ordering;

use accredit_ledger::outbox::{EventAttempt, EventState, OutgoingEvent};
use accredit_seams::store::StoreError;
use secrecy::SecretString;

use super::message::SignedMessage;
use super::request::{self, SendOutcome};
use crate::server::credentials::destination_secret_variable;
use crate::server::state::Service;

/// Events that are read at a time.
const EVENTS_MAX: usize = 512;

/// Requests to one destination at a time.
const AT_ONCE_MAX: usize = 8;

/// Tries before an event becomes a dead letter. With the pauses between them they take two days.
const ATTEMPTS_MAX: u32 = 14;

/// The pause after the first failure; each one is three times as long, up to the longest.
const FIRST_PAUSE_MS: i64 = 5_000;
const PAUSE_MAX_MS: i64 = 8 * 3_600_000;

/// A destination that takes nothing is tried again after this long at the latest.
const DESTINATION_PAUSE_MAX_MS: i64 = 5 * 60_000;

/// The pause while no secret is set.
const NOT_READY_PAUSE_MS: i64 = 30_000;

/// Where the events of a destination go, and what they are signed with.
struct Target {
    url: String,
    workspace: String,
    secrets: Vec<SecretString>,
}

/// Sends what is due to a destination; gives when it may be tried again, in milliseconds since 1970.
///
/// # Errors
/// When the data cannot be read or written.
pub(super) fn send_due(
    service: &Service,
    agent: &ureq::Agent,
    destination: &str,
) -> Result<i64, StoreError> {
    let ledger = &service.context.ledger;
    let mut after = None;

    while !service.stopping.load(Ordering::Acquire) {
        let now = service.clock.now_ms();
        let page = ledger.events_of(EventState::Waiting, destination, after, EVENTS_MAX)?;
        let Some(last) = page.last() else { break };
        after = Some(last.number);

        let due: Vec<OutgoingEvent> =
            page.into_iter().filter(|event| event.next_ms <= now).collect();
        for some in due.chunks(AT_ONCE_MAX) {
            let Some(target) = find_target(service, destination) else {
                return give_up(service, destination);
            };
            if target.secrets.is_empty() {
                note_missing_secret(service, some)?;
                return Ok(now.saturating_add(NOT_READY_PAUSE_MS));
            }

            let pause_ms = send_some(service, agent, &target, some)?;
            if let Some(pause_ms) = pause_ms {
                return Ok(service.clock.now_ms().saturating_add(pause_ms));
            }
        }
    }

    ledger.forget_sent_events(destination)?;
    Ok(service.clock.now_ms())
}

/// Where a destination's events go; none of one that `accredit.toml` no longer names.
fn find_target(service: &Service, destination: &str) -> Option<Target> {
    let ruleset = service.context.ruleset.load();
    let settings = &ruleset.settings;
    let url = settings.destinations.get(destination)?.url.clone();
    let credentials = service.credentials.load();
    let secrets = credentials.destination_secrets.get(&destination_secret_variable(destination));
    let secrets = secrets.cloned().unwrap_or_default();
    Some(Target { url, workspace: settings.name.clone(), secrets })
}

/// Sends some events at once and keeps how it went; gives how long the destination is left alone, where
/// it takes nothing.
fn send_some(
    service: &Service,
    agent: &ureq::Agent,
    target: &Target,
    some: &[OutgoingEvent],
) -> Result<Option<i64>, StoreError> {
    let now_ms = service.clock.now_ms();
    let send = |event: &OutgoingEvent| {
        let message = SignedMessage::new(event, &target.workspace, (&target.secrets, now_ms));
        match message {
            Ok(message) => request::send(agent, &target.url, &message),
            Err(reason) => SendOutcome::Refused(reason),
        }
    };

    let outcomes: Vec<SendOutcome> = std::thread::scope(|scope| {
        let tries: Vec<_> = some.iter().map(|event| scope.spawn(|| send(event))).collect();
        let panicked = || SendOutcome::Refused("an internal error".to_owned());
        tries.into_iter().map(|one| one.join().unwrap_or_else(|_| panicked())).collect()
    });

    let mut destination_pause = None;
    let mut attempts = Vec::with_capacity(some.len());
    for (event, outcome) in some.iter().zip(outcomes) {
        let attempt = attempt_of(event, &outcome, service.clock.now_ms());
        note_outcome(service, &attempt);
        if matches!(outcome, SendOutcome::Unavailable { .. }) {
            let pause = attempt.event.next_ms.saturating_sub(now_ms);
            destination_pause = Some(pause.clamp(0, DESTINATION_PAUSE_MAX_MS));
        }
        attempts.push(attempt);
    }

    service.context.ledger.record_event_attempts(&attempts)?;
    Ok(destination_pause)
}

/// What becomes of an event after a try.
fn attempt_of(event: &OutgoingEvent, outcome: &SendOutcome, now_ms: i64) -> EventAttempt {
    let attempts = event.attempts.saturating_add(1);
    let (state, error, wanted_pause) = match outcome {
        SendOutcome::Taken => (EventState::Sent, None, None),
        SendOutcome::Gone(reason) => (EventState::Dead, Some(reason.clone()), None),
        SendOutcome::Refused(reason) => (EventState::Waiting, Some(reason.clone()), None),
        SendOutcome::Unavailable { reason, retry_after_ms } => {
            (EventState::Waiting, Some(reason.clone()), *retry_after_ms)
        }
    };

    let is_last = state == EventState::Waiting && attempts >= ATTEMPTS_MAX;
    let state = if is_last { EventState::Dead } else { state };
    let pause = wanted_pause.unwrap_or(0).max(pause_after(attempts)).min(PAUSE_MAX_MS);
    let next_ms = if state == EventState::Waiting { now_ms.saturating_add(pause) } else { now_ms };
    let event = OutgoingEvent { attempts, next_ms, last_error: error, ..event.clone() };
    EventAttempt { event, state }
}

/// Counts a try, and tells the log of one that failed.
fn note_outcome(service: &Service, attempt: &EventAttempt) {
    let EventAttempt { event, state } = attempt;
    let outcome = match (state, &event.last_error) {
        (EventState::Sent, _) => "sent",
        (EventState::Dead, _) => "dead",
        (EventState::Waiting, _) => "failed",
    };
    service.metrics.own_work.count_event(&event.destination, outcome);

    if let Some(error) = &event.last_error {
        tracing::warn!(
            event.destination = %event.destination,
            event.id = %event.id(),
            event.attempts = event.attempts,
            event.error = %error,
            event.state = state.name(),
            "an event was not taken"
        );
    }
}

/// Keeps that a person has to set a secret; such a try does not count.
fn note_missing_secret(service: &Service, some: &[OutgoingEvent]) -> Result<(), StoreError> {
    let now_ms = service.clock.now_ms();
    let attempts: Vec<EventAttempt> = some
        .iter()
        .map(|event| {
            let variable = destination_secret_variable(&event.destination);
            let reason = format!("set `{variable}` to the secret that the destination knows");
            let next_ms = now_ms.saturating_add(NOT_READY_PAUSE_MS);
            let event = OutgoingEvent { next_ms, last_error: Some(reason), ..event.clone() };
            EventAttempt { event, state: EventState::Waiting }
        })
        .collect();
    service.context.ledger.record_event_attempts(&attempts)
}

/// Makes dead letters of the events of a destination that `accredit.toml` no longer names.
fn give_up(service: &Service, destination: &str) -> Result<i64, StoreError> {
    let ledger = &service.context.ledger;
    let reason = format!("`accredit.toml` names no destination `{destination}`");
    let now_ms = service.clock.now_ms();

    loop {
        let page = ledger.events_of(EventState::Waiting, destination, None, EVENTS_MAX)?;
        if page.is_empty() {
            return Ok(now_ms);
        }
        let attempts: Vec<EventAttempt> = page
            .into_iter()
            .map(|event| {
                let (next_ms, last_error) = (now_ms, Some(reason.clone()));
                let event = OutgoingEvent { next_ms, last_error, ..event };
                EventAttempt { event, state: EventState::Dead }
            })
            .collect();
        attempts.iter().for_each(|attempt| note_outcome(service, attempt));
        ledger.record_event_attempts(&attempts)?;
    }
}

/// The pause after so many failures.
fn pause_after(attempts: u32) -> i64 {
    let times = 3_i64.saturating_pow(attempts.saturating_sub(1));
    FIRST_PAUSE_MS.saturating_mul(times).min(PAUSE_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tries_take_about_two_days() {
        let pauses = [1, 2, 3, 9, 400].map(pause_after);
        assert_eq!(pauses, [5_000, 15_000, 45_000, 28_800_000, 28_800_000]);
        let total: i64 = (1..ATTEMPTS_MAX).map(pause_after).sum();
        assert!((36 * 3_600_000..60 * 3_600_000).contains(&total), "{total}");
    }
}
