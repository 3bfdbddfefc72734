//! The token or key that everything under `/v1` asks for, and whether its role is enough.
//!
//! Not the table of roles, which stand beside the routes (`roles`, `routes`), not whose data is read
//! (`operations::principal`), and not who approves what (`activation::proposals`). Handlers find the
//! [`Principal`] in the request's extensions.
//!
//! **Architecture invariant:** token and role are judged before the body is read and before a
//! handler runs; what is not in the table is refused.

use std::sync::Arc;

use accredit_operations::principal::Principal;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;
use crate::http::roles::Roles;
use crate::server::keys::KEY_PREFIX;
use crate::server::state::Service;

/// Lets a request through that carries a token which may do what it asks.
pub(crate) async fn require_token(
    State((service, roles)): State<(Arc<Service>, Arc<Roles>)>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });

    let Some(caller) = token.and_then(|token| find_caller(&service, token)) else {
        let detail = "this path needs `Authorization: Bearer` with a token or a key";
        let realm = HeaderValue::from_static("Bearer realm=\"accredit\"");
        return Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .with_header(header::WWW_AUTHENTICATE, realm)
            .into_response();
    };

    if let Err(problem) = is_allowed(&roles, &caller, &request) {
        return problem.into_response();
    }

    request.extensions_mut().insert::<Principal>(caller);
    next.run(request).await
}

/// The caller whose token or key it is.
fn find_caller(service: &Service, token: &str) -> Option<Principal> {
    match token.strip_prefix(KEY_PREFIX) {
        Some(key) => service.keys.find_caller(key, service.clock.now_ms()),
        None => service.tokens.load().find_caller(token).cloned(),
    }
}

/// Whether the caller may use the method of the path that the request came by.
fn is_allowed(roles: &Roles, caller: &Principal, request: &Request) -> Result<(), Problem> {
    let path = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let Some(access) = roles.access_of(path, request.method()) else {
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
