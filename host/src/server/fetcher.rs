//! The thread that asks CRMs for what their events leave out.
//!
//! Not which events those are, and not the requests (connectors make both). What is fetched comes into the
//! inbox as a delivery of its own, so that the worker decides it like any other and can do so again.
//!
//! **Architecture invariant:** an event that waits here was acknowledged and is kept; its entry ends only
//! once what it waits for is stored, or as a dead letter.

mod request;

use std::sync::atomic::Ordering;
use std::time::Duration;

use accredit_ledger::Ledger;
use accredit_ledger::fetches::PendingFetch;
use accredit_operations::intake;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;
use secrecy::ExposeSecret;

use self::request::{FetchFailure, FetchedBody};
use crate::server::credentials::api_token_variable;
use crate::server::state::Service;

/// How often it looks for something to fetch.
const TICK: Duration = Duration::from_millis(250);

/// Entries that are read at a time; requests at a time, and those of one source among them.
const ENTRIES_MAX: usize = 2048;
const AT_ONCE_MAX: usize = 8;
const OF_ONE_SOURCE_MAX: usize = 3;

/// Tries before an event becomes a dead letter. With the pauses between them they take two hours.
const ATTEMPTS_MAX: u32 = 16;

/// The pause after the first failure, which doubles, and the longest one.
const FIRST_PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 15 * 60 * 1_000;

/// The pause while no token is set.
const NOT_READY_PAUSE_MS: i64 = 30 * 1_000;

/// Bytes of a hash in the id of what was fetched.
const HASH_CHARACTERS: usize = 16;

/// Fetches until the server stops.
pub(crate) fn run(service: &Service) {
    let agent = request::new_agent();
    while !service.stopping.load(Ordering::Acquire) {
        match fetch_due(service, &agent) {
            Ok(0) => std::thread::sleep(TICK),
            Ok(_) => (),
            Err(error) => {
                tracing::error!(error.cause = %error, "nothing can be fetched");
                std::thread::sleep(TICK * 4);
            }
        }
    }
}

/// Tries what is due, a few requests at a time; how many were tried.
fn fetch_due(service: &Service, agent: &ureq::Agent) -> Result<usize, StoreError> {
    let now = service.clock.now_ms();
    let (due, waiting) = due_fetches(&service.context.ledger, now)?;
    service.metrics.fetches.set(i64::try_from(waiting).unwrap_or(i64::MAX));
    if due.is_empty() && waiting > ENTRIES_MAX {
        // Looking through thousands of entries again and again would keep a core busy.
        std::thread::sleep(TICK * 4);
    }

    std::thread::scope(|scope| {
        let tries: Vec<_> =
            due.iter().map(|fetch| scope.spawn(|| fetch_one(service, agent, fetch))).collect();
        let outcomes = tries.into_iter().map(|one| one.join());
        let outcomes = outcomes.map(|one| one.unwrap_or_else(|_| Err(FetchFailure::panic())));
        due.iter().zip(outcomes).try_for_each(|(fetch, outcome)| keep(service, fetch, outcome))
    })?;
    Ok(due.len())
}

/// What is due, a few entries of each source: a CRM that fails, or does not answer, must not keep those of
/// the others waiting. And how many entries there are.
fn due_fetches(ledger: &Ledger, now: i64) -> Result<(Vec<PendingFetch>, usize), StoreError> {
    let (mut due, mut waiting, mut after) = (Vec::<PendingFetch>::new(), 0, None);
    loop {
        let page = ledger.pending_fetches(after, ENTRIES_MAX)?;
        let Some(last) = page.last() else { return Ok((due, waiting)) };
        after = Some((last.sequence, last.part));
        waiting += page.len();

        for fetch in page {
            let same = due.iter().filter(|known| known.source == fetch.source).count();
            if fetch.next_ms <= now && same < OF_ONE_SOURCE_MAX && due.len() < AT_ONCE_MAX {
                due.push(fetch);
            }
        }
    }
}

/// The delivery that an event becomes with what was fetched for it.
fn fetch_one(
    service: &Service,
    agent: &ureq::Agent,
    fetch: &PendingFetch,
) -> Result<Delivery, FetchFailure> {
    let context = &service.context;
    let ruleset = context.ruleset.load_full();
    let source = intake::source_of(context, &ruleset, &fetch.source);
    let (source, connector) = source.map_err(FetchFailure::Lasting)?;

    let needed = connector.needed_fetch(&fetch.payload, &source.settings);
    let needed = needed.map_err(|error| FetchFailure::Lasting(error.to_string()))?;
    // The settings have changed since: the event is decided as it is.
    let body = match needed {
        None => fetch.payload.clone(),
        Some(needed) => {
            let variable = api_token_variable(&fetch.source);
            let credentials = service.credentials.load();
            let token = credentials.api_tokens.get(&variable);
            let token = token.ok_or_else(|| FetchFailure::without_token(&variable))?;
            let FetchedBody(fetched) = request::send(agent, &needed, token.expose_secret())?;
            let completed = connector.complete_event(&fetch.payload, &fetched);
            completed.map_err(|error| FetchFailure::Lasting(error.to_string()))?
        }
    };

    // The deal may have changed between two fetches for one event: that is another delivery.
    let hash = blake3::hash(body.as_bytes()).to_hex();
    let hash = hash.get(..HASH_CHARACTERS).unwrap_or_default();
    let id = format!("{}+{}.{hash}", fetch.delivery, fetch.part);
    let delivery = Delivery::unverified(fetch.source.clone(), context.now_ms(), body.into_bytes());
    Ok(Delivery { id, ..delivery })
}

/// Keeps what came of a try.
fn keep(
    service: &Service,
    fetch: &PendingFetch,
    outcome: Result<Delivery, FetchFailure>,
) -> Result<(), StoreError> {
    let ledger = &service.context.ledger;
    let failure = match outcome {
        Ok(delivery) => match service.writer.take_blocking(vec![delivery]) {
            Ok(_) => return ledger.end_fetch(fetch, None),
            Err(error) => FetchFailure::passing(error.to_string()),
        },
        Err(failure) => failure,
    };

    let counts = !matches!(failure, FetchFailure::NotReady(_));
    let attempts = fetch.attempts.saturating_add(u32::from(counts));
    let (reason, pause_ms) = match failure {
        FetchFailure::NotReady(reason) => (reason, NOT_READY_PAUSE_MS),
        FetchFailure::Lasting(reason) => {
            return end_as_dead_letter(service, fetch, &reason);
        }
        FetchFailure::Passing { reason, .. } if attempts >= ATTEMPTS_MAX => {
            let reason = format!("{reason}; tried {attempts} times (ATTEMPTS_MAX)");
            return end_as_dead_letter(service, fetch, &reason);
        }
        FetchFailure::Passing { reason, retry_after_ms } => {
            (reason, retry_after_ms.unwrap_or(0).max(pause_after(attempts)).min(PAUSE_MAX_MS))
        }
    };

    tracing::warn!(
        delivery.source = %fetch.source,
        delivery.sequence = fetch.sequence,
        fetch.attempts = attempts,
        fetch.error = %reason,
        "a deal was not fetched yet"
    );
    let next_ms = service.clock.now_ms().saturating_add(pause_ms);
    let tried = PendingFetch { attempts, next_ms, last_error: Some(reason), ..fetch.clone() };
    ledger.record_fetch_attempt(&tried)
}

fn end_as_dead_letter(
    service: &Service,
    fetch: &PendingFetch,
    reason: &str,
) -> Result<(), StoreError> {
    tracing::warn!(
        delivery.source = %fetch.source,
        delivery.sequence = fetch.sequence,
        "a deal could not be fetched: dead letter"
    );
    let reason = format!("its deal could not be fetched: {reason}");
    service.context.ledger.end_fetch(fetch, Some(&reason))
}

/// The pause after so many failures.
fn pause_after(attempts: u32) -> i64 {
    let doublings = attempts.saturating_sub(1).min(20);
    FIRST_PAUSE_MS.saturating_mul(1 << doublings).min(PAUSE_MAX_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_tries_take_about_two_hours() {
        assert_eq!([1, 2, 3, 11, 400].map(pause_after), [1_000, 2_000, 4_000, 900_000, 900_000]);
        let total: i64 = (1..ATTEMPTS_MAX).map(pause_after).sum();
        assert!((3_600_000..3 * 3_600_000).contains(&total), "{total}");
    }
}
