//! One try of one fetch, and what is kept of it.
//!
//! Not when (`lanes`), and not the request (`crm_api`). Called by the fetcher on a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use accredit_ledger::fetches::{FetchKey, PendingFetch};
use accredit_operations::intake;
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;

use crate::server::crm_api::{ApiSource, FetchFailure};
use crate::server::state::Service;

/// Tries before an event becomes a dead letter. With the pauses between them they take two hours.
const ATTEMPTS_MAX: u32 = 16;

/// The pause after the first failure, which doubles, and the longest one.
const FIRST_PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 15 * 60 * 1_000;

/// The pause while no token is set.
const NOT_READY_PAUSE_MS: i64 = 30 * 1_000;

/// The pause of this thread when the store fails, so that the same try does not repeat at once.
const STORE_PAUSE: Duration = Duration::from_secs(1);

/// Bytes of a hash in the id of what was fetched.
const HASH_CHARACTERS: usize = 16;

/// Tries a fetch, if it still waits.
pub(super) fn try_fetch(service: &Service, key: FetchKey) {
    let tried = (|| {
        let Some(fetch) = service.context.ledger.find_fetch(key)? else { return Ok(()) };
        let outcome = catch_unwind(AssertUnwindSafe(|| fetch_one(service, &fetch)));
        keep(service, &fetch, outcome.unwrap_or_else(|_| Err(FetchFailure::panic())))
    })();
    if let Err(error) = tried {
        let error: StoreError = error;
        tracing::error!(error.cause = %error, "a fetch was not kept; it is tried again");
        std::thread::sleep(STORE_PAUSE);
    }
}

/// The delivery that an event becomes with what was fetched for it.
fn fetch_one(service: &Service, fetch: &PendingFetch) -> Result<Delivery, FetchFailure> {
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
            let credentials = service.credentials.load();
            let of = ApiSource { name: &fetch.source, connector, settings: &source.settings };
            let fetched = service.crm_api.send(&credentials, of, &needed)?;
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
        Ok(delivery) => match service.writer.take_fetched(delivery) {
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
    ledger.record_fetch_attempts(&[tried])
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
