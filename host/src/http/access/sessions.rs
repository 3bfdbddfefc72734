//! Signing in and out, with a cookie.
//!
//! Not the sessions themselves (`server::sessions`). `bearer` reads the cookie of every other request; a
//! layer in `routes` refuses changes that another site asks a browser for.
//!
//! **Architecture invariant:** an account that does not exist, one without a password and a wrong password
//! are one answer, which takes the same time and counts the same towards a lock.

use std::sync::Arc;

use accredit_operations::principal::Principal;
use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::http::access::peers::PeerAddress;
use crate::http::me::profile::CallerView;
use crate::http::problem::Problem;
use crate::http::views::ViewJson;
use crate::server::passwords::{self, PASSWORD_BYTES_MAX};
use crate::server::people::normal_email;
use crate::server::sessions::{SESSION_MS, session_id};
use crate::server::state::Service;

/// The name of the cookie. Browsers take it over TLS or from their own machine alone, and send it to the
/// host that set it alone.
pub(crate) const COOKIE: &str = "__Host-accredit";

/// How a person proved who they are who was signed in by OpenID Connect, in the audit trail.
pub(crate) const BY_PROVIDER: &str = "oidc";

/// With what a person signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignInRequest {
    /// The address of mail.
    email: String,
    /// The password.
    password: String,
}

/// Signs a person in: the answer sets the cookie.
pub(crate) async fn sign_in(
    State(service): State<Arc<Service>>,
    PeerAddress(peer): PeerAddress,
    body: Bytes,
) -> Result<Response, Problem> {
    let SignInRequest { email, password } = serde_json::from_slice(&body)
        .map_err(|_| Problem::bad_request("expected a JSON object with `email` and `password`"))?;
    let (email, password) = (normal_email(&email), SecretString::from(password));
    if password.expose_secret().len() > PASSWORD_BYTES_MAX {
        return Err(sign_in_failed());
    }

    let turn = service.hashing_turn().await?;
    if let Some(left_ms) = service.accounts.lockout.begin_try(&email, peer, service.clock.now_ms())
    {
        return Err(locked_problem(left_ms));
    }

    let signed_in = service.run_blocking(move |service| {
        let person = service.accounts.people.find_email(&email);
        let kept = person.as_ref().and_then(|person| person.password.as_ref());
        let is_right = passwords::is_password_of(kept, &password);
        drop(turn);

        let person = person.filter(|person| is_right && person.is_let_in());
        let person = person.ok_or_else(sign_in_failed)?;
        let caller = person.grant.principal().ok_or_else(sign_in_failed)?;
        service.accounts.lockout.end_try(&email, peer);

        let token = begin_session(service, &person.id, &caller, "password")?;
        Ok((CallerView::new(service, caller), token))
    });
    let (view, token) = signed_in.await?;

    let cookie = set_cookie(token.expose_secret(), SESSION_MS / 1000)?;
    Ok(([(header::SET_COOKIE, cookie)], ViewJson(view)).into_response())
}

/// Begins a session of a person who proved who they are, with a row of the audit trail.
pub(crate) fn begin_session(
    service: &Service,
    person: &str,
    caller: &Principal,
    by: &str,
) -> Result<SecretString, Problem> {
    let begun = (person, by == BY_PROVIDER);
    let token = service.accounts.sessions.begin(begun, service.clock.now_ms());
    let token = token.map_err(|error| Problem::internal(&error))?;
    let session = session_id(token.expose_secret());
    let detail = json!({ "person": person, "session": session, "by": by });
    if let Err(error) = service.note_act(caller, "signed_in", detail) {
        // A session that the trail does not know must not work.
        service.accounts.sessions.end(token.expose_secret());
        return Err(Problem::internal(&error));
    }
    Ok(token)
}

/// Signs the caller out: the session ends, and the browser forgets the cookie.
pub(crate) async fn sign_out(
    State(service): State<Arc<Service>>,
    Extension(caller): Extension<Principal>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if let Some(token) = session_cookie(&headers) {
        service.accounts.sessions.end(token);
        let (session, who) = (session_id(token), caller.clone());
        let noted = service.run_blocking(move |service| {
            let detail = json!({ "session": session });
            Ok(service.note_act(&who, "signed_out", detail)?)
        });
        noted.await?;
    }
    let cookie = set_cookie("", 0)?;
    let shown = ViewJson(CallerView::new(&service, caller));
    Ok(([(header::SET_COOKIE, cookie)], shown).into_response())
}

/// Whether a request comes by a session whose person a provider of OpenID Connect proved.
pub(crate) fn is_by_provider(service: &Service, headers: &HeaderMap) -> bool {
    // A token or a key goes before the cookie, as `bearer` reads them.
    let has_bearer = headers.contains_key(header::AUTHORIZATION);
    let session = session_cookie(headers).filter(|_| !has_bearer);
    session.is_some_and(|token| service.accounts.sessions.is_by_provider(token))
}

/// The token of a session, as a browser sends it.
pub(crate) fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    cookie_value(headers, COOKIE)
}

/// The value of a cookie.
pub(crate) fn cookie_value<'h>(headers: &'h HeaderMap, wanted: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).into_iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok());
    let pairs = cookies.flat_map(|value| value.split(';'));
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == wanted).map(|(_, token)| token)
}

/// The cookie of a session.
pub(crate) fn set_cookie(token: &str, age_s: i64) -> Result<HeaderValue, Problem> {
    new_cookie(COOKIE, token, age_s)
}

/// A cookie that no script reads, sent to this host alone.
pub(crate) fn new_cookie(name: &str, token: &str, age_s: i64) -> Result<HeaderValue, Problem> {
    let text = format!("{name}={token}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age={age_s}");
    let mut cookie = HeaderValue::from_str(&text).map_err(|error| Problem::internal(&error))?;
    cookie.set_sensitive(true);
    Ok(cookie)
}

fn sign_in_failed() -> Problem {
    let detail = "the address of mail or the password is wrong, or no password is set yet";
    Problem::new(StatusCode::UNAUTHORIZED, "sign_in_failed", detail)
}

fn locked_problem(left_ms: i64) -> Problem {
    let seconds = left_ms / 1000 + 1;
    let detail = format!("too many tries to sign in failed; try again in {seconds} s");
    let problem = Problem::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", detail);
    problem.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
}
