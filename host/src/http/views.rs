//! Answers as JSON: how a view is written, and the views that several groups of handlers share.
//!
//! Not the view of one noun (beside its handlers). Amounts are decimals as text, instants are RFC 3339 in
//! UTC, dates are ISO.
//!
//! **Architecture invariant:** the keys of an answer are in alphabetical order, in every object: two
//! answers with the same content have the same bytes.

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::http::next_page::NextCursor;
use crate::http::problem::Problem;
use crate::server::clock::format_rfc3339;

/// A view as the body of an answer.
#[derive(Debug)]
pub(crate) struct ViewJson<V>(pub(crate) V);

/// What a handler answers with a view.
pub(crate) type ViewResult<V> = Result<ViewJson<V>, Problem>;

/// A view as JSON.
///
/// # Errors
/// When it has no JSON: a fault of the server.
pub(crate) fn view_json(view: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(view).map_err(|error| Problem::internal(&error))
}

impl<V: Serialize> IntoResponse for ViewJson<V> {
    fn into_response(self) -> Response {
        let json = match view_json(&self.0) {
            Ok(json) => json,
            Err(problem) => return problem.into_response(),
        };
        let cursor = json.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        let mut response = Json(json).into_response();
        if let Some(cursor) = cursor {
            response.extensions_mut().insert(NextCursor(cursor));
        }
        response
    }
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ListView<R> {
    /// The rows of the page.
    pub(crate) data: Vec<R>,
    /// Where the next page begins; null behind the last one.
    pub(crate) next_cursor: Option<String>,
}

impl<R> ListView<R> {
    /// A list that is one page.
    pub(crate) fn whole(data: Vec<R>) -> ListView<R> {
        ListView { data, next_cursor: None }
    }
}

/// Who approved, withdrew or refused something, and when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SignOffView {
    /// The user.
    who: String,
    /// The instant.
    #[schema(format = DateTime)]
    at: String,
}

impl SignOffView {
    /// The user and the time in milliseconds since 1970.
    pub(crate) fn new((who, at_ms): (String, i64)) -> SignOffView {
        SignOffView { who, at: format_rfc3339(at_ms) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Scripts of customers compare answers as text.
    #[tokio::test]
    async fn the_keys_of_an_answer_are_in_alphabetical_order() {
        let who = SignOffView::new(("ann".to_owned(), 0));
        let response = ViewJson(ListView::whole(vec![who])).into_response();
        let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        let expected = r#"{"data":[{"at":"1970-01-01T00:00:00Z","who":"ann"}],"next_cursor":null}"#;
        assert_eq!(body, expected);
    }
}
