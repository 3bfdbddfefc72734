//! The language server: what editors ask over standard input and output.
//!
//! Not the answers (the crate `editor`) and not the command line (`cli::author::lsp`). Source: Language
//! Server Protocol 3.17.
//!
//! **Architecture invariant:** a message that is not understood is answered or left alone, and never ends
//! the server; only standard output has messages.

pub(crate) mod messages;
pub(crate) mod session;

mod converted;
mod directories;
mod documents;
