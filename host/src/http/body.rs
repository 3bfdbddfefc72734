//! Bodies with a limit: read whole before a handler runs, refused when they are too large.
//!
//! A sender that is still writing when the connection closes never sees the answer, so what is too
//! large is read on for a while and thrown away: the refusal arrives.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::Semaphore;

use crate::http::problem::Problem;
use crate::server::memory::available_memory;

/// Bytes beyond the limit that are read and thrown away before the connection is given up.
const DRAIN_BYTES_MAX: usize = 16 << 20;

/// How long the body of a request that is refused is read.
const REFUSAL_WAIT: Duration = Duration::from_secs(2);

/// Bytes after which there is room for the whole of a body.
const WHOLE_FROM: usize = 1 << 20;

/// Hands the request on with its whole body, if that is at most `limit` bytes.
pub(crate) async fn limit_body(
    State(limit): State<usize>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    match read_limited(body, limit).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(problem) => problem.into_response(),
    }
}

/// The same for bodies of definitions, which are understood, checked and compared as a whole: one
/// that needs more memory than there is would end the server.
pub(crate) async fn limit_definitions(
    State(limit): State<usize>,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    let bytes = match read_limited(body, limit).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };

    // Two large ones that fit alone need not fit together.
    let is_large = bytes.len() > SMALL_DEFINITIONS_BYTES;
    let _turn = if is_large { LARGE_DEFINITIONS.acquire().await.ok() } else { None };

    match memory_problem(bytes.len(), available_memory()) {
        Some(problem) => problem.into_response(),
        None => next.run(Request::from_parts(parts, Body::from(bytes))).await,
    }
}

/// The turn of large bodies of definitions: one at a time.
static LARGE_DEFINITIONS: Semaphore = Semaphore::const_new(1);

/// Bytes of memory that a byte of definitions needs: measured with rows of people, which need most,
/// in a preview, which holds the rules of before and after and those of the cases.
const MEMORY_PER_BYTE: u64 = 96;

/// Bodies up to this need little whatever they hold.
const SMALL_DEFINITIONS_BYTES: usize = 1 << 20;

/// The problem of a body of definitions for which there is too little memory.
fn memory_problem(bytes: usize, available: Option<u64>) -> Option<Problem> {
    let needed = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(MEMORY_PER_BYTE);
    let available = available.filter(|available| *available < needed)?;
    if bytes <= SMALL_DEFINITIONS_BYTES {
        return None;
    }

    let (needed, available) = (needed >> 20, available >> 20);
    let detail = format!(
        "these files need about {needed} MiB of memory, and {available} MiB are available: give the \
         server more, or split the files"
    );
    Some(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not_enough_memory", detail))
}

/// Reads a whole body of at most `limit` bytes.
pub(crate) async fn read_limited(mut body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let length = body.size_hint().exact().and_then(|length| usize::try_from(length).ok());
    let mut bytes = Vec::new();
    let mut seen = 0_usize;

    while let Some(frame) = next(&mut body).await {
        let frame = frame.map_err(|_| Problem::bad_request("the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };

        seen = seen.saturating_add(data.len());
        // A bit too much is read on, so that the client sees the answer and no reset connection.
        if seen <= limit {
            make_room(&mut bytes, seen, length.unwrap_or(limit).min(limit));
            bytes.extend_from_slice(&data);
        } else if seen - limit > DRAIN_BYTES_MAX {
            break;
        } else {
            bytes = Vec::new();
        }
    }

    if seen <= limit {
        return Ok(bytes);
    }

    let detail = format!("the body is larger than {limit} bytes");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
}

/// Reads a body of about `limit` bytes and keeps nothing of it, so that the refusal arrives.
pub(crate) async fn discard(mut body: Body, limit: usize) {
    let mut left = limit.saturating_add(DRAIN_BYTES_MAX);
    while let Some(Ok(frame)) = next(&mut body).await {
        let length = frame.data_ref().map_or(0, |data| data.len());
        left = left.saturating_sub(length);
        if left == 0 {
            break;
        }
    }
}

/// A refusal that does not wait for a body, sent once a small one was read: a connection that is closed
/// while the client still sends loses the answer.
pub(crate) async fn refused<E>(body: Body, refusal: E) -> E {
    // A client that sends slowly does not keep the connection.
    let _ = tokio::time::timeout(REFUSAL_WAIT, discard(body, 0)).await;
    refusal
}

async fn next(body: &mut Body) -> Option<Result<Frame<Bytes>, axum::Error>> {
    std::future::poll_fn(|context| std::pin::Pin::new(&mut *body).poll_frame(context)).await
}

/// Makes room for `needed` bytes of a body that is expected to have `whole`: a large one gets all of
/// it once a part has come, since twice the memory each time would be twice as much in the end.
fn make_room(bytes: &mut Vec<u8>, needed: usize, whole: usize) {
    if needed <= bytes.capacity() {
        return;
    }
    let doubled = needed.saturating_mul(2).min(whole);
    let wanted = if needed > WHOLE_FROM { whole } else { doubled }.max(needed);
    bytes.reserve_exact(wanted.saturating_sub(bytes.len()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A change with 375,000 people ended a server with 512 MiB.
    #[test]
    fn definitions_that_need_more_memory_than_there_is_are_refused() {
        let refused =
            |bytes: usize, mebibytes: u64| memory_problem(bytes, Some(mebibytes << 20)).is_some();
        assert!(refused(12 << 20, 362));
        assert!(!refused(12 << 20, 4096));
        assert!(!refused(1 << 20, 1), "what is small is tried");
        assert!(memory_problem(64 << 20, None).is_none(), "nothing is reported");
    }
}
