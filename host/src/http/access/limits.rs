//! How many requests a client may send that the server does not know; and what answers say of a limit.
//!
//! Source: draft-ietf-httpapi-ratelimit-headers (`RateLimit-Policy`, `RateLimit`), RFC 6585 (429).
//!
//! Not failures to sign in (`server::lockout`), and not the limits of sources (`intake::source_rates`).
//!
//! **Architecture invariant:** a request with a valid token, key, session or signature is never refused for
//! what others behind the same address do.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use accredit_domain::rate_limit::RateLimit;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::access::peers::PeerAddress;
use crate::http::body;
use crate::http::problem::{Problem, RATE_POLICY, RATE_STATE};
use crate::server::clock;
use crate::server::peers::network_of;
use crate::server::rates::{Rate, RateAnswer};
use crate::server::state::Service;

/// What an answer says of the limit that its request was counted by.
#[derive(Debug, Clone)]
pub(crate) struct RateHeaders {
    policy: HeaderValue,
    state: HeaderValue,
}

impl RateHeaders {
    /// For a limit of this name.
    ///
    /// # Errors
    /// Never, with a name of plain letters.
    pub(crate) fn new(
        name: &str,
        limit: RateLimit,
        answer: &RateAnswer,
    ) -> Result<RateHeaders, Problem> {
        let RateLimit { count, window_s } = limit;
        let (left, reset_s) = (answer.left, whole_seconds(answer.whole_after));
        let policy = format!("\"{name}\";q={count};w={window_s}");
        let state = format!("\"{name}\";r={left};t={reset_s}");
        let value =
            |text: String| HeaderValue::try_from(text).map_err(|error| Problem::internal(&error));
        Ok(RateHeaders { policy: value(policy)?, state: value(state)? })
    }

    /// Writes them into an answer.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        headers.insert(RATE_POLICY, self.policy);
        headers.insert(RATE_STATE, self.state);
    }

    /// Writes them into a problem.
    pub(crate) fn add_to(self, problem: Problem) -> Problem {
        problem.with_header(RATE_POLICY, self.policy).with_header(RATE_STATE, self.state)
    }
}

/// Seconds, of which a part counts as a whole one.
pub(crate) fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

/// Counts a request of a client that is not known, if there is a limit.
///
/// # Errors
/// The refusal of a client that is over its limit.
fn count_unknown(service: &Service, peer: IpAddr) -> Result<Option<RateHeaders>, Problem> {
    let Some(limit) = service.config.peer_limit else { return Ok(None) };
    let (rate, now) = (Rate::from(limit), clock::elapsed());
    let answer = service.unknown_clients.take(&network_of(peer), rate, now, Duration::ZERO);
    let headers = RateHeaders::new("client", limit, &answer)?;
    if answer.is_admitted {
        return Ok(Some(headers));
    }

    service.metrics.network.count_limited("client");
    let seconds = whole_seconds(answer.wait);
    let detail = format!(
        "this address sent more than {limit} requests without a valid token, key, session or \
         signature; try again in {seconds} s"
    );
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail);
    let problem = problem.with_header(header::RETRY_AFTER, HeaderValue::from(seconds));
    Err(headers.add_to(problem))
}

/// What a request is answered that is not authentic: the refusal, or that there were too many.
pub(crate) fn refuse_unknown(
    service: &Service,
    PeerAddress(peer): PeerAddress,
    refusal: Problem,
) -> Problem {
    match count_unknown(service, peer) {
        Ok(None) => refusal,
        Ok(Some(headers)) => headers.add_to(refusal),
        Err(over_limit) => over_limit,
    }
}

/// Lets a request through that needs no token, if its client may send one more.
pub(crate) async fn limit_unknown(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    run_limited(&service, request, next).await
}

/// The same within another layer.
pub(crate) async fn run_limited(service: &Service, request: Request, next: Next) -> Response {
    let PeerAddress(peer) = PeerAddress::of(request.extensions());
    match count_unknown(service, peer) {
        Ok(headers) => {
            let mut answer = next.run(request).await;
            if let Some(headers) = headers {
                headers.write(answer.headers_mut());
            }
            answer
        }
        Err(problem) => body::refused(request.into_body(), problem).await.into_response(),
    }
}
