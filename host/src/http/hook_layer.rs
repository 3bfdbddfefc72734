//! What an answer to a webhook has besides what its handler says: one function in place of the layers
//! around all other routes.
//!
//! Webhooks come in by the thousand a second. A layer for each of these things costs a boxed future, a
//! copy of the service behind it and, for the log, a span. Not the limit of the body, which the handler
//! reads. Called by the handler of webhooks.
//!
//! **Architecture invariant:** the answer to a webhook is what the layers of all other routes would make
//! of it: it carries the request's id, is a problem where it is a refusal, and no cache keeps it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::http::problem::Problem;
use crate::http::request_id::{REQUEST_ID, hook_span, id_of};
use crate::http::routes::{BODY_BYTES_MAX, TIMEOUT};
use crate::http::{body, caching, problem};

/// Answers a webhook with this id in its time.
pub(crate) async fn answer_hook(
    id: Option<&HeaderValue>,
    work: impl Future<Output = Result<Response, Problem>>,
) -> Response {
    let answer = match tokio::time::timeout(TIMEOUT, catch_panic(work)).await {
        Ok(Ok(answer)) => answer.into_response(),
        Ok(Err(panic)) => hook_span(id).in_scope(|| problem::panic_response(panic)),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    };

    let mut answer = problem::as_problem(answer, id);
    caching::forbid_storing(&mut answer);
    if let Some(id) = id {
        answer.headers_mut().insert(REQUEST_ID, id.clone());
    }
    answer
}

/// Answers a method that webhooks do not have, once the body is read: the connection can go on.
pub(crate) async fn refuse_method(request: Request) -> Response {
    let id = id_of(request.headers());
    let read = body::read_limited(request.into_body(), BODY_BYTES_MAX);
    let refused = async { read.await.map(|_| StatusCode::METHOD_NOT_ALLOWED.into_response()) };
    answer_hook(id.as_ref(), refused).await
}

/// The output of a future, or what it panicked with.
async fn catch_panic<T>(work: impl Future<Output = T>) -> Result<T, Box<dyn Any + Send>> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_of_a_handler_is_an_answer() {
        assert_eq!(catch_panic(async { 7 }).await.ok(), Some(7));
        let panicked = catch_panic::<()>(async { std::panic::panic_any(7) }).await;
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&7));
    }
}
