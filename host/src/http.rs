//! Handlers, a noun a file.
//!
//! Not rules: a handler reads its request, asks the service and writes what it got.

pub(crate) mod access;
pub(crate) mod act_body;
pub(crate) mod bearer;
pub(crate) mod body;
pub(crate) mod caching;
pub(crate) mod console;
pub(crate) mod definitions;
pub(crate) mod editor;
pub(crate) mod forward;
pub(crate) mod hook_layer;
pub(crate) mod intake;
pub(crate) mod live;
pub(crate) mod me;
pub(crate) mod next_page;
pub(crate) mod openapi;
pub(crate) mod ops;
pub(crate) mod outgoing;
pub(crate) mod problem;
pub(crate) mod request_id;
pub(crate) mod request_key;
pub(crate) mod results;
pub(crate) mod roles;
pub(crate) mod routes;
pub(crate) mod security_headers;
pub(crate) mod unknown_query;
pub(crate) mod views;
pub(crate) mod welcome;
