//! The id of a request: the one that it brings, or one that is made; and the span of its log lines.
//!
//! Not the problems that repeat the id (`problem`).

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use tower_http::request_id::{MakeRequestId, RequestId};
use tracing::Span;

/// The header of the id, in requests and answers.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Makes the id of a request that brings none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &axum::http::Request<B>) -> Option<RequestId> {
        new_request_id().map(RequestId::new)
    }
}

/// The id of the next request: a number of this process, behind one that other processes do not have.
fn new_request_id() -> Option<HeaderValue> {
    static PROCESS: OnceLock<[u8; 6]> = OnceLock::new();
    static REQUESTS: AtomicU64 = AtomicU64::new(0);

    let process = match PROCESS.get() {
        Some(process) => process,
        None => {
            let mut fresh = [0; 6];
            getrandom::fill(&mut fresh).ok()?;
            PROCESS.get_or_init(|| fresh)
        }
    };
    let process = process.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
    let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
    HeaderValue::from_str(&format!("req_{process:012x}{request:012x}")).ok()
}

/// The id of a request: its own, or a new one.
pub(crate) fn id_of(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(&REQUEST_ID).cloned().or_else(new_request_id)
}

/// The span of a request's log lines. The path may hold natural keys and the query names of people, so
/// neither is logged.
pub(crate) fn request_span(request: &Request) -> Span {
    let noun = request.uri().path().split('/').find(|part| !part.is_empty() && *part != "v1");
    let (headers, method) = (request.headers(), request.method());
    let trace = trace_of(headers).unwrap_or_default();
    let span = new_span(headers.get(&REQUEST_ID), trace, method, noun.unwrap_or_default());
    #[cfg(feature = "otel")]
    follow_caller(&span, headers);
    span
}

/// The span of a webhook's log lines. It costs as much as reading the delivery, so that one is made
/// where there is something to log.
pub(crate) fn hook_span(id: Option<&HeaderValue>) -> Span {
    new_span(id, "", &Method::POST, "hooks")
}

fn new_span(id: Option<&HeaderValue>, trace: &str, method: &Method, noun: &str) -> Span {
    let id = id.and_then(|id| id.to_str().ok());
    tracing::info_span!(
        "request",
        request.id = id.unwrap_or_default(),
        trace.id = trace,
        http.method = %method,
        http.noun = noun,
    )
}

/// The id of the trace that the caller's request belongs to, out of `traceparent` of W3C Trace Context.
fn trace_of(headers: &HeaderMap) -> Option<&str> {
    let parent = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = parent.split('-');
    let (_, trace) = (parts.next()?, parts.next()?);
    let is_hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    (trace.len() == 32 && trace.bytes().all(is_hexadecimal)).then_some(trace)
}

/// Makes the span a part of the trace of the caller.
#[cfg(feature = "otel")]
fn follow_caller(span: &Span, headers: &HeaderMap) {
    use tracing_opentelemetry::OpenTelemetrySpanExt;

    let caller = opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.extract(&opentelemetry_http::HeaderExtractor(headers))
    });
    // A span that is not exported has no trace.
    let _ = span.set_parent(caller);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_id_of_a_trace_is_taken() {
        let trace = "0af7651916cd43dd8448eb211c80319c";
        let of = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", value.parse().unwrap());
            trace_of(&headers).map(str::to_owned)
        };
        assert_eq!(of(&format!("00-{trace}-b7ad6b7169203331-01")).as_deref(), Some(trace));
        for wrong in ["", "00", "00-x-y-01", "00-0AF7651916CD43DD8448EB211C80319C-b7-01"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }
}
