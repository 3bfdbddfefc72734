//! Verbs for those who write policies: make, check, test, try.

pub(crate) mod api;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod docs;
pub(crate) mod eval;
pub(crate) mod lsp;
pub(crate) mod new;
pub(crate) mod repl;
pub(crate) mod scene;
pub(crate) mod schema;
pub(crate) mod test;
