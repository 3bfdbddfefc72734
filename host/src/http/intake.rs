//! Routes by which deals come in.

pub(crate) mod dead_letters;
pub(crate) mod deals;
pub(crate) mod fetches;
pub(crate) mod hooks;
pub(crate) mod imports;
pub(crate) mod parked;
pub(crate) mod quarantine;
pub(crate) mod reconciliation;
mod source_rates;
pub(crate) mod transactions;
