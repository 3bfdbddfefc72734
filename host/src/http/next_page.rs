//! The link to the next page of a list: `Link` with `rel="next"`, beside `next_cursor`.
//!
//! Source: RFC 8288. Not the pages (each list). Called for every answer of the API.

use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderValue, Uri, header};
use axum::middleware::Next;
use axum::response::Response;

use crate::address::encode_part;

/// Where the next page begins, in the extensions of an answer.
#[derive(Debug, Clone)]
pub(crate) struct NextCursor(pub(crate) String);

/// Adds the link to an answer that is a page with another one behind it.
pub(crate) async fn link_next_page(uri: OriginalUri, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(NextCursor(cursor)) = response.extensions().get::<NextCursor>()
        && let Ok(link) = HeaderValue::from_str(&next_link(&uri, cursor))
    {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// The same request with another cursor.
fn next_link(uri: &Uri, cursor: &str) -> String {
    let kept = uri.query().unwrap_or_default().split('&');
    let kept = kept.filter(|part| !part.is_empty() && !part.starts_with("cursor="));
    let cursor = format!("cursor={}", encode_part(cursor));
    let query: Vec<&str> = kept.chain([cursor.as_str()]).collect();
    format!("<{}?{}>; rel=\"next\"", uri.path(), query.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_keeps_the_filters() {
        for (uri, link) in [
            ("/v1/audit", "</v1/audit?cursor=a%2Fb>; rel=\"next\""),
            ("/v1/audit?cursor=1&limit=2", "</v1/audit?limit=2&cursor=a%2Fb>; rel=\"next\""),
        ] {
            assert_eq!(next_link(&uri.parse().unwrap(), "a/b"), link);
        }
    }
}
