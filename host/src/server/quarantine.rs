//! Requests whose signature did not match: kept for a while, and verified again after a secret was mended.
//!
//! Not which are kept at most (the ledger's `quarantine`). Called by the intake of webhooks where it
//! refuses a request.
//!
//! **Architecture invariant:** a request leaves the quarantine only for the inbox, once it is authentic,
//! or for a newer one; nothing of it is decided before.

use std::time::Duration;

use accredit_ledger::quarantine::QuarantinedRequest;
use accredit_seams::connector::{
    NO_SIGNATURE_MATCHES, RejectedDelivery, SentRequest, SettingValue, SourceSettings,
};
use accredit_seams::delivery::Delivery;
use accredit_seams::store::StoreError;
use secrecy::ExposeSecret;
use serde::Serialize;
use utoipa::ToSchema;

use crate::http::problem::Problem;
use crate::plugins;
use crate::server::clock;
use crate::server::rates::Rate;
use crate::server::state::Service;

/// Requests of a source that are kept at once, and how many more a second: a stranger who sends
/// nonsense must not make the disk busy.
pub(crate) const QUARANTINE_RATE: Rate = Rate { burst: 200, interval: Duration::from_millis(50) };

/// Requests that are verified at a time.
const PAGE: usize = 50;

/// Parts of the names of headers that a signature is in or of. Others are not kept: one of them may
/// authenticate the sender, or a gateway in front of the server, by itself.
const SIGNED_HEADERS: [&str; 4] = ["signature", "timestamp", "webhook-id", "svix-id"];

/// How often a request is kept again because another host took its place.
const OTHERS_FIRST_MAX: u32 = 20;

/// What a second verification came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct QuarantineOutcome {
    /// Requests that are authentic now, and in the inbox.
    pub(crate) accepted: u64,
    /// Requests that are still not authentic.
    pub(crate) left: u64,
}

/// Keeps a request that was refused, if its source signs requests.
pub(crate) fn keep_refused(
    service: &Service,
    (source, settings): (&str, &SourceSettings),
    request: &SentRequest<'_>,
    reason: RejectedDelivery,
) {
    // What could not be authentic under any secret would only push out what could.
    if reason != NO_SIGNATURE_MATCHES {
        return;
    }
    if !service.quarantine.admits(source, QUARANTINE_RATE, clock::elapsed()) {
        return;
    }
    let named = |name: &str| {
        let mut values = settings.values.values();
        values.any(
            |value| matches!(value, SettingValue::Text(text) if text.eq_ignore_ascii_case(name)),
        )
    };
    let is_kept = |name: &str| SIGNED_HEADERS.iter().any(|one| name.contains(one)) || named(name);
    let headers = request.headers.iter().filter(|(name, _)| is_kept(name));
    let headers = headers.map(|(name, value)| ((*name).to_owned(), value.to_vec()));
    let kept = QuarantinedRequest {
        source: source.to_owned(),
        received_ms: request.received_ms,
        method: request.method.to_owned(),
        headers: headers.collect(),
        body: request.body.to_vec(),
        reason: reason.to_string(),
    };
    // A commit takes milliseconds, which the other connections of the thread must not wait for.
    let stored = tokio::task::block_in_place(|| {
        let ledger = &service.context.ledger;
        let mut tries = 0;
        loop {
            match ledger.quarantine_request(&kept) {
                // Another host kept one at the same time.
                Err(StoreError::Conflict) if tries < OTHERS_FIRST_MAX => tries += 1,
                other => return other,
            }
        }
    });
    if let Err(error) = stored {
        tracing::error!(error.cause = %error, "a refused request was not kept");
    }
}

/// Verifies the requests of a source, or of all, with the secrets of now; those that are authentic go
/// into the inbox.
///
/// # Errors
/// When the data cannot be read or written.
pub(crate) fn verify_again(
    service: &Service,
    source: Option<&str>,
) -> Result<QuarantineOutcome, Problem> {
    let ledger = &service.context.ledger;
    let (mut outcome, mut after) = (QuarantineOutcome::default(), 0);
    loop {
        let page = ledger.quarantined_requests(after, PAGE)?;
        let Some((last, _)) = page.last() else { return Ok(outcome) };
        after = *last;

        let mut leaving = Vec::new();
        for (number, request) in &page {
            if source.is_some_and(|source| source != request.source) {
                continue;
            }
            match authentic_deliveries(service, request) {
                None => outcome.left += 1,
                Some(deliveries) => {
                    let taken = service.writer.take_blocking(deliveries);
                    taken.map_err(|error| Problem::unavailable(error.to_string()))?;
                    outcome.accepted += 1;
                    leaving.push(*number);
                }
            }
        }
        // After the commit of the inbox: a stop in between leaves a duplicate, which is harmless.
        ledger.leave_quarantine(&leaving)?;
    }
}

/// The deliveries of a request that is authentic now.
fn authentic_deliveries(service: &Service, kept: &QuarantinedRequest) -> Option<Vec<Delivery>> {
    let ruleset = service.context.ruleset.load_full();
    let source = ruleset.settings.sources.get(&kept.source)?;
    let connector = plugins::find_connector(&source.connector)?;
    let secrets = service.secrets.load();
    let secrets: Vec<&str> =
        secrets.get(&kept.source)?.iter().map(ExposeSecret::expose_secret).collect();

    let headers: Vec<(&str, &[u8])> =
        kept.headers.iter().map(|(name, value)| (name.as_str(), value.as_slice())).collect();
    let request = SentRequest {
        method: &kept.method,
        query: "",
        headers: &headers,
        body: &kept.body,
        received_ms: kept.received_ms,
    };
    connector.verify_request(&request, &source.settings, &secrets).ok()?;
    let events = connector.split_request(&request, &source.settings);
    let deliveries = events.into_iter().map(|event| {
        let body = event.body.into_owned();
        let unverified = Delivery::unverified(kept.source.clone(), kept.received_ms, body);
        Delivery { id: event.id, ..unverified }
    });
    Some(deliveries.collect())
}
