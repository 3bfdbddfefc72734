//! Handlers, a noun a file.
//!
//! Not rules: a handler reads its request, asks the service and writes what it got.

pub(crate) mod act_body;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod caching;
pub(crate) mod definitions;
pub(crate) mod intake;
pub(crate) mod ops;
pub(crate) mod problem;
pub(crate) mod results;
pub(crate) mod roles;
pub(crate) mod routes;
pub(crate) mod views;

use axum::http::{HeaderValue, Request};
use tower_http::request_id::{MakeRequestId, RequestId};

/// Makes the id of a request that brings none.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let mut bytes = [0; 12];
        getrandom::fill(&mut bytes).ok()?;
        let number = bytes.into_iter().fold(0_u128, |number, byte| number << 8 | u128::from(byte));
        HeaderValue::from_str(&format!("req_{number:024x}")).ok().map(RequestId::new)
    }
}
