//! Bodies with a limit: read whole before a handler runs, refused when they are too large.
//!
//! A sender that is still writing when the connection closes never sees the answer, so what is too
//! large is read on for a while and thrown away: the refusal arrives.

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;

/// Bytes beyond the limit that are read and thrown away before the connection is given up.
const DRAIN_BYTES_MAX: usize = 16 << 20;

/// Hands the request on with its whole body, if that is at most `limit` bytes.
pub(crate) async fn limited(State(limit): State<usize>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    match read(body, limit).await {
        Ok(bytes) => next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Err(problem) => problem.into_response(),
    }
}

async fn read(mut body: Body, limit: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut seen = 0_usize;
    while let Some(frame) = std::future::poll_fn(|context| {
        let body = std::pin::Pin::new(&mut body);
        body.poll_frame(context)
    })
    .await
    {
        let frame = frame.map_err(|_| Problem::bad_request("the body ended early"))?;
        let Ok(data) = frame.into_data() else { continue };

        seen = seen.saturating_add(data.len());
        // A bit too much is read on, so that the client sees the answer and no reset connection.
        if seen <= limit {
            bytes.extend_from_slice(&data);
        } else if seen - limit > DRAIN_BYTES_MAX {
            break;
        }
    }

    if seen <= limit {
        return Ok(bytes);
    }

    let detail = format!("the body is larger than {limit} bytes");
    Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
}
