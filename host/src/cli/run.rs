//! Verbs that run a server.

pub(crate) mod demo;
pub(crate) mod hosts;
pub(crate) mod interval;
mod logging;
pub(crate) mod network;
pub(crate) mod outgoing;
pub(crate) mod serve;
#[cfg(feature = "otel")]
mod spans;
