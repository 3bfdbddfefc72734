//! What every answer tells browsers: what a page may load, who may frame it, and to keep to TLS.
//!
//! Not what caches may keep (`caching`). Called by the accept loop for each answer, whatever made it: a
//! handler, a refusal, a path that does not exist, a webhook.
//!
//! **Architecture invariant:** no answer of a handler or a layer leaves the server without these headers;
//! a page may only have a policy of contents of its own in place of the usual one.

use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

/// What a page may load and do: its own files alone, nothing inline, in no frame.
const CONTENT_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; \
     form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
);

/// The same for every answer.
const ALWAYS: [(HeaderName, HeaderValue); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// A year, for this host alone: what its other names serve, only their administrators know.
const KEEP_TO_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");

/// Adds them to an answer.
pub(crate) fn add_headers(headers: &mut HeaderMap, is_tls: bool) {
    headers.reserve(6);
    for (name, value) in ALWAYS {
        headers.insert(name, value);
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(CONTENT_POLICY);
    if is_tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, KEEP_TO_TLS);
    }
}
