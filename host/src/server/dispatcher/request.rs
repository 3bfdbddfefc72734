//! One request to a destination.
//!
//! **Architecture invariant:** redirects are not followed, and no proxy is asked: the address that was
//! checked is the one that gets the event.

use std::time::Duration;

use ureq::unversioned::transport::DefaultConnector;

use super::message::{CLOUD_EVENT, SignedMessage};
use crate::server::networks::{GuardedResolver, RefusedAddress};
use crate::server::peers::AddressRange;

/// A request has this long.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What a program is called in the header `user-agent`.
const USER_AGENT: &str = concat!("accredit/", env!("CARGO_PKG_VERSION"));

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum SendOutcome {
    /// The destination has taken the event.
    Taken,
    /// It refuses this event, and may take others.
    Refused(String),
    /// It takes nothing now.
    Unavailable {
        /// Why.
        reason: String,
        /// After how many milliseconds it wants to be asked again; none without such a wish.
        retry_after_ms: Option<i64>,
    },
    /// It wants no events any more.
    Gone(String),
}

/// What sends requests to the internet and to these private ranges.
pub(super) fn new_agent(allowed: &[AddressRange]) -> ureq::Agent {
    let config = ureq::Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .max_redirects(0)
        .http_status_as_error(false)
        .proxy(None)
        .user_agent(USER_AGENT)
        .build();
    ureq::Agent::with_parts(config, DefaultConnector::default(), GuardedResolver::new(allowed))
}

/// Sends a message.
pub(super) fn send(agent: &ureq::Agent, url: &str, message: &SignedMessage) -> SendOutcome {
    let mut request = agent.post(url).header("content-type", CLOUD_EVENT);
    for (name, value) in &message.headers {
        request = request.header(*name, value);
    }

    match request.send(message.body.as_bytes()) {
        Ok(answer) => {
            let header =
                |name: &str| answer.headers().get(name).and_then(|value| value.to_str().ok());
            outcome_of(answer.status().as_u16(), header("retry-after"))
        }
        Err(ureq::Error::Other(error)) if error.is::<RefusedAddress>() => {
            let reason = format!("nothing was sent: {error}");
            SendOutcome::Unavailable { reason, retry_after_ms: None }
        }
        Err(error) => SendOutcome::Unavailable {
            reason: format!("the destination does not answer: {error}"),
            retry_after_ms: None,
        },
    }
}

/// What an answer means.
fn outcome_of(status: u16, retry_after: Option<&str>) -> SendOutcome {
    let reason = format!("the destination answered {status}");
    match status {
        200..=299 => SendOutcome::Taken,
        410 => SendOutcome::Gone(reason),
        408 | 425 | 429 | 500.. => {
            let seconds = retry_after.and_then(|text| text.trim().parse::<i64>().ok());
            let retry_after_ms = seconds.map(|seconds| seconds.saturating_mul(1000));
            SendOutcome::Unavailable { reason, retry_after_ms }
        }
        _ => SendOutcome::Refused(reason),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_their_meaning() {
        assert_eq!(outcome_of(204, None), SendOutcome::Taken);
        assert!(matches!(outcome_of(410, None), SendOutcome::Gone(_)));
        for refused in [301, 302, 400, 401, 404, 422] {
            assert!(matches!(outcome_of(refused, None), SendOutcome::Refused(_)), "{refused}");
        }
        for status in [408, 429, 500, 503] {
            let SendOutcome::Unavailable { retry_after_ms, .. } = outcome_of(status, Some("3"))
            else {
                panic!("{status}")
            };
            assert_eq!(retry_after_ms, Some(3000));
        }
    }
}
