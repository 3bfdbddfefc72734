//! What an editor asks about the files of a customer's directory: what is wrong with them, what may be
//! written at a place, what a word means, where it is defined, and what becomes of a deal or a case.
//!
//! Not an editor and not a protocol: no type of HTTP or of the language server is here. Called by
//! `accredit lsp`, by the routes under `/v1/editor` and, for the findings, by `accredit check`.
//!
//! **Architecture invariant:** nothing here writes, and every finding comes from the checker that
//! decides whether files may come into force.
//!
//! Lines and columns count from 1, columns in characters, as in every finding; a caller that counts
//! otherwise turns its numbers into these with [`text`].

pub mod case_run;
pub mod checked;
pub mod complete;
pub mod definition;
mod describe;
mod edited_text;
mod field_docs;
pub mod hover;
mod names;
mod people_names;
mod script_spot;
mod subject;
mod table_rows;
pub mod text;
mod toml_spot;
pub mod trial;

use std::collections::BTreeSet;

use accredit_seams::connector::Connector;
use accredit_workspace::Files;

/// The files that an editor shows, and what is known beside them.
#[derive(Clone)]
pub struct EditorWorkspace {
    /// The files of the directory, with what was typed laid over them.
    pub files: Files,
    /// Columns that deals had; while there are none, a column may have any name.
    pub columns: BTreeSet<String>,
    /// The connectors of this build.
    pub connectors: &'static [&'static dyn Connector],
}
