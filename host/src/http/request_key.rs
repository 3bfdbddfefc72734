//! The key that a sender gives a request, so that the same request again is carried out once.
//!
//! Not what is kept under it (`operations::request_keys`, and ids of deliveries for imports). Called by the
//! handlers of imports, releases, and credits and rewards by hand.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;

use crate::http::problem::Problem;

/// Bytes of an `Idempotency-Key`.
const KEY_BYTES_MAX: usize = 128;

/// The `Idempotency-Key` of a request, where it has one.
#[derive(Debug)]
pub(crate) struct SentKey(pub(crate) Option<String>);

impl SentKey {
    /// The key among the headers of a request.
    ///
    /// # Errors
    /// When it is blank, too long, or no text.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Result<SentKey, Problem> {
        let Some(key) = headers.get("idempotency-key") else { return Ok(SentKey(None)) };
        let key = key.to_str().map(|key| key.trim().trim_matches('"')).unwrap_or("");
        if key.is_empty() || key.len() > KEY_BYTES_MAX {
            let detail =
                format!("`Idempotency-Key` must have 1 to {KEY_BYTES_MAX} visible characters");
            return Err(Problem::bad_request(detail));
        }
        Ok(SentKey(Some(key.to_owned())))
    }
}

impl<S: Sync> FromRequestParts<S> for SentKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<SentKey, Problem> {
        SentKey::from_headers(&parts.headers)
    }
}
