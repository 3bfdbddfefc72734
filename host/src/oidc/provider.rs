//! The provider: its addresses and keys, asked for and remembered for a while; a code exchanged for a token.
//!
//! Not what a token says (`token`). Every request here blocks: called off the runtime's threads.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::Value as Json;

use super::token::{Expected, ProviderKeys, TokenError, verify_id_token};
use super::{OidcSettings, is_protected};
use crate::address::encode_part;

/// A request has this long.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// Addresses and keys are asked for again after so long.
const REMEMBERED: Duration = Duration::from_secs(3600);

/// Keys are asked for at most so often because of a token with an unknown one.
const KEYS_AGAIN: Duration = Duration::from_secs(10);

/// What a provider says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Description {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
}

struct Remembered {
    description: Description,
    keys: ProviderKeys,
    at: Instant,
}

/// Why nobody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignInFailure {
    /// The provider does not answer, or not as it should.
    Provider(String),
    /// What it says is refused.
    Refused(String),
}

/// What one sign-in is recognised by.
pub(crate) struct SignInSecrets<'a> {
    /// What comes back with the code.
    pub(crate) state: &'a str,
    /// What the token has.
    pub(crate) nonce: &'a str,
    /// What the code is exchanged with; its hash goes to the provider first.
    pub(crate) verifier: &'a str,
}

/// A provider that people sign in with.
pub(crate) struct OidcProvider {
    /// What is configured.
    pub(crate) settings: OidcSettings,
    agent: ureq::Agent,
    remembered: Mutex<Option<Arc<Remembered>>>,
}

fn provider_fault(why: impl Into<String>) -> SignInFailure {
    SignInFailure::Provider(why.into())
}

impl OidcProvider {
    /// A provider that was not asked yet.
    pub(crate) fn new(settings: OidcSettings) -> OidcProvider {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(TIMEOUT))
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        OidcProvider { settings, agent: config.new_agent(), remembered: Mutex::default() }
    }

    fn get_json(&self, url: &str) -> Result<Json, SignInFailure> {
        if !is_protected(url) {
            return Err(provider_fault("an address of the provider is not protected by TLS"));
        }
        read_json(self.agent.get(url).header("accept", "application/json").call())
    }

    /// Its addresses and keys; asked for again where they are older than `age`.
    fn remembered(&self, age: Duration) -> Result<Arc<Remembered>, SignInFailure> {
        let mut kept = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept.as_ref().filter(|known| known.at.elapsed() < age) {
            return Ok(Arc::clone(known));
        }

        let issuer = self.settings.issuer.trim_end_matches('/');
        let described = self.get_json(&format!("{issuer}/.well-known/openid-configuration"))?;
        let description: Description = serde_json::from_value(described)
            .map_err(|_| provider_fault("its description has another shape"))?;
        if description.issuer != self.settings.issuer {
            return Err(provider_fault("it describes another issuer than the one that is set"));
        }
        if !is_protected(&description.authorization_endpoint) {
            return Err(provider_fault("an address of the provider is not protected by TLS"));
        }
        let keys = self.get_json(&description.jwks_uri)?;
        let keys = ProviderKeys::from_json(&keys)
            .ok_or_else(|| provider_fault("its keys have another shape"))?;

        let known = Arc::new(Remembered { description, keys, at: Instant::now() });
        *kept = Some(Arc::clone(&known));
        Ok(known)
    }

    /// Where a browser goes to sign in.
    ///
    /// # Errors
    /// When the provider does not say where.
    pub(crate) fn authorization_url(
        &self,
        secrets: &SignInSecrets<'_>,
    ) -> Result<String, SignInFailure> {
        use sha2::Digest as _;

        let endpoint = self.remembered(REMEMBERED)?.description.authorization_endpoint.clone();
        let challenge = sha2::Sha256::digest(secrets.verifier.as_bytes());
        let challenge = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(challenge);
        let scope =
            if self.settings.claim.is_some() { "openid email profile" } else { "openid email" };
        let query = form(&[
            ("response_type", "code"),
            ("client_id", &self.settings.client_id),
            ("redirect_uri", &self.settings.redirect),
            ("scope", scope),
            ("state", secrets.state),
            ("nonce", secrets.nonce),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
        ]);
        let separator = if endpoint.contains('?') { '&' } else { '?' };
        Ok(format!("{endpoint}{separator}{query}"))
    }

    /// The address of mail of the person whom a code was given for.
    ///
    /// # Errors
    /// When the provider does not answer, or what it says is refused.
    pub(crate) fn email_of(
        &self,
        code: &str,
        secrets: &SignInSecrets<'_>,
        now_s: i64,
    ) -> Result<String, SignInFailure> {
        let mut known = self.remembered(REMEMBERED)?;
        let token = self.exchange_code(&known.description, code, secrets.verifier)?;
        let expected = Expected {
            issuer: &self.settings.issuer,
            client_id: &self.settings.client_id,
            nonce: secrets.nonce,
            now_s,
        };
        let mut verified = verify_id_token(&token, &known.keys, expected);
        if verified == Err(TokenError::UnknownKey) {
            // A provider may have changed its keys since.
            known = self.remembered(KEYS_AGAIN)?;
            verified = verify_id_token(&token, &known.keys, expected);
        }
        let claims = verified.map_err(|error| match error {
            TokenError::UnknownKey => SignInFailure::Refused("its key is unknown".to_owned()),
            TokenError::Refused(why) => SignInFailure::Refused(why.to_owned()),
        })?;
        self.email_in(&claims)
    }

    fn email_in(&self, claims: &Json) -> Result<String, SignInFailure> {
        let refused = |why: &str| SignInFailure::Refused(why.to_owned());
        if let Some(claim) = &self.settings.claim {
            let value = claims.get(claim).and_then(Json::as_str);
            return value
                .map(str::to_owned)
                .ok_or_else(|| refused("it lacks the claim that is set"));
        }
        // Anybody may write another person's address into an account that nobody verifies.
        if claims.get("email_verified") != Some(&Json::Bool(true)) {
            return Err(refused("its address of mail is not verified"));
        }
        let email = claims.get("email").and_then(Json::as_str);
        email.map(str::to_owned).ok_or_else(|| refused("it has no address of mail"))
    }

    /// The ID token for a code.
    fn exchange_code(
        &self,
        description: &Description,
        code: &str,
        verifier: &str,
    ) -> Result<String, SignInFailure> {
        let OidcSettings { client_id, client_secret, redirect, .. } = &self.settings;
        let endpoint = &description.token_endpoint;
        if !is_protected(endpoint) {
            return Err(provider_fault("an address of the provider is not protected by TLS"));
        }

        let mut parts = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect),
            ("code_verifier", verifier),
        ];
        let supported = description.token_endpoint_auth_methods_supported.as_ref();
        let by_body = supported.is_some_and(|methods| {
            let has = |wanted: &str| methods.iter().any(|method| method == wanted);
            !has("client_secret_basic") && has("client_secret_post")
        });

        let mut request = self.agent.post(endpoint).header("accept", "application/json");
        match client_secret {
            Some(secret) if !by_body => {
                let secret = encode_part(secret.expose_secret());
                let pair = STANDARD.encode(format!("{}:{secret}", encode_part(client_id)));
                request = request.header("authorization", format!("Basic {pair}"));
            }
            Some(secret) => {
                parts.push(("client_id", client_id));
                parts.push(("client_secret", secret.expose_secret()));
            }
            None => parts.push(("client_id", client_id)),
        }
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = read_json(request.send(form(&parts)))?;
        let token = answer.get("id_token").and_then(Json::as_str);
        token.map(str::to_owned).ok_or_else(|| provider_fault("its answer has no ID token"))
    }
}

/// Pairs as a form.
fn form(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(name, value)| format!("{name}={}", encode_part(value)));
    parts.collect::<Vec<_>>().join("&")
}

fn read_json(
    reply: Result<ureq::http::Response<ureq::Body>, ureq::Error>,
) -> Result<Json, SignInFailure> {
    let mut reply =
        reply.map_err(|error| provider_fault(format!("it does not answer: {error}")))?;
    let status = reply.status().as_u16();
    let text = reply.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
    if status != 200 {
        // A code that was used before or has expired is answered with 400.
        let why = format!("it answered {status}");
        let is_refusal = status == 400;
        return Err(if is_refusal { SignInFailure::Refused(why) } else { provider_fault(why) });
    }
    let text = text.map_err(|_| provider_fault("its answer cannot be read"))?;
    serde_json::from_str(&text).map_err(|_| provider_fault("its answer is not JSON"))
}
