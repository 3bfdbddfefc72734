//! One request to the API of a CRM.
//!
//! **Architecture invariant:** redirects are not followed, and no failure repeats what was sent.

use std::time::Duration;

use accredit_seams::connector::{FetchAuthorization, FetchRequest};
use secrecy::{ExposeSecret, SecretString};

/// A request has this long.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 4 << 20;

/// Why a try gave nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum FetchFailure {
    /// It will not be otherwise: the CRM has no such deal, or its answer has no known shape.
    Lasting(String),
    /// Nothing was asked, and nothing can be before a person acts.
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
    /// One that may be otherwise later.
    pub(crate) fn passing(reason: String) -> FetchFailure {
        FetchFailure::Passing { reason, retry_after_ms: None }
    }

    /// A try that panicked.
    pub(crate) fn panic() -> FetchFailure {
        FetchFailure::Lasting("an internal error".to_owned())
    }
}

/// What a CRM answered.
pub(super) enum CrmAnswer {
    /// 200, with a body of text.
    Body(String),
    /// Any other status.
    Refused {
        status: u16,
        /// The header `retry-after`.
        retry_after: Option<String>,
    },
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

/// Sends a request with a token to a host that was checked.
pub(super) fn send(
    agent: &ureq::Agent,
    needed: &FetchRequest,
    token: &SecretString,
) -> Result<CrmAnswer, FetchFailure> {
    let token = token.expose_secret();
    let (name, value) = match needed.authorization {
        FetchAuthorization::Bearer => ("authorization", format!("Bearer {token}")),
        FetchAuthorization::Scheme(scheme) => ("authorization", format!("{scheme} {token}")),
        FetchAuthorization::Header(name) => (name, token.to_owned()),
    };
    let headers = needed.headers.iter().copied();
    let answer = match &needed.body {
        None => {
            let request = agent.get(&needed.url).header(name, value);
            headers.fold(request, |request, (name, value)| request.header(name, value)).call()
        }
        Some(body) => {
            let request = agent.post(&needed.url).header(name, value);
            let request = request.header("content-type", "application/json");
            headers.fold(request, |request, (name, value)| request.header(name, value)).send(body)
        }
    };
    let mut answer = answer
        .map_err(|error| FetchFailure::passing(format!("the CRM does not answer: {error}")))?;
    let status = answer.status().as_u16();
    if status != 200 {
        let retry_after = answer.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()).map(str::to_owned);
        return Ok(CrmAnswer::Refused { status, retry_after });
    }

    let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    let body = body.map_err(|error| {
        FetchFailure::passing(format!("the CRM's answer cannot be read: {error}"))
    })?;
    Ok(CrmAnswer::Body(body))
}

/// What an answer without a deal means.
pub(super) fn failure_of(status: u16, retry_after: Option<&str>) -> FetchFailure {
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
