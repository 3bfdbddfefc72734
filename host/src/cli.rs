//! verbs
pub(crate) mod calculate;
pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod output;
pub(crate) mod report;
pub(crate) mod test;
