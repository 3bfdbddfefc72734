//! Requests with a query, of operations that take none.
//!
//! An operation that takes parameters refuses unknown ones itself. One without them never looked:
//! `?dry_run=true` behind a release released. Called for every route of the API, once its caller is
//! known.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::body;
use crate::http::openapi;
use crate::http::problem::Problem;

/// Routes and methods of the operations that take a query.
static WITH_QUERY: LazyLock<BTreeSet<(String, Method)>> = LazyLock::new(openapi::routes_with_query);

/// Refuses a request with a query, where its operation takes none.
pub(crate) async fn refuse_unknown_query(
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let query = request.uri().query().unwrap_or_default();
    // The handler of `GET` answers `HEAD` as well.
    let method = match request.method() {
        &Method::HEAD => Method::GET,
        method => method.clone(),
    };
    let operation = (path.as_str().to_owned(), method);
    if query.is_empty() || WITH_QUERY.contains(&operation) {
        return next.run(request).await;
    }

    let (path, method) = operation;
    // The query is not repeated: people put secrets where they do not belong.
    let detail = format!("`{method} {path}` takes no query; send it without what is behind `?`");
    body::refused(request.into_body(), Problem::bad_request(detail)).await.into_response()
}
