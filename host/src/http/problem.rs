//! What goes wrong on the wire, as RFC 9457 says: `application/problem+json`.
//!
//! Not diagnostics of authors (the engine's): they travel in `errors`. Called by every handler;
//! [`render_problem`] turns every refusal of the framework into the same shape.
//!
//! **Architecture invariant:** every answer with a status of 400 or more is a problem that carries
//! the request's id.

use accredit_operations::error::OperationError;
use accredit_seams::store::StoreError;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use crate::http::request_id::REQUEST_ID;

/// A problem as it is written: the members of RFC 9457, and `errors`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ProblemView<'a> {
    /// The path of the page that explains this kind of problem.
    #[serde(rename = "type")]
    kind: String,
    /// The name of the status.
    title: &'a str,
    /// The status.
    status: u16,
    /// What is wrong with this request, and what to do.
    detail: &'a str,
    /// The id of the request.
    instance: Option<&'a str>,
    /// Diagnostics, one JSON object each; left out where there are none.
    #[serde(skip_serializing_if = "<[Json]>::is_empty")]
    #[schema(value_type = Vec<serde_json::Value>)]
    errors: &'a [Json],
}

/// An error response in the form of RFC 9457.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<Json>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Problem {
    /// A problem of kind `code` with something to read.
    pub(crate) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Problem { status, code, detail: detail.into(), errors: Vec::new(), headers: Vec::new() }
    }

    /// Nothing here, or nothing that the caller may see.
    pub(crate) fn not_found(what: &str) -> Self {
        Problem::new(StatusCode::NOT_FOUND, "not_found", format!("{what} not found"))
    }

    /// A request that is not understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::BAD_REQUEST, "bad_request", detail)
    }

    /// Understood, and not acceptable.
    pub(crate) fn unprocessable(code: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, code, detail)
    }

    /// At odds with what is there.
    pub(crate) fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Problem::new(StatusCode::CONFLICT, code, detail)
    }

    /// Ours to repair: the cause is logged here, once, and not told; except that data is damaged,
    /// which a person has to act upon.
    pub(crate) fn internal<E: std::fmt::Display + std::any::Any>(cause: &E) -> Self {
        tracing::error!(error.cause = %cause, "request failed");
        let cause = cause as &dyn std::any::Any;
        if let Some(damaged @ StoreError::Damaged(_)) = cause.downcast_ref() {
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Problem::new(status, "damaged", damaged.to_string());
        }
        let status = StatusCode::INTERNAL_SERVER_ERROR;
        Problem::new(status, "internal", "internal error; see the server's log")
    }

    /// A 503: the request can be repeated later.
    pub(crate) fn unavailable(detail: impl Into<String>) -> Self {
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail);
        problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The word for the kind of problem.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The same problem with diagnostics under `errors`.
    pub(crate) fn with_errors(mut self, errors: Vec<Json>) -> Self {
        self.errors = errors;
        self
    }

    /// The same problem with views of what is wrong under `errors`.
    pub(crate) fn with_error_views(self, errors: &[impl Serialize]) -> Self {
        let errors = errors.iter().filter_map(|error| serde_json::to_value(error).ok());
        self.with_errors(errors.collect())
    }

    /// The same problem with a response header.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    fn of_status(status: StatusCode) -> Self {
        let (code, detail) = match status {
            StatusCode::NOT_FOUND => ("not_found", "this path does not exist"),
            StatusCode::METHOD_NOT_ALLOWED => ("method", "this path does not support this method"),
            StatusCode::PAYLOAD_TOO_LARGE => {
                ("too_large", "the body is larger than this path accepts")
            }
            StatusCode::REQUEST_TIMEOUT => ("timeout", "the request took too long"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => {
                ("media_type", "this content type is not accepted here")
            }
            status if status.is_server_error() => {
                ("internal", "internal error; see the server's log")
            }
            _ => ("bad_request", "the request is not understood"),
        };

        Problem::new(status, code, detail)
    }

    /// Its status.
    pub(crate) fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Its body.
    pub(crate) fn body(&self, instance: Option<&str>) -> Json {
        let view = ProblemView {
            kind: format!("/problems/{}", self.code),
            title: self.status.canonical_reason().unwrap_or("error"),
            status: self.status.as_u16(),
            detail: &self.detail,
            instance,
            errors: &self.errors,
        };
        // Texts, a number and JSON: nothing of it has no JSON.
        serde_json::to_value(view).unwrap_or_default()
    }

    fn render_response(self, instance: Option<&str>) -> Response {
        let body = self.body(instance);
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, kind, body.to_string()).into_response();
        response.headers_mut().extend(self.headers);
        response
    }
}

/// The one place in which an operation's error becomes a status.
/// Data that cannot be read or written is a fault of the server.
impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Problem {
        match error {
            StoreError::Elsewhere(_) => Problem::unavailable(error.to_string()),
            error => Problem::internal(&error),
        }
    }
}

/// Where a run is found.
pub(crate) fn run_location(id: u64) -> HeaderValue {
    HeaderValue::from_str(&format!("/v1/runs/{id}"))
        .unwrap_or_else(|_| HeaderValue::from_static("/v1/runs"))
}

impl From<OperationError> for Problem {
    fn from(error: OperationError) -> Problem {
        let (status, refusal) = match error {
            OperationError::NotFound(refusal) => (StatusCode::NOT_FOUND, refusal),
            OperationError::Invalid(refusal) => (StatusCode::UNPROCESSABLE_ENTITY, refusal),
            OperationError::Conflict(refusal) => (StatusCode::CONFLICT, refusal),
            OperationError::Precondition(refusal) => (StatusCode::PRECONDITION_FAILED, refusal),
            OperationError::PreconditionRequired(refusal) => {
                (StatusCode::PRECONDITION_REQUIRED, refusal)
            }
            OperationError::Forbidden(refusal) => (StatusCode::FORBIDDEN, refusal),
            OperationError::Unavailable(refusal) => return Problem::unavailable(refusal.detail),

            OperationError::RunUnderWay(run) => {
                let detail = OperationError::RunUnderWay(run.clone()).to_string();
                let problem = Problem::conflict("run_under_way", detail);
                return problem.with_header(header::LOCATION, run_location(run.id));
            }

            OperationError::Check(diagnostics) => {
                let detail = "check found errors; the version in force stays";
                let problem = Problem::unprocessable("check_failed", detail);
                return problem.with_error_views(&diagnostics);
            }

            OperationError::Store(error) => return Problem::from(error),
            OperationError::Internal(cause) => return Problem::internal(&cause),
        };

        Problem::new(status, refusal.code, refusal.detail).with_errors(refusal.findings)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Written by `render`, which knows the request's id.
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Gives every refusal, ours or the framework's, its one shape.
pub(crate) async fn render_problem(request: Request, next: Next) -> Response {
    let id = request.headers().get(&REQUEST_ID).cloned();
    as_problem(next.run(request).await, id.as_ref())
}

/// A response as it is, or a refusal in its one shape, with the id of its request.
pub(crate) fn as_problem(mut response: Response, id: Option<&HeaderValue>) -> Response {
    let status = response.status();

    if !status.is_client_error() && !status.is_server_error() {
        return response;
    }

    let problem = response.extensions_mut().remove::<Problem>();
    let problem = problem.unwrap_or_else(|| Problem::of_status(status));
    let mut problem = problem.render_response(id.and_then(|id| id.to_str().ok()));

    for name in KEPT_HEADERS {
        if let Some(value) = response.headers().get(&name) {
            problem.headers_mut().insert(name, value.clone());
        }
    }

    problem
}

/// What the router and the limits of rate have set, and the new response would lose.
const KEPT_HEADERS: [HeaderName; 3] = [header::ALLOW, RATE_POLICY, RATE_STATE];

/// The limit that a request was counted by.
pub(crate) const RATE_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// What is left of it.
pub(crate) const RATE_STATE: HeaderName = HeaderName::from_static("ratelimit");

/// What every kind of problem means and what to do, a section each.
pub(crate) const PAGES: &str = include_str!("../../../scripts/problems.md");

/// The section of one kind: its heading is the code in backticks.
fn problem_section(code: &str) -> Option<&'static str> {
    let heading = format!("`{code}`\n");
    PAGES.split("\n## ").find(|section| section.starts_with(&heading))
}

/// What the `type` of a problem leads to.
pub(crate) async fn show_problem(Path(code): Path<String>) -> Result<Response, Problem> {
    let text = problem_section(&code).ok_or_else(|| Problem::not_found("kind of problem"))?;
    let kind = [(header::CONTENT_TYPE, "text/markdown; charset=utf-8")];
    let kept = [(header::CACHE_CONTROL, "public, max-age=3600")];
    Ok((kind, kept, format!("# {text}")).into_response())
}

/// What a panic answers; the panic itself was printed where it happened.
pub(crate) fn panic_response(_: Box<dyn std::any::Any + Send + 'static>) -> Response<Body> {
    Problem::internal(&"a handler panicked").into_response()
}
