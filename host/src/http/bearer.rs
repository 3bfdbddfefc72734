//! The token, key or session that everything under `/v1` asks for, and whether its role is enough.
//!
//! Not the table of roles, which stand beside the routes (`roles`, `routes`), not whose data is read
//! (`operations::principal`), and not who approves what (`activation::proposals`). Handlers find the
//! [`Principal`] in the request's extensions.
//!
//! **Architecture invariant:** token and role are judged before a handler reads the body
//! and runs; what is not in the table is refused.

use std::sync::Arc;

use accredit_operations::principal::Principal;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::access::peers::PeerAddress;
use crate::http::access::{limits, origins, sessions};
use crate::http::body;
use crate::http::editor;
use crate::http::problem::Problem;
use crate::http::roles::{Access, Roles};
use crate::server::keys::KEY_PREFIX;
use crate::server::origin;
use crate::server::sessions::session_id;
use crate::server::state::Service;

/// Lets a request through that carries a token which may do what it asks.
pub(crate) async fn require_token(
    State((service, roles)): State<(Arc<Service>, Arc<Roles>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let access = access_to(&roles, &request);
    let caller = match access {
        Some(Access::Public) => None,
        _ => caller_of(&service, request.headers()),
    };

    // A token that is not known is refused everywhere: its sender believes to be signed in.
    let is_open = match access {
        Some(Access::Public) => true,
        Some(Access::StaffOrDemo(_)) => {
            caller.is_none()
                && !request.headers().contains_key(header::AUTHORIZATION)
                && editor::open_to_strangers(&service)
        }
        _ => false,
    };
    if is_open {
        let origin = origins::origin_of(&request, "public".to_owned());
        return origin::within(origin, limits::run_limited(&service, request, next)).await;
    }

    let Some((caller, via)) = caller else {
        let detail = "this path needs `Authorization: Bearer` with a token or a key, or a session";
        let realm = HeaderValue::from_static("Bearer realm=\"accredit\"");
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(header::WWW_AUTHENTICATE, realm);
        let peer = PeerAddress::of(request.extensions());
        let problem = limits::refuse_unknown(&service, peer, problem);
        return body::refused(request.into_body(), problem).await.into_response();
    };

    if let Err(problem) = is_allowed(&roles, &caller, &request) {
        return body::refused(request.into_body(), problem).await.into_response();
    }

    let origin = origins::origin_of(&request, via);
    request.extensions_mut().insert::<Principal>(caller);
    origin::within(origin, next.run(request)).await
}

/// Who may use the method of the path that the request came by; none where there is no such route.
fn access_to(roles: &Roles, request: &Request) -> Option<Access> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    roles.access_of(path, request.method())
}

/// The caller of a request, and the way of access: by its token or key, or by the cookie of a session if
/// it has neither.
fn caller_of(service: &Service, headers: &HeaderMap) -> Option<(Principal, String)> {
    let Some(given) = headers.get(header::AUTHORIZATION) else {
        let token = sessions::session_cookie(headers)?;
        let person = service.accounts.sessions.find_person(token, service.clock.now_ms())?;
        let caller = service.accounts.people.find_caller(&person)?;
        return Some((caller, format!("session:{}", session_id(token))));
    };

    let (scheme, token) = given.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    find_caller(service, token.trim()).filter(|_| is_bearer)
}

/// The caller whose token or key it is, and which of them it is.
fn find_caller(service: &Service, token: &str) -> Option<(Principal, String)> {
    match token.strip_prefix(KEY_PREFIX) {
        Some(key) => {
            let caller = service.accounts.keys.find_caller(key, service.clock.now_ms())?;
            let id = key.split('_').next().unwrap_or_default();
            Some((caller, format!("key:{id}")))
        }
        None => {
            let caller = service.tokens.load().find_caller(token).cloned()?;
            Some((caller, "token".to_owned()))
        }
    }
}

/// Whether the caller may use the method of the path that the request came by.
fn is_allowed(roles: &Roles, caller: &Principal, request: &Request) -> Result<(), Problem> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(access) = access_to(roles, request) else {
        let detail = "this path does not support this method";
        let problem = Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method", detail);
        let allow = HeaderValue::from_str(&roles.allowed_methods(path));
        // RFC 9110 asks for `Allow` in this answer.
        return Err(match allow {
            Ok(allow) => problem.with_header(header::ALLOW, allow),
            Err(_) => problem,
        });
    };

    if !access.admits(caller.role()) {
        let detail = format!(
            "this token has the role `{}`, but this request needs `{}`",
            caller.role().name(),
            access.least_role()
        );
        return Err(Problem::new(StatusCode::FORBIDDEN, "forbidden", detail));
    }

    Ok(())
}
