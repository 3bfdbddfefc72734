//! How results and diagnostics are printed.

pub(crate) mod destination;
pub(crate) mod output;
pub(crate) mod pages;
pub(crate) mod progress;
pub(crate) mod report;
pub(crate) mod sarif;
