//! The token that everything under `/v1` asks for, and what its role may do.
//!
//! Not who approves what (`door::proposals`). Handlers find the [`Caller`] in the request's
//! extensions.
//!
//! **Architecture invariant:** a role is judged by method and path before a handler runs; what no
//! line here allows is the administrator's.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;
use crate::server::secrets::{Caller, Role};
use crate::server::state::Service;

/// Lets a request through that carries a token which may do what it asks.
pub(crate) async fn required(
    State(service): State<Arc<Service>>,
    mut request: Request,
    next: Next,
) -> Response {
    let given = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = given.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let known = service.tokens.load();
    let Some(caller) = token.and_then(|token| known.caller(token)).cloned() else {
        let detail = "this path asks for `Authorization: Bearer` and the token";
        let realm = HeaderValue::from_static("Bearer realm=\"accredit\"");
        return Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", detail)
            .header(header::WWW_AUTHENTICATE, realm)
            .into_response();
    };
    if caller.role < needed(request.method(), request.uri().path()) {
        let detail = "the role of this token does not allow it";
        return Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).into_response();
    }
    request.extensions_mut().insert::<Caller>(caller);
    next.run(request).await
}

/// The least role that may do it.
fn needed(method: &Method, path: &str) -> Role {
    let noun = path.trim_start_matches("/v1/").split('/').next().unwrap_or("");
    match noun {
        _ if *method == Method::GET || *method == Method::HEAD => Role::Reader,
        // Both only look.
        "preview" | "simulations" => Role::Reader,
        // Whoever may look may ask.
        "payees" => Role::Reader,
        "enquiries" => Role::Approver,
        "changes" if path.ends_with("/approve") || path.ends_with("/activate") => Role::Approver,
        "definitions" | "policies" | "rules" | "changes" | "shadow" | "rollback" => Role::Author,
        _ => Role::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_are_judged_by_method_and_path() {
        let cases = [
            ("GET", "/v1/credits", Role::Reader),
            ("POST", "/v1/preview", Role::Reader),
            ("POST", "/v1/simulations", Role::Reader),
            ("PUT", "/v1/definitions/plans/a.toml", Role::Author),
            ("POST", "/v1/changes", Role::Author),
            ("POST", "/v1/changes/3/approve", Role::Approver),
            ("POST", "/v1/credits/crd_1/release", Role::Admin),
            ("POST", "/v1/payees/ann/enquiries", Role::Reader),
            ("POST", "/v1/enquiries/3/answer", Role::Approver),
            ("POST", "/v1/transactions", Role::Admin),
        ];
        for (method, path, role) in cases {
            assert_eq!(needed(&method.parse().unwrap(), path), role, "{method} {path}");
        }
    }
}
