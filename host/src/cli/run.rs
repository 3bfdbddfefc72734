//! Verbs that run a server.

pub(crate) mod demo;
pub(crate) mod serve;
