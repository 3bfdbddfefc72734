//! How many requests a source may send, and what it hears beyond.
//!
//! Not requests that are not authentic (`access::limits`): they take nothing of what their source may
//! send. Called by the intake of webhooks.
//!
//! **Architecture invariant:** an authentic request over the limit waits as long as its sender can bear,
//! and then gets the answer on which that sender comes back; it is never taken and dropped.

use std::time::Duration;

use accredit_domain::rate_limit::RateLimit;
use accredit_seams::connector::OverloadAnswer;
use axum::http::{HeaderValue, StatusCode, header};

use crate::http::access::limits::{RateHeaders, whole_seconds};
use crate::http::problem::Problem;
use crate::server::clock;
use crate::server::rates::Rate;
use crate::server::state::Service;

/// The limit of a source that sets none: far above what a CRM sends.
const SOURCE_LIMIT: RateLimit = RateLimit { count: 1_000_000, window_s: 60 };

/// The turn of a request of a source.
pub(super) struct SourceTurn {
    /// What its answer says of the limit.
    pub(super) headers: RateHeaders,
    /// How much longer it may wait for something else.
    pub(super) patience: Duration,
}

/// Waits for the turn of an authentic request.
///
/// # Errors
/// The answer of the source's connector, if that would take longer than its sender waits.
pub(super) async fn await_turn(
    service: &Service,
    (source, limit): (&str, Option<RateLimit>),
    overload: OverloadAnswer,
) -> Result<SourceTurn, Problem> {
    let limit = limit.unwrap_or(SOURCE_LIMIT);
    let patience = Duration::from_millis(overload.patience_ms.into());
    let now = clock::elapsed();
    let answer = service.source_rates.take(source, Rate::from(limit), now, patience);
    let headers = RateHeaders::new("source", limit, &answer)?;

    if answer.is_admitted {
        if !answer.wait.is_zero() {
            tokio::time::sleep(answer.wait).await;
        }
        return Ok(SourceTurn { headers, patience: patience.saturating_sub(answer.wait) });
    }

    service.metrics.network.count_limited("source");
    service.metrics.count_webhook(source, "limited");
    let detail =
        format!("the source sends more than its `rate_limit`, {limit}; send it again later");
    Err(headers.add_to(over_limit(overload, answer.wait, detail)))
}

/// The answer of the connector, with a time that is long enough where its sender listens to one.
fn over_limit(overload: OverloadAnswer, wait: Duration, detail: String) -> Problem {
    let status = StatusCode::from_u16(overload.status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    let is_429 = status == StatusCode::TOO_MANY_REQUESTS;
    let code = if is_429 { "rate_limited" } else { "unavailable" };
    let problem = Problem::new(status, code, detail);

    let wait_s = whole_seconds(wait);
    let said_s = overload.retry_after_s.map(|seconds| u64::from(seconds).max(wait_s));
    match said_s.or(is_429.then_some(wait_s)) {
        Some(seconds) => problem.with_header(header::RETRY_AFTER, HeaderValue::from(seconds)),
        None => problem,
    }
}
