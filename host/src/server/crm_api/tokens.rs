//! Tokens that last an hour or so, renewed before they expire: RFC 6749, with a refresh token or in the
//! client's own name.
//!
//! Not where they may be sent (`hosts`). Tokens are in memory alone, so a start begins with a new one.
//!
//! **Architecture invariant:** a source asks for one token at a time, and seldom: vendors count such
//! requests, and one that is refused again and again locks the client out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use accredit_seams::connector::TokenEndpoint;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::FetchFailure;
use crate::server::clock;
use crate::server::credentials::api_access::ApiClient;

/// How long a token lasts where the answer does not say, and the longest that is believed.
const LIFETIME_DEFAULT_S: u64 = 15 * 60;
const LIFETIME_MAX_S: u64 = 24 * 60 * 60;

/// A token is renewed so long before it expires, or after three quarters of its time.
const EARLY: Duration = Duration::from_secs(120);

/// Between two tokens of a source that were refused, and after a failed renewal.
const PAUSE: Duration = Duration::from_secs(30);

/// Bytes of an answer, and characters of a code in it that says what is wrong.
const ANSWER_BYTES_MAX: u64 = 64 << 10;
const CODE_CHARACTERS_MAX: usize = 60;

/// Tokens by source.
#[derive(Default)]
pub(super) struct ApiTokens(Mutex<BTreeMap<String, Arc<Mutex<TokenSlot>>>>);

/// The token of a source.
#[derive(Default)]
struct TokenSlot {
    /// Of whom and where it was asked for: other settings or variables need another token.
    origin: Option<blake3::Hash>,
    made: Option<MadeToken>,
    /// The refresh token that came with the last token, where the vendor gives another one each time.
    refresh: Option<SecretString>,
    /// When a token was last renewed because the CRM refused the one before.
    refused: Option<Duration>,
    /// When the last renewal failed, and why.
    failed: Option<(Duration, String)>,
}

/// A token that was given.
struct MadeToken {
    token: SecretString,
    /// Until when it is used, since the start of the process.
    until: Duration,
}

impl ApiTokens {
    /// A token of a source: the one that there is, unless it expires soon or the CRM `refused` it.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn token_of(
        &self,
        agent: &ureq::Agent,
        source: &str,
        (endpoint, client): (&TokenEndpoint, &ApiClient),
        refused: Option<&str>,
    ) -> Result<SecretString, FetchFailure> {
        let slot = {
            let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(slots.entry(source.to_owned()).or_default())
        };
        // Others of the source wait for the one renewal.
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);

        let origin = origin_of(endpoint, client);
        if slot.origin != Some(origin) {
            *slot = TokenSlot { origin: Some(origin), ..TokenSlot::default() };
        }

        let now = clock::elapsed();
        if let Some(made) = slot.made.as_ref().filter(|made| now < made.until) {
            if refused != Some(made.token.expose_secret()) {
                return Ok(made.token.clone());
            }
            if slot.refused.is_some_and(|at| now < at + PAUSE) {
                let reason = "the CRM refused a token that was just renewed (401)".to_owned();
                return Err(FetchFailure::passing(reason));
            }
            slot.refused = Some(now);
        }
        if let Some((_, reason)) = slot.failed.as_ref().filter(|(at, _)| now < *at + PAUSE) {
            return Err(FetchFailure::NotReady(reason.clone()));
        }

        slot.made = None;
        match ask_token(agent, endpoint, client, slot.refresh.as_ref()) {
            Ok(GivenToken { token, lifetime, refresh }) => {
                if refresh.is_some() {
                    slot.refresh = refresh;
                }
                let early = EARLY.min(lifetime / 4);
                let until = now + lifetime.saturating_sub(early);
                slot.failed = None;
                slot.made = Some(MadeToken { token: token.clone(), until });
                tracing::info!(delivery.source = source, "a token for the CRM's API was renewed");
                Ok(token)
            }
            Err(reason) => {
                let reason = format!("no token for the CRM's API: {reason}");
                slot.failed = Some((clock::elapsed(), reason.clone()));
                Err(FetchFailure::NotReady(reason))
            }
        }
    }
}

/// What a token depends on, without showing it.
fn origin_of(endpoint: &TokenEndpoint, client: &ApiClient) -> blake3::Hash {
    let refresh = client.refresh_token.as_ref().map_or("", |token| token.expose_secret());
    let scope = endpoint.scope.as_deref().unwrap_or_default();
    let (id, secret) = (client.id.expose_secret(), client.secret.expose_secret());
    let mut hasher = blake3::Hasher::new();
    for part in [endpoint.url.as_str(), scope, id, secret, refresh] {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
    }
    hasher.finalize()
}

/// The answer of an endpoint; others of its members are nobody's concern here.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    /// Seconds; some write them as text.
    expires_in: Option<serde_json::Value>,
    /// What the next token is asked for with; vendors that rotate do not take the former one again.
    refresh_token: Option<String>,
    /// What is wrong, with some vendors beside a status of 200.
    error: Option<String>,
}

/// What an endpoint gave.
struct GivenToken {
    token: SecretString,
    lifetime: Duration,
    /// Another refresh token in place of the one that was sent.
    refresh: Option<SecretString>,
}

/// Asks for a token, with the refresh token that the endpoint gave last, if it gave one.
fn ask_token(
    agent: &ureq::Agent,
    endpoint: &TokenEndpoint,
    client: &ApiClient,
    refresh: Option<&SecretString>,
) -> Result<GivenToken, String> {
    let mut form = vec![
        ("client_id", client.id.expose_secret()),
        ("client_secret", client.secret.expose_secret()),
    ];
    match client.refresh_token.as_ref().map(|configured| refresh.unwrap_or(configured)) {
        Some(token) => {
            form.push(("grant_type", "refresh_token"));
            form.push(("refresh_token", token.expose_secret()));
        }
        None => form.push(("grant_type", "client_credentials")),
    }
    form.extend(endpoint.scope.as_deref().map(|scope| ("scope", scope)));

    let asked = agent.post(&endpoint.url).header("accept", "application/json").send_form(form);
    let mut answer = asked.map_err(|error| format!("`token_url` does not answer: {error}"))?;
    let status = answer.status().as_u16();
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    // The text holds the token, and an error of the reader would repeat parts of it.
    let text = SecretString::from(text.unwrap_or_default());
    let answer: Option<TokenAnswer> = serde_json::from_str(text.expose_secret()).ok();
    let code = answer.as_ref().and_then(|answer| answer.error.as_deref()).and_then(plain_code);

    let sendable =
        |token: Option<String>| token.filter(|token| is_sendable(token)).map(SecretString::from);
    let token = sendable(answer.as_ref().and_then(|answer| answer.access_token.clone()));
    let refresh = sendable(answer.as_ref().and_then(|answer| answer.refresh_token.clone()));
    match (status, token, code) {
        (200, Some(token), None) => {
            let lifetime = answer.and_then(|answer| answer.expires_in);
            let lifetime = Duration::from_secs(lifetime_s(lifetime.as_ref()));
            Ok(GivenToken { token, lifetime, refresh })
        }
        (_, _, Some(code)) => Err(format!("`token_url` answered {status}, {code}")),
        (_, _, None) => Err(format!("`token_url` answered {status} and no token")),
    }
}

/// A code such as `invalid_client`; other texts may repeat what was sent.
fn plain_code(text: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let fits = !text.is_empty() && text.len() <= CODE_CHARACTERS_MAX;
    Some(if fits && text.bytes().all(is_plain) { text } else { "an error" })
}

/// Whether a token can be put into a header.
fn is_sendable(token: &str) -> bool {
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn lifetime_s(said: Option<&serde_json::Value>) -> u64 {
    let said = said.and_then(|said| match said {
        serde_json::Value::String(text) => text.parse().ok(),
        number => number.as_u64(),
    });
    said.filter(|seconds| *seconds > 0).unwrap_or(LIFETIME_DEFAULT_S).min(LIFETIME_MAX_S)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_is_believed_within_limits() {
        for (said, seconds) in [
            (json!(3600), 3600),
            (json!("1800"), 1800),
            (json!(0), LIFETIME_DEFAULT_S),
            (json!(-5), LIFETIME_DEFAULT_S),
            (json!(null), LIFETIME_DEFAULT_S),
            (json!(999_999_999), LIFETIME_MAX_S),
        ] {
            assert_eq!(lifetime_s(Some(&said)), seconds, "{said}");
        }
        assert_eq!(plain_code("invalid_client"), Some("invalid_client"));
        assert_eq!(plain_code("AADSTS7000215: secret abc"), Some("an error"));
        assert!(!is_sendable("") && !is_sendable("a b") && !is_sendable("a\r\nb"));
    }
}
