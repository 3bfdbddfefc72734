//! The document over HTTP: as JSON and as a page, without a token.
//!
//! Not what is in it (`openapi`) and not the page (`page`).

use std::sync::LazyLock;

use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};

use super::page;
use crate::http::caching;
use crate::http::problem::Problem;

/// The page loads its own style and nothing else.
const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

/// A text that is the same as long as the program runs, with its hash.
struct ServedText {
    text: String,
    hash: String,
}

impl ServedText {
    fn new(text: String) -> ServedText {
        let hash = blake3::hash(text.as_bytes()).to_hex().chars().take(32).collect();
        ServedText { text, hash }
    }

    /// The text, or 304 for those who have it.
    fn answer(&'static self, headers: &HeaderMap, kind: &'static str) -> Result<Response, Problem> {
        let shown = ([(header::CONTENT_TYPE, kind)], self.text.as_str());
        let mut answer = caching::with_etag(headers, &self.hash, shown)?;
        let kept = HeaderValue::from_static("public, no-cache");
        answer.headers_mut().insert(header::CACHE_CONTROL, kept);
        Ok(answer)
    }
}

static DOCUMENT: LazyLock<ServedText> = LazyLock::new(|| ServedText::new(super::document_text()));

static PAGE: LazyLock<ServedText> =
    LazyLock::new(|| ServedText::new(page::render_page(super::document())));

static STYLE: LazyLock<ServedText> = LazyLock::new(|| ServedText::new(page::STYLE.to_owned()));

/// The document.
pub(crate) async fn show_document(headers: HeaderMap) -> Result<Response, Problem> {
    DOCUMENT.answer(&headers, "application/json")
}

/// The document as a page.
pub(crate) async fn show_page(headers: HeaderMap) -> Result<Response, Problem> {
    let mut answer = PAGE.answer(&headers, "text/html; charset=utf-8")?;
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, POLICY);
    Ok(answer)
}

/// The style of the page.
pub(crate) async fn show_style(headers: HeaderMap) -> Result<Response, Problem> {
    STYLE.answer(&headers, "text/css; charset=utf-8").map(IntoResponse::into_response)
}
