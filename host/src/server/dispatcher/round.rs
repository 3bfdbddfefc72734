//! Some events of one destination, sent one after the other until none is due, the turn is over, or the
//! destination takes nothing.
//!
//! Not when a round begins (`dispatcher`).

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use accredit_ledger::outbox::{EventAttempt, EventState, OutgoingEvent};
use accredit_seams::store::StoreError;
use secrecy::SecretString;

use super::message::SignedMessage;
use super::request::{self, SendOutcome};
use crate::server::credentials::destination_secret_variable;
use crate::server::state::Service;

/// Events that are read at a time.
const EVENTS_MAX: usize = 64;

/// Requests to one destination at a time.
const AT_ONCE_MAX: usize = 8;

/// A round ends after this long, so that others have their turn.
const ROUND_MAX: Duration = Duration::from_secs(10);

/// Tries of an event that its destination refuses, before it is a dead letter. With the pauses between
/// them they take two days.
const ATTEMPTS_MAX: u32 = 14;

/// The pause after an event was refused first; each one is three times as long, up to the longest.
const FIRST_PAUSE_MS: i64 = 5_000;
const PAUSE_MAX_MS: i64 = 8 * 3_600_000;

/// An event that could not be sent for so long is a dead letter.
const WAIT_MAX_MS: i64 = 48 * 3_600_000;

/// Events of a destination that is no longer named are given up once they are so old: settings and events
/// may change at the same moment.
const GIVE_UP_AFTER_MS: i64 = 5_000;

/// How a round ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RoundEnd {
    /// The destination takes events.
    Taking,
    /// It takes nothing at the moment; it may say when it wants to be asked again.
    NotTaking {
        /// Why.
        reason: String,
        /// What it asks for.
        retry_after_ms: Option<i64>,
    },
    /// A person has to act first.
    NotReady(String),
}

/// Where the events of a destination go, and what they are signed with.
struct Target {
    url: String,
    workspace: String,
    secrets: Vec<SecretString>,
}

/// Sends what is due to a destination.
///
/// # Errors
/// When the data cannot be read or written.
pub(super) fn send_due(
    service: &Service,
    agent: &ureq::Agent,
    destination: &str,
) -> Result<RoundEnd, StoreError> {
    let ledger = &service.context.ledger;
    let started = Instant::now();

    while !service.stopping.load(Ordering::Acquire) && started.elapsed() < ROUND_MAX {
        let due = ledger.due_events(destination, service.clock.now_ms(), EVENTS_MAX)?;
        if due.is_empty() {
            break;
        }

        let Some(target) = find_target(service, destination) else {
            return give_up(service, destination, &due);
        };
        if target.secrets.is_empty() {
            let variable = destination_secret_variable(destination);
            let reason = format!("set `{variable}` to the secret that the destination knows");
            note_reason(service, &due, &reason)?;
            return Ok(RoundEnd::NotReady(reason));
        }

        for some in due.chunks(AT_ONCE_MAX) {
            let end = send_some(service, agent, &target, some)?;
            if end != RoundEnd::Taking {
                ledger.forget_sent_events(destination)?;
                return Ok(end);
            }
        }
        ledger.forget_sent_events(destination)?;
    }
    Ok(RoundEnd::Taking)
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

/// Sends some events at once and keeps how it went.
fn send_some(
    service: &Service,
    agent: &ureq::Agent,
    target: &Target,
    some: &[OutgoingEvent],
) -> Result<RoundEnd, StoreError> {
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

    let now_ms = service.clock.now_ms();
    let tried = some.iter().zip(&outcomes);
    let attempts: Vec<EventAttempt> =
        tried.map(|(event, outcome)| attempt_of(event, outcome, now_ms)).collect();
    attempts.iter().for_each(|attempt| count_attempt(service, attempt));
    log_failures(&attempts);
    service.context.ledger.record_event_attempts(&attempts)?;
    Ok(end_of(outcomes))
}

/// What the outcomes of some requests say of the destination.
fn end_of(outcomes: Vec<SendOutcome>) -> RoundEnd {
    let mut end = RoundEnd::Taking;
    for outcome in outcomes {
        let SendOutcome::Unavailable { reason, retry_after_ms } = outcome else { continue };
        let known = match &end {
            RoundEnd::NotTaking { retry_after_ms, .. } => *retry_after_ms,
            RoundEnd::Taking | RoundEnd::NotReady(_) => None,
        };
        end = RoundEnd::NotTaking { reason, retry_after_ms: retry_after_ms.max(known) };
    }
    end
}

/// What becomes of an event after a try.
fn attempt_of(event: &OutgoingEvent, outcome: &SendOutcome, now_ms: i64) -> EventAttempt {
    let attempts = event.attempts.saturating_add(1);
    let is_old = now_ms.saturating_sub(event.since_ms) > WAIT_MAX_MS;
    let (state, next_ms, last_error) = match outcome {
        SendOutcome::Taken => (EventState::Sent, now_ms, None),
        SendOutcome::Gone(reason) => (EventState::Dead, now_ms, Some(reason)),
        SendOutcome::Refused(reason) if attempts >= ATTEMPTS_MAX => {
            (EventState::Dead, now_ms, Some(reason))
        }
        SendOutcome::Refused(reason) => {
            (EventState::Waiting, now_ms.saturating_add(pause_after(attempts)), Some(reason))
        }
        SendOutcome::Unavailable { reason, .. } if is_old => {
            (EventState::Dead, now_ms, Some(reason))
        }
        // The destination has the pause, so that its events keep their order.
        SendOutcome::Unavailable { reason, .. } => {
            (EventState::Waiting, event.next_ms, Some(reason))
        }
    };
    let last_error = last_error.cloned();
    let after = OutgoingEvent { attempts, next_ms, last_error, ..event.clone() };
    EventAttempt { before: event.clone(), after, state }
}

fn count_attempt(service: &Service, attempt: &EventAttempt) {
    let outcome = match attempt.state {
        EventState::Sent => "sent",
        EventState::Dead => "dead",
        EventState::Waiting => "failed",
    };
    service.metrics.own_work.count_event(&attempt.after.destination, outcome);
}

/// A line for events that failed for another reason than before, and for those that are dead letters now.
fn log_failures(attempts: &[EventAttempt]) {
    let is_new = |attempt: &&EventAttempt| {
        let is_dead = attempt.state == EventState::Dead;
        attempt.after.last_error.is_some()
            && (is_dead || attempt.after.last_error != attempt.before.last_error)
    };
    let mut failures = attempts.iter().filter(is_new);
    let Some(first) = failures.next() else { return };

    tracing::warn!(
        event.destination = %first.after.destination,
        event.id = %first.after.id(),
        event.error = first.after.last_error.as_deref().unwrap_or_default(),
        event.state = first.state.name(),
        event.others = failures.count(),
        "events were not taken"
    );
}

/// Keeps with events why they wait; no try is counted.
fn note_reason(
    service: &Service,
    events: &[OutgoingEvent],
    reason: &str,
) -> Result<(), StoreError> {
    let unknown = events.iter().filter(|event| event.last_error.as_deref() != Some(reason));
    let attempts: Vec<EventAttempt> = unknown
        .map(|event| {
            let after = OutgoingEvent { last_error: Some(reason.to_owned()), ..event.clone() };
            EventAttempt { before: event.clone(), after, state: EventState::Waiting }
        })
        .collect();
    log_failures(&attempts);
    service.context.ledger.record_event_attempts(&attempts)
}

/// Makes dead letters of events of a destination that `accredit.toml` does not name, once they are old
/// enough.
fn give_up(
    service: &Service,
    destination: &str,
    due: &[OutgoingEvent],
) -> Result<RoundEnd, StoreError> {
    let reason = format!("`accredit.toml` names no destination `{destination}`");
    let now_ms = service.clock.now_ms();
    let is_old = |event: &&OutgoingEvent| now_ms.saturating_sub(event.since_ms) >= GIVE_UP_AFTER_MS;

    let attempts: Vec<EventAttempt> = due
        .iter()
        .filter(is_old)
        .map(|event| {
            let (next_ms, last_error) = (now_ms, Some(reason.clone()));
            let after = OutgoingEvent { next_ms, last_error, ..event.clone() };
            EventAttempt { before: event.clone(), after, state: EventState::Dead }
        })
        .collect();
    attempts.iter().for_each(|attempt| count_attempt(service, attempt));
    log_failures(&attempts);
    let all = attempts.len() == due.len();
    service.context.ledger.record_event_attempts(&attempts)?;
    Ok(if all { RoundEnd::Taking } else { RoundEnd::NotReady(reason) })
}

/// The pause after an event was refused so often.
fn pause_after(attempts: u32) -> i64 {
    let times = 3_i64.saturating_pow(attempts.saturating_sub(1));
    FIRST_PAUSE_MS.saturating_mul(times).min(PAUSE_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(since_ms: i64) -> OutgoingEvent {
        OutgoingEvent {
            number: 1,
            kind: "credit.held".to_owned(),
            destination: "erp".to_owned(),
            subject: "D1".to_owned(),
            at_ms: since_ms,
            since_ms,
            data: "{}".to_owned(),
            attempts: 0,
            next_ms: 0,
            last_error: None,
        }
    }

    #[test]
    fn all_tries_of_a_refused_event_take_about_two_days() {
        let pauses = [1, 2, 3, 9, 400].map(pause_after);
        assert_eq!(pauses, [5_000, 15_000, 45_000, 28_800_000, 28_800_000]);
        let total: i64 = (1..ATTEMPTS_MAX).map(pause_after).sum();
        assert!((36 * 3_600_000..60 * 3_600_000).contains(&total), "{total}");
    }

    /// An outage used up the tries of the events in front: they came hours after newer ones.
    #[test]
    fn an_outage_leaves_events_in_their_order_and_lasts_two_days_at_most() {
        let down = SendOutcome::Unavailable { reason: "503".to_owned(), retry_after_ms: None };
        let mut waiting = event(0);
        for hour in 0..48 {
            let attempt = attempt_of(&waiting, &down, hour * 3_600_000);
            assert_eq!((attempt.state, attempt.after.next_ms), (EventState::Waiting, 0));
            waiting = attempt.after;
        }
        assert_eq!(attempt_of(&waiting, &down, WAIT_MAX_MS + 1).state, EventState::Dead);
    }

    /// `Retry-After` of one request was forgotten for the next one.
    #[test]
    fn the_longest_wait_that_a_destination_asks_for_counts() {
        let down =
            |retry_after_ms| SendOutcome::Unavailable { reason: "x".to_owned(), retry_after_ms };
        let end = end_of(vec![down(Some(3_600_000)), SendOutcome::Taken, down(None)]);
        let RoundEnd::NotTaking { retry_after_ms, .. } = end else { panic!("{end:?}") };
        assert_eq!(retry_after_ms, Some(3_600_000));
        assert_eq!(end_of(vec![SendOutcome::Refused("400".to_owned())]), RoundEnd::Taking);
    }
}
