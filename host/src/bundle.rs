//! Bundles: policies, plans and their cases in one file, installed into a customer's directory.
//!
//! A bundle's files land where the reader of a directory looks anyway, under the names that they
//! have in the bundle, which all begin with the bundle's own: nothing is renamed, nothing is
//! loaded from elsewhere. Called by `cli::bundle`.
//!
//! **Architecture invariant:** an installation is checked as a whole, then written as a whole; a
//! file that somebody edited is never overwritten unasked.

mod archive;
mod install;
mod lock;
mod manifest;
mod settings;
mod sign;

use accredit_domain::diagnostic::Diagnostic;
use accredit_workspace::Files;

pub(crate) use archive::{Archive, pack};
pub(crate) use install::{Wish, install, remove};
pub(crate) use lock::{Lock, edited};

/// Why something about a bundle was not done.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Refused {
    /// For people.
    pub(crate) message: String,
    /// What check and cases found.
    pub(crate) diagnostics: Vec<Diagnostic>,
    /// The texts that they are about.
    pub(crate) files: Files,
}

impl Refused {
    fn new(message: impl Into<String>) -> Refused {
        Refused { message: message.into(), diagnostics: Vec::new(), files: Files::new() }
    }

    fn found(message: impl Into<String>, diagnostics: Vec<Diagnostic>, files: &Files) -> Refused {
        Refused { message: message.into(), diagnostics, files: files.clone() }
    }
}

/// A refusal with what could not be read or written.
fn failed(what: &std::path::Path, error: impl std::fmt::Display) -> Refused {
    Refused::new(format!("{}: {error}", what.display()))
}
