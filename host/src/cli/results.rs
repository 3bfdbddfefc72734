//! Verbs that compute from a directory: results, explanations, simulations.

pub(crate) mod aliases;
pub(crate) mod calculate;
pub(crate) mod explain;
pub(crate) mod simulate;
pub(crate) mod worker;
