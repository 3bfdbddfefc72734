//! The one layer around webhooks: what the layers around all other routes do, in one future.
//!
//! Webhooks come in by the thousand a second. A layer for each of these things costs a boxed future, a
//! copy of the service behind it and, for the log, a span. Not the limit of the body, which the handler
//! reads. Called by `routes`.
//!
//! **Architecture invariant:** the answer to a webhook is what the layers of all other routes would make
//! of it: it carries the request's id, is a problem where it is a refusal, and no cache keeps it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::http::request_id::{REQUEST_ID, give_request_id, hook_span};
use crate::http::routes::TIMEOUT;
use crate::http::{caching, problem};

/// Gives a webhook its id and its time, and its answer what every answer has.
pub(crate) async fn wrap_hook(mut request: Request, next: Next) -> Response {
    give_request_id(request.headers_mut());
    let id = request.headers().get(&REQUEST_ID).cloned();

    let answer = tokio::time::timeout(TIMEOUT, catch_panic(next.run(request))).await;
    let answer = match answer {
        Ok(Ok(answer)) => answer,
        Ok(Err(panic)) => hook_span(id.as_ref()).in_scope(|| problem::panic_response(panic)),
        Err(_) => StatusCode::REQUEST_TIMEOUT.into_response(),
    };

    let mut answer = problem::as_problem(answer, id.as_ref());
    caching::forbid_storing(&mut answer);
    if let Some(id) = id {
        answer.headers_mut().entry(REQUEST_ID).or_insert(id);
    }
    answer
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
