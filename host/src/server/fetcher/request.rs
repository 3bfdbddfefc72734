//! One request to the API of a CRM.
//!
//! **Architecture invariant:** the token goes to the URL of the settings alone: redirects are not
//! followed, and no failure repeats what was sent.

use std::time::Duration;

use accredit_seams::connector::{FetchAuthorization, FetchRequest};

/// A request has this long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// What was fetched, as text.
pub(super) struct FetchedBody(pub(super) String);

/// Why a try gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum FetchFailure {
    /// It will not be otherwise: the CRM has no such deal, or its answer has no known shape.
    Lasting(String),
    /// Nothing was sent, and nothing can be before a person acts.
    NotReady(String),
    /// It may be otherwise later.
    Passing {
        /// Why.
        reason: String,
        /// When the CRM wants to be asked again, if it says so.
        retry_after_ms: Option<i64>,
    },
}

impl FetchFailure {
    /// A token that is not set: a person has to act, so that the try does not count.
    pub(super) fn without_token(variable: &str) -> FetchFailure {
        FetchFailure::NotReady(format!("set `{variable}` to a token for the CRM's API"))
    }

    /// One that may be otherwise later.
    pub(super) fn passing(reason: String) -> FetchFailure {
        FetchFailure::Passing { reason, retry_after_ms: None }
    }

    /// A try that panicked.
    pub(super) fn panic() -> FetchFailure {
        FetchFailure::Lasting("an internal error".to_owned())
    }
}

/// What sends requests.
pub(super) fn new_agent() -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .http_status_as_error(false)
        .build();
    config.new_agent()
}

/// Sends a request with the token of its source.
pub(super) fn send(
    agent: &ureq::Agent,
    needed: &FetchRequest,
    token: &str,
) -> Result<FetchedBody, FetchFailure> {
    if !is_protected(&needed.url) {
        let reason = "the URL of the API must begin with https://: a token is sent there";
        return Err(FetchFailure::Lasting(reason.to_owned()));
    }

    let mut request = agent.get(&needed.url);
    for (name, value) in &needed.headers {
        request = request.header(*name, *value);
    }
    request = match needed.authorization {
        FetchAuthorization::Bearer => request.header("authorization", format!("Bearer {token}")),
        FetchAuthorization::Scheme(scheme) => {
            request.header("authorization", format!("{scheme} {token}"))
        }
        FetchAuthorization::Header(name) => request.header(name, token),
    };

    let answer = request.call();
    let mut answer = answer
        .map_err(|error| FetchFailure::passing(format!("the CRM does not answer: {error}")))?;
    let status = answer.status().as_u16();
    if status != 200 {
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok());
        return Err(failure_of(status, retry_after));
    }

    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    let body = body.map_err(|error| {
        FetchFailure::passing(format!("the CRM's answer cannot be read: {error}"))
    })?;
    Ok(FetchedBody(body))
}

/// Whether a token may be sent to a URL: over TLS, or without leaving the machine.
fn is_protected(url: &str) -> bool {
    if url.starts_with("https://") {
        return true;
    }
    let Some(rest) = url.strip_prefix("http://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    // A user name in front of `@` could look like a host.
    if authority.contains('@') {
        return false;
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What an answer without a deal means.
fn failure_of(status: u16, retry_after: Option<&str>) -> FetchFailure {
    let reason = format!("the CRM answered {status}");
    match status {
        // A token that expired, too many requests, a redirect to a page for people, a record or an account
        // that is locked or moved for a while (HubSpot: 423, 477), or a fault of the CRM.
        300..=399 | 401 | 403 | 408 | 421 | 423..=425 | 429 | 477 | 500.. => {
            let seconds = retry_after.and_then(|text| text.trim().parse::<i64>().ok());
            let retry_after_ms = seconds.map(|seconds| seconds.saturating_mul(1000));
            FetchFailure::Passing { reason, retry_after_ms }
        }
        _ => FetchFailure::Lasting(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A token went out in clear text to any host that the settings named.
    #[test]
    fn a_token_leaves_the_machine_over_tls_alone() {
        for url in ["https://api.hubapi.com/x", "http://127.0.0.1:8080/x", "http://[::1]:1/x"] {
            assert!(is_protected(url), "{url}");
        }
        for url in [
            "http://api.hubapi.com/x",
            "http://127.0.0.1.example.com/x",
            "http://127.0.0.1@example.com/x",
            "http://127.0.0.1:80@example.com/x",
            "http://localhost.example/x",
            "ftp://127.0.0.1/x",
            "http://",
        ] {
            assert!(!is_protected(url), "{url}");
        }
    }

    #[test]
    fn only_answers_that_may_change_are_asked_for_again() {
        for status in [302, 401, 403, 408, 423, 429, 477, 500, 503] {
            assert!(matches!(failure_of(status, None), FetchFailure::Passing { .. }), "{status}");
        }
        for status in [204, 400, 404, 410] {
            assert!(matches!(failure_of(status, None), FetchFailure::Lasting(_)), "{status}");
        }
        let FetchFailure::Passing { retry_after_ms, .. } = failure_of(429, Some("7")) else {
            panic!("429")
        };
        assert_eq!(retry_after_ms, Some(7000));
    }
}
