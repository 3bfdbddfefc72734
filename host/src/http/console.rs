//! The console's files, which are in the program.
//!
//! Not what they show: that comes over the API, as the caller's own. Built by `build/console.rs`. Called by
//! the router.
//!
//! **Architecture invariant:** an address of the console answers the same page to everyone; it holds nothing
//! of a customer.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::caching;
use crate::http::problem::Problem;

include!(concat!(env!("OUT_DIR"), "/console.rs"));

/// First parts of the console's addresses; the page finds the rest itself.
pub(crate) const AREAS: [&str; 7] =
    ["me", "team", "admin", "policies", "play", "sign-in", "invitations"];

/// The name of a file under `/assets` changes with its content, so that a copy is good for a year.
const KEPT_FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A file of the console.
struct ConsoleFile {
    kind: &'static str,
    content: &'static [u8],
    /// The same, compressed by gzip.
    packed: &'static [u8],
    hash: String,
}

static CONSOLE: LazyLock<BTreeMap<&'static str, ConsoleFile>> = LazyLock::new(|| {
    let files = FILES.iter().map(|(path, content, packed)| {
        let hash = blake3::hash(content).to_hex().chars().take(32).collect();
        (*path, ConsoleFile { kind: kind_of(path), content, packed, hash })
    });
    files.collect()
});

/// The kind of a file, by the end of its name.
fn kind_of(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

/// Whether an asker takes gzip.
fn takes_gzip(headers: &HeaderMap) -> bool {
    let taken = headers.get_all(header::ACCEPT_ENCODING).into_iter();
    let mut taken = taken.filter_map(|one| one.to_str().ok()).flat_map(|one| one.split(','));
    taken.any(|one| {
        let mut parts = one.split(';').map(str::trim);
        let is_gzip = parts.next() == Some("gzip");
        is_gzip && !parts.any(|part| matches!(part, "q=0" | "q=0.0" | "q=0.00" | "q=0.000"))
    })
}

/// A file, or 304 for those who have it.
fn answer_file(path: &str, headers: &HeaderMap) -> Result<Response, Problem> {
    let Some(file) = CONSOLE.get(path) else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "not_found", "there is no such file"));
    };

    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static(file.kind))];
    let shown = if takes_gzip(headers) {
        let packed = [(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"))];
        (kind, packed, file.packed).into_response()
    } else {
        (kind, file.content).into_response()
    };

    let mut answer = caching::with_etag(headers, &file.hash, shown)?;
    answer.headers_mut().insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if path.starts_with("assets/") {
        answer.headers_mut().insert(header::CACHE_CONTROL, KEPT_FOR_GOOD);
    }
    Ok(answer)
}

/// The page of every address of the console.
pub(crate) async fn show_page(headers: HeaderMap) -> Result<Response, Problem> {
    answer_file("index.html", &headers)
}

/// The sign in the browser's tab.
pub(crate) async fn show_icon(headers: HeaderMap) -> Result<Response, Problem> {
    answer_file("icon.svg", &headers)
}

/// A script, a style or another part of the page.
pub(crate) async fn show_asset(
    Path(path): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    answer_file(&format!("assets/{path}"), &headers)
}
