//! Signing in by OpenID Connect: the way to the provider, and the way back.
//!
//! Not what a token has to be (`oidc`) and not the session (`sessions`), which is the same as after a
//! password. Source: OpenID Connect Core 1.0, 3.1.
//!
//! **Architecture invariant:** only a person who has an account is let in, and the answer does not say why
//! another one is not: the log does.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::ExposeSecret;
use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::access::sessions;
use crate::http::problem::Problem;
use crate::oidc::provider::{FAILURE_REMEMBERED, OidcProvider, SignInFailure, SignInSecrets};
use crate::server::people::normal_email;
use crate::server::sessions::SESSION_MS;
use crate::server::sign_ins::SIGN_IN_MS;
use crate::server::state::Service;

/// The cookie of a browser that signs in, until it comes back from the provider.
const COOKIE: &str = "__Host-accredit-oidc";

fn configured(service: &Service) -> Result<&OidcProvider, Problem> {
    service.oidc.as_ref().ok_or_else(|| {
        let detail = "this server has no provider for OpenID Connect; sign in with a password";
        Problem::conflict("no_oidc", detail)
    })
}

/// Sends the browser to the provider.
pub(crate) async fn begin_sign_in(
    State(service): State<Arc<Service>>,
) -> Result<Response, Problem> {
    configured(&service)?;
    let begun = service.run_blocking(|service| {
        let begun = service.accounts.sign_ins.begin(service.clock.now_ms());
        let begun = begun.map_err(|error| Problem::internal(&error))?;
        let (state, nonce, verifier) = (&begun.state, &begun.nonce, &begun.verifier);
        let secrets = SignInSecrets { state, nonce, verifier };
        let url = configured(service)?.authorization_url(&secrets).map_err(failure_problem)?;
        Ok((url, begun.browser))
    });
    let (url, browser) = begun.await?;
    let cookie = sessions::new_cookie(COOKIE, &browser, SIGN_IN_MS / 1000)?;
    see_other(&url, vec![cookie])
}

/// What the provider sends back with the browser.
#[derive(Default, Deserialize, ToSchema)]
pub(crate) struct SignInAnswerParams {
    /// What the token is asked for with.
    code: Option<String>,
    /// What the sign-in is recognised by.
    state: Option<String>,
    /// Why the provider gives no code.
    error: Option<String>,
}

/// Signs in the person whom the provider knows, and sends the browser on.
pub(crate) async fn end_sign_in(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    params: Result<Query<SignInAnswerParams>, QueryRejection>,
) -> Result<Response, Problem> {
    let provider = configured(&service)?;
    let Query(params) =
        params.map_err(|_| Problem::bad_request("expected `code` and `state` of the provider"))?;
    // A sign-in that finds no turn is not over: the browser may send the same request again.
    let turn = provider.begin_turn().map_err(failure_problem)?;
    let browser = sessions::cookie_value(&headers, COOKIE).unwrap_or_default().to_owned();
    let state = params.state.unwrap_or_default();
    let sign_in = service.accounts.sign_ins.take(&state, &browser, service.clock.now_ms());
    let sign_in = sign_in.ok_or_else(|| {
        let detail =
            "this sign-in was not begun by this browser, is over, or took too long; begin again";
        Problem::new(StatusCode::BAD_REQUEST, "sign_in_over", detail)
    })?;
    if params.error.is_some() || params.code.is_none() {
        return Err(refuse("the provider gave no code"));
    }

    let code = params.code.unwrap_or_default();
    let signed_in = service.run_blocking(move |service| {
        let secrets =
            SignInSecrets { state: &state, nonce: &sign_in.nonce, verifier: &sign_in.verifier };
        let now_s = service.clock.now_ms() / 1000;
        let provider = configured(service)?;
        let email = provider.email_of(&code, &secrets, now_s, &turn);
        drop(turn);
        let email = email.map_err(failure_problem)?;
        let person = service.accounts.people.find_email(&normal_email(&email));
        let person = person.ok_or_else(|| refuse("nobody here has this address of mail"))?;
        if !person.is_let_in() {
            return Err(refuse("the account is disabled"));
        }
        let caller = person.grant.principal().ok_or_else(|| refuse("the account has no role"))?;
        let token = sessions::begin_session(service, &person.id, &caller, "oidc")?;
        Ok((token, provider.settings.landing.clone()))
    });
    let (token, landing) = signed_in.await?;
    let session = sessions::set_cookie(token.expose_secret(), SESSION_MS / 1000)?;
    see_other(&landing, vec![session, sessions::new_cookie(COOKIE, "", 0)?])
}

fn see_other(url: &str, cookies: Vec<HeaderValue>) -> Result<Response, Problem> {
    let location = HeaderValue::from_str(url).map_err(|error| Problem::internal(&error))?;
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response();
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

fn failure_problem(failure: SignInFailure) -> Problem {
    match failure {
        SignInFailure::Refused(why) => refuse(&why),
        SignInFailure::Provider(why) => {
            tracing::warn!(error.cause = why, "the provider of OpenID Connect failed");
            let detail =
                "the provider of OpenID Connect does not answer as it should; try again later";
            provider_problem(detail, FAILURE_REMEMBERED.as_secs())
        }
        SignInFailure::Busy => {
            let detail = "too many sign-ins ask the provider of OpenID Connect at once; try again";
            provider_problem(detail, 1)
        }
    }
}

fn provider_problem(detail: &str, wait_s: u64) -> Problem {
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "provider_failed", detail);
    problem.with_header(header::RETRY_AFTER, HeaderValue::from(wait_s))
}

/// One answer, whatever the reason is.
fn refuse(why: &str) -> Problem {
    tracing::warn!(error.cause = why, "a sign-in by OpenID Connect was refused");
    let detail = "the provider's answer was refused, or no account goes with it; the server's log says which";
    Problem::new(StatusCode::UNAUTHORIZED, "sign_in_refused", detail)
}
