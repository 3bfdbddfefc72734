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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

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

/// A failure to get addresses and keys is remembered for so long: nothing is asked for meanwhile.
pub(crate) const FAILURE_REMEMBERED: Duration = Duration::from_secs(10);

/// Sign-ins that ask the provider at a time. Each blocks a thread, and a stranger can begin any number.
const ASKING_MAX: usize = 4;

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

/// What the provider answered last.
#[derive(Default)]
struct LastAnswers {
    known: Option<Arc<Remembered>>,
    /// The last failure and its moment; none since an answer was good.
    failed: Option<(SignInFailure, Instant)>,
}

/// The turn of a sign-in that asks the provider; it ends when it is dropped.
pub(crate) type AskingTurn = OwnedSemaphorePermit;

/// Why nobody signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SignInFailure {
    /// The provider does not answer, or not as it should.
    Provider(String),
    /// Too many sign-ins ask it at once.
    Busy,
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
    last: Mutex<LastAnswers>,
    turns: Arc<Semaphore>,
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
        OidcProvider {
            settings,
            agent: config.new_agent(),
            last: Mutex::default(),
            turns: Arc::new(Semaphore::new(ASKING_MAX)),
        }
    }

    /// The turn of a sign-in that asks the provider; it does not wait.
    ///
    /// # Errors
    /// [`SignInFailure::Busy`] when too many others ask it.
    pub(crate) fn begin_turn(&self) -> Result<AskingTurn, SignInFailure> {
        let turn = Arc::clone(&self.turns).try_acquire_owned();
        turn.map_err(|_| SignInFailure::Busy)
    }

    fn get_json(&self, url: &str) -> Result<Json, SignInFailure> {
        if !is_protected(url) {
            return Err(provider_fault("an address of the provider is not protected by TLS"));
        }
        read_json(self.agent.get(url).header("accept", "application/json").call())
    }

    /// Its addresses and keys as they are remembered, or its last failure; none where both are too old.
    fn remembered(&self, age: Duration) -> Option<Result<Arc<Remembered>, SignInFailure>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.known.as_ref().filter(|known| known.at.elapsed() < age) {
            return Some(Ok(Arc::clone(known)));
        }
        let failed = last.failed.as_ref();
        let failed = failed.filter(|(_, at)| at.elapsed() < FAILURE_REMEMBERED);
        failed.map(|(failure, _)| Err(failure.clone()))
    }

    /// Its addresses and keys; asked for again where they are older than `age`. The lock is not held
    /// while the provider is asked, because others would wait for it as well.
    fn current(&self, age: Duration, _: &AskingTurn) -> Result<Arc<Remembered>, SignInFailure> {
        if let Some(remembered) = self.remembered(age) {
            return remembered;
        }

        let asked = self.ask();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &asked {
            Ok(known) => {
                *last = LastAnswers { known: Some(Arc::clone(known)), failed: None };
            }
            Err(failure) => last.failed = Some((failure.clone(), Instant::now())),
        }
        asked
    }

    /// Its addresses and keys, asked for.
    fn ask(&self) -> Result<Arc<Remembered>, SignInFailure> {
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

        Ok(Arc::new(Remembered { description, keys, at: Instant::now() }))
    }

    /// Where a browser goes to sign in.
    ///
    /// # Errors
    /// When the provider does not say where, or too many others ask it.
    pub(crate) fn authorization_url(
        &self,
        secrets: &SignInSecrets<'_>,
    ) -> Result<String, SignInFailure> {
        use sha2::Digest as _;

        // What is remembered needs no turn.
        let known = match self.remembered(REMEMBERED) {
            Some(remembered) => remembered?,
            None => self.current(REMEMBERED, &self.begin_turn()?)?,
        };
        let endpoint = &known.description.authorization_endpoint;
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

    /// The address of mail of the person whom a code was given for, asked for in its turn.
    ///
    /// # Errors
    /// When the provider does not answer, or what it says is refused.
    pub(crate) fn email_of(
        &self,
        code: &str,
        secrets: &SignInSecrets<'_>,
        now_s: i64,
        turn: &AskingTurn,
    ) -> Result<String, SignInFailure> {
        let mut known = self.current(REMEMBERED, turn)?;
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
            known = self.current(KEYS_AGAIN, turn)?;
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
        // Some providers write the note as text.
        let is_verified = match claims.get("email_verified") {
            Some(Json::Bool(is_verified)) => *is_verified,
            Some(Json::String(text)) => text == "true",
            _ => false,
        };
        if !is_verified {
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    use serde_json::json;

    use super::*;

    /// A provider with this issuer and this value of `ACCREDIT_OIDC_CLAIM`.
    fn provider(issuer: &str, claim: Option<&str>) -> OidcProvider {
        let variable = |name: &str| match name {
            "ACCREDIT_OIDC_ISSUER" => Some(issuer.to_owned()),
            "ACCREDIT_OIDC_CLIENT_ID" => Some("accredit".to_owned()),
            "ACCREDIT_OIDC_REDIRECT" => Some("https://pay.example/callback".to_owned()),
            "ACCREDIT_OIDC_CLAIM" => claim.map(str::to_owned),
            _ => None,
        };
        OidcProvider::new(OidcSettings::from_variables(variable).unwrap().unwrap())
    }

    /// A provider that hung let every request that began a sign-in wait for it in a thread, until the server
    /// had no thread left for anything else.
    #[test]
    fn a_provider_that_hangs_holds_few_threads_and_is_left_alone_for_a_while() {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let provider = provider(&issuer, None);
        let secrets = SignInSecrets { state: "s", nonce: "n", verifier: "v" };
        let failed: Result<String, SignInFailure> =
            Err(SignInFailure::Provider("it answered 500".to_owned()));

        std::thread::scope(|scope| {
            let begun: Vec<_> = (0..ASKING_MAX)
                .map(|_| scope.spawn(|| provider.authorization_url(&secrets)))
                .collect();
            let asked: Vec<_> = (0..ASKING_MAX).map(|_| listener.accept().unwrap().0).collect();
            assert_eq!(provider.authorization_url(&secrets), Err(SignInFailure::Busy));
            assert_eq!(provider.begin_turn().err(), Some(SignInFailure::Busy));

            for mut stream in asked {
                let read = stream.read(&mut [0; 4096]).unwrap();
                assert!(read > 0);
                let answer =
                    "HTTP/1.1 500 Failed\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                stream.write_all(answer.as_bytes()).unwrap();
            }
            for thread in begun {
                assert_eq!(thread.join().unwrap(), failed);
            }
        });

        // The failure is remembered: nothing is asked for again, and every turn is free.
        listener.set_nonblocking(true).unwrap();
        assert_eq!(provider.authorization_url(&secrets), failed);
        let again = listener.accept().unwrap_err();
        assert_eq!(again.kind(), std::io::ErrorKind::WouldBlock);
        let turns: Vec<_> = (0..ASKING_MAX).map(|_| provider.begin_turn()).collect();
        assert!(turns.iter().all(Result::is_ok));
    }

    /// `ACCREDIT_OIDC_CLAIM=email` let an address in that nobody had verified, and nobody signed in with a
    /// provider that writes `"true"` as text.
    #[test]
    fn an_address_in_the_claim_of_mail_is_verified_however_the_claim_is_set() {
        for claim in [None, Some("email")] {
            let provider = provider("https://id.example", claim);
            let email_with = |verified: Json| {
                provider.email_in(&json!({"email": "ann@x", "email_verified": verified})).ok()
            };
            for verified in [json!(true), json!("true")] {
                assert_eq!(email_with(verified).as_deref(), Some("ann@x"), "{claim:?}");
            }
            for verified in [json!(false), json!("false"), json!("True"), json!(1), Json::Null] {
                assert_eq!(email_with(verified.clone()), None, "{claim:?} {verified}");
            }
            assert!(provider.email_in(&json!({"email": "ann@x"})).is_err(), "{claim:?}");
        }
        let provider = provider("https://id.example", Some("upn"));
        assert_eq!(provider.email_in(&json!({"upn": "ann@x"})), Ok("ann@x".to_owned()));
    }
}
