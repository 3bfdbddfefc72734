//! Verbs that run a server.

pub(crate) mod demo;
pub(crate) mod network;
pub(crate) mod serve;
