//! What others may keep of an answer, and whether they have it already.
//!
//! Source: RFC 9110 (conditional requests), RFC 9111 (caching).
//!
//! **Architecture invariant:** no cache keeps an answer unless its handler allows it: amounts are
//! for those who ask.

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::definitions::conditions;
use crate::http::problem::Problem;

/// What is kept may be used only after asking whether it is still the same.
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("private, no-cache");

/// Forbids keeping every answer that says nothing about it.
pub(crate) async fn not_stored(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    forbid_storing(&mut response);
    response
}

/// Forbids keeping an answer that says nothing about it.
pub(crate) fn forbid_storing(response: &mut Response) {
    let nothing_said = response.headers_mut().entry(header::CACHE_CONTROL);
    nothing_said.or_insert(HeaderValue::from_static("no-store"));
}

/// Whether the asker has this version: `If-None-Match` names its hash, or is `*`.
fn is_known(headers: &HeaderMap, hash: &str) -> bool {
    let tags = headers.get_all(header::IF_NONE_MATCH).into_iter();
    let tags = tags.filter_map(|tags| tags.to_str().ok()).flat_map(|tags| tags.split(','));
    let tags = tags.map(|tag| tag.trim()).map(|tag| tag.strip_prefix("W/").unwrap_or(tag));
    tags.map(|tag| tag.trim_matches('"')).any(|tag| tag == "*" || tag == hash)
}

/// The answer with the hash of what it shows as its `ETag`; 304 for an asker who has it.
pub(crate) fn with_etag(
    headers: &HeaderMap,
    hash: &str,
    shown: impl IntoResponse,
) -> Result<Response, Problem> {
    let tag = conditions::etag(hash)?;

    let mut response = if is_known(headers, hash) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        shown.into_response()
    };

    response.headers_mut().insert(header::ETAG, tag);
    response.headers_mut().insert(header::CACHE_CONTROL, ASK_AGAIN);
    Ok(response)
}
