//! Acts with a query, of operations that take none.
//!
//! An operation that takes parameters refuses unknown ones itself. One without them never looked:
//! `?dry_run=true` behind a release released. Not questions, which change nothing. Called for every
//! route of the API, once its caller is known.

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

/// Refuses an act with a query, where its operation takes none.
pub(crate) async fn refuse_unknown_query(
    path: MatchedPath,
    request: Request,
    next: Next,
) -> Response {
    let is_question = matches!(*request.method(), Method::GET | Method::HEAD);
    let has_query = request.uri().query().is_some_and(|query| !query.is_empty());
    let operation = (path.as_str().to_owned(), request.method().clone());
    if is_question || !has_query || WITH_QUERY.contains(&operation) {
        return next.run(request).await;
    }

    let (path, method) = operation;
    // The query is not repeated: people put secrets where they do not belong.
    let detail = format!("`{method} {path}` takes no query; send it without what is behind `?`");
    body::refused(request.into_body(), Problem::bad_request(detail)).await.into_response()
}
